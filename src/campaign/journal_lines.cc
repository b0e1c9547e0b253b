#include "campaign/journal_lines.h"

#include <optional>
#include <vector>

#include "engine/protocol.h"
#include "record/record.h"

namespace assay::campaign {
namespace {

Json ToJson(const End& end) {
  return {{"outcome", std::string(record::Name(end.outcome))},
          {"reason", end.reason},
          {"hint", end.hint},
          {"stage", end.stage}};
}

End EndFromJson(const Json& json) {
  return {.outcome = record::ParseOutcome(json.at("outcome").get<std::string>())
                         .value_or(record::Outcome::kFailed),
          .reason = json.at("reason").get<std::string>(),
          .hint = json.at("hint").get<std::string>(),
          .stage = json.at("stage").get<std::string>()};
}

Json ToJson(const engine::Charges& charges) {
  return {charges.voluntary_switches,
          charges.involuntary_switches,
          charges.minor_faults,
          charges.major_faults,
          charges.cpu_ns,
          charges.threads_active};
}

engine::Charges ChargesFromJson(const Json& json) {
  return {.voluntary_switches = json.at(0).get<std::int64_t>(),
          .involuntary_switches = json.at(1).get<std::int64_t>(),
          .minor_faults = json.at(2).get<std::int64_t>(),
          .major_faults = json.at(3).get<std::int64_t>(),
          .cpu_ns = json.at(4).get<std::int64_t>(),
          .threads_active = json.at(5).get<int>()};
}

/// What both directions have in common: each member that is a list or a number, with its name.
template <typename Log, typename Visit>
void Fields(Log& log, Visit visit) {
  visit("stopped", log.stopped);
  visit("cut", log.cut);
  visit("load_s", log.load_s);
  visit("first_inference_ns", log.first_inference_ns);
  visit("peak_rss_bytes", log.peak_rss_bytes);
  visit("file_rss_bytes", log.file_rss_bytes);
  visit("steady", log.steady);
  visit("last_median_ns", log.last_median_ns);
  visit("count", log.size.count);
  visit("batch", log.size.batch);
  visit("slice_medians_ns", log.slice_medians_ns);
  visit("slice_latencies_ns", log.slice_latencies_ns);
  visit("steal_ticks", log.steal_ticks);
}

}  // namespace

Json ToJson(const ArmLog& log) {
  Json json = Json::object();
  Fields(log, [&](const char* name, const auto& member) { json[name] = member; });
  json["end"] = log.end ? ToJson(*log.end) : Json(nullptr);
  json["loaded"] = log.loaded ? engine::ToJson(*log.loaded) : Json(nullptr);
  json["charges"] = ToJson(log.charges);
  json["outputs"] = log.outputs.filename().string();
  return json;
}

void ReadInto(const Json& json, const std::filesystem::path& folder, ArmLog& log) {
  Fields(log, [&](const char* name, auto& member) { json.at(name).get_to(member); });
  const Json &end = json.at("end"), &loaded = json.at("loaded");
  log.end = end.is_null() ? std::nullopt : std::optional(EndFromJson(end));
  log.loaded.reset();
  if (const auto read = engine::LoadedFromJson(loaded); !loaded.is_null() && read.ok()) {
    log.loaded = *read;
  }
  log.charges = ChargesFromJson(json.at("charges"));
  const auto outputs = json.at("outputs").get<std::string>();
  log.outputs = outputs.empty() ? std::filesystem::path() : folder / outputs;
}

Json ToJson(const SessionLog& session) {
  Json rounds = Json::array();
  for (const auto& round : session.rounds) {
    Json values = Json::array();
    for (const std::optional<double>& value : round) {
      values.push_back(value ? Json(*value) : Json(nullptr));
    }
    rounds.push_back(std::move(values));
  }
  return {{"generation", session.generation}, {"arms", session.arms}, {"rounds", rounds}};
}

SessionLog SessionFromJson(const Json& json) {
  SessionLog session;
  json.at("generation").get_to(session.generation);
  json.at("arms").get_to(session.arms);
  for (const Json& values : json.at("rounds")) {
    auto& round = session.rounds.emplace_back();
    for (const Json& value : values) {
      round.push_back(value.is_null() ? std::nullopt : std::optional(value.get<double>()));
    }
  }
  return session;
}

Json ToJson(const Course& course) {
  return {{"groups", course.groups},       {"share", course.share},
          {"next_look", course.next_look}, {"generation", course.generation},
          {"group", course.group},         {"round", course.round}};
}

Course CourseFromJson(const Json& json) {
  Course course;
  json.at("groups").get_to(course.groups);
  json.at("share").get_to(course.share);
  json.at("next_look").get_to(course.next_look);
  json.at("generation").get_to(course.generation);
  json.at("group").get_to(course.group);
  json.at("round").get_to(course.round);
  return course;
}

}  // namespace assay::campaign
