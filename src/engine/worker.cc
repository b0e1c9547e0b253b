#include "engine/worker.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/file.h"
#include "engine/charges.h"
#include "engine/guard.h"
#include "engine/memory.h"

namespace assay::engine {
namespace {

constexpr std::size_t kMaxLatencies = 100'000;  // of one slice, beside its samples in one frame

double SecondsSince(std::int64_t begin_ns) {
  return static_cast<double>(MonotonicClock()() - begin_ns) * 1e-9;
}

Result<Job> CheckedJob(const Json& request) {
  ASSAY_ASSIGN(Job job, JobFromJson(request));
  if (job.input_sets < 1 || job.threads < 1) {
    return Error{Code::kInvalidArgument,
                 fmt::format("a job needs 1 input set and 1 thread at least, got {} and {}",
                             job.input_sets, job.threads),
                 ""};
  }
  return job;
}

Error NothingLoaded(const char* verb) {
  return {Code::kInvalidArgument, fmt::format("'{}' before 'load'", verb), ""};
}

/// What `infer` is told.
struct Plan {
  int discard = 0, count = 0, batch = 0;
};

Result<Plan> PlanFromJson(const Json& request) {
  ASSAY_ASSIGN(const Plan plan, FromJson("a request to infer", [&] {
                 return Plan{.discard = request.at("discard").get<int>(),
                             .count = request.at("count").get<int>(),
                             .batch = request.at("batch").get<int>()};
               }));
  if (plan.discard < 0 || plan.count < 0 || plan.count > kMaxSamples || plan.batch < 1) {
    return Error{Code::kInvalidArgument,
                 fmt::format("cannot discard {} and take {} samples of {} inferences (0 or more, 0 "
                             "to {}, 1 or more)",
                             plan.discard, plan.count, plan.batch, kMaxSamples),
                 ""};
  }
  return plan;
}

}  // namespace

Result<Prepared> Engine::Prepare(const Job& job) {
  return Error{Code::kUnsupported,
               fmt::format("this engine has nothing to prepare for {}", job.conversion), ""};
}

Status Engine::Examine(const std::string& /*onnx*/) {
  return Error{Code::kUnsupported, "this engine reads no ONNX files", ""};
}

Result<Description> Describe(Engine& engine) {
  Description description = engine.Describe();
  ASSAY_ASSIGN(const MappedFile program, MappedFile::Open("/proc/self/exe"));
  Sha256 hash;
  hash.Update(program.bytes());
  description.code = hash.Finish();
  return description;
}

Json Worker::Answer(const Json& request) {
  const Result<Json> reply = Guard([&]() -> Result<Json> { return Dispatch(request); });
  return reply.ok() ? MakeReply(*reply) : MakeReply(reply.error());
}

Result<Json> Worker::Dispatch(const Json& request) {
  const std::string verb = request.at("verb").get<std::string>();
  if (verb == "describe") {
    ASSAY_ASSIGN(const Description description, Describe(engine_));
    return ToJson(description);
  }
  if (verb == "examine") {
    ASSAY_TRY(engine_.Examine(request.at("onnx").get<std::string>()));
    return Json::object();
  }
  if (verb == "prepare") {
    return Prepare(request);
  }
  if (verb == "load") {
    return Load(request);
  }
  if (verb == "infer") {
    return Infer(request);
  }
  if (verb == "outputs") {
    return Outputs(request);
  }
  if (verb == "memory") {
    return MemoryNow(request);
  }
  if (verb == "close") {
    closed_ = true;
    return Json::object();
  }
  return Error{Code::kInvalidArgument, fmt::format("no verb '{}' in the protocol", verb), ""};
}

Result<Json> Worker::Prepare(const Json& request) {
  ASSAY_ASSIGN(const Job job, CheckedJob(request));
  const std::int64_t begin = MonotonicClock()();
  ASSAY_ASSIGN(Prepared prepared, engine_.Prepare(job));
  prepared.seconds = SecondsSince(begin);
  return ToJson(prepared);
}

Result<Json> Worker::Load(const Json& request) {
  ASSAY_ASSIGN(const Job job, CheckedJob(request));
  input_sets_ = 0;
  ASSAY_ASSIGN(tensor::SafetensorsFile inputs, tensor::SafetensorsFile::Open(job.inputs));
  const std::int64_t begin = MonotonicClock()();
  ASSAY_ASSIGN(Loaded loaded, engine_.Load(job, inputs));
  loaded.seconds = SecondsSince(begin);
  inputs_ = std::move(inputs);
  input_sets_ = job.input_sets;
  rotation_ = Rotation(input_sets_);
  return ToJson(loaded);
}

Result<Json> Worker::Infer(const Json& request) {
  if (input_sets_ == 0) {
    return NothingLoaded("infer");
  }
  ASSAY_ASSIGN(const Plan plan, PlanFromJson(request));
  const auto infer = [this](int set) { return engine_.Infer(set); };
  for (int i = 0; i < plan.discard; ++i) {
    ASSAY_TRY(infer(rotation_.Next()));
  }
  Slice slice;
  slice.samples_ns.reserve(static_cast<std::size_t>(plan.count));
  const bool several = engine_.Places() > 1;
  const std::int64_t* const own_time = engine_.OwnTimeNs();
  engine_.TakeLatencies();  // of those discarded
  const ChargesReading before = ReadChargesNow();
  for (int i = 0; i < plan.count; ++i) {
    const int in_flight = engine_.InFlight();
    const auto settle = [&] { return engine_.Settle(in_flight); };
    const auto timed_by = [&](const auto& clock) {
      return several ? TimeCompletions(clock, infer, settle, rotation_, plan.batch)
                     : TimeSample(clock, infer, rotation_, plan.batch);
    };
    ASSAY_ASSIGN(const double sample,
                 own_time == nullptr ? timed_by(MonotonicClock()) : timed_by(OwnClock{own_time}));
    slice.samples_ns.push_back(sample);
  }
  slice.charges = Between(before, ReadChargesNow());
  slice.latencies_ns = engine_.TakeLatencies();
  ASSAY_TRY(engine_.Settle(0));  // nothing runs while others are timed
  slice.clock_floor_ns = ClockFloor(MonotonicClock());
  slice.latencies_ns.resize(std::min<std::size_t>(slice.latencies_ns.size(), kMaxLatencies));
  return ToJson(slice);
}

Result<Json> Worker::Outputs(const Json& request) {
  if (input_sets_ == 0) {
    return NothingLoaded("outputs");
  }
  const std::string path = request.at("path").get<std::string>();
  std::vector<tensor::Tensor> all;
  for (int set = 0; set < input_sets_; ++set) {
    ASSAY_TRY(engine_.Infer(set));
    ASSAY_ASSIGN(std::vector<tensor::Tensor> outputs, engine_.Outputs());
    for (tensor::Tensor& output : outputs) {
      output.name = fmt::format("{}.{}", output.name, set);
      all.push_back(std::move(output));
    }
  }
  ASSAY_TRY(tensor::WriteSafetensors(path, all));
  return Json::object();
}

Result<Json> Worker::MemoryNow(const Json& request) {
  ASSAY_ASSIGN(const Memory memory, ReadMemory());
  if (request.value("reset", false)) {
    ASSAY_TRY(ResetPeak());
  }
  return ToJson(memory);
}

}  // namespace assay::engine
