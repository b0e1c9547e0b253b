// The record of one campaign: every field of the schema assay.run/1 (docs/record.md), as values.
// A record is self-contained: reports and comparisons are made from it alone.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "tensor/tensor.h"

namespace assay::record {

inline constexpr const char* kSchema = "assay.run/1";

enum class Outcome {
  kMeasured,
  kWrongOutput,
  kMistrusted,
  kUnsupported,
  kFailed,
  kTimedOut,
  kCrashed,
  kOutOfMemory,
  kNotRun,
};
std::string_view Name(Outcome outcome);  // "measured", "wrong_output", ...
std::optional<Outcome> ParseOutcome(std::string_view name);

struct Interval {
  double low = 0, high = 0;
};

template <typename T>
struct Asked {  // what was asked for, and what the runtime says it obtained
  T asked{};
  std::optional<T> obtained;
};

struct Latency {  // milliseconds; over all timed inferences, the interval over slice medians
  double median = 0;
  std::optional<Interval> ci95;
  double mean = 0;
  std::optional<double> stddev;
  double min = 0;
  std::optional<double> p90, p95, p99;  // null when n is too small, see docs/measuring.md
  std::uint64_t n = 0;
};

inline constexpr const char* kLatency = "latency";
inline constexpr const char* kThroughput = "throughput";

struct Speedup {   // baseline time over arm time, of one input
  std::string vs;  // label
  double ratio = 0;
  std::optional<Interval> ci95;
  bool separated = false;
  int rounds = 0;
  std::string metric = kLatency;  // kThroughput: one of the two arms runs several inferences at a
                                  // time, or they have not as many inputs each
};

inline constexpr const char* kSynthetic = "synthetic";

struct Calibration {   // what the scales of an arm's activations were made from
  std::string source;  // kSynthetic; "input" (what --input gave), "files" (of `folder`)
  std::string folder;  // --calibration, "" for none
  std::string method;  // "minmax", "percentile", "entropy"
  int samples = 0;
  std::int64_t dropped = 0;  // rows at the end of the files that fill no sample
};

struct Output {
  std::string verdict;    // "pass", "fail", "mistrusted", "unchecked"
  std::string reference;  // "aten-fp64", "module-fp64", "onnxruntime-fp32", ""
  std::optional<double> relative_l2, max_abs, cosine, top1_agreement, tolerance,
      least_passing_tolerance;
  bool deviates = false;          // passed, but further off than fp32 was expected to be
  std::string worst_output = {};  // of several, the one that the numbers are of, "" for one
};

struct Predicted {          // for this machine, from the graph alone (docs/predicting.md)
  std::string engine_kind;  // what fuses: "eager", "compiled"
  std::string precision, confidence, bound;
  double latency_ms = 0;
  double roofline_ms = 0;     // what the machine's peaks alone would take
  double ratio = 0;           // latency measured over predicted
  double roofline_share = 0;  // of the roofline, what was attained: 1 is the hardware's limit
};

struct Arm {
  std::string conversion;  // as asked for, canonical spelling: NAME or NAME@ENGINE
  std::string label;       // tells it from the other arms: with its threads or batch size where
                           // several were asked for; "" in records of older versions
  std::string engine, engine_version;
  Outcome outcome = Outcome::kNotRun;
  std::string reason;   // one line; empty when measured
  std::string hint;     // what to do about it
  std::string stage;    // where it ended: "", "prepare", "load", "warm-up", "timing", "outputs"
  std::string stopped;  // "precision", "decided", "rounds", "cut", "budget", "interrupted"
  Asked<int> threads;
  std::optional<std::int64_t> batch_size;  // inputs of an inference; unset in older records
  Asked<std::string> precision, device;
  std::optional<double> prepare_s, load_s,
      first_inference_ms;       // load, first: median over processes
  bool prepare_cached = false;  // prepare_s is of the earlier run that prepared it
  std::optional<std::uint64_t> artifact_bytes, peak_rss_bytes, file_rss_bytes,
      prepare_peak_rss_bytes;
  std::optional<Latency> latency_ms;
  std::vector<double> samples_ms;  // at most 100,000
  std::uint64_t timed = 0;
  int batch = 1;  // inferences per sample, more than 1 below 10 us
  std::optional<bool> steady;
  std::optional<double> process_spread;
  std::string metric = kLatency;  // what it is for; kThroughput: runs several inferences at a time
  int requests = 1;               // inferences at a time
  std::optional<double> throughput_per_s;
  std::optional<Interval> throughput_ci95;
  std::optional<Speedup> speedup;
  std::optional<Output> output;
  std::optional<Calibration> calibration;
  std::optional<Predicted> predicted;  // of arms that were timed
  std::vector<std::string> notes;      // what the engine and the measurement want to be known
  std::string repeat;                  // the command that measures this arm again
  std::string artifact;                // folder of what was prepared, "" for none
};

struct Machine {
  std::string cpu;
  int physical_cores = 0, logical_cpus = 0;
  std::string cpus_allowed;
  std::vector<std::string> isa;
  std::uint64_t memory_bytes = 0;
  std::string os;
  std::vector<std::string> warnings;
};

struct NamedInput {
  std::string name;
  tensor::Type type;
  std::string file = {};   // that it was read from, "" when it was drawn at random
  std::string drawn = {};  // "in [-1, 1]", "integers 0..29, rows of 'w'"; "" when it was not
};

struct ModelFacts {
  std::string name, source;
  std::uint64_t parameters = 0, macs = 0;
  std::int64_t batch_size = 1;
  std::vector<NamedInput> inputs;
  std::string weights, sha256;
  bool fixed_input = false;          // files give the same input to every inference
  std::int64_t file_batch_size = 0;  // where it was changed and verified; 0: it is the file's
  std::string precision = {};  // class of its numbers: "fp32", "fp16", "bf16", "fp64", "int8-qdq"
};

struct ForThroughput {  // the best of the arms whose metric that is, beside the recommended one
  std::string conversion, why;
  std::string label = {};
};

struct ForBatch {  // the best of the arms of one batch size, where several were asked for
  std::int64_t batch_size = 1;
  std::string conversion, label, why;
  std::vector<std::string> not_separated_from;  // labels
};

struct Recommendation {
  std::string conversion, why;
  std::vector<std::string> not_separated_from;  // labels
  std::string artifact;
  std::optional<ForThroughput> throughput = {};
  std::string label = {};
  int threads = 0;  // asked for; 0 in older records
  std::optional<std::int64_t> batch_size = {};
  std::vector<ForBatch> batches = {};
};

/// How people tell an arm from the others of its run.
template <typename Named>
const std::string& LabelOf(const Named& arm) {
  return arm.label.empty() ? arm.conversion : arm.label;
}

struct Run {
  std::string assay_version, started;
  std::vector<std::string> command;
  std::string trust = "ok";  // or "mistrusted"
  std::vector<std::string> trust_reasons;
  Machine machine;
  ModelFacts model;
  std::string baseline;              // label
  double clock_floor_ns = 0;         // two clock readings around nothing
  double timing_s = 0, total_s = 0;  // spent timing, spent in all
  std::vector<Arm> arms;             // in the order asked for, one for each name, batch size and
                                     // number of threads asked for
  std::optional<Recommendation> recommendation;
};

/// The arm that is recommended; null without recommendation.
const Arm* Recommended(const Run& run);

Json ToJson(const Run& run);
/// Errors  kMalformed naming `what`, the field, and another schema version if it is one.
Result<Run> RunFromJson(const Json& json, std::string_view what);

}  // namespace assay::record
