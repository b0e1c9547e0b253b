#include "engines/fake/script.h"

#include <fmt/format.h>

#include <cstdlib>
#include <string_view>
#include <utility>

#include "base/text.h"

namespace assay::engine::fake {
namespace {

template <typename T, std::size_t N>
using Names = std::pair<std::string_view, T>[N];

constexpr Names<Stage, 5> kStages = {{"describe", Stage::kDescribe},
                                     {"prepare", Stage::kPrepare},
                                     {"load", Stage::kLoad},
                                     {"infer", Stage::kInfer},
                                     {"outputs", Stage::kOutputs}};

constexpr Names<How, 17> kHows = {{"segv", How::kSegv},
                                  {"abort", How::kAbort},
                                  {"kill", How::kKill},
                                  {"exit", How::kExit},
                                  {"hang", How::kHang},
                                  {"hang_hard", How::kHangHard},
                                  {"delay", How::kDelay},
                                  {"print", How::kPrint},
                                  {"eat_memory", How::kEat},
                                  {"throw", How::kThrow},
                                  {"fail", How::kFail},
                                  {"unsupported", How::kUnsupported},
                                  {"lie_garbage", How::kGarbage},
                                  {"lie_no_json", How::kNoJson},
                                  {"lie_reply", How::kWrongReply},
                                  {"lie_huge", How::kHugeFrame},
                                  {"grandchild", How::kGrandchild}};

Error NoSuch(std::string_view what, std::string_view name, const std::vector<std::string>& names) {
  return {
      Code::kInvalidArgument,
      fmt::format("the fake engine's script: no {} '{}'{}", what, name, DidYouMean(name, names)),
      ""};
}

template <typename T, std::size_t N>
Result<T> Lookup(const Names<T, N>& table, std::string_view what, const std::string& name) {
  std::vector<std::string> names;
  for (const auto& [known, value] : table) {
    if (known == name) {
      return value;
    }
    names.emplace_back(known);
  }
  return NoSuch(what, name, names);
}

/// Reads an object's fields one by one and, at the end, refuses those that nobody asked for.
class Fields {
 public:
  explicit Fields(const Json& json) : json_(json) {}

  template <typename T>
  void Read(const char* key, T& value) {
    names_.emplace_back(key);
    if (json_.contains(key)) {
      value = json_.at(key).get<T>();
    }
  }
  template <typename T>
  void Read(const char* key, std::optional<T>& value) {
    names_.emplace_back(key);
    if (json_.contains(key)) {
      value = json_.at(key).get<T>();
    }
  }
  Status RefuseOthers() const {
    for (const auto& item : json_.items()) {
      if (std::find(names_.begin(), names_.end(), item.key()) == names_.end()) {
        return NoSuch("key", item.key(), names_);
      }
    }
    return {};
  }

 private:
  const Json& json_;
  std::vector<std::string> names_;
};

Result<Misbehaviour> ParseMisbehaviour(const Json& json) {
  Misbehaviour m;
  std::string stage = "infer", how;
  Fields fields(json);
  fields.Read("stage", stage);
  fields.Read("how", how);
  fields.Read("after", m.after);
  fields.Read("status", m.status);
  fields.Read("milliseconds", m.milliseconds);
  fields.Read("bytes", m.bytes);
  fields.Read("reason", m.reason);
  ASSAY_TRY(fields.RefuseOthers());
  ASSAY_ASSIGN(m.stage, Lookup(kStages, "stage", stage));
  ASSAY_ASSIGN(m.how, Lookup(kHows, "way to misbehave", how));
  return m;
}

Result<Script> Parse(const Json& json) {
  Script script;
  Json misbehave = Json::array();
  Fields fields(json);
  fields.Read("latency_ns", script.latency_ns);
  fields.Read("noise", script.noise);
  fields.Read("drift", script.drift);
  fields.Read("process_sd", script.process_sd);
  fields.Read("factors", script.factors);
  fields.Read("warmup_inferences", script.warmup_inferences);
  fields.Read("warmup_factor", script.warmup_factor);
  fields.Read("seed", script.seed);
  fields.Read("process", script.process);
  fields.Read("own_clock", script.own_clock);
  fields.Read("places", script.places);
  fields.Read("threads", script.threads);
  fields.Read("precision", script.precision);
  fields.Read("device", script.device);
  fields.Read("notes", script.notes);
  fields.Read("output", script.output);
  fields.Read("output_error", script.output_error);
  fields.Read("misbehave", misbehave);
  ASSAY_TRY(fields.RefuseOthers());
  const std::vector<std::string> outputs = {"right", "wrong", "nan", "constant"};
  if (std::find(outputs.begin(), outputs.end(), script.output) == outputs.end()) {
    return NoSuch("output", script.output, outputs);
  }
  for (const Json& each : misbehave) {
    ASSAY_ASSIGN(script.misbehave.emplace_back(), ParseMisbehaviour(each));
  }
  return script;
}

}  // namespace

Result<Script> ParseScript(const Json& json) {
  Result<Result<Script>> parsed = FromJson("the fake engine's script", [&] { return Parse(json); });
  return parsed.ok() ? *std::move(parsed) : Result<Script>(std::move(parsed).error());
}

Result<Script> ChooseScript(const Json& options, const std::string& conversion) {
  Json chosen = options;
  if (chosen.empty()) {
    const char* environment = std::getenv("ASSAY_FAKE");
    ASSAY_ASSIGN(chosen, ParseJson(environment != nullptr ? environment : "{}", "ASSAY_FAKE"));
  }
  const Json none = Json::object();
  const Json& arms = chosen.contains("arms") ? chosen.at("arms") : none;
  if (arms.contains(conversion)) {
    return ParseScript(arms.at(conversion));
  }
  return ParseScript(chosen.contains("default") ? chosen.at("default") : none);
}

}  // namespace assay::engine::fake
