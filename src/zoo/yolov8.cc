// YOLOv8's detector without its decoding: for each of three scales the raw maps of the head, 64
// channels of box distributions and 80 of classes.
// Source  the architecture as its authors publish it: docs.ultralytics.com/models/yolov8 (sizes,
//         parameters) and the diagram of github.com/ultralytics/ultralytics/issues/189; tensor
//         names are those of its checkpoints, module numbers those of the diagram.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "zoo/architecture.h"

namespace assay::zoo {
namespace {

constexpr NormOptions kNorm = {.gamma = 0.5, .beta = 1, .epsilon = 1e-3, .momentum = 0.03};
constexpr NormOptions kBranchNorm = {
    .gamma = kBranchEnd.gamma, .beta = kBranchEnd.beta, .epsilon = 1e-3, .momentum = 0.03};
constexpr std::int64_t kBoxBins = 16;  // of each of four distances
constexpr std::int64_t kClasses = 80;

/// Convolution without bias, norm, SiLU.
Tensor ConvNormSilu(GraphBuilder& net, const std::string& name, const Tensor& x, std::int64_t out,
                    std::int64_t kernel = 1, std::int64_t stride = 1,
                    const NormOptions& norm = kNorm) {
  Tensor y = net.Conv2d(name + ".conv", x,
                        {.out = out, .kernel = kernel, .stride = stride, .padding = kernel / 2});
  y = net.BatchNorm2d(name + ".bn", y, norm);
  return net.Silu(name + ".act", y);
}

/// "C2f": one half goes straight, the other through a chain of blocks; all stages are joined.
Tensor CrossStage(GraphBuilder& net, const std::string& name, const Tensor& x, std::int64_t out,
                  int blocks, bool shortcut) {
  const Tensor entered = ConvNormSilu(net, name + ".cv1", x, out);
  std::vector<Tensor> stages = net.Split(name + ".split", entered, 1, 2);
  for (int block = 0; block < blocks; ++block) {
    const std::string at = fmt::format("{}.m.{}", name, block);
    const Tensor before = stages.back();
    Tensor y = ConvNormSilu(net, at + ".cv1", before, out / 2, 3);
    y = ConvNormSilu(net, at + ".cv2", y, out / 2, 3, 1, shortcut ? kBranchNorm : kNorm);
    stages.push_back(shortcut ? net.Add(at + ".add", before, y) : y);
  }
  return ConvNormSilu(net, name + ".cv2", net.Concat(name + ".concat", stages, 1), out);
}

/// "SPPF": three poolings of 5 x 5 in a row, all joined.
Tensor PyramidPooling(GraphBuilder& net, const std::string& name, const Tensor& x) {
  const std::int64_t channels = x.shape[1];
  std::vector<Tensor> stages = {ConvNormSilu(net, name + ".cv1", x, channels / 2)};
  for (int i = 0; i < 3; ++i) {
    stages.push_back(net.MaxPool2d(fmt::format("{}.m.{}", name, i), stages.back(),
                                   {.kernel = 5, .stride = 1, .padding = 2}));
  }
  return ConvNormSilu(net, name + ".cv2", net.Concat(name + ".concat", stages, 1), channels);
}

/// One of the head's two branches at one scale.
Tensor Branch(GraphBuilder& net, const std::string& name, const Tensor& x, std::int64_t width,
              std::int64_t out) {
  Tensor y = ConvNormSilu(net, name + ".0", x, width, 3);
  y = ConvNormSilu(net, name + ".1", y, width, 3);
  return net.Conv2d(name + ".2", y, {.out = out, .bias = true});
}

void Detect(GraphBuilder& net, const std::array<Tensor, 3>& scales) {
  const std::int64_t narrowest = scales[0].shape[1];
  const std::int64_t box = std::max({std::int64_t{16}, narrowest / 4, 4 * kBoxBins});
  const std::int64_t classes = std::max(narrowest, std::min(kClasses, std::int64_t{100}));
  for (int i = 0; i < 3; ++i) {
    const Tensor& x = scales[static_cast<std::size_t>(i)];
    const Tensor boxes = Branch(net, fmt::format("model.22.cv2.{}", i), x, box, 4 * kBoxBins);
    const Tensor kinds = Branch(net, fmt::format("model.22.cv3.{}", i), x, classes, kClasses);
    net.Output(fmt::format("p{}", i + 3),
               net.Concat(fmt::format("model.22.{}", i), {boxes, kinds}, 1));
  }
}

}  // namespace

void YoloV8(GraphBuilder& net, const Sizes& sizes, const YoloV8Options& options) {
  const auto wide = [&](std::int64_t channels) {
    return static_cast<std::int64_t>(std::llround(options.width * static_cast<double>(channels)));
  };
  const auto deep = [&](int blocks) {
    return std::max(1, static_cast<int>(std::lround(options.depth * blocks)));
  };
  const auto down = [&](int module, const Tensor& x, std::int64_t channels) {
    return ConvNormSilu(net, fmt::format("model.{}", module), x, wide(channels), 3, 2);
  };
  const auto stage = [&](int module, const Tensor& x, std::int64_t channels, int blocks,
                         bool shortcut) {
    return CrossStage(net, fmt::format("model.{}", module), x, wide(channels), deep(blocks),
                      shortcut);
  };
  const auto joined = [&](int module, const Tensor& a, const Tensor& b) {
    return net.Concat(fmt::format("model.{}", module), {a, b}, 1);
  };
  // Backbone
  Tensor x = down(0, net.Input("images", sizes.input), 64);
  x = stage(2, down(1, x, 128), 128, 3, true);
  const Tensor p3 = stage(4, down(3, x, 256), 256, 6, true);
  const Tensor p4 = stage(6, down(5, p3, 512), 512, 6, true);
  x = stage(8, down(7, p4, 1024), 1024, 3, true);
  const Tensor p5 = PyramidPooling(net, "model.9", x);
  // Neck: down the pyramid, and up again
  x = joined(11, net.Upsample2d("model.10", p5), p4);
  const Tensor middle = stage(12, x, 512, 3, false);
  x = joined(14, net.Upsample2d("model.13", middle), p3);
  const Tensor fine = stage(15, x, 256, 3, false);
  x = joined(17, down(16, fine, 256), middle);
  const Tensor medium = stage(18, x, 512, 3, false);
  x = joined(20, down(19, medium, 512), p5);
  const Tensor coarse = stage(21, x, 1024, 3, false);
  Detect(net, {fine, medium, coarse});
}

}  // namespace assay::zoo
