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

/// blocks  how many of each of the four stages
Tensor ResNet(GraphBuilder& net, const Tensor& input, const std::array<int, 4>& blocks,
              bool bottleneck);

Tensor MobileNetV2(GraphBuilder& net, const Tensor& input);

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
