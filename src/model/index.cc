#include "model/index.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "model/dimensions.h"
#include "model/fold.h"
#include "model/infer.h"
#include "model/proto.h"
#include "model/sizes.h"
#include "onnx/onnx-ml.pb.h"

namespace assay::model {
namespace {

constexpr std::uint64_t kMostConstantElements = 65536;  // larger initializers are weights

class Indexer {
 public:
  Indexer(const onnx::ModelProto& model, ExternalFiles& files,
          const std::map<std::string, std::int64_t>& dimensions)
      : model_(model), files_(files), dimensions_(dimensions) {}

  Result<Graph> Run() && {
    ASSAY_TRY(CheckDimensions(model_.graph(), dimensions_));
    graph_.name = model_.graph().name();
    ids_.reserve(static_cast<std::size_t>(model_.graph().node_size()) +
                 static_cast<std::size_t>(model_.graph().initializer_size()));
    for (const onnx::OperatorSetIdProto& opset : model_.opset_import()) {
      if (opset.domain().empty() || opset.domain() == "ai.onnx") {
        graph_.opset = opset.version();
      }
    }
    for (const onnx::TensorProto& initializer : model_.graph().initializer()) {
      ASSAY_TRY(AddInitializer(initializer));
    }
    for (const onnx::ValueInfoProto& input : model_.graph().input()) {
      ASSAY_TRY(AddInput(input));
    }
    for (int i = 0; i < model_.graph().node_size(); ++i) {
      ASSAY_TRY(AddNode(model_.graph().node(i), i));
    }
    for (const onnx::ValueInfoProto& output : model_.graph().output()) {
      ASSAY_TRY(AddOutput(output));
    }
    return std::move(graph_);
  }

 private:
  ValueId Add(Value value) {
    const auto id = static_cast<ValueId>(graph_.values.size());
    ids_[value.name] = id;
    graph_.values.push_back(std::move(value));
    return id;
  }

  Status AddInitializer(const onnx::TensorProto& proto) {
    Value value;
    value.name = proto.name();
    ASSAY_ASSIGN(value.type, TypeOf(proto));
    if (proto.data_location() != onnx::TensorProto::EXTERNAL) {
      ASSAY_ASSIGN(value.constant, ReadTensor(proto));
      value.weight = Weight{proto.name(), ""};
    } else {
      ASSAY_ASSIGN(value.weight, files_.Resolve(proto, value.type));
      const bool integers = value.type.dtype == tensor::DType::kInt64;  // may be a shape
      if (integers && *tensor::ElementCount(value.type.shape) <= kMostConstantElements) {
        ASSAY_ASSIGN(const auto bytes, files_.Bytes(proto, value.type));
        value.constant = tensor::Tensor{value.name, value.type, {bytes.begin(), bytes.end()}};
      }
    }
    Add(std::move(value));
    return {};
  }

  Status AddInput(const onnx::ValueInfoProto& proto) {
    if (ids_.contains(proto.name())) {
      return {};  // an initializer's default, as old files declare each of them
    }
    Value value;
    value.name = proto.name();
    if (!proto.type().has_tensor_type() || !proto.type().tensor_type().has_shape()) {
      return Error{Code::kUnsupported, fmt::format("input '{}' has no shape", value.name),
                   "export the model with shapes"};
    }
    const onnx::TypeProto_Tensor& type = proto.type().tensor_type();
    ASSAY_ASSIGN(value.type.dtype, DTypeOf(type.elem_type()));
    for (int axis = 0; axis < type.shape().dim_size(); ++axis) {
      const auto& dimension = type.shape().dim(axis);
      value.type.shape.push_back(dimension.has_dim_value()
                                     ? dimension.dim_value()
                                     : dimensions_.at(NameOf(dimension, value.name, axis)));
    }
    if (const auto count = tensor::ElementCount(value.type.shape); !count) {
      return Error{dimensions_.empty() ? Code::kMalformed : Code::kInvalidArgument,
                   fmt::format("input '{}': {}", value.name, count.error().message), ""};
    }
    graph_.inputs.push_back(Add(std::move(value)));
    return {};
  }

  Status AddNode(const onnx::NodeProto& proto, int position) {
    Node node;
    node.name =
        proto.name().empty() ? fmt::format("{}_{}", proto.op_type(), position) : proto.name();
    node.op = proto.op_type();
    for (const onnx::AttributeProto& attribute : proto.attribute()) {
      Result<Attribute> read = ReadAttribute(attribute);
      if (!read) {
        return Error{read.error().code,
                     fmt::format("node '{}' ({}): {}", node.name, node.op, read.error().message),
                     read.error().hint};
      }
      node.attributes[attribute.name()] = *std::move(read);
    }
    std::vector<const Value*> inputs;
    for (const std::string& name : proto.input()) {
      node.inputs.push_back(name.empty() ? kNone : ids_.at(name));
      inputs.push_back(name.empty() ? nullptr : &graph_.values[Index(node.inputs.back())]);
    }
    ASSAY_TRY(CheckSizes(node, proto.name(), inputs));
    ASSAY_ASSIGN(const std::vector<tensor::Type> types, InferTypes(proto, graph_.opset, inputs));
    node.outputs.resize(types.size(), kNone);
    auto folded = types.size() == 1 ? Fold(node, inputs, types[0]) : std::nullopt;
    const bool constant = folded.has_value();
    for (std::size_t i = 0; i < types.size(); ++i) {
      const std::string& name = proto.output(static_cast<int>(i));
      if (!name.empty()) {
        const std::int32_t producer =
            constant ? -1 : static_cast<std::int32_t>(graph_.nodes.size());
        node.outputs[i] = Add({name, types[i], std::nullopt, std::move(folded), producer});
      }
    }
    if (!constant) {
      graph_.nodes.push_back(std::move(node));
    }
    return {};
  }

  /// A declared shape that inference contradicts is a sign of a damaged file.
  Status AddOutput(const onnx::ValueInfoProto& proto) {
    const ValueId id = ids_.at(proto.name());
    const tensor::Shape& shape = graph_.values[Index(id)].type.shape;
    const auto& declared = proto.type().tensor_type().shape();
    tensor::Shape written;
    for (std::size_t axis = 0; axis < static_cast<std::size_t>(declared.dim_size()); ++axis) {
      const auto& dimension = declared.dim(static_cast<int>(axis));
      const bool open = !dimension.has_dim_value() && axis < shape.size();
      written.push_back(open ? shape[axis] : dimension.dim_value());
    }
    if (proto.type().tensor_type().has_shape() && written != shape) {
      return Error{Code::kMalformed,
                   fmt::format("output '{}' is declared as {}, but is {}", proto.name(),
                               tensor::ToString(written), tensor::ToString(shape)),
                   ""};
    }
    graph_.outputs.push_back(id);
    return {};
  }

  static std::size_t Index(ValueId id) { return static_cast<std::size_t>(id); }

  const onnx::ModelProto& model_;
  ExternalFiles& files_;
  const std::map<std::string, std::int64_t>& dimensions_;
  Graph graph_;
  std::unordered_map<std::string, ValueId> ids_;
};

}  // namespace

Result<Graph> IndexModel(const onnx::ModelProto& model, ExternalFiles& files,
                         const std::map<std::string, std::int64_t>& dimensions) {
  return Indexer(model, files, dimensions).Run();
}

}  // namespace assay::model
