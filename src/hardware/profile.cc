#include "hardware/profile.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/text.h"

namespace assay::hardware {
namespace {

constexpr std::string_view kKinds[] = {"cpu", "gpu", "tpu", "npu", "dsp"};
constexpr std::string_view kConfidences[] = {"read", "recalled", "derived", "measured here",
                                             "unverified"};

/// Reads the fields of one file and says in which place of it one is wrong.
class Reader {
 public:
  Reader(const Json& json, std::string_view what) : json_(json), what_(what) {}

  Error Wrong(const std::string& field, const std::string& problem) const {
    return {Code::kMalformed, OneLine(fmt::format("{}: {} {}", what_, field, problem)),
            "docs/predicting.md has the form of a profile"};
  }

  Result<double> Positive(const Json& object, const std::string& key,
                          const std::string& field) const {
    if (!object.is_object() || !object.contains(key)) {
      return Wrong(field, "is missing");
    }
    const Json& value = object.at(key);
    if (!value.is_number()) {
      return Wrong(field, "is no number");
    }
    const double number = value.get<double>();
    if (!std::isfinite(number) || number <= 0) {
      return Wrong(field, fmt::format("is {}, not above zero", value.dump()));
    }
    return number;
  }

  /// The number under `key` of `object`, which names source and confidence itself.
  Result<Figure> FigureOf(const Json& object, const std::string& key,
                          const std::string& field) const {
    Figure figure;
    ASSAY_ASSIGN(figure.value, Positive(object, key, field));
    ASSAY_ASSIGN(figure.source, Text(object, "source", field + ".source"));
    ASSAY_ASSIGN(figure.confidence, Text(object, "confidence", field + ".confidence"));
    if (std::ranges::find(kConfidences, figure.confidence) == std::end(kConfidences)) {
      return Wrong(field + ".confidence", fmt::format("is '{}', not one of {}", figure.confidence,
                                                      fmt::join(kConfidences, ", ")));
    }
    if (!json_.contains("sources") || !json_["sources"].is_object() ||
        !json_["sources"].contains(figure.source)) {
      return Wrong(field + ".source", fmt::format("'{}' is not among the sources", figure.source));
    }
    return figure;
  }

  /// A figure that may be null, but not absent.
  Result<std::optional<Figure>> Optional(const std::string& key) const {
    if (!json_.contains(key)) {
      return Wrong(key, "is missing (null says that it is not published)");
    }
    if (json_.at(key).is_null()) {
      return std::optional<Figure>();
    }
    ASSAY_ASSIGN(Figure figure, FigureOf(json_.at(key), "value", key));
    return std::optional(std::move(figure));
  }

  Result<std::string> Text(const Json& object, const std::string& key,
                           const std::string& field) const {
    if (!object.is_object() || !object.contains(key) || !object.at(key).is_string() ||
        object.at(key).get_ref<const std::string&>().empty() ||
        !IsText(object.at(key).get_ref<const std::string&>())) {
      return Wrong(field, "is missing or no text");
    }
    return object.at(key).get<std::string>();
  }

  Result<std::vector<std::string>> Texts(const std::string& key) const {
    std::vector<std::string> texts;
    if (!json_.contains(key) || !json_.at(key).is_array()) {
      return Wrong(key, "is missing or no list");
    }
    for (const Json& text : json_.at(key)) {
      if (!text.is_string() || !IsText(text.get_ref<const std::string&>())) {
        return Wrong(key, "holds what is no text");
      }
      texts.push_back(text.get<std::string>());
    }
    return texts;
  }

  Result<Rate> RateOf(const Json& json, const std::string& field) const {
    Rate rate;
    ASSAY_ASSIGN(rate.per_s, FigureOf(json, "per_s", field + ".per_s"));
    ASSAY_ASSIGN(rate.dtype, Text(json, "dtype", field + ".dtype"));
    ASSAY_ASSIGN(const std::string unit, Text(json, "unit", field + ".unit"));
    if (unit != "matrix" && unit != "vector") {
      return Wrong(field + ".unit", fmt::format("is '{}', not matrix or vector", unit));
    }
    rate.matrix = unit == "matrix";
    if (!json.contains("units")) {
      return Wrong(field + ".units", "is missing (null says that it is not published)");
    }
    if (!json.at("units").is_null()) {
      ASSAY_ASSIGN(rate.units, Positive(json, "units", field + ".units"));
      ASSAY_ASSIGN(rate.ops_per_clock, Positive(json, "ops_per_clock", field + ".ops_per_clock"));
      ASSAY_ASSIGN(rate.clock_hz, Positive(json, "clock_hz", field + ".clock_hz"));
    }
    return rate;
  }

  Result<Level> LevelOf(const Json& json, const std::string& field) const {
    Level level;
    ASSAY_ASSIGN(level.name, Text(json, "level", field + ".level"));
    if (level.name != "host") {
      ASSAY_ASSIGN(level.capacity_bytes,
                   Positive(json, "capacity_bytes", field + ".capacity_bytes"));
    }
    if (!json.contains("bytes_per_s")) {
      return Wrong(field + ".bytes_per_s", "is missing (null says that it is not published)");
    }
    if (!json.at("bytes_per_s").is_null()) {
      ASSAY_ASSIGN(level.bytes_per_s, FigureOf(json, "bytes_per_s", field + ".bytes_per_s"));
    }
    return level;
  }

  Result<const Json*> List(const std::string& key) const {
    if (!json_.contains(key) || !json_.at(key).is_array() || json_.at(key).empty()) {
      return Wrong(key, "is missing or no list of figures");
    }
    return &json_.at(key);
  }

  Status ReadSources(Profile& profile) const {
    if (!json_.contains("sources") || !json_.at("sources").is_object()) {
      return Wrong("sources", "is missing");
    }
    for (const auto& [key, text] : json_.at("sources").items()) {
      ASSAY_ASSIGN(std::string source, Text(json_.at("sources"), key, "sources." + key));
      profile.sources.emplace_back(key, std::move(source));
    }
    return {};
  }

  Status ReadRates(Profile& profile) const {
    ASSAY_ASSIGN(const Json* rates, List("rates"));
    for (std::size_t i = 0; i < rates->size(); ++i) {
      ASSAY_ASSIGN(Rate rate, RateOf(rates->at(i), fmt::format("rates[{}]", i)));
      profile.rates.push_back(std::move(rate));
    }
    ASSAY_ASSIGN(const Json* levels, List("memory"));
    for (std::size_t i = 0; i < levels->size(); ++i) {
      ASSAY_ASSIGN(Level level, LevelOf(levels->at(i), fmt::format("memory[{}]", i)));
      profile.memory.push_back(std::move(level));
    }
    return profile.Main().bytes_per_s
               ? Status()
               : Wrong("memory", "ends with a level without bytes_per_s; the last is the main one");
  }

 private:
  const Json& json_;
  std::string_view what_;
};

}  // namespace

std::optional<double> Rate::Recomputed() const {
  return units ? std::optional(*units * ops_per_clock * clock_hz) : std::nullopt;
}

std::optional<double> Profile::Peak(std::string_view dtype, bool matrix) const {
  std::optional<double> sum;
  for (const Rate& rate : rates) {
    if (rate.dtype == dtype && rate.matrix == matrix) {
      sum = sum.value_or(0) + rate.per_s.value;
    }
  }
  return sum;
}

std::vector<std::string> Profile::Dtypes() const {
  std::vector<std::string> names;
  for (const Rate& rate : rates) {
    if (std::ranges::find(names, rate.dtype) == names.end()) {
      names.push_back(rate.dtype);
    }
  }
  return names;
}

const std::string& Profile::SourceOf(const Figure& figure) const {
  static const std::string kNone;
  const auto found =
      std::ranges::find(sources, figure.source, &std::pair<std::string, std::string>::first);
  return found == sources.end() ? kNone : found->second;
}

Profile OnCores(Profile profile, double cores) {
  if (!profile.units || cores >= profile.units->value) {
    return profile;
  }
  const double share = cores / profile.units->value;
  profile.units->value = cores;
  for (Rate& rate : profile.rates) {
    rate.per_s.value *= share;
    rate.units = {};
  }
  for (Level& level : profile.memory) {
    if ((level.name == "L1" || level.name == "L2") && level.bytes_per_s) {
      level.bytes_per_s->value *= share;
      level.capacity_bytes = level.capacity_bytes.value_or(0) * share;
    }
  }
  return profile;
}

std::vector<std::string> Disagreements(const Profile& profile, double tolerance) {
  std::vector<std::string> found;
  for (const Rate& rate : profile.rates) {
    const auto recomputed = rate.Recomputed();
    if (recomputed && std::abs(*recomputed / rate.per_s.value - 1) > tolerance) {
      found.push_back(fmt::format("{} {} of {}: {:.4g} is given, {:g} x {:g} x {:.4g} Hz is {:.4g}",
                                  rate.dtype, rate.matrix ? "matrix" : "vector", profile.name,
                                  rate.per_s.value, *rate.units, rate.ops_per_clock, rate.clock_hz,
                                  *recomputed));
    }
  }
  return found;
}

Result<Profile> ProfileFromJson(const Json& json, std::string_view what) {
  const Reader reader(json, what);
  if (!json.is_object()) {
    return reader.Wrong("it", "is no object");
  }
  Profile profile;
  ASSAY_ASSIGN(profile.name, reader.Text(json, "name", "name"));
  ASSAY_ASSIGN(profile.vendor, reader.Text(json, "vendor", "vendor"));
  ASSAY_ASSIGN(profile.kind, reader.Text(json, "kind", "kind"));
  if (std::ranges::find(kKinds, profile.kind) == std::end(kKinds)) {
    return reader.Wrong(
        "kind", fmt::format("is '{}', not one of {}", profile.kind, fmt::join(kKinds, ", ")));
  }
  ASSAY_ASSIGN(profile.confidence, reader.Text(json, "class", "class"));
  ASSAY_ASSIGN(profile.aliases, reader.Texts("aliases"));
  ASSAY_ASSIGN(profile.families, reader.Texts("family"));
  ASSAY_TRY(reader.ReadSources(profile));
  ASSAY_ASSIGN(profile.units, reader.Optional("units"));
  ASSAY_ASSIGN(profile.base_clock_hz, reader.Optional("base_clock_hz"));
  ASSAY_ASSIGN(profile.boost_clock_hz, reader.Optional("boost_clock_hz"));
  ASSAY_ASSIGN(profile.tdp_w, reader.Optional("tdp_w"));
  ASSAY_ASSIGN(profile.process_nm, reader.Optional("process_nm"));
  ASSAY_TRY(reader.ReadRates(profile));
  return profile;
}

}  // namespace assay::hardware
