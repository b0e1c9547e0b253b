// What the constant folder computes for each operator. Internal.
#pragma once

#include <functional>

#include "model/fold_numbers.h"
#include "model/graph.h"

namespace assay::model {

/// An input: its content and shape.
struct Operand {
  Numbers numbers;
  tensor::Shape shape;
};

/// A node with known inputs; what ONNX's inference guarantees of their shapes is relied upon.
struct FoldCall {
  const Node& node;
  std::vector<Operand> in;  // empty operands for inputs left out
  const tensor::Type& out;
  std::size_t count;  // elements of the output

  bool Has(std::size_t input) const { return input < in.size() && node.inputs[input] != kNone; }
  /// What is an attribute in old opsets and an input in new ones.
  std::vector<std::int64_t> Ints(std::string_view attribute, std::size_t input) const;
};

using FoldOperation = std::function<std::optional<Numbers>(const FoldCall&)>;

/// Null when the operator is not folded.
const FoldOperation* FindFoldOperation(std::string_view op);

}  // namespace assay::model
