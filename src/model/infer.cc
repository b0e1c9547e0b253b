#include "model/infer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <regex>
#include <unordered_map>

#include "base/text.h"
#include "model/proto.h"
#include "onnx/onnx-ml.pb.h"
#include "onnx/shape_inference/implementation.h"

namespace assay::model {
namespace {

constexpr double kMostElements = 9e15;  // of one axis; below 2^63 and exact

std::string Where(const onnx::NodeProto& node) {
  return fmt::format("node '{}' ({})", node.name(), node.op_type());
}

/// Functions whose result has the type of their first input, which ONNX's inference through their
/// bodies does not find.
bool KeepsType(const onnx::NodeProto& node) {
  return node.op_type() == "GroupNormalization" || node.op_type() == "MeanVarianceNormalization";
}

/// ONNX's inference of Einsum never ends on a character that it does not know.
Status CheckEquation(const onnx::NodeProto& node) {
  for (const onnx::AttributeProto& attribute : node.attribute()) {
    if (node.op_type() != "Einsum" || attribute.name() != "equation") {
      continue;
    }
    static const std::regex kEquation(R"((?:[A-Za-z ,]|\.\.\.)*(?:->(?:[A-Za-z ]|\.\.\.)*)?)");
    constexpr std::size_t kLongest = 1000;
    if (attribute.s().size() > kLongest || !std::regex_match(attribute.s(), kEquation)) {
      return Error{
          Code::kMalformed,
          fmt::format("{} has no equation in '{}'", Where(node), OneLine(attribute.s(), 80)),
          "letters, commas, '...' and one '->'"};
    }
  }
  return {};
}

template <typename T>
void AppendAs(const std::string& bytes, std::vector<double>& numbers) {
  for (std::size_t at = 0; at + sizeof(T) <= bytes.size(); at += sizeof(T)) {
    T number;
    std::memcpy(&number, bytes.data() + at, sizeof number);
    numbers.push_back(static_cast<double>(number));
  }
}

void AppendNumbers(const onnx::TensorProto& content, std::vector<double>& numbers) {
  if (content.data_type() == onnx::TensorProto::FLOAT) {
    AppendAs<float>(content.raw_data(), numbers);
  } else if (content.data_type() == onnx::TensorProto::INT64) {
    AppendAs<std::int64_t>(content.raw_data(), numbers);
  }
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

Status NodeInference::CheckResize(const onnx::NodeProto& node) const {
  if (node.op_type() != "Resize" && node.op_type() != "Upsample") {
    return {};
  }
  double most = 1, least = 1;  // elements of an axis
  if (const auto type = state_->types.find(node.input_size() > 0 ? node.input(0) : "");
      type != state_->types.end()) {
    for (const auto& dimension : type->second->tensor_type().shape().dim()) {
      most = std::max(most, static_cast<double>(dimension.dim_value()));
      least = std::min(least, static_cast<double>(dimension.dim_value()));
    }
  }
  std::vector<double> factors;  // or sizes, which are divided by an axis and multiplied by another
  for (const onnx::AttributeProto& attribute : node.attribute()) {
    factors.insert(factors.end(), attribute.floats().begin(), attribute.floats().end());
    if (attribute.name() == "keep_aspect_ratio_policy" && attribute.s() != "stretch" && least < 1) {
      return Error{
          Code::kMalformed,
          fmt::format("{} keeps the aspect ratio of an axis without elements", Where(node)), ""};
    }
  }
  for (const std::string& input : node.input()) {
    if (const auto content = state_->contents.find(input); content != state_->contents.end()) {
      AppendNumbers(*content->second, factors);
    }
  }
  for (const double factor : factors) {
    if (!(std::abs(factor) * most <= kMostElements)) {
      return Error{Code::kMalformed,
                   fmt::format("{} scales {:g} elements by {:g}", Where(node), most, factor), ""};
    }
  }
  return {};
}

Result<std::vector<tensor::Type>> NodeInference::Infer(onnx::NodeProto& node) {
  ASSAY_TRY(CheckEquation(node));
  ASSAY_TRY(CheckResize(node));
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
