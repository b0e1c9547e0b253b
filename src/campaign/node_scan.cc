#include "campaign/node_scan.h"

#include <fmt/format.h>

#include <memory>
#include <vector>

#include "aten/lower.h"
#include "base/pending_folder.h"
#include "campaign/process.h"
#include "campaign/program_file.h"
#include "campaign/verdict.h"
#include "campaign/written_outputs.h"
#include "model/copy.h"
#include "model/show.h"

namespace assay::campaign {
namespace {

constexpr std::uint64_t kPartBytes = 64u << 20;  // of values in fp64 that are held at a time
constexpr double kLost = 1e-3;
constexpr char kShown[] = "shown.onnx";

using Values = std::vector<model::ValueId>;

std::uint64_t BytesOf(const model::Value& value) {
  const auto elements = tensor::ElementCount(value.type.shape);
  return (elements.ok() ? *elements : 0) * sizeof(double);
}

/// The floating-point results of nodes, in their order, in parts of about kPartBytes.
std::vector<Values> PartsOf(const model::Graph& graph) {
  std::vector<Values> parts;
  std::uint64_t bytes = kPartBytes;
  for (const model::Node& node : graph.nodes) {
    for (const model::ValueId id : node.outputs) {
      if (id == model::kNone || !graph.At(id).Typed() || graph.At(id).constant ||
          graph.At(id).type.dtype != tensor::DType::kFloat32) {
        continue;
      }
      if (bytes >= kPartBytes) {
        parts.emplace_back();
        bytes = 0;
      }
      parts.back().push_back(id);
      bytes += BytesOf(graph.At(id));
    }
  }
  return parts;
}

class Scan {
 public:
  Scan(const Setting& setting, Workshop& workshop, double seconds, std::filesystem::path folder)
      : setting_(setting),
        workshop_(workshop),
        end_(workshop.Now() + seconds),
        folder_(std::move(folder)),
        parts_(PartsOf(setting.model.graph)) {
    for (const Values& part : parts_) {
      scan_.values += part.size();
    }
  }

  /// find  looks at one part and gives its first difference
  template <typename Find>
  Result<NodeScan> Over(Find find) {
    for (const Values& part : parts_) {
      if (scan_.first || workshop_.Now() > end_) {
        break;
      }
      ASSAY_ASSIGN(scan_.first, find(part));
      scan_.compared += part.size();
    }
    return scan_;
  }

  /// The values as PyTorch computes them in `precision`.
  Result<Outputs> Lowered(const Values& values, const char* precision) {
    model::Graph graph = setting_.model.graph;
    graph.outputs = values;
    ASSAY_ASSIGN(const aten::Program program, aten::Lower(graph));
    ASSAY_ASSIGN(const ProgramFile file, KeepProgram(program, folder_));
    engine::Job job =
        setting_.JobOf("scan", conversion::Recipe{.compiler = "eager", .precision = precision});
    job.program = file.path.string();
    return Run(setting_.around.roles.golden, std::move(job));
  }

  /// The values as an engine computes them that reads the file.
  Result<Outputs> Shown(const Values& values, const std::string& engine,
                        const conversion::Recipe& recipe) {
    if (!copied_) {
      ASSAY_TRY(model::WriteCopy(setting_.model.onnx, folder_));
      copied_ = true;
    }
    ASSAY_ASSIGN(const Values shown,
                 model::WriteShowing(folder_ / model::kGraphFile, setting_.model.graph, values,
                                     folder_ / kShown));
    engine::Job job = setting_.JobOf("scan", recipe);
    job.onnx = (folder_ / kShown).string();
    return Run(engine, std::move(job));
  }

  std::optional<NodeDifference> FirstBeyond(const Values& values, const Outputs& golden,
                                            const Outputs& outputs, const Outputs& fp32) const {
    const model::Graph& graph = setting_.model.graph;
    const auto differences = CompareEach(golden, outputs, /*fixed_input=*/true);
    const auto rounding = CompareEach(golden, fp32, /*fixed_input=*/true);
    for (const model::ValueId id : values) {
      const model::Value& value = graph.At(id);
      const auto found = outputs.find(value.name);
      if (found == outputs.end()) {
        continue;  // the runtime was not asked for it
      }
      const Difference& difference = differences.at(value.name);
      const double allowed =
          BoundsOfFp32(rounding.at(value.name).relative_l2, NormsOf(golden.at(value.name), true))
              .deviate;
      if (!difference.problem.empty() || difference.relative_l2 > allowed) {
        return DifferenceOf(id, difference.relative_l2, allowed);
      }
    }
    return std::nullopt;
  }

  std::optional<NodeDifference> FirstLost(const Values& values, const Outputs& golden,
                                          const Outputs& fp32) const {
    const auto rounding = CompareEach(golden, fp32, /*fixed_input=*/true);
    for (const model::ValueId id : values) {
      const double off = rounding.at(setting_.model.graph.At(id).name).relative_l2;
      if (off > kLost) {
        return DifferenceOf(id, off, kLost);
      }
    }
    return std::nullopt;
  }

 private:
  NodeDifference DifferenceOf(model::ValueId id, double off, double allowed) const {
    const model::Value& value = setting_.model.graph.At(id);
    const model::Node& node = setting_.model.graph.nodes[static_cast<std::size_t>(value.producer)];
    return {node.name, node.op, value.name, off, allowed};
  }

  /// One input set says enough: what is compared is each value as a whole.
  Result<Outputs> Run(const std::string& engine, engine::Job job) {
    ASSAY_TRY(setting_.Able(engine));
    job.input_sets = 1;
    const std::filesystem::path path = folder_ / "outputs.safetensors";
    ASSAY_ASSIGN(const std::uint64_t bytes,
                 WriteOutputs(setting_.SpecOf(engine), job, path, setting_.timeouts, workshop_));
    static_cast<void>(bytes);
    return ReadOutputs(path);
  }

  const Setting& setting_;
  Workshop& workshop_;
  double end_;
  std::filesystem::path folder_;
  std::vector<Values> parts_;
  NodeScan scan_;
  bool copied_ = false;
};

template <typename Look>
Result<NodeScan> InFolder(const Setting& setting, double seconds, Workshop& workshop, Look look) {
  ASSAY_TRY(setting.program.ok() ? Status() : Status(setting.program.error()));
  ASSAY_ASSIGN(PendingFolder folder, PendingFolder::Make(setting.around.home / "tmp"));
  Scan scan(setting, workshop, seconds, folder.path());
  return scan.Over([&](const Values& part) { return look(scan, part); });
}

}  // namespace

Result<NodeScan> ScanEngine(const Setting& setting, const std::string& engine,
                            const conversion::Recipe& recipe, double seconds, Workshop& workshop) {
  return InFolder(setting, seconds, workshop,
                  [&](Scan& scan, const Values& part) -> Result<std::optional<NodeDifference>> {
                    ASSAY_ASSIGN(const Outputs golden, scan.Lowered(part, "fp64"));
                    ASSAY_ASSIGN(const Outputs fp32, scan.Lowered(part, "fp32"));
                    ASSAY_ASSIGN(const Outputs outputs, scan.Shown(part, engine, recipe));
                    return scan.FirstBeyond(part, golden, outputs, fp32);
                  });
}

Result<NodeScan> ScanModel(const model::Model& model, const conversion::Choice& choice,
                           const Options& options, const Surroundings& surroundings,
                           double seconds) {
  ASSAY_ASSIGN(const std::unique_ptr<ProcessWorkshop> workshop,
               ProcessWorkshop::Open(surroundings.engines, surroundings.home));
  ASSAY_ASSIGN(const Settings settings,
               Arrange({&model, 1}, {choice}, options, surroundings, *workshop));
  const Setting& setting = settings.first();
  return ScanEngine(setting, choice.route.engine, setting.ForArm(choice.conversion.recipe), seconds,
                    *workshop);
}

std::string Describe(const NodeScan& scan) {
  if (scan.first) {
    return fmt::format("node '{}' ({}), whose result '{}' is off by {:.1e}, {:.1e} is allowed",
                       scan.first->node, scan.first->op, scan.first->value, scan.first->relative_l2,
                       scan.first->allowed);
  }
  return scan.compared < scan.values
             ? fmt::format("the first {} of {} values between nodes agree; then time ran out",
                           scan.compared, scan.values)
             : fmt::format("all {} values between nodes agree", scan.values);
}

Result<NodeScan> ScanRounding(const Setting& setting, double seconds, Workshop& workshop) {
  return InFolder(setting, seconds, workshop,
                  [&](Scan& scan, const Values& part) -> Result<std::optional<NodeDifference>> {
                    ASSAY_ASSIGN(const Outputs golden, scan.Lowered(part, "fp64"));
                    ASSAY_ASSIGN(const Outputs fp32, scan.Lowered(part, "fp32"));
                    return scan.FirstLost(part, golden, fp32);
                  });
}

}  // namespace assay::campaign
