#include "cli/graph_diff.h"

#include <fmt/format.h>

#include <map>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/text.h"
#include "campaign/node_scan.h"
#include "cli/surroundings.h"
#include "cli/terminal.h"
#include "conversion/select.h"
#include "hardware/machine.h"

namespace assay::cli {
namespace {

constexpr double kSeconds = 600;  // for all parts of the graph
// By engine, the conversion that runs a file on it with nothing changed.
constexpr std::pair<const char*, const char*> kConversions[] = {{"onnxruntime", "ONNX_CPU"},
                                                                {"openvino", "COMPILE_OPENVINO"}};

Result<conversion::Choice> ChoiceOf(const std::string& engine) {
  std::vector<std::string> names;
  for (const auto& [name, conversion] : kConversions) {
    if (engine == name) {
      ASSAY_ASSIGN(auto choices, conversion::Select(conversion));
      return std::move(choices.front());
    }
    names.emplace_back(name);
  }
  return Error{Code::kInvalidArgument,
               fmt::format("--diff '{}' is no engine that reads ONNX files{}", engine,
                           DidYouMean(engine, names)),
               fmt::format("--diff is one of {}", Join(names, ", "))};
}

Json ToJson(const std::string& engine, const campaign::NodeScan& scan) {
  Json first;
  if (scan.first) {
    first = {{"node", scan.first->node},
             {"op", scan.first->op},
             {"value", scan.first->value},
             {"relative_l2", scan.first->relative_l2},
             {"allowed", scan.first->allowed}};
  }
  return {{"schema", "assay.graph_diff/1"},
          {"engine", engine},
          {"compared", scan.compared},
          {"values", scan.values},
          {"first", first}};
}

}  // namespace

Result<int> DiffGraph(const model::Model& model, const std::string& engine, std::uint64_t seed,
                      bool json) {
  ASSAY_ASSIGN(const conversion::Choice choice, ChoiceOf(engine));
  ASSAY_ASSIGN(const hardware::Machine machine, hardware::Detect());
  campaign::Options options;
  options.seed = seed;
  ASSAY_ASSIGN(const campaign::NodeScan scan,
               campaign::ScanModel(model, choice, options, SurroundingsOf(machine), kSeconds));
  if (!scan.first && scan.compared < scan.values) {
    return Error{Code::kTimedOut, campaign::Describe(scan), ""};
  }
  ASSAY_TRY(WriteOut(json ? ToJson(engine, scan).dump(2) + "\n"
                          : fmt::format("{}: {}{}\n", engine,
                                        scan.first ? "the first that differs is " : "",
                                        campaign::Describe(scan))));
  return scan.first ? 1 : 0;
}

}  // namespace assay::cli
