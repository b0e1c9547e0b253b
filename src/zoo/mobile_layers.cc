#include "zoo/mobile_layers.h"

#include <algorithm>

namespace assay::zoo {

Tensor ConvNormActivation(GraphBuilder& net, const std::string& name, const Tensor& x,
                          ConvOptions options, const NormOptions& norm, Activation activation) {
  options.padding = (options.kernel - 1) / 2;
  Tensor y = net.Conv2d(name + ".0", x, options);
  y = net.BatchNorm2d(name + ".1", y, norm);
  return activation == nullptr ? y : (net.*activation)(name + ".2", y);
}

Tensor SqueezeExcitation(GraphBuilder& net, const std::string& name, const Tensor& x,
                         const SqueezeOptions& options) {
  Tensor y = net.GlobalAveragePool(name + ".avgpool", x);
  y = net.Conv2d(name + ".fc1", y, {.out = options.channels, .bias = true});
  y = (net.*options.activation)(name + ".activation", y);
  y = net.Conv2d(name + ".fc2", y, {.out = x.shape[1], .bias = true});
  y = (net.*options.gate)(name + ".scale_activation", y);
  return net.Mul(name, y, x);
}

std::int64_t MakeDivisible(double channels) {
  const std::int64_t nearest =
      std::max(std::int64_t{8}, static_cast<std::int64_t>(channels + 4) / 8 * 8);
  return static_cast<double>(nearest) < 0.9 * channels ? nearest + 8 : nearest;
}

}  // namespace assay::zoo
