// What the mobile networks (MobileNet-V2 and V3, EfficientNet) share: torchvision's
// Conv2dNormActivation and SqueezeExcitation of ops/misc.py.
#pragma once

#include <string>

#include "zoo/graph_builder.h"

namespace assay::zoo {

/// How an activation is written.
using Activation = Tensor (GraphBuilder::*)(const std::string& name, const Tensor& x);

/// Convolution NAME.0, padded so that stride 1 keeps the size, norm NAME.1, activation NAME.2 if
/// there is one.
Tensor ConvNormActivation(GraphBuilder& net, const std::string& name, const Tensor& x,
                          ConvOptions options, const NormOptions& norm, Activation activation);

struct SqueezeOptions {
  std::int64_t channels = 0;
  Activation activation = nullptr;
  Activation gate = nullptr;
};

/// Scales each channel by a gate computed from the means of all: NAME.avgpool, NAME.fc1,
/// NAME.activation, NAME.fc2, NAME.scale_activation, NAME.
/// Source  Hu, Shen, Albanie, Sun, Wu, arXiv:1709.01507, figure 2.
Tensor SqueezeExcitation(GraphBuilder& net, const std::string& name, const Tensor& x,
                         const SqueezeOptions& options);

/// The multiple of 8 nearest to `channels`, a tenth less than it at most.
/// Source  torchvision models/_utils.py, _make_divisible.
std::int64_t MakeDivisible(double channels);

}  // namespace assay::zoo
