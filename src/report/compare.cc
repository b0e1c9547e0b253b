#include "report/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "report/columns.h"
#include "report/format.h"
#include "report/list.h"

namespace assay::report {
namespace {

using record::Arm;
using record::Run;

constexpr double kLeastDifference = 0.01;  // docs/measuring.md: beyond 1 +- 1 %
constexpr std::array<std::string_view, 7> kChanges = {"faster",   "slower",   "same",   "outcome",
                                                      "appeared", "vanished", "unknown"};

/// The arm of `run` that `arm` of `other` is to be compared with: the same conversion with as many
/// threads and inputs, or the only one of that conversion where it is the only one there, too.
const Arm* FindArm(const Run& run, const Arm& arm, const Run& other) {
  const auto batch_of = [](const Run& of, const Arm& it) {
    return it.batch_size.value_or(of.model.batch_size);
  };
  const Arm* any = nullptr;
  for (const Arm& it : run.arms) {
    if (it.conversion != arm.conversion) {
      continue;
    }
    if (it.threads.asked == arm.threads.asked && batch_of(run, it) == batch_of(other, arm)) {
      return &it;
    }
    any = &it;
  }
  const auto count = [&](const Run& of) {
    return std::ranges::count(of.arms, arm.conversion, &Arm::conversion);
  };
  return count(run) == 1 && count(other) == 1 ? any : nullptr;
}

bool Disjoint(const record::Interval& a, const record::Interval& b) {
  return a.high < b.low || b.high < a.low;
}

struct Time {  // of an inference
  double median = 0;
  std::optional<record::Interval> ci95;
};

/// What counts for an arm: its latency, or the time that its throughput comes to.
std::optional<Time> TimeOf(const Arm& arm) {
  if (arm.metric == record::kLatency) {
    return arm.latency_ms ? std::optional(Time{arm.latency_ms->median, arm.latency_ms->ci95})
                          : std::nullopt;
  }
  if (!arm.throughput_per_s || !(*arm.throughput_per_s > 0)) {
    return std::nullopt;
  }
  Time time{1e3 / *arm.throughput_per_s, {}};
  if (const auto& per_s = arm.throughput_ci95; per_s && per_s->low > 0) {
    time.ci95 = record::Interval{1e3 / per_s->high, 1e3 / per_s->low};
  }
  return time;
}

Difference Between(const Arm& a, const Arm& b) {
  Difference difference{record::LabelOf(a), Change::kUnknown, &a, &b, {}};
  if (a.outcome != b.outcome) {
    difference.change = Change::kOutcome;
    return difference;
  }
  const auto [of_a, of_b] = std::pair(TimeOf(a), TimeOf(b));
  if (!of_a || !of_b || !(of_b->median > 0)) {
    return difference;
  }
  const double ratio = of_a->median / of_b->median;
  difference.ratio = ratio;
  if (!of_a->ci95 || !of_b->ci95) {
    return difference;  // without intervals nothing can be claimed
  }
  const bool counts = Disjoint(*of_a->ci95, *of_b->ci95) && std::abs(ratio - 1) > kLeastDifference;
  difference.change = !counts ? Change::kSame : ratio > 1 ? Change::kFaster : Change::kSlower;
  return difference;
}

template <typename T>
void WarnUnlessEqual(const char* what, const T& a, const T& b, std::vector<std::string>& warnings) {
  if (!(a == b)) {
    warnings.push_back(fmt::format("{} differs: {} in A, {} in B", what, a, b));
  }
}

std::vector<std::string> Warnings(const Run& a, const Run& b) {
  std::vector<std::string> warnings;
  WarnUnlessEqual("model", a.model.name, b.model.name, warnings);
  WarnUnlessEqual("batch size", a.model.batch_size, b.model.batch_size, warnings);
  if (a.model.name == b.model.name && a.model.sha256 != b.model.sha256) {
    warnings.emplace_back("the model's graph or weights differ between A and B");
  }
  WarnUnlessEqual("processor", a.machine.cpu, b.machine.cpu, warnings);
  WarnUnlessEqual("number of physical cores", a.machine.physical_cores, b.machine.physical_cores,
                  warnings);
  WarnUnlessEqual("operating system", a.machine.os, b.machine.os, warnings);
  for (const Arm& arm : a.arms) {
    const Arm* other = FindArm(b, arm, a);
    if (other == nullptr || !arm.threads.obtained || !other->threads.obtained) {
      continue;
    }
    WarnUnlessEqual(fmt::format("threads of {}", record::LabelOf(arm)).c_str(),
                    *arm.threads.obtained, *other->threads.obtained, warnings);
    WarnUnlessEqual(fmt::format("version of {}", arm.engine).c_str(), arm.engine_version,
                    other->engine_version, warnings);
  }
  for (const auto& [run, name] : {std::pair(&a, "A"), std::pair(&b, "B")}) {
    if (run->trust != "ok") {
      warnings.push_back(fmt::format("{} is mistrusted", name));
    }
  }
  std::vector<std::string> once;  // an engine of several arms warns once
  for (const std::string& warning : warnings) {
    if (std::find(once.begin(), once.end(), warning) == once.end()) {
      once.push_back(warning);
    }
  }
  return once;
}

Json MedianOf(const Arm* arm) {
  return arm != nullptr && arm->latency_ms ? Json(arm->latency_ms->median) : Json();
}

Json OutcomeOf(const Arm* arm) {
  return arm != nullptr ? Json(std::string(record::Name(arm->outcome))) : Json();
}

Json ToJson(const Comparison& comparison) {
  Json items = Json::array();
  for (const Difference& d : comparison.differences) {
    items.push_back({{"conversion", d.conversion},
                     {"change", std::string(Name(d.change))},
                     {"a_outcome", OutcomeOf(d.a)},
                     {"b_outcome", OutcomeOf(d.b)},
                     {"a_median_ms", MedianOf(d.a)},
                     {"b_median_ms", MedianOf(d.b)},
                     {"metric", (d.a != nullptr ? d.a : d.b)->metric},
                     {"ratio", d.ratio ? Json(*d.ratio) : Json()}});
  }
  return items;
}

Cell Latency(const Arm* arm) {
  if (arm == nullptr) {
    return {kNothing, Tone::kFaint};
  }
  if (arm->outcome != record::Outcome::kMeasured || !arm->latency_ms) {
    return {std::string(record::Name(arm->outcome)), ToneOf(arm->outcome)};
  }
  if (arm->metric != record::kLatency && arm->throughput_per_s) {
    return {fmt::format("{:.4g} per s {}", *arm->throughput_per_s,
                        PlusMinus(arm->throughput_ci95, *arm->throughput_per_s))};
  }
  return {fmt::format("{} {}", Milliseconds(arm->latency_ms->median),
                      PlusMinus(arm->latency_ms->ci95, arm->latency_ms->median))};
}

Table PeoplesTable(const Comparison& comparison) {
  Table table{
      {{"conversion"}, {"A median ms", true}, {"B median ms", true}, {"A / B", true}, {"change"}},
      {}};
  for (const Difference& d : comparison.differences) {
    const Tone tone = d.change == Change::kFaster   ? Tone::kGood
                      : d.change == Change::kSlower ? Tone::kBad
                                                    : Tone::kPlain;
    table.rows.push_back({{d.conversion},
                          Latency(d.a),
                          Latency(d.b),
                          {d.ratio ? Ratio(*d.ratio, {}) : kNothing},
                          {std::string(Name(d.change)), tone}});
  }
  return table;
}

constexpr const char* kLegend =
    "A / B: time in A / time in B, above 1 where B is faster. A difference counts when the 95 % "
    "intervals of the medians do not meet and the ratio is beyond 1 ± 1 %; otherwise: same.";

std::string TextOf(const Comparison& comparison, const Style& style) {
  std::string text = TextTable(PeoplesTable(comparison), style) + "\n";
  for (const std::string& line : Wrap(kLegend, style.width)) {
    text += Toned(line, Tone::kFaint, style) + "\n";
  }
  for (const std::string& warning : comparison.warnings) {
    text += Paragraph({"Careful", Tone::kDoubtful}, warning, style);
  }
  return text;
}

}  // namespace

std::string_view Name(Change change) { return kChanges[static_cast<std::size_t>(change)]; }

Comparison Compare(const Run& a, const Run& b) {
  Comparison comparison{{}, Warnings(a, b)};
  for (const Arm& arm : a.arms) {
    const Arm* other = FindArm(b, arm, a);
    comparison.differences.push_back(
        other != nullptr ? Between(arm, *other)
                         : Difference{record::LabelOf(arm), Change::kVanished, &arm, nullptr, {}});
  }
  for (const Arm& arm : b.arms) {
    if (FindArm(a, arm, b) == nullptr) {
      comparison.differences.push_back(
          {record::LabelOf(arm), Change::kAppeared, nullptr, &arm, {}});
    }
  }
  return comparison;
}

std::string RenderComparison(const Comparison& comparison, Format format, const Style& style) {
  const Json items = ToJson(comparison);
  if (format == Format::kJson) {
    return Json(
               {{"schema", "assay.compare/1"}, {"items", items}, {"warnings", comparison.warnings}})
               .dump(2) +
           "\n";
  }
  if (format == Format::kCsv) {
    return RenderList({"compare", items, {}}, format, style);
  }
  if (format == Format::kText) {
    return TextOf(comparison, style);
  }
  std::string text = MarkdownTable(PeoplesTable(comparison)) + "\n" + kLegend + "\n";
  for (const std::string& warning : comparison.warnings) {
    text += fmt::format("\n- **Careful**: {}", warning);
  }
  return text + (comparison.warnings.empty() ? "" : "\n");
}

}  // namespace assay::report
