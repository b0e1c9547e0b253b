// MobileNet-V3 as in torchvision's models/mobilenetv3.py.
// Source  Howard et al., arXiv:1905.02244, tables 1 and 2.
#include <fmt/format.h>

#include <span>

#include "zoo/architecture.h"
#include "zoo/mobile_layers.h"

namespace assay::zoo {
namespace {

constexpr NormOptions kNorm = {.epsilon = 1e-3, .momentum = 0.01};
constexpr NormOptions kLastNorm = {kBranchEnd.gamma, kBranchEnd.beta, kNorm.epsilon,
                                   kNorm.momentum};

constexpr Activation kRelu = &GraphBuilder::Relu;
constexpr Activation kHardSwish = &GraphBuilder::HardSwish;

struct Block {
  std::int64_t kernel;
  std::int64_t hidden;
  std::int64_t out;
  bool squeezes;
  Activation activation;
  std::int64_t stride;
};

constexpr std::array<Block, 15> kLarge = {{{3, 16, 16, false, kRelu, 1},
                                           {3, 64, 24, false, kRelu, 2},
                                           {3, 72, 24, false, kRelu, 1},
                                           {5, 72, 40, true, kRelu, 2},
                                           {5, 120, 40, true, kRelu, 1},
                                           {5, 120, 40, true, kRelu, 1},
                                           {3, 240, 80, false, kHardSwish, 2},
                                           {3, 200, 80, false, kHardSwish, 1},
                                           {3, 184, 80, false, kHardSwish, 1},
                                           {3, 184, 80, false, kHardSwish, 1},
                                           {3, 480, 112, true, kHardSwish, 1},
                                           {3, 672, 112, true, kHardSwish, 1},
                                           {5, 672, 160, true, kHardSwish, 2},
                                           {5, 960, 160, true, kHardSwish, 1},
                                           {5, 960, 160, true, kHardSwish, 1}}};

constexpr std::array<Block, 11> kSmall = {{{3, 16, 16, true, kRelu, 2},
                                           {3, 72, 24, false, kRelu, 2},
                                           {3, 88, 24, false, kRelu, 1},
                                           {5, 96, 40, true, kHardSwish, 2},
                                           {5, 240, 40, true, kHardSwish, 1},
                                           {5, 240, 40, true, kHardSwish, 1},
                                           {5, 120, 48, true, kHardSwish, 1},
                                           {5, 144, 48, true, kHardSwish, 1},
                                           {5, 288, 96, true, kHardSwish, 2},
                                           {5, 576, 96, true, kHardSwish, 1},
                                           {5, 576, 96, true, kHardSwish, 1}}};

Tensor InvertedResidual(GraphBuilder& net, const std::string& name, const Tensor& x,
                        const Block& block) {
  int layer = 0;
  const auto next = [&] { return fmt::format("{}.block.{}", name, layer++); };
  Tensor y = x;
  if (block.hidden != x.shape[1]) {
    y = ConvNormActivation(net, next(), y, {.out = block.hidden}, kNorm, block.activation);
  }
  y = ConvNormActivation(
      net, next(), y,
      {.out = block.hidden, .kernel = block.kernel, .stride = block.stride, .groups = block.hidden},
      kNorm, block.activation);
  if (block.squeezes) {
    const std::int64_t squeezed = MakeDivisible(static_cast<double>(block.hidden / 4));
    y = SqueezeExcitation(net, next(), y, {squeezed, kRelu, &GraphBuilder::HardSigmoid});
  }
  const bool residual = block.stride == 1 && x.shape[1] == block.out;
  y = ConvNormActivation(net, next(), y, {.out = block.out}, residual ? kLastNorm : kNorm, nullptr);
  return residual ? net.Add(name + ".add", y, x) : y;
}

}  // namespace

Tensor MobileNetV3(GraphBuilder& net, const Tensor& input, const MobileNetV3Options& options) {
  int feature = 0;
  const auto next = [&] { return fmt::format("features.{}", feature++); };
  Tensor x = ConvNormActivation(net, next(), input, {.out = 16, .kernel = 3, .stride = 2}, kNorm,
                                kHardSwish);
  for (const Block& block : options.large ? std::span<const Block>(kLarge) : kSmall) {
    x = InvertedResidual(net, next(), x, block);
  }
  x = ConvNormActivation(net, next(), x, {.out = 6 * x.shape[1]}, kNorm, kHardSwish);
  x = net.GlobalAveragePool("avgpool", x);
  x = net.Flatten("flatten", x);
  x = net.Linear("classifier.0", x, options.large ? 1280 : 1024);
  x = net.HardSwish("classifier.1", x);
  return net.Linear("classifier.3", x, 1000);
}

}  // namespace assay::zoo
