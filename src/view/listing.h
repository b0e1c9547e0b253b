// A graph as people read it: steps that take values and make values. One form for an ONNX graph, an
// ATen program and what PyTorch's tools say of a module, so that cutting out a part (cut.h) and
// rendering (render.h) are written once. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aten/lower.h"
#include "base/json.h"
#include "base/result.h"
#include "model/graph.h"
#include "tensor/tensor.h"

namespace assay::view {

using ItemId = std::int32_t;  // index into Listing::items

inline constexpr const char* kLeftOut = "_";  // an optional operand that is not given

enum class Kind { kInput, kWeight, kConstant, kResult };

/// A value of the graph.
struct Item {
  Kind kind = Kind::kResult;
  std::string name;                  // as shown
  std::optional<tensor::Type> type;  // nothing when it is not known
  std::string alias = {};            // another name by which it may be asked for
  std::string content = {};          // of a small constant, "[1, -1]"; of what is no tensor
  std::uint64_t parameters = 0;      // as model::CountParameters counts
};

/// An item, a literal, or an item with a label before it ("bias=").
struct Argument {
  ItemId item = -1;
  std::string text = {};
};

/// A node or call. Results that are read by nobody count as results all the same.
struct Step {
  std::string name;         // unique: "layer1.0.conv1", "%12"
  std::string op;           // "Conv", "aten::conv2d"
  std::string origin = {};  // where it comes from: the ONNX node, the module; "" for nothing
  std::vector<Argument> arguments = {};
  std::vector<ItemId> results = {};
  std::string attributes = {};  // "kernel_shape 3x3, strides 2x2"
  std::string remark = {};      // "in place; last use of %3"
  std::uint64_t macs = 0;       // multiply-adds
};

struct Listing {
  std::string name;    // of the model: "resnet18"
  std::string title;   // "resnet18 as ONNX, opset 20"
  std::string step;    // what a step is called: "node", "call"
  std::string origin;  // what Step::origin is called; "" when steps have none
  std::vector<Item> items = {};
  std::vector<Step> steps = {};
  std::vector<ItemId> inputs = {}, outputs = {};
  std::vector<std::string> notes = {};  // how to read it
  std::size_t whole = 0;                // steps of the graph that it is a part of
};

/// "float32 1x3x224x224", "int64 scalar"; what it is otherwise, or "?".
std::string TypeOf(const Item& item);

/// `name` is the model's. Results are called by the node that makes them ("conv1", "split:1"), and
/// may be asked for by their own name too.
Listing OnnxListing(const model::Graph& graph, std::string_view name);

/// Calls in order; results are %N, N as in the program's JSON. Types are those of the graph's
/// values; an intermediate result that only the lowering knows has one where it follows from its
/// operands.
Listing AtenListing(const aten::Lowered& lowered, std::string_view name);

/// A graph break of dynamo.
struct Break {
  std::string reason;              // one line
  std::vector<std::string> where;  // "file.py:12 in forward: x.item()", innermost last
};

/// What src/engines/pytorch/torch_graph.py wrote.
struct TorchGraphs {
  std::vector<Listing> graphs;
  std::vector<std::string> code;  // of each graph, Python
  std::vector<Break> breaks;
};
/// Errors  kMalformed.
Result<TorchGraphs> TorchGraphsFromJson(const Json& json, std::string_view what);

/// Whether an operator's name ("relu_") is that of one in place.
bool IsInPlace(std::string_view op);

/// Multiply-adds of a PyTorch operator ("conv2d", without namespace and overload), by the rule of
/// model::CountMacs; attention counts both of its products. 0 for others and unknown types.
///
/// arguments  types in the schema's order, nothing for what is no tensor
std::uint64_t MultiplyAdds(std::string_view op,
                           const std::vector<std::optional<tensor::Type>>& arguments,
                           const std::optional<tensor::Type>& result);

}  // namespace assay::view
