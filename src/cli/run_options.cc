#include "cli/run_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <iterator>

#include "base/text.h"
#include "cli/installed.h"
#include "cli/list_options.h"
#include "cli/number.h"
#include "conversion/tiers.h"
#include "zoo/zoo.h"

namespace assay::cli {
namespace {

constexpr int kMaxThreads = 4096;
constexpr double kMaxSeconds = 1e7;   // 116 days
constexpr double kMaxMemoryGb = 1e6;  // a petabyte

Result<int> ParseCount(const std::string& text) {
  int threads = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), threads);
  if (error != std::errc() || end != text.data() + text.size() || threads < 1 ||
      threads > kMaxThreads) {
    return Error{Code::kInvalidArgument,
                 fmt::format("--threads '{}' is no number from 1 to {}", text, kMaxThreads),
                 "several as 1,2,4, or auto; without it: the physical cores that assay may use"};
  }
  return threads;
}

/// The powers of two below the number of cores, and that.
std::vector<int> PowersUpTo(int cores) {
  std::vector<int> counts;
  for (int count = 1; count < cores; count *= 2) {
    counts.push_back(count);
  }
  counts.push_back(cores);
  return counts;
}

template <typename T>
Status CheckEachOnce(const char* option, const std::vector<T>& values) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (std::find(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(i), values[i]) !=
        values.begin() + static_cast<std::ptrdiff_t>(i)) {
      return Error{Code::kInvalidArgument, fmt::format("{} names {} twice", option, values[i]), ""};
    }
  }
  return {};
}

Result<std::vector<int>> ParseThreads(const std::string& text, int cores) {
  std::vector<int> counts;
  if (text.empty()) {
    return counts;
  }
  if (ToLower(text) == "auto") {
    return PowersUpTo(cores);
  }
  for (const std::string& part : Split(text, ',')) {
    ASSAY_ASSIGN(const int count, ParseCount(part));
    counts.push_back(count);
  }
  ASSAY_TRY(CheckEachOnce("--threads", counts));
  return counts;
}

Result<std::vector<campaign::InputFile>> ParseInputs(const std::vector<std::string>& texts) {
  std::vector<campaign::InputFile> files;
  for (const std::string& text : texts) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0 || equals + 1 == text.size()) {
      return Error{Code::kInvalidArgument, fmt::format("--input '{}' is not NAME=FILE.npy", text),
                   "for example --input input=image.npy"};
    }
    files.push_back({text.substr(0, equals), text.substr(equals + 1)});
  }
  return files;
}

Result<std::string> ParseMethod(const std::string& text) {
  const std::vector<std::string> known(std::begin(conversion::kCalibrationMethods),
                                       std::end(conversion::kCalibrationMethods));
  const std::string method = ToLower(text);
  if (std::find(known.begin(), known.end(), method) == known.end()) {
    return Error{Code::kInvalidArgument,
                 fmt::format("no calibration method '{}'{}", text, DidYouMean(text, known)),
                 "one of " + Join(known, ", ")};
  }
  return method;
}

void AddEffort(CLI::App& verb, RunOptions& o) {
  const char* group = "How much is measured";
  verb.add_option("--samples", o.samples, "the least number of timed inferences per arm")
      ->type_name("N")
      ->check(Between(1, 1e8))
      ->default_str("128")
      ->group(group);
  verb.add_option("--baseline-runs", o.baseline_runs, "the same for the baseline")
      ->type_name("N")
      ->check(Between(1, 1e8))
      ->default_str("100")
      ->group(group);
  verb.add_option(
          "--precision-target", o.precision_target,
          "measure until every interval's half-width is this many percent; without it, until it is "
          "clear which is the fastest, or which are equal within 1 %")
      ->type_name("PCT")
      ->check(Between(0.001, 100))
      ->group(group);
  verb.add_option("--processes", o.processes, "generations of fresh processes")
      ->type_name("N")
      ->check(Between(1, 100))
      ->default_str("3")
      ->group(group);
  verb.add_option("--max-seconds", o.max_seconds, "timing budget (default: 60 per arm; 0: none)")
      ->type_name("S")
      ->check(Between(0, kMaxSeconds))
      ->group(group);
  verb.add_flag("--control", o.control, "measure the baseline twice: is this machine fit for it?")
      ->group(group);
}

void AddLimits(CLI::App& verb, RunOptions& o) {
  const char* group = "How arms are run";
  verb.add_option("--threads", o.threads,
                  "per arm (default: the physical cores assay may use); several measure every "
                  "conversion with each; auto: powers of two up to those cores")
      ->type_name("N,M,...|auto")
      ->group(group);
  verb.add_option("--timeout", o.timeout, "per stage (default: prepare 1800, load 300, a slice 60)")
      ->type_name("S")
      ->check(Between(0.001, kMaxSeconds))
      ->group(group);
  verb.add_option("--memory", o.memory_gb, "per worker (default: what is free, less 1 GB)")
      ->type_name("GB")
      ->check(Between(0.01, kMaxMemoryGb))
      ->group(group);
  verb.add_option("--tolerance", o.tolerance, "relative error that outputs may have")
      ->type_name("REL")
      ->check(Between(1e-12, 1000))
      ->group(group);
  verb.add_option("--input", o.inputs,
                  "values of an input, from a file; may repeat (default: random)")
      ->type_name("NAME=FILE.npy")
      ->allow_extra_args(false)
      ->group(group);
}

void AddCalibration(CLI::App& verb, RunOptions& o) {
  const char* group = "How static int8 is calibrated";
  verb.add_option("--calibration", o.calibration,
                  "typical inputs: DIR/NAME/*.npy for each input, or DIR/*.npy for a model of one "
                  "(default: random, and the verdict says so)")
      ->type_name("DIR")
      ->group(group);
  verb.add_option("--calibration-method", o.calibration_method,
                  "how ranges follow from what is seen: minmax (default), percentile, entropy")
      ->type_name("METHOD")
      ->group(group);
}

void AddResults(CLI::App& verb, RunOptions& o) {
  const char* group = "What becomes of the result";
  verb.add_option("--output", o.outputs, "write it there too: .json, .csv or .md; may repeat")
      ->type_name("FILE")
      ->allow_extra_args(false)
      ->group(group);
  verb.add_option("--keep", o.keep, "copy the winner's artifact with the code that runs it")
      ->type_name("DIR")
      ->group(group);
  AddFormat(verb, o.format);
  verb.get_option("--format")->group(group);
  verb.add_flag("--quiet", o.quiet, "errors only on stderr")->group(group);
  verb.add_flag("--verbose", o.verbose, "every stage on stderr, with times")->group(group);
  verb.add_flag("--no-progress", o.no_progress, "no line that changes")->group(group);
}

}  // namespace

void RunOptions::AddTo(CLI::App& verb) {
  model.AddTo(verb);
  model.changes_batch = true;  // the campaign verifies it
  verb.remove_option(verb.get_option("--batch-size"));
  verb.add_option("--batch-size", batch_sizes,
                  "inputs per inference; several measure every conversion with each and compare "
                  "inputs per second; of a Python module: replaces a 1 that --input-shape begins "
                  "with")
      ->delimiter(',')
      ->type_name("N,M,...")
      ->allow_extra_args(false)
      ->check(Between(1, zoo::kMostBatch))
      ->default_str("1");
  verb.add_option(
          "--conversions", conversions,
          "what to measure, in this order: names, numbers or patterns of assay conversions; "
          "!PATTERN leaves out")
      ->type_name("A,B@ENGINE,C*,!D*,...");
  std::string tiers = "a ready choice instead";
  for (const conversion::Tier& one : conversion::Tiers()) {
    tiers += fmt::format("{} {}: {}", one.number == 1 ? ":" : ";", one.number, one.meaning);
  }
  verb.add_option("--tier", tier, tiers)->type_name("1|2|3");
  verb.add_flag("--resume", resume,
                "goes on with this same command where it was interrupted or killed");
  AddEffort(verb, *this);
  AddLimits(verb, *this);
  AddCalibration(verb, *this);
  AddResults(verb, *this);
}

Status RunOptions::CheckCalibration(const std::vector<conversion::Choice>& choices) const {
  const std::string given = !calibration.empty()          ? "--calibration"
                            : !calibration_method.empty() ? "--calibration-method"
                                                          : "";
  if (given.empty() || std::any_of(choices.begin(), choices.end(), [](const auto& choice) {
        return conversion::Calibrates(choice.conversion.recipe);
      })) {
    return {};
  }
  return Error{Code::kInvalidArgument,
               given + " is given, but none of the conversions is calibrated",
               "for example --conversions EAGER,INT8_STATIC+ONNX_CPU"};
}

Result<std::vector<model::Model>> RunOptions::Models(const Tell& tell) const {
  std::vector<model::Model> models;
  std::vector<std::optional<std::int64_t>> sizes(batch_sizes.begin(), batch_sizes.end());
  if (sizes.empty()) {
    sizes.emplace_back();
  }
  for (const std::optional<std::int64_t>& size : sizes) {
    ModelOptions one = model;
    one.batch_size = size;
    one.stage_timeout_s = timeout.value_or(one.stage_timeout_s);
    ASSAY_ASSIGN(model::Model loaded, one.Load(tell));
    models.push_back(std::move(loaded));
  }
  return models;
}

Result<campaign::Options> RunOptions::ForCampaign(int cores) const {
  if (quiet && verbose) {
    return Error{Code::kInvalidArgument, "--quiet and --verbose exclude each other", ""};
  }
  campaign::Options options;
  ASSAY_ASSIGN(options.threads, ParseThreads(threads, cores));
  ASSAY_TRY(CheckEachOnce("--batch-size", batch_sizes));
  options.batch_sizes = batch_sizes;
  if (tier) {
    static_cast<campaign::Effort&>(options) = campaign::EffortOf(std::atoi(tier->c_str()));
  }
  options.samples = samples.value_or(options.samples);
  options.baseline_runs = baseline_runs.value_or(options.baseline_runs);
  if (precision_target) {
    options.precision_target = *precision_target / 100;
  }
  options.processes = processes.value_or(options.processes);
  options.max_seconds = max_seconds;
  options.stage_timeout_s = timeout;
  if (memory_gb) {
    options.memory_bytes = static_cast<std::uint64_t>(*memory_gb * 1e9);
  }
  options.tolerance = tolerance;
  options.control = control;
  options.resume = resume;
  options.seed = model.seed;
  ASSAY_ASSIGN(options.inputs, ParseInputs(inputs));
  options.calibration = calibration;
  if (!calibration_method.empty()) {
    ASSAY_ASSIGN(options.calibration_method, ParseMethod(calibration_method));
  }
  std::vector<std::string> subject;
  for (const std::string& argument : model.Arguments()) {
    subject.push_back(ShellQuoted(argument));
  }
  for (const std::string& input : inputs) {
    subject.push_back("--input " + ShellQuoted(input));
  }
  options.subject = Join(subject, " ");
  const char* script = std::getenv("ASSAY_TEST_OPTIONS");
  if (TestEnginesAllowed() && script != nullptr) {
    ASSAY_ASSIGN(options.engine_options, ParseJson(script, "ASSAY_TEST_OPTIONS"));
  }
  return options;
}

Result<std::vector<conversion::Choice>> RunOptions::Choices(const conversion::Host& host) const {
  const auto test_engines =
      TestEnginesAllowed() ? conversion::TestEngines::kAllowed : conversion::TestEngines::kRefused;
  if (tier && !conversions.empty()) {
    return Error{Code::kInvalidArgument, "--tier and --conversions exclude each other",
                 fmt::format("--conversions {} alone, or --tier {} alone", conversions, *tier)};
  }
  if (tier) {
    return conversion::TierChoices(*tier, host, test_engines);
  }
  return conversions.empty() ? conversion::DefaultChoices()
                             : conversion::Select(conversions, test_engines);
}

Telling RunOptions::telling() const {
  return quiet ? Telling::kQuiet : verbose ? Telling::kVerbose : Telling::kNormal;
}

}  // namespace assay::cli
