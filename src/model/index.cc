#include "model/index.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <unordered_map>
#include <utility>

#include "model/dimensions.h"
#include "model/fold.h"
#include "model/infer.h"
#include "model/proto.h"
#include "model/sizes.h"
#include "onnx/onnx-ml.pb.h"

namespace assay::model {
namespace {

constexpr std::uint64_t kMostConstantElements = 65536;  // larger initializers are weights

using Sizes = std::map<std::string, std::int64_t>;

std::size_t Index(ValueId id) { return static_cast<std::size_t>(id); }

std::string Where(const Node& node) { return fmt::format("node '{}' ({})", node.name, node.op); }

/// One graph: the model's, or one inside a node of `outer`.
class Indexer {
 public:
  Indexer(const Opsets& opsets, ExternalFiles& files, const Sizes& dimensions, Indexer* outer)
      : opsets_(opsets), files_(files), dimensions_(dimensions), outer_(outer) {}

  Result<Graph> Run(const onnx::GraphProto& proto) && {
    graph_.name = proto.name();
    const auto opset = opsets_.find("");
    graph_.opset = opset == opsets_.end() ? 0 : opset->second;
    scopes_.emplace_back().reserve(static_cast<std::size_t>(proto.node_size()) +
                                   static_cast<std::size_t>(proto.initializer_size()));
    ASSAY_TRY(AddInitializers(proto));
    for (const onnx::ValueInfoProto& input : proto.input()) {
      ASSAY_TRY(outer_ == nullptr ? AddInput(input) : AddBodyInput(input));
    }
    ASSAY_TRY(AddNodes(proto));
    for (const onnx::ValueInfoProto& output : proto.output()) {
      ASSAY_TRY(AddOutput(output));
    }
    MarkWeights();
    return std::move(graph_);
  }

 private:
  using Scope = std::unordered_map<std::string, ValueId>;

  ValueId Add(const std::string& name, Value value,
              std::shared_ptr<const onnx::TypeProto> known = nullptr) {
    const auto id = static_cast<ValueId>(graph_.values.size());
    if (value.Typed() && value.type.dtype == tensor::DType::kString) {
      Note({Code::kUnsupported, fmt::format("'{}' is text", value.name), ""});
    }
    if (known != nullptr) {
      known_[id] = std::move(known);
    }
    scopes_.back()[name] = id;
    graph_.values.push_back(std::move(value));
    return id;
  }

  /// Some exporters write the weights of layers as nodes (Constant).
  void MarkWeights() {
    static const std::set<std::string> kLayers = {
        "BatchNormalization",    "Conv", "ConvTranspose", "GRU",   "Gemm",
        "InstanceNormalization", "LSTM", "MatMul",        "PRelu", "RNN",
        "LayerNormalization"};
    for (const Node& node : graph_.nodes) {
      for (std::size_t i = 1; i < node.inputs.size() && kLayers.contains(node.op); ++i) {
        Value* value = node.inputs[i] == kNone ? nullptr : &graph_.values[Index(node.inputs[i])];
        if (value != nullptr && value->constant && !value->weight &&
            tensor::IsFloat(value->type.dtype)) {
          value->weight = Weight{value->name, ""};
        }
      }
    }
  }

  /// The first reason is the graph's.
  void Note(Error reason) {
    if (!graph_.unread) {
      graph_.unread = std::move(reason);
    }
  }

  /// What `name` means here; what lies in the graphs around becomes a value of this one, too.
  std::optional<ValueId> Find(const std::string& name) {
    for (auto scope = scopes_.rbegin(); scope != scopes_.rend(); ++scope) {
      if (const auto found = scope->find(name); found != scope->end()) {
        return found->second;
      }
    }
    const std::optional<ValueId> around = outer_ == nullptr ? std::nullopt : outer_->Find(name);
    if (!around) {
      return std::nullopt;
    }
    Value value = outer_->graph_.values[Index(*around)];
    value.weight.reset();
    value.producer = -1;
    return Add(name, std::move(value), outer_->KnownOf(*around));
  }

  std::shared_ptr<const onnx::TypeProto> KnownOf(ValueId id) const {
    const auto found = known_.find(id);
    return found == known_.end() ? nullptr : found->second;
  }

  /// The unique name of a value: those in a branch that was taken carry the node's.
  std::string Unique(const std::string& name) const { return prefix_ + name; }

  Status AddInitializers(const onnx::GraphProto& graph) {
    for (const onnx::TensorProto& initializer : graph.initializer()) {
      ASSAY_TRY(AddInitializer(initializer));
    }
    for (const onnx::SparseTensorProto& sparse : graph.sparse_initializer()) {
      Value value{.name = Unique(sparse.values().name()), .type = {}, .open = "sparse"};
      Note({Code::kUnsupported, fmt::format("weight '{}' is sparse", value.name), ""});
      Add(sparse.values().name(), std::move(value));
    }
    return {};
  }

  Status AddInitializer(const onnx::TensorProto& proto) {
    Value value;
    value.name = Unique(proto.name());
    const Result<tensor::Type> type = TypeOf(proto);
    if (!type && type.error().code != Code::kUnsupported) {
      return type.error();
    }
    if (!type) {
      value.open = onnx::TensorProto::DataType_Name(proto.data_type());
      Note({Code::kUnsupported, fmt::format("weight '{}': {}", value.name, type.error().message),
            ""});
    } else {
      value.type = *type;
      ASSAY_TRY(ReadContent(proto, value));
    }
    Add(proto.name(), std::move(value));
    return {};
  }

  /// Of an initializer: where it lies, and what it is where that may decide a shape.
  Status ReadContent(const onnx::TensorProto& proto, Value& value) {
    if (value.type.dtype == tensor::DType::kString) {
      return {};
    }
    if (proto.data_location() != onnx::TensorProto::EXTERNAL) {
      ASSAY_ASSIGN(value.constant, ReadTensor(proto));
      value.weight = Weight{value.name, ""};
      return {};
    }
    ASSAY_ASSIGN(value.weight, files_.Resolve(proto, value.type));
    const bool integers = value.type.dtype == tensor::DType::kInt64;  // may be a shape
    if (integers && *tensor::ElementCount(value.type.shape) <= kMostConstantElements) {
      ASSAY_ASSIGN(const auto bytes, files_.Bytes(proto, value.type));
      value.constant = tensor::Tensor{value.name, value.type, {bytes.begin(), bytes.end()}};
    }
    return {};
  }

  Status AddInput(const onnx::ValueInfoProto& proto) {
    if (scopes_.front().contains(proto.name())) {
      return {};  // an initializer's default, as old files declare each of them
    }
    Value value;
    value.name = proto.name();
    if (!proto.type().has_tensor_type()) {
      return Error{Code::kUnsupported, fmt::format("input '{}' is no tensor", value.name),
                   "assay gives tensors to a model; export it with such inputs"};
    }
    if (!proto.type().tensor_type().has_shape()) {
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
    graph_.inputs.push_back(Add(proto.name(), std::move(value)));
    return {};
  }

  /// What a loop hands to its body, of the type that the file declares.
  Status AddBodyInput(const onnx::ValueInfoProto& proto) {
    ASSAY_ASSIGN(Inferred type, FromProto(proto.type()));
    graph_.inputs.push_back(Add(
        proto.name(), {.name = proto.name(), .type = type.type, .open = type.open}, type.known));
    return {};
  }

  Status AddNodes(const onnx::GraphProto& graph) {
    for (const auto* list : {&graph.value_info(), &graph.output()}) {
      for (const onnx::ValueInfoProto& value : *list) {
        declared_[prefix_ + value.name()] = &value.type();
      }
    }
    for (int i = 0; i < graph.node_size(); ++i) {
      ASSAY_TRY(AddNode(graph.node(i), i));
    }
    return {};
  }

  Status AddNode(const onnx::NodeProto& proto, int position) {
    Node node;
    node.name = Unique(proto.name().empty() ? fmt::format("{}_{}", proto.op_type(), position)
                                            : proto.name());
    node.op = proto.op_type();
    node.domain = IsStandard(proto.domain()) ? "" : proto.domain();
    ASSAY_TRY(AddInputsOf(proto, node));
    if (const onnx::GraphProto* branch = BranchTaken(proto, node)) {
      return Take(*branch, proto, node);
    }
    ASSAY_TRY(AddAttributes(proto, node));
    std::vector<Operand> operands;
    for (const ValueId id : node.inputs) {
      operands.push_back(id == kNone ? Operand{}
                                     : Operand{&graph_.values[Index(id)], KnownOf(id).get()});
    }
    ASSAY_ASSIGN(Inference inference, TypesOf(proto, node, operands));
    return AddResults(proto, std::move(node), std::move(inference));
  }

  Status AddInputsOf(const onnx::NodeProto& proto, Node& node) {
    for (const std::string& name : proto.input()) {
      const std::optional<ValueId> id = name.empty() ? kNone : Find(name);
      if (!id) {
        return Error{Code::kMalformed,
                     fmt::format("{} reads '{}', which nothing makes before it", Where(node), name),
                     "export it again"};
      }
      node.inputs.push_back(*id);
    }
    return {};
  }

  Status AddAttributes(const onnx::NodeProto& proto, Node& node) {
    for (const onnx::AttributeProto& attribute : proto.attribute()) {
      if (attribute.has_g()) {
        node.bodies[attribute.name()] = BodyOf(attribute.g());
        Note({Code::kUnsupported, Where(node) + " is control flow", ""});
        continue;
      }
      Result<Attribute> read = ReadAttribute(attribute);
      if (!read && read.error().code != Code::kUnsupported) {
        return Error{read.error().code, fmt::format("{}: {}", Where(node), read.error().message),
                     read.error().hint};
      }
      if (read) {
        node.attributes[attribute.name()] = *std::move(read);
      } else {
        Note({Code::kUnsupported, fmt::format("{}: {}", Where(node), read.error().message), ""});
      }
    }
    return {};
  }

  /// A branch may contradict shapes for which it is not taken.
  std::shared_ptr<const Graph> BodyOf(const onnx::GraphProto& proto) {
    Result<Graph> body = Indexer(opsets_, files_, dimensions_, this).Run(proto);
    if (body.ok()) {
      return std::make_shared<const Graph>(*std::move(body));
    }
    Graph none;
    none.name = proto.name();
    none.unread = body.error();
    return std::make_shared<const Graph>(std::move(none));
  }

  /// The branch of an If whose condition is known; else null.
  const onnx::GraphProto* BranchTaken(const onnx::NodeProto& proto, const Node& node) const {
    if (node.op != "If" || !node.domain.empty() || node.inputs.size() != 1 ||
        node.inputs[0] == kNone) {
      return nullptr;
    }
    const std::optional<tensor::Tensor>& condition = graph_.values[Index(node.inputs[0])].constant;
    if (!condition || condition->data.empty()) {
      return nullptr;
    }
    const char* branch = condition->data[0] != std::byte{0} ? "then_branch" : "else_branch";
    for (const onnx::AttributeProto& attribute : proto.attribute()) {
      if (attribute.name() == branch && attribute.g().output_size() == proto.output_size()) {
        return &attribute.g();
      }
    }
    return nullptr;
  }

  /// Puts the nodes of the branch in the node's place.
  Status Take(const onnx::GraphProto& branch, const onnx::NodeProto& proto, const Node& node) {
    const std::string prefix = std::exchange(prefix_, node.name + "/");
    scopes_.emplace_back();
    ASSAY_TRY(AddInitializers(branch));
    ASSAY_TRY(AddNodes(branch));
    std::vector<ValueId> results;
    for (const onnx::ValueInfoProto& output : branch.output()) {
      const std::optional<ValueId> id = Find(output.name());
      if (!id) {
        return Error{Code::kMalformed,
                     fmt::format("{}: nothing makes '{}'", Where(node), output.name()), ""};
      }
      results.push_back(*id);
    }
    scopes_.pop_back();
    prefix_ = prefix;
    for (std::size_t i = 0; i < results.size(); ++i) {
      const std::string& name = proto.output(static_cast<int>(i));
      if (!name.empty()) {
        AddIdentity(results[i], name);
      }
    }
    return {};
  }

  void AddIdentity(ValueId of, const std::string& name) {
    Value value = graph_.values[Index(of)];
    value.name = Unique(name);
    value.weight.reset();
    value.producer = value.constant ? -1 : static_cast<std::int32_t>(graph_.nodes.size());
    const bool constant = value.constant.has_value();
    const ValueId id = Add(name, std::move(value), KnownOf(of));
    if (!constant) {
      graph_.nodes.push_back({.name = Unique(name) + "/taken",
                              .op = "Identity",
                              .domain = "",
                              .inputs = {of},
                              .outputs = {id},
                              .attributes = {}});
    }
  }

  Result<Inference> TypesOf(const onnx::NodeProto& proto, const Node& node,
                            const std::vector<Operand>& operands) {
    if (!node.bodies.empty()) {
      return TypesOfBranches(proto, node);
    }
    std::vector<const Value*> values;
    bool typed = true;
    for (const Operand& operand : operands) {
      values.push_back(operand.value);
      typed = typed && (operand.value == nullptr || operand.value->Typed());
    }
    if (typed) {
      ASSAY_TRY(CheckSizes(node, proto.name(), values));
    }
    return InferTypes(proto, opsets_, operands);
  }

  /// What both branches of an If give; nothing of other control flow.
  static Inference TypesOfBranches(const onnx::NodeProto& proto, const Node& node) {
    Inference inference;
    inference.outputs.resize(static_cast<std::size_t>(proto.output_size()));
    const auto then = node.bodies.find("then_branch"), otherwise = node.bodies.find("else_branch");
    if (node.op != "If" || then == node.bodies.end() || otherwise == node.bodies.end()) {
      return inference;
    }
    for (std::size_t i = 0; i < inference.outputs.size(); ++i) {
      const Value* a = OutputOf(*then->second, i);
      const Value* b = OutputOf(*otherwise->second, i);
      if (a != nullptr && b != nullptr && a->Typed() && b->Typed() && a->type == b->type) {
        inference.outputs[i] = {.type = a->type, .open = "", .known = nullptr};
      }
    }
    return inference;
  }

  static const Value* OutputOf(const Graph& graph, std::size_t i) {
    return i < graph.outputs.size() ? &graph.values[Index(graph.outputs[i])] : nullptr;
  }

  Status AddResults(const onnx::NodeProto& proto, Node node, Inference inference) {
    if (inference.unread) {
      Note(*std::move(inference.unread));
    }
    std::vector<Inferred>& types = inference.outputs;
    auto folded = types.size() == 1 && Foldable(node) && types[0].open.empty()
                      ? FoldOne(node, types[0].type)
                      : std::nullopt;
    const bool constant = folded.has_value();
    const auto position = static_cast<std::int32_t>(graph_.nodes.size());
    node.outputs.resize(types.size(), kNone);
    for (std::size_t i = 0; i < types.size(); ++i) {
      const std::string& name = proto.output(static_cast<int>(i));
      if (!name.empty()) {
        const Inferred type = OrDeclared(std::move(types[i]), name);
        node.outputs[i] = Add(name,
                              {.name = Unique(name),
                               .type = type.type,
                               .weight = std::nullopt,
                               .constant = std::move(folded),
                               .producer = constant ? -1 : position,
                               .open = type.open},
                              type.known);
      }
    }
    if (!constant) {
      graph_.nodes.push_back(std::move(node));
    }
    return {};
  }

  bool Foldable(const Node& node) const {
    return node.domain.empty() && node.bodies.empty() &&
           std::ranges::all_of(node.inputs, [this](ValueId id) {
             return id == kNone || graph_.values[Index(id)].Typed();
           });
  }

  std::optional<tensor::Tensor> FoldOne(Node& node, const tensor::Type& type) const {
    std::vector<const Value*> inputs;
    for (const ValueId id : node.inputs) {
      inputs.push_back(id == kNone ? nullptr : &graph_.values[Index(id)]);
    }
    node.outputs.resize(1, kNone);
    return Fold(node, inputs, type);
  }

  /// What the file declares of a value that inference does not find, sizes by name included.
  Inferred OrDeclared(Inferred inferred, const std::string& name) const {
    const auto declared = declared_.find(prefix_ + name);
    if (inferred.open.empty() || declared == declared_.end()) {
      return inferred;
    }
    onnx::TypeProto proto = *declared->second;
    if (proto.has_tensor_type() && proto.tensor_type().has_shape()) {
      for (auto& dimension : *proto.mutable_tensor_type()->mutable_shape()->mutable_dim()) {
        const auto size = dimensions_.find(dimension.dim_param());
        if (size != dimensions_.end() && !dimension.has_dim_value()) {
          dimension.set_dim_value(size->second);
        }
      }
    }
    Result<Inferred> type = FromProto(proto);
    return type.ok() && type->open != "?" ? *std::move(type) : inferred;
  }

  /// Files in wide use declare shapes that are not so; what inference finds holds.
  Status AddOutput(const onnx::ValueInfoProto& proto) {
    const std::optional<ValueId> id = Find(proto.name());
    if (!id) {
      return Error{Code::kMalformed, fmt::format("nothing makes output '{}'", proto.name()),
                   "export it again"};
    }
    graph_.outputs.push_back(*id);
    const Value& value = graph_.values[Index(*id)];
    const auto& declared = proto.type().tensor_type().shape();
    tensor::Shape written;
    for (std::size_t axis = 0; axis < static_cast<std::size_t>(declared.dim_size()); ++axis) {
      const auto& dimension = declared.dim(static_cast<int>(axis));
      const bool open = !dimension.has_dim_value() && axis < value.type.shape.size();
      written.push_back(open ? value.type.shape[axis] : dimension.dim_value());
    }
    if (outer_ == nullptr && value.Typed() && proto.type().tensor_type().has_shape() &&
        written != value.type.shape) {
      graph_.warnings.push_back(fmt::format("output '{}' is declared as {}, but is {}",
                                            proto.name(), tensor::ToString(written),
                                            tensor::ToString(value.type.shape)));
    }
    return {};
  }

  const Opsets& opsets_;
  ExternalFiles& files_;
  const Sizes& dimensions_;
  Indexer* outer_;
  Graph graph_;
  std::vector<Scope> scopes_;  // the graph's, then those of the branches that are being taken
  std::string prefix_;         // of names in the branch that is being taken
  std::unordered_map<ValueId, std::shared_ptr<const onnx::TypeProto>> known_;
  std::unordered_map<std::string, const onnx::TypeProto*> declared_;
};

}  // namespace

Result<Graph> IndexModel(const onnx::ModelProto& model, ExternalFiles& files,
                         const Sizes& dimensions) {
  ASSAY_TRY(CheckDimensions(model.graph(), dimensions));
  if (model.graph().output_size() == 0) {
    return Error{Code::kMalformed, "it has no outputs", "export it again, with outputs"};
  }
  Opsets opsets;
  for (const onnx::OperatorSetIdProto& opset : model.opset_import()) {
    opsets[IsStandard(opset.domain()) ? "" : opset.domain()] = opset.version();
  }
  return Indexer(opsets, files, dimensions, nullptr).Run(model.graph());
}

}  // namespace assay::model
