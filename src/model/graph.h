// The indexed graph: an ONNX graph as plain values, every name resolved to an index and every value
// with its static type. What the lowering, the analyser and the reports read; no protobuf.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "tensor/tensor.h"

namespace assay::model {

/// Index into Graph::values; kNone stands for an optional input or output left out.
using ValueId = std::int32_t;
inline constexpr ValueId kNone = -1;

using Attribute = std::variant<std::int64_t, double, std::string, std::vector<std::int64_t>,
                               std::vector<double>, std::vector<std::string>, tensor::Tensor>;

struct Graph;

struct Node {
  std::string name;    // never empty: made up from the operator and its position when absent
  std::string op;      // ONNX operator, "Conv"
  std::string domain;  // "" for the standard's
  std::vector<ValueId> inputs;
  std::vector<ValueId> outputs;
  std::map<std::string, Attribute> attributes;
  /// Control flow: by attribute, the graphs that run inside. What they read of the graph around is
  /// among their values, under the same name, without producer.
  std::map<std::string, std::shared_ptr<const Graph>> bodies = {};

  /// The attribute or `otherwise`; a wrong type counts as absent (the checker has refused those).
  std::int64_t Int(std::string_view attribute, std::int64_t otherwise) const;
  double Float(std::string_view attribute, double otherwise) const;
  std::string String(std::string_view attribute, std::string_view otherwise) const;
  std::vector<std::int64_t> Ints(std::string_view attribute,
                                 std::vector<std::int64_t> otherwise = {}) const;
};

/// Where the bytes of an initializer lie: in the weights' safetensors file, under this tensor name
/// and type there; or inline.
struct Weight {
  std::string tensor_name;
  std::string file;  // name of the external file beside the graph; "" when inline
};

struct Value {
  std::string name;
  tensor::Type type;                  // meaningless unless Typed()
  std::optional<Weight> weight = {};  // set for initializers
  std::optional<tensor::Tensor> constant =
      {};                      // known value: small initializers, folded shape arithmetic
  std::int32_t producer = -1;  // index of the node that makes it, -1 for inputs, weights
  std::string open = {};       // what is known of a type that only running tells: "float32 ?x3",
                               // "sequence of float32", "?"

  bool Typed() const { return open.empty(); }
};

struct Graph {
  std::string name;
  std::int64_t opset = 0;  // of the standard domain
  std::vector<Value> values;
  std::vector<Node> nodes;  // topologically ordered
  std::vector<ValueId> inputs;
  std::vector<ValueId> outputs;
  /// Why not all of it could be read, naming the first node: values that are not Typed(), control
  /// flow, text, operators of runtimes. Such a graph is run by what reads ONNX files itself.
  std::optional<Error> unread = {};
  std::vector<std::string> warnings = {};  // of a file that declares what is not so

  const Value& At(ValueId id) const { return values[static_cast<std::size_t>(id)]; }
};

/// Whether all operands and results of the node are typed.
bool Typed(const Graph& graph, const Node& node);

/// The first axis of the first input; 1 where there is none.
std::int64_t BatchOf(const Graph& graph);

}  // namespace assay::model
