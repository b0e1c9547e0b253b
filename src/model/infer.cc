#include "model/infer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <unordered_map>

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

/// beyond  why a shape may be unknown, besides that it depends on data; or ""
Result<tensor::Type> StaticType(const onnx::TypeProto& proto, const onnx::NodeProto& node,
                                const std::string& output, const std::string& beyond) {
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
  if (open && !beyond.empty()) {
    return Error{Code::kMalformed, beyond, ""};
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
  explicit Operands(const onnx::NodeProto& node, const std::vector<const Value*>& inputs) {
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      if (inputs[i] != nullptr) {
        Add(node, node.input(static_cast<int>(i)), *inputs[i]);
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
};

}  // namespace

Result<std::vector<tensor::Type>> InferTypes(const onnx::NodeProto& given, std::int64_t opset,
                                             const std::vector<const Value*>& inputs) {
  onnx::NodeProto node = given;  // the library wants to write
  Operands operands(node, inputs);
  std::vector<tensor::Type> types(static_cast<std::size_t>(node.output_size()));
  ASSAY_TRY(CatchOnnx(Where(node), [&]() -> Status {
    const auto* schemas = onnx::OpSchemaRegistry::Instance();
    const onnx::OpSchema* schema = schemas->GetSchema(node.op_type(), static_cast<int>(opset));
    if (schema == nullptr) {
      return Error{Code::kUnsupported, fmt::format("{} is not in that opset", Where(node)), ""};
    }
    const onnx::ShapeInferenceOptions options(/*check_type=*/true, /*strict_mode=*/1);
    onnx::shape_inference::SymbolTableImpl symbols;
    onnx::shape_inference::DataValueMap partial;
    onnx::shape_inference::InferenceContextImpl context(node, operands.type_of, operands.content_of,
                                                        {}, options);
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
        ASSAY_ASSIGN(types[at],
                     StaticType(*context.getOutputType(at), node, node.output(i), operands.beyond));
      }
    }
    return {};
  }));
  return types;
}

}  // namespace assay::model
