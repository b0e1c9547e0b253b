// ConvNeXt as in torchvision's models/convnext.py: the perceptron of a block is written on
// N x H x W x C, between two Transposes.
// Source  Liu, Mao, Wu, Feichtenhofer, Darrell, Xie, arXiv:2201.03545, figure 4 and section 3.
#include <fmt/format.h>

#include "zoo/architecture.h"

namespace assay::zoo {
namespace {

// A branch smaller than what it is added to. Varied, so that a runtime which scaled the wrong axis
// would not go unnoticed.
constexpr Uniform kLayerScale = {0.5F, 0.25F};

Tensor Block(GraphBuilder& net, const std::string& name, const Tensor& x) {
  const std::int64_t channels = x.shape[1];
  const auto layer = [&](int i) { return fmt::format("{}.block.{}", name, i); };
  Tensor y = net.Conv2d(
      layer(0), x, {.out = channels, .kernel = 7, .padding = 3, .groups = channels, .bias = true});
  y = net.Transpose(layer(1), y, {0, 2, 3, 1});
  y = net.LayerNorm(layer(2), y);
  y = net.Linear(layer(3), y, 4 * channels);
  y = net.Gelu(layer(4), y);
  y = net.Linear(layer(5), y, channels);
  y = net.Transpose(layer(6), y, {0, 3, 1, 2});
  y = net.Mul(name + ".scaled", net.Parameter(name + ".layer_scale", {channels, 1, 1}, kLayerScale),
              y);
  return net.Add(name + ".add", y, x);
}

}  // namespace

Tensor ConvNext(GraphBuilder& net, const Tensor& input, const ConvNextOptions& options) {
  int feature = 0;
  const auto next = [&] { return fmt::format("features.{}", feature++); };
  std::string name = next();
  Tensor x = net.Conv2d(name + ".0", input,
                        {.out = options.width, .kernel = 4, .stride = 4, .bias = true});
  x = net.LayerNorm2d(name + ".1", x);
  for (std::size_t stage = 0; stage < options.blocks.size(); ++stage) {
    if (stage > 0) {
      name = next();
      x = net.LayerNorm2d(name + ".0", x);
      x = net.Conv2d(name + ".1", x,
                     {.out = 2 * x.shape[1], .kernel = 2, .stride = 2, .bias = true});
    }
    name = next();
    for (int block = 0; block < options.blocks[stage]; ++block) {
      x = Block(net, fmt::format("{}.{}", name, block), x);
    }
  }
  x = net.GlobalAveragePool("avgpool", x);
  x = net.LayerNorm2d("classifier.0", x);
  x = net.Flatten("classifier.1", x);
  return net.Linear("classifier.2", x, 1000);
}

}  // namespace assay::zoo
