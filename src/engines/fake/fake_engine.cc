#include "engines/fake/fake_engine.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <limits>

#include "base/file.h"
#include "engine/inputs.h"
#include "engine/sample.h"
#include "engines/fake/misbehave.h"
#include "engines/fake/random.h"

namespace assay::engine::fake {
namespace {

std::uint64_t HashOf(const std::string& text, std::uint64_t seed) {
  for (const char c : text) {
    seed = Mix(seed ^ static_cast<unsigned char>(c));
  }
  return seed;
}

/// How many times the scripted latency this process takes.
double ProcessFactor(const Script& script, const std::string& conversion) {
  const int process = script.process.value_or(static_cast<int>(::getpid()));
  if (!script.factors.empty()) {
    const auto which = static_cast<std::size_t>(std::abs(process));
    return script.factors[which % script.factors.size()];
  }
  const std::uint64_t drawn = HashOf(conversion, script.seed) + static_cast<unsigned>(process);
  return std::exp(script.process_sd * Normal(Mix(drawn)));
}

std::vector<double> NoiseFactors(const Script& script, const std::string& conversion) {
  constexpr std::size_t kCount = 4093;  // a prime: no resonance with slices and batches
  std::vector<double> factors(kCount);
  const std::uint64_t base = HashOf(conversion, Mix(script.seed));
  for (std::size_t i = 0; i < kCount; ++i) {
    factors[i] = std::exp(script.noise * Normal(base + i));
  }
  return factors;
}

template <typename T>
double Element(std::span<const std::byte> bytes, std::uint64_t i) {
  T value;
  std::memcpy(&value, bytes.data() + i * sizeof value, sizeof value);
  return static_cast<double>(value);
}

Result<double (*)(std::span<const std::byte>, std::uint64_t)> ReaderOf(tensor::DType dtype) {
  switch (dtype) {
    case tensor::DType::kFloat32:
      return &Element<float>;
    case tensor::DType::kFloat64:
      return &Element<double>;
    case tensor::DType::kInt32:
      return &Element<std::int32_t>;
    case tensor::DType::kInt64:
      return &Element<std::int64_t>;
    default:
      return Error{Code::kUnsupported,
                   fmt::format("the fake engine takes no input of {}", tensor::Name(dtype)), ""};
  }
}

bool BelongsTo(const tensor::Entry& entry, int set) {
  return entry.name.ends_with(fmt::format(".{}", set));
}

/// See FakeEngine::Outputs.
Result<std::array<double, 10>> Answer(const tensor::SafetensorsFile& inputs, int set) {
  std::array<double, 10> sums{};
  std::uint64_t n = 0;
  for (const tensor::Entry& entry : inputs.entries()) {
    if (!BelongsTo(entry, set)) {
      continue;
    }
    ASSAY_ASSIGN(const auto element, ReaderOf(entry.type.dtype));
    ASSAY_ASSIGN(const std::uint64_t count, tensor::ElementCount(entry.type.shape));
    for (std::uint64_t i = 0; i < count; ++i, ++n) {
      const double x = element(inputs.Bytes(entry), i);
      for (std::size_t j = 0; j < sums.size(); ++j) {
        sums[j] += (2 * Uniform(n * sums.size() + j) - 1) * x;
      }
    }
  }
  if (n == 0) {
    return Error{Code::kNotFound, fmt::format("the inputs' file has no input of set {}", set), ""};
  }
  for (double& sum : sums) {
    sum /= std::sqrt(static_cast<double>(n));
  }
  return sums;
}

}  // namespace

Description FakeEngine::Describe() {
  Description description{kProtocolVersion, "fake", "1", true, "", ""};
  const Result<Script> script = ChooseScript(Json::object(), "");
  Status entered;
  if (script.ok()) {
    script_ = *script;
    entered = Enter(Stage::kDescribe);
  } else {
    entered = script.error();
  }
  if (!entered.ok()) {
    description.available = false;
    description.reason = entered.error().message;
  }
  return description;
}

Result<Prepared> FakeEngine::Prepare(const Job& job) {
  ASSAY_ASSIGN(script_, ChooseScript(job.options, job.conversion));
  ASSAY_TRY(Enter(Stage::kPrepare));
  const std::filesystem::path file = std::filesystem::path(job.artifact) / "fake.json";
  ASSAY_TRY(WriteFileAtomically(file, Json{{"conversion", job.conversion}}.dump()));
  return Prepared{.notes = script_.notes};
}

Result<Loaded> FakeEngine::Load(const Job& job, const tensor::SafetensorsFile& inputs) {
  ASSAY_ASSIGN(script_, ChooseScript(job.options, job.conversion));
  ASSAY_TRY(Enter(Stage::kLoad));
  if (!job.artifact.empty()) {
    ASSAY_TRY(ReadJson(std::filesystem::path(job.artifact) / "fake.json"));
  }
  answers_.clear();
  for (int set = 0; set < job.input_sets; ++set) {
    ASSAY_ASSIGN(answers_.emplace_back(), Answer(inputs, set));
  }
  const std::string precision = job.recipe.value("precision", "fp32");
  as_float64_ = precision == "fp64";
  latency_ns_ = script_.latency_ns * ProcessFactor(script_, job.conversion);
  noise_ = NoiseFactors(script_, job.conversion);
  inferences_ = 0;
  flights_.clear();
  places_ = job.recipe.value("streams", "") == "throughput" ? script_.places : 1;
  idle_ = script_.latency_ns <= 0 && script_.misbehave.empty();
  return Loaded{.threads = script_.threads.value_or(job.threads),
                .precision = script_.precision.empty() ? precision : script_.precision,
                .device = script_.device.empty() ? "cpu" : script_.device,
                .notes = script_.notes,
                .places = places_};
}

Status FakeEngine::Infer(int set) {
  set_ = set;
  if (idle_) {
    return {};
  }
  ASSAY_TRY(Enter(Stage::kInfer));
  if (places_ == 1) {
    const std::int64_t begin = Now();
    Reach(begin + static_cast<std::int64_t>(NextLatency()));
    return {};
  }
  ASSAY_TRY(Settle(places_ - 1));
  const std::int64_t begin = Now();
  flights_.push_back({begin, begin + static_cast<std::int64_t>(NextLatency())});
  return {};
}

Status FakeEngine::Settle(int most) {
  while (InFlight() > most) {
    const auto first =
        std::min_element(flights_.begin(), flights_.end(),
                         [](const Flight& a, const Flight& b) { return a.end_ns < b.end_ns; });
    Reach(first->end_ns);
    latencies_ns_.push_back(static_cast<double>(first->end_ns - first->begin_ns));
    flights_.erase(first);
  }
  return {};
}

double FakeEngine::NextLatency() {
  const auto i = static_cast<double>(inferences_);
  double latency = latency_ns_ * (1 + script_.drift * i / 1000);
  latency *= noise_[static_cast<std::size_t>(inferences_) % noise_.size()];
  latency *= inferences_ < script_.warmup_inferences ? script_.warmup_factor : 1;
  ++inferences_;
  return latency;
}

std::int64_t FakeEngine::Now() const {
  return script_.own_clock ? own_time_ns_ : MonotonicClock()();
}

void FakeEngine::Reach(std::int64_t time_ns) {
  own_time_ns_ = std::max(own_time_ns_, time_ns);
  while (Now() < time_ns) {
  }
}

Result<std::vector<tensor::Tensor>> FakeEngine::Outputs() {
  ASSAY_TRY(Enter(Stage::kOutputs));
  Row row = answers_[script_.output == "constant" ? 0 : static_cast<std::size_t>(set_)];
  for (std::size_t j = 0; j < row.size(); ++j) {
    row[j] *= 1 + script_.output_error * (2 * Uniform(j) - 1);
  }
  if (script_.output == "wrong") {
    std::swap(row[0], row[1]);
    row[2] = -row[2];
  } else if (script_.output == "nan") {
    row[3] = std::numeric_limits<double>::quiet_NaN();
  }
  tensor::Tensor output;
  output.name = "output";
  output.type = {tensor::DType::kFloat64, {1, static_cast<std::int64_t>(row.size())}};
  output.data.resize(sizeof row);
  std::memcpy(output.data.data(), row.data(), sizeof row);
  std::vector<tensor::Tensor> outputs;
  outputs.push_back(AsOutput(std::move(output), as_float64_));
  return outputs;
}

Status FakeEngine::Enter(Stage stage) {
  const std::int64_t call = calls_[static_cast<std::size_t>(stage)]++;
  for (const Misbehaviour& misbehaviour : script_.misbehave) {
    if (misbehaviour.stage == stage && call >= misbehaviour.after) {
      ASSAY_TRY(Misbehave(misbehaviour, protocol_fd_));
    }
  }
  return {};
}

}  // namespace assay::engine::fake
