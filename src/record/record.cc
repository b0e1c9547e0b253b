#include "record/record.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <type_traits>

#include "base/text.h"
#include "record/fields.h"

namespace assay::record {
namespace {

constexpr std::array<std::string_view, 9> kOutcomes = {"measured",    "wrong_output",  "mistrusted",
                                                       "unsupported", "failed",        "timed_out",
                                                       "crashed",     "out_of_memory", "not_run"};

}  // namespace

Json Spell(tensor::DType dtype) { return std::string(tensor::Name(dtype)); }

const char* Parse(const Json& json, tensor::DType& dtype) {
  const auto parsed = json.is_string() ? tensor::ParseDType(json.get<std::string>()) : std::nullopt;
  dtype = parsed.value_or(tensor::DType::kFloat32);
  return parsed ? nullptr : "a data type such as \"float32\"";
}

Json Spell(Outcome outcome) { return std::string(Name(outcome)); }

const char* Parse(const Json& json, Outcome& outcome) {
  const auto parsed = json.is_string() ? ParseOutcome(json.get<std::string>()) : std::nullopt;
  outcome = parsed.value_or(Outcome::kNotRun);
  return parsed ? nullptr : "an outcome such as \"measured\"";
}

Json Spell(const Interval& interval) { return Json::array({interval.low, interval.high}); }

const char* Parse(const Json& json, Interval& interval) {
  if (!json.is_array() || json.size() != 2 || !json[0].is_number() || !json[1].is_number()) {
    return "two numbers";
  }
  interval = {json[0].get<double>(), json[1].get<double>()};
  return nullptr;
}

/// S is T, const when written.
template <typename S, typename T>
concept Is = std::is_same_v<std::remove_const_t<S>, T>;

template <typename F, typename S>
  requires Is<S, Asked<int>> || Is<S, Asked<std::string>>
void Fields(F& f, S& s) {
  f.OrNull("asked", s.asked);
  f.Field("obtained", s.obtained);
}

template <typename F, Is<Latency> S>
void Fields(F& f, S& s) {
  f.Field("median", s.median);
  f.Field("ci95", s.ci95);
  f.Field("mean", s.mean);
  f.Field("stddev", s.stddev);
  f.Field("min", s.min);
  f.Field("p90", s.p90);
  f.Field("p95", s.p95);
  f.Field("p99", s.p99);
  f.Field("n", s.n);
}

template <typename F, Is<Speedup> S>
void Fields(F& f, S& s) {
  f.Field("vs", s.vs);
  f.Added("metric", s.metric);
  f.Field("ratio", s.ratio);
  f.Field("ci95", s.ci95);
  f.Field("separated", s.separated);
  f.Field("rounds", s.rounds);
}

template <typename F, Is<Output> S>
void Fields(F& f, S& s) {
  f.Field("verdict", s.verdict);
  f.OrNull("reference", s.reference);
  f.Field("relative_l2", s.relative_l2);
  f.Field("max_abs", s.max_abs);
  f.Field("cosine", s.cosine);
  f.Field("top1_agreement", s.top1_agreement);
  f.Field("tolerance", s.tolerance);
  f.Field("least_passing_tolerance", s.least_passing_tolerance);
  f.Added("deviates", s.deviates);
  f.Added("worst_output", s.worst_output);
}

template <typename F, Is<Predicted> S>
void Fields(F& f, S& s) {
  f.Field("engine_kind", s.engine_kind);
  f.Field("precision", s.precision);
  f.Field("confidence", s.confidence);
  f.Field("bound", s.bound);
  f.Field("latency_ms", s.latency_ms);
  f.Field("roofline_ms", s.roofline_ms);
  f.Field("ratio", s.ratio);
  f.Field("roofline_share", s.roofline_share);
}

template <typename F, Is<Calibration> S>
void Fields(F& f, S& s) {
  f.Field("source", s.source);
  f.OrNull("folder", s.folder);
  f.Field("method", s.method);
  f.Field("samples", s.samples);
  f.Field("dropped", s.dropped);
}

template <typename F, Is<Arm> S>
void MeasuredFields(F& f, S& s) {
  f.Field("prepare_s", s.prepare_s);
  f.Added("prepare_cached", s.prepare_cached);
  f.Field("load_s", s.load_s);
  f.Field("first_inference_ms", s.first_inference_ms);
  f.Field("artifact_bytes", s.artifact_bytes);
  f.Field("peak_rss_bytes", s.peak_rss_bytes);
  f.Added("file_rss_bytes", s.file_rss_bytes);
  f.Field("prepare_peak_rss_bytes", s.prepare_peak_rss_bytes);
  f.Field("latency_ms", s.latency_ms);
  f.OrNull("samples_ms", s.samples_ms);
  f.OrNull("timed", s.timed);
  f.Added("batch", s.batch);
  f.Field("steady", s.steady);
  f.Field("process_spread", s.process_spread);
  f.Field("metric", s.metric);
  f.Added("requests", s.requests);
  f.Field("throughput_per_s", s.throughput_per_s);
  f.Added("throughput_ci95", s.throughput_ci95);
  f.Field("speedup", s.speedup);
  f.Field("output", s.output);
  f.Added("predicted", s.predicted);
}

template <typename F, Is<Arm> S>
void Fields(F& f, S& s) {
  f.Field("conversion", s.conversion);
  f.AddedOrNull("label", s.label);
  f.Field("engine", s.engine);
  f.OrNull("engine_version", s.engine_version);
  f.Field("outcome", s.outcome);
  f.Field("reason", s.reason);
  f.Added("hint", s.hint);
  f.Field("stage", s.stage);
  f.OrNull("stopped", s.stopped);
  f.Field("threads", s.threads);
  f.Added("batch_size", s.batch_size);
  f.Field("precision", s.precision);
  f.Field("device", s.device);
  MeasuredFields(f, s);
  f.Added("calibration", s.calibration);
  f.Added("notes", s.notes);
  f.Field("repeat", s.repeat);
  f.AddedOrNull("artifact", s.artifact);
}

template <typename F, Is<Machine> S>
void Fields(F& f, S& s) {
  f.Field("cpu", s.cpu);
  f.Field("physical_cores", s.physical_cores);
  f.Field("logical_cpus", s.logical_cpus);
  f.Field("cpus_allowed", s.cpus_allowed);
  f.Field("isa", s.isa);
  f.Field("memory_bytes", s.memory_bytes);
  f.Field("os", s.os);
  f.Field("warnings", s.warnings);
}

template <typename F, Is<NamedInput> S>
void Fields(F& f, S& s) {
  f.Field("name", s.name);
  f.Field("dtype", s.type.dtype);
  f.Field("shape", s.type.shape);
  f.AddedOrNull("file", s.file);
  f.AddedOrNull("drawn", s.drawn);
}

template <typename F, Is<ModelFacts> S>
void Fields(F& f, S& s) {
  f.Field("name", s.name);
  f.Field("source", s.source);
  f.Field("parameters", s.parameters);
  f.Field("macs", s.macs);
  f.Field("batch_size", s.batch_size);
  f.Field("inputs", s.inputs);
  f.Added("fixed_input", s.fixed_input);
  f.AddedOrNull("precision", s.precision);
  f.AddedOrNull("file_batch_size", s.file_batch_size);
  f.Field("weights", s.weights);
  f.Field("sha256", s.sha256);
}

template <typename F, Is<ForThroughput> S>
void Fields(F& f, S& s) {
  f.Field("conversion", s.conversion);
  f.AddedOrNull("label", s.label);
  f.Field("why", s.why);
}

template <typename F, Is<ForBatch> S>
void Fields(F& f, S& s) {
  f.Field("batch_size", s.batch_size);
  f.Field("conversion", s.conversion);
  f.OrNull("label", s.label);
  f.Field("why", s.why);
  f.Field("not_separated_from", s.not_separated_from);
}

template <typename F, Is<Recommendation> S>
void Fields(F& f, S& s) {
  f.Field("conversion", s.conversion);
  f.AddedOrNull("label", s.label);
  f.AddedOrNull("threads", s.threads);
  f.Added("batch_size", s.batch_size);
  f.Field("why", s.why);
  f.Field("not_separated_from", s.not_separated_from);
  f.OrNull("artifact", s.artifact);
  f.Added("throughput", s.throughput);
  f.Added("batches", s.batches);
}

template <typename S>
struct Trust {  // the record's "trust" object; its values are members of Run
  S& run;
};
template <typename F, typename S>
void Fields(F& f, const Trust<S>& trust) {
  f.Field("verdict", trust.run.trust);
  f.Field("reasons", trust.run.trust_reasons);
}

template <typename F, Is<Run> S>
void Fields(F& f, S& s) {
  f.Field("assay_version", s.assay_version);
  f.Field("started", s.started);
  f.Field("command", s.command);
  const Trust<S> trust{s};
  f.Field("trust", trust);
  f.Field("machine", s.machine);
  f.Field("model", s.model);
  f.OrNull("baseline", s.baseline);
  f.AddedOrNull("clock_floor_ns", s.clock_floor_ns);
  f.Added("timing_s", s.timing_s);
  f.Added("total_s", s.total_s);
  f.Field("arms", s.arms);
  f.Field("recommendation", s.recommendation);
}

std::string_view Name(Outcome outcome) { return kOutcomes[static_cast<std::size_t>(outcome)]; }

std::optional<Outcome> ParseOutcome(std::string_view name) {
  for (std::size_t i = 0; i < kOutcomes.size(); ++i) {
    if (kOutcomes[i] == name) {
      return static_cast<Outcome>(i);
    }
  }
  return std::nullopt;
}

const Arm* Recommended(const Run& run) {
  const auto is_it = [&](const Arm& arm) {
    return run.recommendation && LabelOf(arm) == LabelOf(*run.recommendation);
  };
  const auto found = std::find_if(run.arms.begin(), run.arms.end(), is_it);
  return found == run.arms.end() ? nullptr : &*found;
}

Json ToJson(const Run& run) {
  Json json = {{"schema", kSchema}};
  json.update(FieldWriter::ToValue(run));
  return json;
}

Result<Run> RunFromJson(const Json& json, std::string_view what) {
  if (!json.is_object() || !json.contains("schema") || !json.at("schema").is_string()) {
    return Error{Code::kMalformed,
                 fmt::format("{} is not a record of assay: it has no schema", what),
                 "records are written by assay run --output FILE.json"};
  }
  if (const auto schema = json.at("schema").get<std::string>(); schema != kSchema) {
    return Error{Code::kMalformed,
                 fmt::format("{} has the schema '{}', this assay reads '{}'", what,
                             OneLine(schema, 80), kSchema),
                 "read it with the assay that wrote it"};
  }
  Run run;
  std::string path;
  std::optional<std::string> error;
  FieldReader(json, path, error).Read(run);
  if (error) {
    return Error{Code::kMalformed, fmt::format("{}: {}", what, *error),
                 "the file is damaged or was edited"};
  }
  return run;
}

}  // namespace assay::record
