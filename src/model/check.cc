// What is refused before anything is computed of a model: what the formats that assay writes cannot
// hold, what ONNX's inference cannot bear, and all that ONNX's own checker refuses.
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <regex>
#include <set>
#include <unordered_map>

#include "base/text.h"
#include "model/proto.h"
#include "onnx/checker.h"
#include "onnx/onnx-ml.pb.h"

namespace assay::model {
namespace {

std::string Where(const onnx::NodeProto& node) {
  return fmt::format("node '{}' ({})", node.name(), node.op_type());
}

Status CheckName(std::string_view name, std::string_view of) {
  if (IsText(name)) {
    return {};
  }
  return Error{Code::kMalformed, OneLine(fmt::format("the name '{}' of {} is no text", name, of)),
               "names are UTF-8 without control characters; name it otherwise"};
}

template <typename Names>
Status CheckNames(const Names& names, std::string_view of) {
  for (const std::string& name : names) {
    ASSAY_TRY(CheckName(name, of));
  }
  return {};
}

/// Lists of sizes, strides, axes and the like, which inference multiplies and adds. Slices, until
/// opset 9, and constants may hold anything.
Status CheckNumbers(const onnx::NodeProto& node, const onnx::AttributeProto& attribute) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();
  const bool any = node.op_type() == "Slice" || node.op_type() == "Constant";
  const auto check = [&](std::int64_t number) -> Status {
    if (any || (number >= -kMost && number <= kMost)) {
      return {};
    }
    return Error{Code::kMalformed,
                 OneLine(fmt::format("attribute '{}' of {} is {}, beyond any size of a tensor",
                                     attribute.name(), Where(node), number)),
                 ""};
  };
  ASSAY_TRY(check(attribute.i()));
  for (const std::int64_t number : attribute.ints()) {
    ASSAY_TRY(check(number));
  }
  return {};
}

/// ONNX's inference of Einsum never ends on a character that it does not know.
Status CheckEquation(const onnx::NodeProto& node, const onnx::AttributeProto& attribute) {
  static const std::regex kEquation(R"((?:[A-Za-z ,]|\.\.\.)*(?:->(?:[A-Za-z ]|\.\.\.)*)?)");
  constexpr std::size_t kLongest = 1000;
  if (node.op_type() != "Einsum" || attribute.name() != "equation" ||
      (attribute.s().size() <= kLongest && std::regex_match(attribute.s(), kEquation))) {
    return {};
  }
  return Error{Code::kMalformed,
               fmt::format("{} has no equation in '{}'", Where(node), OneLine(attribute.s(), 80)),
               "letters, commas, '...' and one '->'"};
}

Status CheckGraph(const onnx::GraphProto& graph);

Status CheckAttribute(const onnx::NodeProto& node, const onnx::AttributeProto& attribute) {
  for (const onnx::GraphProto& graph : attribute.graphs()) {
    ASSAY_TRY(CheckGraph(graph));
  }
  if (attribute.has_g()) {
    ASSAY_TRY(CheckGraph(attribute.g()));
  }
  ASSAY_TRY(CheckName(attribute.name(), "an attribute"));
  ASSAY_TRY(CheckName(attribute.s(), "a choice"));
  ASSAY_TRY(CheckNames(attribute.strings(), "a choice"));
  ASSAY_TRY(CheckEquation(node, attribute));
  return CheckNumbers(node, attribute);
}

/// ONNX's checker lets operands be left out where there may be any number of them.
Status CheckOperands(const onnx::NodeProto& node, const onnx::OpSchema& schema) {
  for (int i = 0; i < node.input_size(); ++i) {
    const auto& known = schema.inputs();
    const auto at = std::min(static_cast<std::size_t>(i), known.size() - 1);
    if (node.input(i).empty() && !known.empty() &&
        known[at].GetOption() == onnx::OpSchema::Variadic) {
      return Error{Code::kMalformed, OneLine(fmt::format("{} lacks operand {}", Where(node), i)),
                   ""};
    }
  }
  return {};
}

Status CheckNode(const onnx::NodeProto& node) {
  ASSAY_TRY(CheckName(node.name(), "a node"));
  ASSAY_TRY(CheckNames(node.input(), "an operand"));
  ASSAY_TRY(CheckNames(node.output(), "a result"));
  if (IsStandard(node.domain())) {
    if (const onnx::OpSchema* schema = onnx::OpSchemaRegistry::Schema(node.op_type())) {
      ASSAY_TRY(CheckOperands(node, *schema));
    }
  }
  for (const onnx::AttributeProto& attribute : node.attribute()) {
    ASSAY_TRY(CheckAttribute(node, attribute));
  }
  return {};
}

Status CheckGraphNames(const onnx::GraphProto& graph) {
  ASSAY_TRY(CheckName(graph.name(), "the graph"));
  for (const auto* values : {&graph.input(), &graph.output()}) {
    for (const onnx::ValueInfoProto& value : *values) {
      ASSAY_TRY(CheckName(value.name(), "an input or output"));
      for (const auto& dimension : value.type().tensor_type().shape().dim()) {
        ASSAY_TRY(CheckName(dimension.dim_param(), "a dimension"));
      }
    }
  }
  for (const onnx::TensorProto& initializer : graph.initializer()) {
    ASSAY_TRY(CheckName(initializer.name(), "a weight"));
    for (const onnx::StringStringEntryProto& entry : initializer.external_data()) {
      ASSAY_TRY(CheckName(entry.value(), "a weight's place"));
    }
  }
  return {};
}

Status CheckGraph(const onnx::GraphProto& graph) {
  for (const onnx::NodeProto& node : graph.node()) {
    ASSAY_TRY(CheckNode(node));
  }
  return CheckGraphNames(graph);
}

/// One version of the standard's operators.
Status CheckOpset(const onnx::ModelProto& model) {
  std::set<std::int64_t> versions;
  for (const onnx::OperatorSetIdProto& opset : model.opset_import()) {
    if (IsStandard(opset.domain())) {
      versions.insert(opset.version());
    }
  }
  if (versions.size() > 1) {
    return Error{
        Code::kMalformed,
        fmt::format("it names two opsets, {} and {}", *versions.begin(), *versions.rbegin()),
        "export it again"};
  }
  return {};
}

constexpr int kFreeInitializers = 4;

using Opsets = std::unordered_map<std::string, int>;  // by domain, "" for the standard's

/// Of a node or an opset.
template <typename Proto>
std::string DomainOf(const Proto& proto) {
  return IsStandard(proto.domain()) ? "" : proto.domain();
}

/// Of all other domains that the graph uses: runtimes do not insist that the file names them.
void AddDomains(const onnx::GraphProto& graph, Opsets& opsets) {
  for (const onnx::NodeProto& node : graph.node()) {
    if (!IsStandard(node.domain())) {
      opsets.emplace(node.domain(), 1);
    }
    for (const onnx::AttributeProto& attribute : node.attribute()) {
      AddDomains(attribute.g(), opsets);
    }
  }
}

const onnx::OpSchema* SchemaAt(const onnx::NodeProto& node, const Opsets& opsets) {
  const auto opset = opsets.find(DomainOf(node));
  return opset == opsets.end() ? nullptr
                               : onnx::OpSchemaRegistry::Instance()->GetSchema(
                                     node.op_type(), opset->second, opset->first);
}

/// Whether ONNX has every operator of its own domains, and the opsets that the model names: its
/// checker calls a file with another damaged.
bool KnowsAll(const onnx::GraphProto& graph, const Opsets& opsets) {
  const auto& domains = onnx::OpSchemaRegistry::DomainToVersionRange::Instance().Map();
  const auto known = [&](const onnx::NodeProto& node) {
    const auto domain = domains.find(DomainOf(node));
    const auto opset = opsets.find(DomainOf(node));
    const bool newer =
        opset != opsets.end() && domain != domains.end() && opset->second > domain->second.second;
    return domain == domains.end() || (!newer && SchemaAt(node, opsets) != nullptr);
  };
  return std::ranges::all_of(graph.node(), [&](const onnx::NodeProto& node) {
    return known(node) && std::ranges::all_of(node.attribute(), [&](const auto& attribute) {
             return KnowsAll(attribute.g(), opsets);
           });
  });
}

/// The checker calls a file damaged that leaves the shape of an output to be found.
bool SaysShapes(const onnx::GraphProto& graph) {
  return std::ranges::all_of(graph.output(), [](const onnx::ValueInfoProto& output) {
    const onnx::TypeProto& type = output.type();
    return type.value_case() != onnx::TypeProto::kTensorType || type.tensor_type().has_shape();
  });
}

/// What the checker looks at, but for which operators there are. It throws.
void CheckParts(const onnx::GraphProto& graph, const Opsets& opsets,
                const onnx::checker::CheckerContext& context) {
  for (const onnx::TensorProto& initializer : graph.initializer()) {
    onnx::checker::check_tensor(initializer, context);
  }
  for (const onnx::NodeProto& node : graph.node()) {
    if (const onnx::OpSchema* schema = SchemaAt(node, opsets)) {
      schema->Verify(node);
    }
    for (const onnx::AttributeProto& attribute : node.attribute()) {
      CheckParts(attribute.g(), opsets, context);
    }
  }
}

}  // namespace

Status CheckModel(const onnx::ModelProto& model, const std::filesystem::path& path) {
  Status usable = CheckGraph(model.graph());
  if (usable.ok()) {
    usable = CheckOpset(model);
  }
  if (!usable) {
    Error error = std::move(usable).error();
    error.message = fmt::format("{}: {}", path.string(), error.message);
    return error;
  }
  Opsets opsets;
  for (const onnx::OperatorSetIdProto& opset : model.opset_import()) {
    opsets[DomainOf(opset)] = static_cast<int>(opset.version());
  }
  AddDomains(model.graph(), opsets);
  return CatchOnnx(path.string(), [&]() -> Status {
    onnx::checker::CheckerContext context;
    // Before version 4 initializers had to be inputs as well; runtimes do not insist.
    context.set_ir_version(std::max(kFreeInitializers, static_cast<int>(model.ir_version())));
    context.set_model_dir(path.parent_path().string() + "/");
    context.set_opset_imports(opsets);
    if (KnowsAll(model.graph(), opsets) && SaysShapes(model.graph())) {
      onnx::checker::check_graph(model.graph(), context, onnx::checker::LexicalScopeContext());
    } else {
      CheckParts(model.graph(), opsets, context);
    }
    return {};
  });
}

}  // namespace assay::model
