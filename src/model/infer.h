// ONNX's own shape inference, one node at a time, fed with the constants folded so far. Internal.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/graph.h"

namespace onnx {
class NodeProto;
class TypeProto;
}  // namespace onnx

namespace assay::model {

/// Versions by domain, "" for the standard's.
using Opsets = std::map<std::string, std::int64_t>;

/// A type that is static, or what is known of one that is not.
struct Inferred {
  tensor::Type type;                             // meaningless unless `open` is ""
  std::string open = "?";                        // as Value::open
  std::shared_ptr<const onnx::TypeProto> known;  // of an open one, null for nothing
};

/// `proto` as a static type where it is one. Errors  kMalformed for shapes that overflow.
Result<Inferred> FromProto(const onnx::TypeProto& proto);

struct Operand {
  const Value* value = nullptr;            // null: left out
  const onnx::TypeProto* known = nullptr;  // of one that is not typed
};

struct Inference {
  std::vector<Inferred> outputs;  // in order; those of outputs left out are meaningless
  std::optional<Error> unread;    // why not all of them are static: kUnsupported, naming the node
};

/// Types of the node's outputs. Errors  kMalformed when inputs, all of them typed, contradict the
/// operator.
Result<Inference> InferTypes(const onnx::NodeProto& node, const Opsets& opsets,
                             const std::vector<Operand>& inputs);

}  // namespace assay::model
