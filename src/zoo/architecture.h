// The architectures of the zoo: one function and one file per family. Those of images give the
// result of their last layer, the others name their inputs and outputs themselves. Names of modules
// and weights are those of the definition that the entry names.
#pragma once

#include <array>
#include <cstdint>
#include <map>
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

struct Sizes {
  tensor::Shape input;  // of the first input
  std::map<std::string, std::int64_t> dimensions = {};
};

struct BertOptions {
  std::int64_t layers = 12;
  std::int64_t heads = 12;
  std::int64_t hidden = 768;
  std::int64_t mlp = 3072;
  std::int64_t vocabulary = 30522;
  std::int64_t positions = 512;
};
/// Inputs input_ids, attention_mask, token_type_ids; outputs last_hidden_state, pooler_output.
void Bert(GraphBuilder& net, const Sizes& sizes, const BertOptions& options);

struct Gpt2Options {
  bool cache = false;      // keys and values come out; they come in when there is a "past"
  bool last_only = false;  // logits of the last token only, N x vocabulary
};
/// Input input_ids; output logits. "past" is the length of the cache that comes in.
void Gpt2(GraphBuilder& net, const Sizes& sizes, const Gpt2Options& options);

struct YoloV8Options {
  double depth = 1;
  double width = 1;  // of 64 to 1024 channels
};
/// Input images; outputs p3, p4, p5: N x 144 x size / 8, / 16, / 32.
void YoloV8(GraphBuilder& net, const Sizes& sizes, const YoloV8Options& options);

/// The finished graph of an entry of the zoo for inputs of that batch size.
///
/// dimensions  of the entry, that differ from what is usual
Architecture BuildArchitecture(const Entry& entry, std::int64_t batch_size,
                               const std::map<std::string, std::int64_t>& dimensions = {});

}  // namespace assay::zoo
