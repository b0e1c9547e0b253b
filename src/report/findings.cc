#include "report/findings.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "report/columns.h"
#include "report/format.h"

namespace assay::report {
namespace {

using record::Arm;
using record::Outcome;
using record::Run;
using Lines = std::vector<Finding>;

constexpr double kMuchSpread = 0.02;  // between processes; more is worth a sentence

bool SeveralBatches(const Run& run) {
  return std::ranges::any_of(
      run.arms, [&](const Arm& a) { return a.batch_size != run.arms.front().batch_size; });
}

std::string Sentence(std::string text) {
  if (!text.empty() && text.back() != '.' && text.back() != '?' && text.back() != '!') {
    text += '.';
  }
  return text;
}

std::string Capital(std::string text) {
  if (!text.empty() && text.front() >= 'a' && text.front() <= 'z') {
    text.front() = static_cast<char>(text.front() - 'a' + 'A');
  }
  return text;
}

void AddTrust(const Run& run, Lines& lines) {
  if (run.trust != "ok") {
    lines.push_back({"Mistrusted",
                     Tone::kDoubtful,
                     Sentence(run.trust_reasons.empty() ? "These numbers are unfit for a decision"
                                                        : Join(run.trust_reasons, "; ")),
                     {}});
  }
}

void AddRecommendation(const Run& run, Lines& lines) {
  if (!run.recommendation) {
    const bool measured = std::any_of(run.arms.begin(), run.arms.end(),
                                      [](const Arm& a) { return bool(a.latency_ms); });
    lines.push_back(
        {"Recommended",
         Tone::kDoubtful,
         measured ? "none: no arm that was timed is fit to be ranked." : "none: no arm was timed.",
         {}});
    return;
  }
  const record::Recommendation& best = *run.recommendation;
  lines.push_back({"Recommended",
                   Tone::kGood,
                   record::LabelOf(best) + (best.why.empty() ? "" : ": " + Sentence(best.why)),
                   {}});
  if (!best.not_separated_from.empty()) {
    lines.push_back({"Not separated",
                     Tone::kPlain,
                     fmt::format("{} from it: on this evidence either may be the faster one.",
                                 Join(best.not_separated_from, ", ")),
                     {}});
  }
  if (best.throughput) {
    lines.push_back(
        {"Throughput",
         Tone::kPlain,
         fmt::format("{}: {}", record::LabelOf(*best.throughput), Sentence(best.throughput->why)),
         {}});
  }
  for (const record::ForBatch& batch : best.batches) {
    std::string text = fmt::format("{}: {}", record::LabelOf(batch), Sentence(batch.why));
    if (!batch.not_separated_from.empty()) {
      text += fmt::format(" Not separated from it: {}.", Join(batch.not_separated_from, ", "));
    }
    lines.push_back({fmt::format("Batch {}", batch.batch_size), Tone::kPlain, text, {}});
  }
  if (const Arm* arm = record::Recommended(run); arm != nullptr && !arm->repeat.empty()) {
    lines.push_back({"Take it home",
                     Tone::kPlain,
                     "the artifact, and the few lines that run it with the same options:",
                     {arm->repeat + " --keep DIR"}});
  }
}

/// "COMPILE_OPENVINO (crashed in load): signal 9. Give it more memory."
std::string Account(const Arm& arm) {
  std::string outcome(record::Name(arm.outcome));
  std::replace(outcome.begin(), outcome.end(), '_', ' ');
  const std::string where = arm.stage.empty() ? "" : fmt::format(" in {}", arm.stage);
  const std::string why = arm.reason.empty() ? "" : fmt::format(": {}", arm.reason);
  const std::string text =
      Sentence(fmt::format("{} ({}{}){}", record::LabelOf(arm), outcome, where, why));
  return arm.hint.empty() ? text : fmt::format("{} {}", text, Sentence(Capital(arm.hint)));
}

void AddFailures(const Run& run, Lines& lines) {
  bool failed = false;
  for (const Arm& arm : run.arms) {
    if (arm.outcome != Outcome::kMeasured) {
      lines.push_back({arm.outcome == Outcome::kUnsupported ? "Unsupported"
                       : arm.outcome == Outcome::kNotRun    ? "Not run"
                       : arm.latency_ms                     ? "Not ranked"
                                                            : "Failed",
                       ToneOf(arm.outcome),
                       Account(arm),
                       {}});
      failed = failed || arm.outcome != Outcome::kUnsupported;
    }
  }
  if (failed) {
    lines.push_back({"", Tone::kFaint, "more: docs/troubleshooting.md", {}});
  }
}

/// What was obtained otherwise than asked, or ended early.
std::vector<std::string> Doubts(const Arm& arm) {
  std::vector<std::string> doubts;
  if (arm.threads.obtained && *arm.threads.obtained != arm.threads.asked) {
    doubts.push_back(fmt::format("used {} threads where {} were asked for", *arm.threads.obtained,
                                 arm.threads.asked));
  }
  if (arm.precision.obtained && *arm.precision.obtained != arm.precision.asked) {
    doubts.push_back(fmt::format("computed in {} where {} was asked for", *arm.precision.obtained,
                                 arm.precision.asked));
  }
  if (arm.stopped == "budget") {
    doubts.emplace_back("stopped at the time budget (--max-seconds)");
  }
  if (arm.stopped == "interrupted") {
    doubts.emplace_back("was interrupted: what was measured until then is shown");
  }
  return doubts;
}

/// The arms whose processes differ much, on one line.
void AddSpreads(const Run& run, Lines& lines) {
  std::vector<std::string> spreads;
  for (const Arm& arm : run.arms) {
    if (arm.process_spread && *arm.process_spread > kMuchSpread) {
      spreads.push_back(
          fmt::format("{} {:.1f} %", record::LabelOf(arm), 100 * *arm.process_spread));
    }
  }
  if (!spreads.empty()) {
    lines.push_back({"Note",
                     Tone::kPlain,
                     fmt::format("medians differ from process to process (sd): {}. --processes N "
                                 "measures more of them.",
                                 Join(spreads, ", ")),
                     {}});
  }
}

/// The arms that were not measured to the end, on one line.
void AddCuts(const Run& run, Lines& lines) {
  std::vector<std::string> cut;
  for (const Arm& arm : run.arms) {
    if (arm.stopped == "cut") {
      cut.push_back(record::LabelOf(arm));
    }
  }
  if (!cut.empty()) {
    lines.push_back(
        {"Cut early",
         Tone::kPlain,
         fmt::format("far slower than the fastest, or known to be, so that a few rounds did: {}.",
                     Join(cut, ", ")),
         {}});
  }
}

/// Which inputs were read from files, and what that means for the check of outputs.
std::string OnInputs(const record::ModelFacts& model) {
  std::vector<std::string> files;
  for (const record::NamedInput& input : model.inputs) {
    if (!input.file.empty()) {
      files.push_back(fmt::format("{} from {}", input.name, input.file));
    }
  }
  const std::string text = files.empty() ? "" : Sentence(Join(files, ", "));
  return !model.fixed_input
             ? text
             : text +
                   " Every inference has this same input: output errors are relative to the "
                   "whole output, and a runtime that ignored its input would not be found out.";
}

std::string SourceOf(const record::Calibration& calibration) {
  const std::string method = fmt::format(" ({})", calibration.method);
  if (calibration.source == "files") {
    return fmt::format("on {} samples of {}{}", calibration.samples, calibration.folder, method);
  }
  return calibration.source == record::kSynthetic
             ? fmt::format(
                   "on {} synthetic inputs{}: speeds hold, errors on real inputs may be "
                   "others (--calibration DIR)",
                   calibration.samples, method)
             : fmt::format(
                   "on {} inputs with what --input gives{}, which outputs are judged by, "
                   "too (--calibration DIR)",
                   calibration.samples, method);
}

/// Where scales of activations come from, the arms of one source on one line.
void AddCalibrations(const Run& run, Lines& lines) {
  std::vector<std::pair<std::string, std::vector<std::string>>> sources;
  for (const Arm& arm : run.arms) {
    if (!arm.calibration || !arm.latency_ms) {
      continue;
    }
    const std::string source = SourceOf(*arm.calibration);
    const auto known = std::find_if(sources.begin(), sources.end(),
                                    [&](const auto& one) { return one.first == source; });
    (known == sources.end() ? sources.emplace_back(source, std::vector<std::string>()) : *known)
        .second.push_back(record::LabelOf(arm));
  }
  for (const auto& [source, arms] : sources) {
    lines.push_back({"Calibration",
                     Tone::kPlain,
                     Sentence(fmt::format("{} {}", Join(arms, ", "), source)),
                     {}});
  }
}

void AddDoubts(const Run& run, bool notes, Lines& lines) {
  std::size_t unsaid = 0;
  for (const Arm& arm : run.arms) {
    std::vector<std::string> doubts = Doubts(arm);
    if (notes) {
      doubts.insert(doubts.end(), arm.notes.begin(), arm.notes.end());
    } else {
      unsaid += arm.notes.size();
    }
    if (!doubts.empty()) {
      const std::string text = fmt::format("{}: {}", record::LabelOf(arm), Join(doubts, "; "));
      lines.push_back({"Note", Tone::kPlain, Sentence(text), {}});
    }
  }
  if (unsaid > 0) {
    const std::string text =
        fmt::format("{} more on how the arms ran: --verbose, or the record", unsaid);
    lines.push_back({"Note", Tone::kFaint, Sentence(text), {}});
  }
  for (const std::string& warning : run.machine.warnings) {
    if (std::find(run.trust_reasons.begin(), run.trust_reasons.end(), warning) !=
        run.trust_reasons.end()) {
      continue;  // said at the top
    }
    lines.push_back({"Machine", Tone::kDoubtful, Sentence(warning), {}});
  }
  if (std::string text = OnInputs(run.model); !text.empty()) {
    lines.push_back({"Inputs", Tone::kPlain, std::move(text), {}});
  }
  AddCalibrations(run, lines);
  if (run.model.weights == "random") {
    lines.push_back({"Weights",
                     Tone::kPlain,
                     "random. The check of outputs proves that the computation is right, not how "
                     "accurate a trained model would be (--weights FILE.safetensors).",
                     {}});
  }
}

void AddRepeats(const Run& run, Lines& lines) {
  Finding repeat{"Repeat", Tone::kPlain, "one arm alone:", {}};
  for (const Arm& arm : run.arms) {
    if (!arm.repeat.empty() && arm.outcome != Outcome::kUnsupported) {
      repeat.commands.push_back(arm.repeat);
    }
  }
  if (!repeat.commands.empty()) {
    lines.push_back(std::move(repeat));
  }
}

}  // namespace

std::vector<Finding> Findings(const Run& run, bool notes) {
  Lines lines;
  AddTrust(run, lines);
  AddRecommendation(run, lines);
  AddFailures(run, lines);
  AddCuts(run, lines);
  AddSpreads(run, lines);
  AddDoubts(run, notes, lines);
  AddRepeats(run, lines);
  return lines;
}

std::string DescribeModel(const record::ModelFacts& model) {
  std::vector<std::string> inputs;
  for (const record::NamedInput& input : model.inputs) {
    inputs.push_back(fmt::format("{} {} {}", input.name, tensor::ToString(input.type.shape),
                                 tensor::Name(input.type.dtype)));
  }
  const std::string changed = model.file_batch_size == 0
                                  ? ""
                                  : fmt::format(" (the file's {}, changed)", model.file_batch_size);
  std::string text = fmt::format("{}, batch {}{}, {}, {} parameters", model.name, model.batch_size,
                                 changed, Join(inputs, " + "), Count(model.parameters));
  text += model.macs > 0 ? fmt::format(", {} multiply-adds", Count(model.macs)) : "";
  const bool usual = model.precision.empty() || model.precision == "fp32";
  text += usual ? "" : fmt::format(", a model in {}", model.precision);
  return text + (model.weights == "random" ? ", random weights" : "");
}

std::string DescribeMachine(const Run& run) {
  const record::Machine& machine = run.machine;
  return fmt::format("{}, {} physical cores, CPUs {} allowed, {}, {}", machine.cpu,
                     machine.physical_cores, machine.cpus_allowed, Bytes(machine.memory_bytes),
                     machine.os);
}

std::string Legend(const Run& run) {
  std::string text = "median ± half its 95 % interval";
  if (!run.baseline.empty()) {
    text += fmt::format("; speedup: time of {} / time, paired by round, with its 95 % interval",
                        run.baseline);
  }
  if (std::ranges::any_of(run.arms, [](const Arm& a) { return a.metric != record::kLatency; })) {
    text +=
        "; with several inferences at a time the median is of each of them, and throughput is "
        "compared: inferences per second / those of the other";
  }
  if (SeveralBatches(run)) {
    text += "; between batch sizes, inputs per second are compared";
  }
  const bool checked =
      std::any_of(run.arms.begin(), run.arms.end(), [](const Arm& a) { return bool(a.output); });
  text += checked ? "; output error: relative L2" : "";
  text += "; memory: peak of the process; timed: inferences";
  return text + (HasPredictions(run)
                     ? "; predicted: from the graph and this machine's peaks, not calibrated "
                       "(data sheet), and measured / predicted; roofline: share attained of "
                       "what the peaks allow"
                     : "");
}

}  // namespace assay::report
