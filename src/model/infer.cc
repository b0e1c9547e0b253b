#include "model/infer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "base/text.h"
#include "model/fold_numbers.h"
#include "model/proto.h"
#include "onnx/onnx-ml.pb.h"
#include "onnx/shape_inference/implementation.h"

namespace assay::model {
namespace {

// Shapes, axes, scales and sizes of a split are shorter; larger constants are weights.
constexpr std::size_t kMostContentBytes = std::size_t{16} << 10;
// The library multiplies, adds and casts what it reads, unless it looks first.
constexpr Number kMostContent = 1 << 30;

std::string Where(const onnx::NodeProto& node) {
  return fmt::format("node '{}' ({})", node.name(), node.op_type());
}

/// Functions whose result has the type of their first input, which ONNX's inference through their
/// bodies does not find.
bool KeepsType(const onnx::NodeProto& node) {
  return node.op_type() == "GroupNormalization" || node.op_type() == "MeanVarianceNormalization";
}

std::string NameOfElements(int onnx_type) {
  const auto dtype = DTypeOf(onnx_type);
  return dtype.ok() ? std::string(tensor::Name(*dtype))
                    : ToLower(onnx::TensorProto::DataType_Name(onnx_type));
}

/// "float32 ?x3", "float32" where not even the rank is known.
std::string Describe(const onnx::TypeProto_Tensor& tensor) {
  std::vector<std::string> sizes;
  for (const auto& dimension : tensor.shape().dim()) {
    sizes.push_back(dimension.has_dim_value() ? std::to_string(dimension.dim_value()) : "?");
  }
  const std::string shape = sizes.empty() ? "scalar" : Join(sizes, "x");
  return NameOfElements(tensor.elem_type()) + (tensor.has_shape() ? " " + shape : "");
}

std::string Describe(const onnx::TypeProto& proto) {
  switch (proto.value_case()) {
    case onnx::TypeProto::kTensorType:
      return Describe(proto.tensor_type());
    case onnx::TypeProto::kSequenceType:
      return "a sequence of " + Describe(proto.sequence_type().elem_type());
    case onnx::TypeProto::kOptionalType:
      return "optional " + Describe(proto.optional_type().elem_type());
    case onnx::TypeProto::kMapType:
      return fmt::format("map from {} to {}", NameOfElements(proto.map_type().key_type()),
                         Describe(proto.map_type().value_type()));
    default:
      return "?";
  }
}

/// The first number of which inference would make others than it can hold. Those of a Slice may be
/// anything: there it looks.
std::optional<Number> Beyond(const onnx::NodeProto& node, const Numbers& numbers) {
  const auto found = std::find_if(numbers.begin(), numbers.end(), [](const Number& number) {
    return !(std::abs(number) <= kMostContent);
  });
  return node.op_type() == "Slice" || found == numbers.end() ? std::nullopt : std::optional(*found);
}

/// What inference may read of the inputs: their types, and what is in those that can decide a
/// shape.
struct Operands {
  Operands(const onnx::NodeProto& node, const std::vector<Operand>& inputs) {
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const std::string& name = node.input(static_cast<int>(i));
      if (inputs[i].value != nullptr && inputs[i].value->Typed()) {
        Add(node, name, *inputs[i].value);
      } else if (inputs[i].value != nullptr) {
        typed = false;
        if (inputs[i].known != nullptr) {
          types.push_back(std::make_unique<onnx::TypeProto>(*inputs[i].known));
          type_of[name] = types.back().get();
        }
      }
    }
  }

  void Add(const onnx::NodeProto& node, const std::string& name, const Value& value) {
    auto* type = types.emplace_back(std::make_unique<onnx::TypeProto>())->mutable_tensor_type();
    type->set_elem_type(OnnxTypeOf(value.type.dtype));
    auto* shape = type->mutable_shape();
    for (const std::int64_t dimension : value.type.shape) {
      shape->add_dim()->set_dim_value(dimension);
    }
    type_of[name] = types.back().get();
    if (!value.constant || value.constant->data.size() > kMostContentBytes) {
      return;
    }
    const std::optional<Numbers> numbers = Decode(*value.constant);
    if (const auto number = numbers ? Beyond(node, *numbers) : std::nullopt) {
      beyond = fmt::format("{} has {:g} in '{}', beyond any size of a tensor", Where(node),
                           static_cast<double>(*number), name);
    } else if (numbers) {
      AddContent(name, value);
    }
  }

  void AddContent(const std::string& name, const Value& value) {
    auto& content = contents.emplace_back(std::make_unique<onnx::TensorProto>());
    content->set_data_type(OnnxTypeOf(value.type.dtype));
    content->mutable_dims()->Add(value.type.shape.begin(), value.type.shape.end());
    content->set_raw_data(value.constant->data.data(), value.constant->data.size());
    content_of[name] = content.get();
  }

  std::vector<std::unique_ptr<onnx::TypeProto>> types;
  std::vector<std::unique_ptr<onnx::TensorProto>> contents;
  // The same by name, as the library wants them.
  std::unordered_map<std::string, onnx::TypeProto*> type_of;
  std::unordered_map<std::string, const onnx::TensorProto*> content_of;
  std::string beyond;  // what was kept from it, "" for nothing
  bool typed = true;   // all of them
};

/// Runs the schema's inference, which throws.
void Infer(const onnx::OpSchema& schema, const onnx::NodeProto& node,
           const onnx::ShapeInferenceOptions& options,
           onnx::shape_inference::InferenceContextImpl& context) {
  if (schema.has_type_and_shape_inference_function()) {
    schema.GetTypeAndShapeInferenceFunction()(context);
  } else if (KeepsType(node) && context.getInputType(0) != nullptr) {
    *context.getOutputType(0) = *context.getInputType(0);
  } else if (schema.HasFunction()) {
    onnx::shape_inference::SymbolTableImpl symbols;
    onnx::shape_inference::DataValueMap partial;
    onnx::shape_inference::InferShapeForFunctionNode(*schema.GetFunction(),
                                                     onnx::OpSchemaRegistry::Instance(), context,
                                                     options, {}, &symbols, &partial);
  }
  schema.CheckInputOutputType(context);
}

/// The newest version of a domain that ONNX knows, 0 of one that is not its own.
std::int64_t Newest(const std::string& domain) {
  const auto& domains = onnx::OpSchemaRegistry::DomainToVersionRange::Instance().Map();
  const auto found = domains.find(domain);
  return found == domains.end() ? 0 : found->second.second;
}

/// Of the node's domain and opset, null when ONNX has none.
const onnx::OpSchema* SchemaOf(const onnx::NodeProto& node, const Opsets& opsets) {
  const std::string domain = node.domain() == "ai.onnx" ? "" : node.domain();
  const auto opset = opsets.find(domain);
  return opset == opsets.end() || opset->second > Newest(domain)
             ? nullptr
             : onnx::OpSchemaRegistry::Instance()->GetSchema(
                   node.op_type(), static_cast<int>(opset->second), domain);
}

Error OtherDomain(const onnx::NodeProto& node) {
  return {Code::kUnsupported, fmt::format("{} is of the domain '{}'", Where(node), node.domain()),
          ""};
}

Error NoSchema(const onnx::NodeProto& node, const Opsets& opsets) {
  if (!IsStandard(node.domain())) {
    return OtherDomain(node);
  }
  if (const auto opset = opsets.find(""); opset != opsets.end() && opset->second > Newest("")) {
    return {
        Code::kUnsupported,
        fmt::format("{} is of opset {}; 1 to {} are known", Where(node), opset->second, Newest("")),
        "export it for an older opset"};
  }
  const bool known = onnx::OpSchemaRegistry::Schema(node.op_type()) != nullptr;
  return {Code::kUnsupported,
          fmt::format("{} is {}", Where(node), known ? "not in that opset" : "no operator of ONNX"),
          ""};
}

/// Whether nothing but sizes is missing.
bool IsOpenTensor(const Inferred& type) {
  return type.known != nullptr && type.known->has_tensor_type() &&
         DTypeOf(type.known->tensor_type().elem_type()).ok();
}

Error Open(const onnx::NodeProto& node, const std::string& output, const Inferred& type) {
  if (!IsStandard(node.domain())) {
    return OtherDomain(node);
  }
  return {Code::kUnsupported,
          IsOpenTensor(type)
              ? fmt::format("the shape of '{}' from {} depends on data", output, Where(node))
              : fmt::format("'{}' from {} is {}", output, Where(node),
                            type.open == "?" ? "of no known type" : type.open),
          ""};
}

}  // namespace

Result<Inferred> FromProto(const onnx::TypeProto& proto) {
  Inferred inferred;
  const onnx::TypeProto_Tensor& tensor = proto.tensor_type();
  const auto dtype = DTypeOf(tensor.elem_type());
  bool fixed = proto.has_tensor_type() && dtype.ok() && tensor.has_shape();
  for (const auto& dimension : tensor.shape().dim()) {
    fixed = fixed && dimension.has_dim_value();
    inferred.type.shape.push_back(dimension.dim_value());
  }
  if (!fixed) {
    inferred.open = Describe(proto);
    inferred.known = std::make_shared<const onnx::TypeProto>(proto);
    return inferred;
  }
  if (const auto count = tensor::ElementCount(inferred.type.shape); !count) {
    return Error{Code::kMalformed, count.error().message, ""};
  }
  inferred.type.dtype = *dtype;
  inferred.open.clear();
  return inferred;
}

Result<Inference> InferTypes(const onnx::NodeProto& given, const Opsets& opsets,
                             const std::vector<Operand>& inputs) {
  onnx::NodeProto node = given;  // the library wants to write
  const Operands operands(node, inputs);
  Inference inference;
  inference.outputs.resize(static_cast<std::size_t>(node.output_size()));
  const Status inferred = CatchOnnx(Where(node), [&]() -> Status {
    const onnx::OpSchema* schema = SchemaOf(node, opsets);
    if (schema == nullptr) {
      inference.unread = NoSchema(node, opsets);
      return {};
    }
    const onnx::ShapeInferenceOptions options(/*check_type=*/true, /*strict_mode=*/1);
    onnx::shape_inference::InferenceContextImpl context(node, operands.type_of, operands.content_of,
                                                        {}, options);
    Infer(*schema, node, options, context);
    for (int i = 0; i < node.output_size(); ++i) {
      if (node.output(i).empty()) {
        continue;
      }
      const auto at = static_cast<std::size_t>(i);
      Result<Inferred> type = FromProto(*context.getOutputType(at));
      if (!type) {
        return Error{Code::kMalformed, fmt::format("{}: {}", Where(node), type.error().message),
                     ""};
      }
      inference.outputs[at] = *std::move(type);
      if (IsOpenTensor(inference.outputs[at]) && !operands.beyond.empty()) {
        return Error{Code::kMalformed, operands.beyond, ""};
      }
      if (!inference.outputs[at].open.empty() && !inference.unread) {
        inference.unread = Open(node, node.output(i), inference.outputs[at]);
      }
    }
    return {};
  });
  if (!inferred && operands.typed) {
    return inferred.error();
  }
  return inference;
}

}  // namespace assay::model
