#include <fmt/format.h>

#include <optional>

#include "base/file.h"
#include "base/text.h"
#include "cli/hardware_options.h"
#include "cli/list_options.h"
#include "cli/model_options.h"
#include "cli/number.h"
#include "cli/status.h"
#include "cli/terminal.h"
#include "cli/verb.h"
#include "predict/prediction.h"
#include "report/format.h"
#include "report/predictions.h"

namespace assay::cli {
namespace {

constexpr const char* kExamples =
    "Examples:\n"
    "  assay analyze resnet50 --hardware i7-12700K\n"
    "  assay analyze resnet50 --hardware i7-12700K,H100-SXM5,this --precision fp32,bf16 "
    "--batch-size 1,8,64\n"
    "  assay analyze vit_b_16 --hardware L4 --precision fp16 --check-latency 5 --output vit.html\n"
    "  assay analyze resnet50 --compare mobilenet_v2,vit_b_16 --hardware this\n"
    "\n"
    "Nothing is run: the graph and the processors' profiles decide (docs/predicting.md).";

struct AnalyzeOptions {
  ModelOptions model;
  std::vector<std::string> compare;
  std::vector<std::string> hardware = {"this"};
  std::vector<std::string> precisions;
  std::vector<std::int64_t> batch_sizes;
  std::string engine = "compiled";
  std::optional<double> check_latency_ms, check_memory_mb, check_energy_j;
  std::vector<std::string> outputs;
  std::string format = "text";
};

/// What was asked for, as values.
struct Asked {
  std::vector<hardware::Profile> profiles;
  std::vector<predict::Precision> precisions;  // none: the model's own
  predict::EngineKind engine = predict::EngineKind::kCompiled;
};

Result<Asked> Read(const AnalyzeOptions& options) {
  Asked asked;
  ASSAY_ASSIGN(asked.engine, predict::ParseEngineKind(options.engine));
  for (const std::string& name : options.precisions) {
    ASSAY_ASSIGN(asked.precisions.emplace_back(), predict::FindPrecision(name));
  }
  for (const std::string& output : options.outputs) {
    if (!ToLower(output).ends_with(".html")) {
      ASSAY_TRY(report::FormatOfPath(output));
    }
  }
  for (const std::string& name : options.hardware) {
    ASSAY_ASSIGN(asked.profiles.emplace_back(), FindHardware(name));
  }
  return asked;
}

void AddPredictions(const model::Model& model, const Asked& asked, report::Analysis& analysis) {
  std::vector<predict::Precision> precisions = asked.precisions;
  if (precisions.empty()) {
    precisions.push_back(predict::PrecisionOfModel(model.precision));
  }
  for (const predict::Precision& precision : precisions) {
    const predict::Work work = predict::PrepareWork(model.graph, precision, asked.engine);
    std::vector<std::string> steps;
    for (const predict::Group& group : work.groups) {
      steps.push_back(model.graph.nodes[group.main].name);
    }
    analysis.coverage = work.coverage;
    for (const hardware::Profile& profile : asked.profiles) {
      analysis.predictions.push_back(predict::Predict(work, profile, model::BatchOf(model.graph)));
      analysis.memory.push_back(work.memory);
      analysis.step_names.push_back(steps);
    }
  }
}

Result<report::Analysis> Analyze(ModelOptions options, const std::vector<std::int64_t>& batches,
                                 const Asked& asked) {
  report::Analysis analysis;
  options.changes_batch = true;  // nothing is run: shapes are all that is needed
  std::vector<std::optional<std::int64_t>> sizes(batches.begin(), batches.end());
  if (sizes.empty()) {
    sizes.emplace_back();
  }
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    options.batch_size = sizes[i];
    ASSAY_ASSIGN(const model::Model model, options.Outline());
    if (i == 0) {
      analysis.model = model.name;
      analysis.parameters = model.parameters;
      analysis.macs = model.macs;
    }
    AddPredictions(model, asked, analysis);
  }
  return analysis;
}

/// What the reader must know: unverified figures, and what all of them are.
std::vector<std::string> NotesOn(const Asked& asked) {
  std::vector<std::string> unverified, measured;
  for (const hardware::Profile& profile : asked.profiles) {
    if (profile.confidence == "unverified") {
      unverified.push_back(profile.name);
    } else if (profile.confidence == "measured here") {
      measured.push_back(profile.name);
    }
  }
  std::vector<std::string> notes = {
      "Predicted, not measured: rooflines with assumed efficiencies (docs/predicting.md). How far "
      "such predictions are off is not known yet."};
  if (!unverified.empty()) {
    notes.push_back(fmt::format("Unverified: figures of {} come from no vendor's data sheet.",
                                Join(unverified, ", ")));
  }
  return notes;
}

/// One line for a limit: what it is, the limit, where, and how much is left of it or missing.
report::Gate GateOf(const std::string& what, const predict::Prediction& p,
                    std::optional<double> value, double limit, const char* unit) {
  const std::string where =
      fmt::format("{} in {} at batch {}", p.hardware, p.precision, p.batch_size);
  if (!value) {
    return {what,
            fmt::format("FAILED {} on {}: {}", what, where,
                        p.fits ? "power or process of the processor are not published" : p.problem),
            false};
  }
  const bool passed = *value <= limit;
  return {what,
          fmt::format("{} {} on {}: {:.4g} {} of {:g}, {:.1f} % {}", passed ? "passed" : "FAILED",
                      what, where, *value, unit, limit, 100 * std::abs(limit - *value) / limit,
                      passed ? "to spare" : "too much"),
          passed};
}

void AddGates(const AnalyzeOptions& options, report::Analysis& analysis) {
  constexpr double kMega = 1e6;
  for (const predict::Prediction& p : analysis.predictions) {
    const auto check = [&](const char* what, std::optional<double> limit,
                           std::optional<double> value, const char* unit) {
      if (limit) {
        analysis.gates.push_back(GateOf(what, p, p.fits ? value : std::nullopt, *limit, unit));
      }
    };
    check("latency", options.check_latency_ms, 1e3 * p.latency_s, "ms");
    check("memory", options.check_memory_mb, static_cast<double>(p.peak_memory_bytes) / kMega,
          "MB");
    check("energy", options.check_energy_j,
          p.energy ? std::optional(p.energy->total()) : std::nullopt, "J");
  }
}

Status WriteOutputs(const std::vector<std::string>& outputs,
                    const std::vector<report::Analysis>& analyses) {
  for (const std::string& output : outputs) {
    if (ToLower(output).ends_with(".html")) {
      ASSAY_TRY(WriteFileAtomically(output, report::Html(analyses)));
      continue;
    }
    ASSAY_ASSIGN(const report::Format format, report::FormatOfPath(output));
    ASSAY_TRY(WriteFileAtomically(output, report::RenderAnalyses(analyses, format, {})));
  }
  return {};
}

/// 1 when a gate failed, 2 when nothing could be predicted, which stderr says in one line.
int StatusOf(const std::vector<report::Analysis>& analyses) {
  bool predicted = false, passed = true;
  const predict::Prediction* first = nullptr;
  for (const report::Analysis& analysis : analyses) {
    for (const predict::Prediction& p : analysis.predictions) {
      predicted = predicted || p.fits;
      first = first == nullptr ? &p : first;
    }
    for (const report::Gate& gate : analysis.gates) {
      passed = passed && gate.passed;
    }
  }
  if (!predicted && first != nullptr) {
    PrintError({Code::kInvalidArgument,
                fmt::format("nothing could be predicted: {} {}", first->hardware, first->problem),
                "assay hardware NAME shows what a processor has"});
    return kUsage;
  }
  return passed ? kGood : kArmFailed;
}

Result<int> Run(const AnalyzeOptions& options) {
  ASSAY_ASSIGN(const report::Format format, FormatOf(options.format));
  ASSAY_ASSIGN(const Asked asked, Read(options));
  std::vector<std::string> models = {options.model.model};
  models.insert(models.end(), options.compare.begin(), options.compare.end());
  std::vector<report::Analysis> analyses;
  for (const std::string& model : models) {
    ModelOptions one = options.model;
    one.model = model;
    ASSAY_ASSIGN(report::Analysis analysis, Analyze(one, options.batch_sizes, asked));
    analysis.notes = NotesOn(asked);
    AddGates(options, analysis);
    analyses.push_back(std::move(analysis));
  }
  ASSAY_TRY(WriteOutputs(options.outputs, analyses));
  ASSAY_TRY(WriteOut(report::RenderAnalyses(analyses, format, StyleOfStdout())));
  return StatusOf(analyses);
}

void AddOptions(CLI::App& verb, AnalyzeOptions& o) {
  o.model.AddTo(verb);
  verb.remove_option(verb.get_option("--batch-size"));
  verb.add_option("--hardware", o.hardware,
                  "processors: names (assay hardware), paths to profiles, or 'this'")
      ->delimiter(',')
      ->type_name("A,B,...")
      ->capture_default_str();
  verb.add_option("--precision", o.precisions,
                  "fp32, tf32, bf16, fp16, fp8, int8, ...; default: the model's own")
      ->delimiter(',')
      ->type_name("A,B,...");
  verb.add_option("--batch-size", o.batch_sizes, "inputs per inference")
      ->delimiter(',')
      ->type_name("N,M,...")
      ->allow_extra_args(false)
      ->check(Between(1, 65536));
  verb.add_option("--engine", o.engine,
                  "what fuses: eager (nothing) or compiled (what graph compilers do)")
      ->type_name("KIND")
      ->capture_default_str();
  verb.add_option("--compare", o.compare, "other models in the same table")
      ->delimiter(',')
      ->type_name("MODEL,...");
  verb.add_option("--check-latency", o.check_latency_ms, "status 1 when one takes longer")
      ->type_name("MS")
      ->check(Between(1e-9, 1e12));
  verb.add_option("--check-memory", o.check_memory_mb, "status 1 when one needs more")
      ->type_name("MB")
      ->check(Between(1e-9, 1e12));
  verb.add_option("--check-energy", o.check_energy_j, "status 1 when one takes more")
      ->type_name("J")
      ->check(Between(1e-12, 1e12));
  verb.add_option("--output", o.outputs,
                  "write it there too: .json, .csv, .md or .html; may repeat")
      ->type_name("FILE")
      ->allow_extra_args(false);
  AddFormat(verb, o.format);
}

}  // namespace

Verb AddAnalyze(CLI::App& app) {
  const auto options = std::make_shared<AnalyzeOptions>();
  CLI::App* verb = app.add_subcommand(
      "analyze", "predicts latency, memory and energy on processors, from the graph alone");
  AddOptions(*verb, *options);
  verb->footer(kExamples);
  return {verb, [options](const auto&) { return Run(*options); }};
}

}  // namespace assay::cli
