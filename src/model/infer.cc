#include "model/infer.h"

#include <fmt/format.h>

#include <unordered_map>

#include "model/proto.h"
#include "onnx/onnx-ml.pb.h"
#include "onnx/shape_inference/implementation.h"

namespace assay::model {
namespace {

std::string Where(const onnx::NodeProto& node) {
  return fmt::format("node '{}' ({})", node.name(), node.op_type());
}

/// Functions whose result has the type of their first input, which ONNX's inference through their
/// bodies does not find.
bool KeepsType(const onnx::NodeProto& node) {
  return node.op_type() == "GroupNormalization" || node.op_type() == "MeanVarianceNormalization";
}

Result<tensor::Type> StaticType(const onnx::TypeProto& proto, const onnx::NodeProto& node,
                                const std::string& output) {
  if (!proto.has_tensor_type()) {
    return Error{Code::kUnsupported, fmt::format("{} has a result that is no tensor", Where(node)),
                 ""};
  }
  tensor::Type type;
  ASSAY_ASSIGN(type.dtype, DTypeOf(proto.tensor_type().elem_type()));
  bool open = !proto.tensor_type().has_shape();
  for (const auto& dimension : proto.tensor_type().shape().dim()) {
    open = open || !dimension.has_dim_value();
    type.shape.push_back(dimension.dim_value());
  }
  if (open) {
    return Error{Code::kUnsupported,
                 fmt::format("the shape of '{}' from {} depends on data", output, Where(node)),
                 "only models whose shapes follow from the inputs' shapes can be measured"};
  }
  if (const auto count = tensor::ElementCount(type.shape); !count) {
    return Error{Code::kMalformed, fmt::format("{}: {}", Where(node), count.error().message), ""};
  }
  return type;
}

}  // namespace

struct NodeInference::State {
  std::unordered_map<std::string, int> opsets;
  std::unordered_map<std::string, std::unique_ptr<onnx::TypeProto>> types;
  std::unordered_map<std::string, std::unique_ptr<onnx::TensorProto>> contents;
  // The same by plain pointer, as the library wants them.
  std::unordered_map<std::string, onnx::TypeProto*> types_by_name;
  std::unordered_map<std::string, const onnx::TensorProto*> contents_by_name;
};

NodeInference::NodeInference(const onnx::ModelProto& model) : state_(std::make_unique<State>()) {
  for (const onnx::OperatorSetIdProto& opset : model.opset_import()) {
    state_->opsets[opset.domain() == "ai.onnx" ? "" : opset.domain()] =
        static_cast<int>(opset.version());
  }
}

NodeInference::~NodeInference() = default;

void NodeInference::Add(const std::string& name, const tensor::Type& type,
                        const tensor::Tensor* content) {
  auto proto = std::make_unique<onnx::TypeProto>();
  proto->mutable_tensor_type()->set_elem_type(OnnxTypeOf(type.dtype));
  auto* shape = proto->mutable_tensor_type()->mutable_shape();
  for (const std::int64_t dimension : type.shape) {
    shape->add_dim()->set_dim_value(dimension);
  }
  state_->types_by_name[name] = proto.get();
  state_->types[name] = std::move(proto);
  if (content != nullptr) {
    auto data = std::make_unique<onnx::TensorProto>();
    data->set_data_type(OnnxTypeOf(type.dtype));
    data->mutable_dims()->Add(type.shape.begin(), type.shape.end());
    data->set_raw_data(content->data.data(), content->data.size());
    state_->contents_by_name[name] = data.get();
    state_->contents[name] = std::move(data);
  }
}

Result<std::vector<tensor::Type>> NodeInference::Infer(onnx::NodeProto& node) {
  std::vector<tensor::Type> types(static_cast<std::size_t>(node.output_size()));
  ASSAY_TRY(CatchOnnx(Where(node), [&]() -> Status {
    const auto* schemas = onnx::OpSchemaRegistry::Instance();
    const onnx::OpSchema* schema = schemas->GetSchema(node.op_type(), state_->opsets[""]);
    if (schema == nullptr) {
      return Error{Code::kUnsupported, fmt::format("{} is not in that opset", Where(node)), ""};
    }
    const onnx::ShapeInferenceOptions options(/*check_type=*/true, /*strict_mode=*/1);
    onnx::shape_inference::SymbolTableImpl symbols;
    onnx::shape_inference::DataValueMap partial;
    onnx::shape_inference::InferenceContextImpl context(node, state_->types_by_name,
                                                        state_->contents_by_name, {}, options);
    if (schema->has_type_and_shape_inference_function()) {
      schema->GetTypeAndShapeInferenceFunction()(context);
    } else if (KeepsType(node) && context.getInputType(0) != nullptr) {
      *context.getOutputType(0) = *context.getInputType(0);
    } else if (schema->HasFunction()) {
      onnx::shape_inference::InferShapeForFunctionNode(*schema->GetFunction(), schemas, context,
                                                       options, {}, &symbols, &partial);
    }
    schema->CheckInputOutputType(context);
    for (int i = 0; i < node.output_size(); ++i) {
      if (!node.output(i).empty()) {
        const auto at = static_cast<std::size_t>(i);
        ASSAY_ASSIGN(types[at], StaticType(*context.getOutputType(at), node, node.output(i)));
      }
    }
    return {};
  }));
  return types;
}

}  // namespace assay::model
