// What is refused before anything is computed of a model: what no engine here could run, what the
// formats that assay writes cannot hold, and all that ONNX's own checker refuses.
#include <fmt/format.h>

#include <limits>
#include <regex>
#include <set>

#include "base/text.h"
#include "model/proto.h"
#include "onnx/checker.h"
#include "onnx/onnx-ml.pb.h"

namespace assay::model {
namespace {

std::string Where(const onnx::NodeProto& node) {
  return fmt::format("node '{}' ({})", node.name(), node.op_type());
}

bool IsStandard(const std::string& domain) { return domain.empty() || domain == "ai.onnx"; }

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

Status CheckAttribute(const onnx::NodeProto& node, const onnx::AttributeProto& attribute) {
  if (attribute.has_g() || attribute.graphs_size() > 0) {
    return Error{Code::kUnsupported, OneLine(Where(node) + " is control flow"),
                 "export the model with fixed shapes and without branches or loops"};
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
  if (!IsStandard(node.domain())) {
    return Error{Code::kUnsupported,
                 OneLine(fmt::format("{} is of the domain '{}'", Where(node), node.domain())),
                 "export with the standard ONNX operators only"};
  }
  const onnx::OpSchema* schema = onnx::OpSchemaRegistry::Schema(node.op_type());
  if (schema == nullptr) {
    return Error{Code::kUnsupported, OneLine(Where(node) + " is no operator of ONNX"), ""};
  }
  ASSAY_TRY(CheckName(node.name(), "a node"));
  ASSAY_TRY(CheckNames(node.input(), "an operand"));
  ASSAY_TRY(CheckNames(node.output(), "a result"));
  ASSAY_TRY(CheckOperands(node, *schema));
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

/// One version of the standard's operators, and one that is known.
Status CheckOpset(const onnx::ModelProto& model) {
  const auto newest = onnx::OpSchemaRegistry::DomainToVersionRange::Instance().Map().at("").second;
  std::set<std::int64_t> versions;
  for (const onnx::OperatorSetIdProto& opset : model.opset_import()) {
    if (!IsStandard(opset.domain())) {
      continue;
    }
    versions.insert(opset.version());
    if (opset.version() < 1 || opset.version() > newest) {
      return Error{Code::kUnsupported,
                   fmt::format("it is of opset {}; 1 to {} are known", opset.version(), newest),
                   "export it for an older opset"};
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

Status CheckUse(const onnx::ModelProto& model) {
  for (const onnx::NodeProto& node : model.graph().node()) {
    ASSAY_TRY(CheckNode(node));
  }
  ASSAY_TRY(CheckGraphNames(model.graph()));
  ASSAY_TRY(CheckOpset(model));
  if (model.functions_size() > 0) {
    return Error{Code::kUnsupported, "it defines functions of its own",
                 "inline them (onnx.inliner.inline_local_functions)"};
  }
  if (model.graph().sparse_initializer_size() > 0) {
    return Error{Code::kUnsupported, "it has sparse weights", "store the weights densely"};
  }
  return {};
}

}  // namespace

Status CheckModel(const onnx::ModelProto& model, const std::filesystem::path& path) {
  if (Status usable = CheckUse(model); !usable) {
    Error error = std::move(usable).error();
    error.message = fmt::format("{}: {}", path.string(), error.message);
    return error;
  }
  return CatchOnnx(path.string(), [&]() -> Status {
    onnx::checker::CheckerContext context;
    context.set_ir_version(static_cast<int>(model.ir_version()));
    context.set_model_dir(path.parent_path().string() + "/");
    std::unordered_map<std::string, int> opsets;
    for (const onnx::OperatorSetIdProto& opset : model.opset_import()) {
      opsets[opset.domain()] = static_cast<int>(opset.version());
    }
    context.set_opset_imports(opsets);
    onnx::checker::check_graph(model.graph(), context, onnx::checker::LexicalScopeContext());
    return {};
  });
}

}  // namespace assay::model
