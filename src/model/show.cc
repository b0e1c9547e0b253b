#include "model/show.h"

#include <fmt/format.h>

#include <set>
#include <string>

#include "base/file.h"
#include "model/proto.h"
#include "onnx/onnx-ml.pb.h"

namespace assay::model {

Result<std::vector<ValueId>> WriteShowing(const std::filesystem::path& onnx, const Graph& graph,
                                          const std::vector<ValueId>& values,
                                          const std::filesystem::path& to) {
  ::onnx::ModelProto proto;
  ASSAY_TRY(ParseModel(onnx, proto));
  std::set<std::string> made;
  for (const ::onnx::NodeProto& node : proto.graph().node()) {
    made.insert(node.output().begin(), node.output().end());
  }
  proto.mutable_graph()->clear_output();
  std::vector<ValueId> shown;
  for (const ValueId id : values) {
    const Value& value = graph.values[static_cast<std::size_t>(id)];
    if (!made.contains(value.name)) {
      continue;
    }
    ::onnx::ValueInfoProto& output = *proto.mutable_graph()->add_output();
    output.set_name(value.name);
    auto* type = output.mutable_type()->mutable_tensor_type();
    type->set_elem_type(OnnxTypeOf(value.type.dtype));
    type->mutable_shape();
    for (const std::int64_t size : value.type.shape) {
      type->mutable_shape()->add_dim()->set_dim_value(size);
    }
    shown.push_back(id);
  }
  if (shown.empty()) {
    return Error{Code::kNotFound, fmt::format("{} makes none of these values", onnx.string()), ""};
  }
  ASSAY_TRY(WriteFileAtomically(to, proto.SerializeAsString()));
  return shown;
}

}  // namespace assay::model
