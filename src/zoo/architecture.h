// The architectures of the zoo: one function and one file per family. Each gives the result of its
// last layer; names of modules and weights are torchvision's.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "zoo/graph_builder.h"
#include "zoo/zoo.h"

namespace assay::zoo {

Tensor SimpleCnn(GraphBuilder& net, const Tensor& input);

struct ResNetOptions {
  std::array<int, 4> blocks;  // how many in each stage
  bool bottleneck = false;
};
Tensor ResNet(GraphBuilder& net, const Tensor& input, const ResNetOptions& options);

Tensor MobileNetV2(GraphBuilder& net, const Tensor& input);

struct MobileNetV3Options {
  bool large = false;
};
Tensor MobileNetV3(GraphBuilder& net, const Tensor& input, const MobileNetV3Options& options);

struct EfficientNetOptions {
  double width = 1;  // of B0's channels and blocks
  double depth = 1;
};
Tensor EfficientNet(GraphBuilder& net, const Tensor& input, const EfficientNetOptions& options);

struct ConvNextOptions {
  std::array<int, 4> blocks;  // how many in each stage
  std::int64_t width = 96;    // channels of the first
};
Tensor ConvNext(GraphBuilder& net, const Tensor& input, const ConvNextOptions& options);

struct VitOptions {
  std::int64_t patch = 16;
  std::int64_t layers = 12;
  std::int64_t heads = 12;
  std::int64_t hidden = 768;
  std::int64_t mlp = 3072;
};
Tensor VisionTransformer(GraphBuilder& net, const Tensor& input, const VitOptions& options);

/// The finished graph of an entry of the zoo for inputs of that batch size.
Architecture BuildArchitecture(const Entry& entry, std::int64_t batch_size);

}  // namespace assay::zoo
