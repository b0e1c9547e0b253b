// EfficientNet as in torchvision's models/efficientnet.py.
// Source  Tan, Le, arXiv:1905.11946, table 1 (B0); the others scale its width and depth.
#include <fmt/format.h>

#include <cmath>

#include "zoo/architecture.h"
#include "zoo/mobile_layers.h"

namespace assay::zoo {
namespace {

constexpr Activation kSilu = &GraphBuilder::Silu;

struct Stage {
  std::int64_t expansion;
  std::int64_t kernel;
  std::int64_t stride;
  std::int64_t out;
  int blocks;
};

constexpr std::array<Stage, 7> kStages = {{{1, 3, 1, 16, 1},
                                           {6, 3, 2, 24, 2},
                                           {6, 5, 2, 40, 2},
                                           {6, 3, 2, 80, 3},
                                           {6, 5, 1, 112, 3},
                                           {6, 5, 2, 192, 4},
                                           {6, 3, 1, 320, 1}}};

/// MBConv: expand, depthwise, squeeze and excitation, project.
Tensor MobileBlock(GraphBuilder& net, const std::string& name, const Tensor& x, const Stage& stage,
                   std::int64_t out, std::int64_t stride) {
  const std::int64_t hidden = x.shape[1] * stage.expansion;
  int layer = 0;
  const auto next = [&] { return fmt::format("{}.block.{}", name, layer++); };
  Tensor y = x;
  if (stage.expansion != 1) {
    y = ConvNormActivation(net, next(), y, {.out = hidden}, {}, kSilu);
  }
  y = ConvNormActivation(
      net, next(), y, {.out = hidden, .kernel = stage.kernel, .stride = stride, .groups = hidden},
      {}, kSilu);
  y = SqueezeExcitation(net, next(), y, {x.shape[1] / 4, kSilu, &GraphBuilder::Sigmoid});
  const bool residual = stride == 1 && x.shape[1] == out;
  y = ConvNormActivation(net, next(), y, {.out = out}, residual ? kBranchEnd : NormOptions{},
                         nullptr);
  return residual ? net.Add(name + ".add", y, x) : y;
}

}  // namespace

Tensor EfficientNet(GraphBuilder& net, const Tensor& input, const EfficientNetOptions& options) {
  const auto width = [&](std::int64_t channels) {
    return MakeDivisible(static_cast<double>(channels) * options.width);
  };
  Tensor x = ConvNormActivation(net, "features.0", input,
                                {.out = width(32), .kernel = 3, .stride = 2}, {}, kSilu);
  for (std::size_t i = 0; i < kStages.size(); ++i) {
    const Stage& stage = kStages[i];
    const int blocks = static_cast<int>(std::ceil(stage.blocks * options.depth));
    for (int block = 0; block < blocks; ++block) {
      const std::string name = fmt::format("features.{}.{}", i + 1, block);
      x = MobileBlock(net, name, x, stage, width(stage.out), block == 0 ? stage.stride : 1);
    }
  }
  x = ConvNormActivation(net, "features.8", x, {.out = 4 * x.shape[1]}, {}, kSilu);
  x = net.GlobalAveragePool("avgpool", x);
  x = net.Flatten("flatten", x);
  return net.Linear("classifier.1", x, 1000);
}

}  // namespace assay::zoo
