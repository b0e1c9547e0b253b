// Writes an architecture as ONNX, layer by layer, so that a model's file reads like its definition.
//
// How layers are written (opset 20; node names are module paths, "layer1.0.conv1"; tensors are
// named and shaped as in PyTorch's state dict; the initializers are the weights and nothing else,
// numbers that belong to the formula are Constant nodes):
//   Conv2d           Conv(x, NAME.weight[, NAME.bias])
//   BatchNorm2d      BatchNormalization(x, NAME.weight, .bias, .running_mean, .running_var)
//   Linear, rank 2   Gemm(x, NAME.weight, NAME.bias), transB=1
//   Linear, rank 3   Transpose(NAME.weight, perm=[1,0]) -> MatMul(x, .) -> Add(., NAME.bias)
//                    runtimes fold the Transpose of a constant; nodes NAME.transpose, NAME.matmul,
//                    NAME
//   Conv1D           GPT-2's linear layer, weight [in, out]: MatMul(x, NAME.weight) -> Add(.,
//                    NAME.bias); nodes NAME.matmul, NAME
//   Embedding        Gather(NAME.weight, ids), axis=0
//   LayerNorm        LayerNormalization(x, NAME.weight, NAME.bias), axis=-1
//   LayerNorm2d      over the channels of N x C x H x W: Transpose, LayerNormalization, Transpose;
//                    nodes NAME.channels_last, NAME, NAME.channels_first
//   GELU             Gelu (exact, or approximate="tanh"); ReLU6 is Clip(x, 0, 6);
//                    AdaptiveAvgPool2d(1) GlobalAveragePool
//   SiLU             Mul(x, Sigmoid(x)); nodes NAME.sigmoid, NAME. (ONNX has it as Swish from
//                    opset 24 on.)
//   Hardsigmoid      HardSigmoid with alpha 1/6, beta 0.5; Hardswish HardSwish
//   Upsample         Resize by 2, nearest, as PyTorch counts (asymmetric, floor)
//   attention        see attention.h
// Besides the graph it collects how each weight is drawn when weights are random. For that every
// value carries the moments that its elements have under inputs of mean 0, variance 1.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "model/graph.h"
#include "tensor/safetensors.h"
#include "zoo/moments.h"
#include "zoo/random_weights.h"

namespace assay::zoo {

/// What a finished graph consists of. `weights[i]` is drawn by `initials[i]`.
struct Architecture {
  std::string onnx;  // serialized; external data point into model.safetensors as LayOut places them
  std::vector<tensor::Declared> weights;
  std::vector<Initial> initials;
};

inline constexpr char kGraphFile[] = "model.onnx";
inline constexpr char kWeightsFile[] = "model.safetensors";

/// A value of the graph, with the moments of its elements.
struct Tensor {
  std::string name;
  tensor::Shape shape;
  Moments moments = {};
};

struct ConvOptions {
  std::int64_t out = 0;
  std::int64_t kernel = 1;
  std::int64_t stride = 1;
  std::int64_t padding = 0;
  std::int64_t groups = 1;
  bool bias = false;
};

struct PoolOptions {
  std::int64_t kernel = 2;
  std::int64_t stride = 2;
  std::int64_t padding = 0;
};

/// Positions of a window on an axis of that size with `padding` at both ends.
std::int64_t Window(std::int64_t size, std::int64_t kernel, std::int64_t stride,
                    std::int64_t padding);

/// A batch norm: its random scale and shift, and PyTorch's eps and momentum. The shift keeps most
/// of an activation's input where it bends little, so that rounding errors do not grow with depth;
/// the scale leaves the output depending on the input. Settings (gamma, beta) that were tried, by
/// the error of bf16 and int8 in the part of the output that varies with the input:
///                    (0.5, 1)      (1, 1)        (1, 0.5)      (1, 0)
///   ResNet-18        0.107, 0.217  0.081, 0.147  0.058, 0.124  0.060, 0.142
///   MobileNet-V2     0.198, 0.284  0.105, 0.173  0.106, 0.225  0.257, 0.576
///   EfficientNet-B0  0.687, 1.211  0.178, 0.326  0.094, 0.147  0.099, 0.242
struct NormOptions {
  double gamma = 1;
  double beta = 0.5;
  double epsilon = 1e-5;
  double momentum = 0.1;
};

/// The last norm of a residual branch: small, so that the sum stays close to its input. Errors as
/// above with a gamma of 0.5 and 0.25:
///   ResNet-18     0.058, 0.124  0.059, 0.111
///   ResNet-152    0.363, 0.569  0.100, 0.156  (the latter with what resnet.cc says of sums, too)
///   MobileNet-V2  0.106, 0.225  0.079, 0.181
inline constexpr NormOptions kBranchEnd = {.gamma = 0.25, .beta = 0};

class GraphBuilder {
 public:
  explicit GraphBuilder(const std::string& name);
  ~GraphBuilder();

  Tensor Input(const std::string& name, tensor::Shape shape,
               tensor::DType dtype = tensor::DType::kFloat32);
  /// `result`, which may have readers too, becomes the next output, named `name`.
  void Output(const std::string& name, const Tensor& result);
  Architecture Finish() &&;

  // Layers with weights
  Tensor Conv2d(const std::string& name, const Tensor& x, const ConvOptions& options);
  Tensor BatchNorm2d(const std::string& name, const Tensor& x, const NormOptions& options = {});
  Tensor Linear(const std::string& name, const Tensor& x, std::int64_t out,
                double gain_squared = 1);
  Tensor Conv1D(const std::string& name, const Tensor& x, std::int64_t out,
                double gain_squared = 1);
  /// Rows of the table `weight` of rank 2 that `ids` name.
  Tensor Embedding(const std::string& name, const Tensor& weight, const Tensor& ids);
  Tensor LayerNorm(const std::string& name, const Tensor& x,
                   double epsilon = 1e-6);                       // over the last axis
  Tensor LayerNorm2d(const std::string& name, const Tensor& x);  // over axis 1
  /// The projection of nn.MultiheadAttention to queries, keys and values: NAME.in_proj_weight.
  Tensor InProjection(const std::string& name, const Tensor& x, double gain_squared);
  Tensor Parameter(const std::string& name, tensor::Shape shape, const Initial& initial);

  // Functions
  Tensor Relu(const std::string& name, const Tensor& x);
  Tensor Relu6(const std::string& name, const Tensor& x);
  Tensor Gelu(const std::string& name, const Tensor& x);
  Tensor GeluTanh(const std::string& name, const Tensor& x);
  Tensor Tanh(const std::string& name, const Tensor& x);
  Tensor Silu(const std::string& name, const Tensor& x);
  Tensor HardSwish(const std::string& name, const Tensor& x);
  Tensor Sigmoid(const std::string& name, const Tensor& x);
  Tensor HardSigmoid(const std::string& name, const Tensor& x);
  Tensor Softmax(const std::string& name, const Tensor& x);  // over the last axis
  Tensor MaxPool2d(const std::string& name, const Tensor& x, const PoolOptions& options);
  Tensor GlobalAveragePool(const std::string& name, const Tensor& x);
  Tensor Add(const std::string& name, const Tensor& a, const Tensor& b);  // b broadcasts to a
  Tensor Mul(const std::string& name, const Tensor& a, const Tensor& b);  // a broadcasts to b
  Tensor MatMul(const std::string& name, const Tensor& a, const Tensor& b);
  Tensor Scale(const std::string& name, const Tensor& x, double factor);
  Tensor OneMinus(const std::string& name, const Tensor& x);
  Tensor ToFloat(const std::string& name, const Tensor& x);
  Tensor Flatten(const std::string& name, const Tensor& x);  // from axis 1
  Tensor Reshape(const std::string& name, const Tensor& x, const tensor::Shape& shape);
  Tensor Transpose(const std::string& name, const Tensor& x,
                   const std::vector<std::int64_t>& order);
  Tensor Expand(const std::string& name, const Tensor& x, const tensor::Shape& shape);
  Tensor Concat(const std::string& name, const std::vector<Tensor>& parts, std::int64_t axis);
  Tensor Upsample2d(const std::string& name, const Tensor& x);  // twice the size
  Tensor Integers(const std::string& name, const std::vector<std::int64_t>& values);
  /// Added to scores: 0 where key <= query, the lowest float32 elsewhere; [length, length].
  Tensor CausalMask(const std::string& name, std::int64_t length);
  std::vector<Tensor> Split(const std::string& name, const Tensor& x, std::int64_t axis,
                            std::int64_t parts);
  Tensor Select(const std::string& name, const Tensor& x, std::int64_t axis, std::int64_t index);

 private:
  using Attributes = std::map<std::string, model::Attribute>;
  Tensor Emit(const std::string& op, const std::string& name, const std::vector<Tensor>& inputs,
              tensor::Shape shape, const Attributes& attributes = {});
  Tensor Constant(const std::string& name, const model::Attribute& value);
  Tensor Affine(const std::string& name, const Tensor& weight, const Tensor& bias, const Tensor& x);

  /// What the rule for a batch norm needs to know of the convolution before it.
  struct Filters {
    std::string weight;
    std::uint64_t size;
    Uniform drawn;
    Moments input;
  };

  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace assay::zoo
