#include "report/predictions.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "report/format.h"

namespace assay::report {
namespace {

using predict::OperatorPrediction;
using predict::Prediction;

constexpr double kMilli = 1e3;  // of seconds

Cell Plain(std::string text) { return {std::move(text), Tone::kPlain}; }

double PerInput(const Prediction& p) { return p.latency_s / static_cast<double>(p.batch_size); }

/// first  what the column of ratios compares with
std::vector<Cell> RowOf(const Analysis& analysis, const Prediction& p, const Prediction& first,
                        bool with_model) {
  std::vector<Cell> row;
  if (with_model) {
    row.push_back(Plain(analysis.model));
  }
  row.insert(row.end(),
             {Plain(p.hardware), Plain(p.precision), Plain(std::to_string(p.batch_size))});
  if (!p.fits) {
    row.insert(row.end(), {{kNothing, Tone::kFaint}, {kNothing, Tone::kFaint}});
    row.push_back(Plain(Bytes(p.peak_memory_bytes)));
    row.insert(row.end(), {{kNothing, Tone::kFaint}, {kNothing, Tone::kFaint}});
    row.push_back({p.problem, Tone::kBad});
    return row;
  }
  row.insert(row.end(),
             {Plain(Duration(p.latency_s)),
              Plain(fmt::format("{:.4g}", static_cast<double>(p.batch_size) / p.latency_s)),
              Plain(Bytes(p.peak_memory_bytes)),
              Plain(Joules(p.energy)),
              Plain(first.fits ? fmt::format("{:.3g}x", PerInput(first) / PerInput(p)) : kNothing),
              {fmt::format("{}; {}", predict::Name(p.bound), p.confidence),
               p.confidence == "unverified" ? Tone::kDoubtful : Tone::kPlain}});
  return row;
}

Table TableOf(const std::vector<Analysis>& analyses) {
  const bool with_model = analyses.size() > 1;
  Table table;
  if (with_model) {
    table.headings.push_back({"model"});
  }
  const std::vector<Heading> rest = {
      {"hardware"},      {"numbers"},     {"batch", true},
      {"latency", true}, {"/s", true},    {"memory", true},
      {"energy", true},  {"speed", true}, {"bound; figures", false, false, true}};
  table.headings.insert(table.headings.end(), rest.begin(), rest.end());
  for (const Analysis& analysis : analyses) {
    for (const Prediction& p : analysis.predictions) {
      table.rows.push_back(RowOf(analysis, p, analyses[0].predictions[0], with_model));
    }
  }
  return table;
}

/// There may be a hundred thousand: built in place, which takes a third of the time of a list.
Json JsonOf(const OperatorPrediction& op) {
  Json json = Json::object();
  auto& fields = json.get_ref<Json::object_t&>();
  fields.reserve(10);
  fields.emplace_back("name", op.name);
  fields.emplace_back("op", op.op);
  fields.emplace_back("flops", op.flops);
  fields.emplace_back("bytes", op.bytes());
  fields.emplace_back("latency_ms", op.time_s * kMilli);
  fields.emplace_back("bound", predict::Name(op.bound));
  fields.emplace_back("utilization", op.utilization);
  fields.emplace_back("compute_ms", op.compute_s * kMilli);
  fields.emplace_back("memory_ms", op.memory_s * kMilli);
  fields.emplace_back("overhead_ms", op.overhead_s * kMilli);
  return json;
}

Json EnergyJson(const Prediction& p) {
  if (!p.fits || !p.energy) {
    return nullptr;
  }
  return {{"compute_j", p.energy->compute},
          {"memory_j", p.energy->memory},
          {"idle_j", p.energy->idle},
          {"class", "modelled"}};
}

Json JsonOf(const Prediction& p, const predict::MemoryUse& memory,
            const std::vector<std::string>& steps) {
  const auto when = [&](Json value) { return p.fits ? value : Json(); };
  Json operators = Json::array();
  for (const OperatorPrediction& op : p.operators) {
    operators.push_back(JsonOf(op));
  }
  Json json = {{"hardware", p.hardware},
               {"precision", p.precision},
               {"batch_size", p.batch_size},
               {"engine", predict::Name(p.engine)},
               {"fits", p.fits},
               {"problem", p.problem},
               {"latency_ms", when(p.latency_s * kMilli)},
               {"throughput_per_s", when(static_cast<double>(p.batch_size) / p.latency_s)},
               {"peak_memory_bytes", p.peak_memory_bytes},
               {"peak_memory_at", steps.empty() ? Json() : Json(steps[memory.peak])},
               {"weight_bytes", p.weight_bytes},
               {"weights_in_cache", when(p.weights_resident)},
               {"energy_j", p.fits && p.energy ? Json(p.energy->total()) : Json()},
               {"energy", EnergyJson(p)},
               {"bound", when(predict::Name(p.bound))},
               {"flops", when(p.flops)},
               {"bytes", when(p.bytes)},
               {"attained_flops_per_s", when(static_cast<double>(p.flops) / p.latency_s)},
               {"peak_flops_per_s", when(p.peak_flops_per_s)},
               {"peak_bytes_per_s", when(p.peak_bytes_per_s)},
               {"ridge_flops_per_byte", when(p.fits ? p.ridge() : 0)},
               {"confidence", p.confidence}};
  json["operators"] = std::move(operators);
  return json;
}

Json JsonOf(const Analysis& analysis) {
  Json results = Json::array();
  for (std::size_t i = 0; i < analysis.predictions.size(); ++i) {
    results.push_back(JsonOf(analysis.predictions[i], analysis.memory[i], analysis.step_names[i]));
  }
  Json gates = Json::array();
  for (const Gate& gate : analysis.gates) {
    gates.push_back({{"what", gate.what}, {"passed", gate.passed}, {"verdict", gate.text}});
  }
  Json json = {{"schema", "assay.analyze/1"},
               {"model",
                {{"name", analysis.model},
                 {"parameters", analysis.parameters},
                 {"macs", analysis.macs},
                 {"operators", analysis.coverage.nodes},
                 {"understood", analysis.coverage.understood},
                 {"unknown", analysis.coverage.unknown}}}};
  json["notes"] = analysis.notes;
  json["gates"] = std::move(gates);
  json["results"] = std::move(results);
  return json;
}

std::string CsvText(const std::vector<Analysis>& analyses) {
  std::string text;
  for (const Analysis& analysis : analyses) {
    const Json json = JsonOf(analysis);
    for (const Json& result : json.at("results")) {
      std::vector<std::string> keys = {"model"}, fields = {analysis.model};
      for (const auto& [key, value] : result.items()) {
        if (!value.is_structured() && key != "energy") {
          keys.push_back(key);
          fields.push_back(value.is_null()     ? ""
                           : value.is_string() ? value.get<std::string>()
                                               : value.dump());
        }
      }
      text += (text.empty() ? CsvLine(keys) : "") + CsvLine(fields);
    }
  }
  return text;
}

/// The operators that take longest, of an analysis of one combination.
Table SlowestOf(const Prediction& p) {
  constexpr std::size_t kShown = 10;
  std::vector<const OperatorPrediction*> order;
  for (const OperatorPrediction& op : p.operators) {
    order.push_back(&op);
  }
  std::ranges::stable_sort(order, {}, [](const auto* op) { return -op->time_s; });
  order.resize(std::min(order.size(), kShown));
  Table table{{{"slowest"},
               {"does"},
               {"time", true},
               {"share", true},
               {"flop/byte", true},
               {"roofline", true},
               {"bound"}},
              {}};
  for (const OperatorPrediction* op : order) {
    const double intensity =
        op->bytes() == 0 ? 0 : static_cast<double>(op->flops) / static_cast<double>(op->bytes());
    table.rows.push_back(
        {Plain(op->name.size() > 30 ? "…" + op->name.substr(op->name.size() - 29) : op->name),
         Plain(op->op.size() > 24 ? op->op.substr(0, 23) + "…" : op->op),
         Plain(Duration(op->time_s)),
         Plain(fmt::format("{:.1f} %", 100 * op->time_s / p.latency_s)),
         Plain(fmt::format("{:.1f}", intensity)),
         Plain(fmt::format("{:.0f} %", 100 * op->utilization)),
         Plain(std::string(predict::Name(op->bound)))});
  }
  return table;
}

std::string AboutOne(const Analysis& analysis) {
  const Prediction& p = analysis.predictions[0];
  const predict::MemoryUse& memory = analysis.memory[0];
  std::string text =
      fmt::format("Memory: weights {}, at most {} of activations, at {}.",
                  Bytes(memory.weight_bytes), Bytes(p.peak_memory_bytes - memory.weight_bytes),
                  analysis.step_names[0].empty() ? "none" : analysis.step_names[0][memory.peak]);
  text += fmt::format(" Weights {} the last-level cache between inferences.",
                      p.weights_resident ? "stay in" : "do not stay in");
  text += fmt::format(" Above {:.1f} flop/byte compute is the bound (ridge point).", p.ridge());
  if (p.energy) {
    text +=
        fmt::format(" Energy, modelled: arithmetic {:.3g} J, bytes {:.3g} J, idle power {:.3g} J.",
                    p.energy->compute, p.energy->memory, p.energy->idle);
  }
  return text;
}

std::string Heading(const Analysis& analysis) {
  return fmt::format(
      "{}: {} parameters, {} multiply-adds; {} of {} operators understood{}", analysis.model,
      Count(analysis.parameters), Count(analysis.macs), analysis.coverage.understood,
      analysis.coverage.nodes,
      analysis.coverage.unknown.empty() ? "" : ", not " + Join(analysis.coverage.unknown, ", "));
}

std::string ForPeople(const std::vector<Analysis>& analyses, bool markdown, const Style& style) {
  const auto paragraph = [&](const std::string& text) {
    return (markdown ? text : Join(Wrap(text, style.width), "\n")) + "\n";
  };
  const auto table = [&](const Table& t) {
    return markdown ? MarkdownTable(t) : TextTable(t, style);
  };
  std::string text;
  for (const Analysis& analysis : analyses) {
    text += paragraph(Heading(analysis));
  }
  text += "\n" + table(TableOf(analyses));
  const bool one = analyses.size() == 1 && analyses[0].predictions.size() == 1;
  if (one && analyses[0].predictions[0].fits) {
    text += "\n" + table(SlowestOf(analyses[0].predictions[0])) + "\n";
    text += paragraph(AboutOne(analyses[0]));
  }
  for (const Analysis& analysis : analyses) {
    for (const Gate& gate : analysis.gates) {
      text +=
          "\n" +
          (markdown ? gate.text : Toned(gate.text, gate.passed ? Tone::kGood : Tone::kBad, style)) +
          "\n";
    }
  }
  for (const std::string& note :
       analyses.empty() ? std::vector<std::string>() : analyses[0].notes) {
    text += "\n" + paragraph(note);
  }
  return text;
}

}  // namespace

std::string Duration(double seconds) {
  const auto show = [](double value, const char* unit) {
    return fmt::format("{:.{}f} {}", value, value < 10 ? 2 : value < 100 ? 1 : 0, unit);
  };
  return seconds < 1e-3 ? show(seconds * 1e6, "us")
         : seconds < 1  ? show(seconds * 1e3, "ms")
                        : show(seconds, "s");
}

std::string Joules(const std::optional<predict::Energy>& energy) {
  if (!energy) {
    return kNothing;
  }
  return energy->total() < 1 ? fmt::format("{:.3g} mJ", energy->total() * 1e3)
                             : fmt::format("{:.3g} J", energy->total());
}

std::string RenderAnalyses(const std::vector<Analysis>& analyses, Format format,
                           const Style& style) {
  if (format == Format::kCsv) {
    return CsvText(analyses);
  }
  if (format == Format::kJson) {
    Json json = Json::array();
    for (const Analysis& analysis : analyses) {
      json.push_back(JsonOf(analysis));
    }
    return (analyses.size() == 1 ? json[0] : json).dump() + "\n";
  }
  return ForPeople(analyses, format == Format::kMarkdown, style);
}

}  // namespace assay::report
