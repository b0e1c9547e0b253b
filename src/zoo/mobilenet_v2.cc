// MobileNet-V2 as in torchvision's models/mobilenetv2.py.
// Source  Sandler, Howard, Zhu, Zhmoginov, Chen, arXiv:1801.04381, table 2.
#include <fmt/format.h>

#include "zoo/architecture.h"
#include "zoo/mobile_layers.h"

namespace assay::zoo {
namespace {

Tensor ConvNormRelu6(GraphBuilder& net, const std::string& name, const Tensor& x,
                     const ConvOptions& options) {
  return ConvNormActivation(net, name, x, options, {}, &GraphBuilder::Relu6);
}

Tensor InvertedResidual(GraphBuilder& net, const std::string& name, const Tensor& x,
                        std::int64_t out, std::int64_t stride, std::int64_t expansion) {
  const std::int64_t hidden = x.shape[1] * expansion;
  int layer = 0;
  const auto next = [&] { return fmt::format("{}.conv.{}", name, layer++); };
  Tensor y = x;
  if (expansion != 1) {
    y = ConvNormRelu6(net, next(), y, {.out = hidden});
  }
  y = ConvNormRelu6(net, next(), y,
                    {.out = hidden, .kernel = 3, .stride = stride, .groups = hidden});
  y = net.Conv2d(next(), y, {.out = out});
  const bool residual = stride == 1 && x.shape[1] == out;
  y = net.BatchNorm2d(next(), y, residual ? kBranchEnd : NormOptions{});
  return residual ? net.Add(name + ".add", x, y) : y;
}

struct Stage {
  std::int64_t expansion;
  std::int64_t out;
  int blocks;
  std::int64_t stride;
};

constexpr std::array<Stage, 7> kStages = {{{1, 16, 1, 1},
                                           {6, 24, 2, 2},
                                           {6, 32, 3, 2},
                                           {6, 64, 4, 2},
                                           {6, 96, 3, 1},
                                           {6, 160, 3, 2},
                                           {6, 320, 1, 1}}};

}  // namespace

Tensor MobileNetV2(GraphBuilder& net, const Tensor& input) {
  int feature = 0;
  const auto next = [&] { return fmt::format("features.{}", feature++); };
  Tensor x = ConvNormRelu6(net, next(), input, {.out = 32, .kernel = 3, .stride = 2});
  for (const Stage& stage : kStages) {
    for (int block = 0; block < stage.blocks; ++block) {
      const std::int64_t stride = block == 0 ? stage.stride : 1;
      x = InvertedResidual(net, next(), x, stage.out, stride, stage.expansion);
    }
  }
  x = ConvNormRelu6(net, next(), x, {.out = 1280});
  x = net.GlobalAveragePool("avgpool", x);
  x = net.Flatten("flatten", x);
  return net.Linear("classifier.1", x, 1000);
}

}  // namespace assay::zoo
