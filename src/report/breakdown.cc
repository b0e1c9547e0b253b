#include "report/breakdown.h"

#include <fmt/format.h>

#include "base/json.h"
#include "base/text.h"
#include "report/format.h"

namespace assay::report {
namespace {

/// Long names keep their end, which tells them apart.
std::string Short(const std::string& name, std::size_t most) {
  if (name.size() <= most) {
    return name;
  }
  const std::string end = name.substr(name.size() - most + 1);
  return "…" + end.substr(end.find_first_not_of("./_"));
}

std::string Percent(double part, double whole) {
  return whole > 0 ? fmt::format("{:.1f} %", 100 * part / whole) : kNothing;
}

double ShareOf(const predict::Cost& cost, const predict::Cost& total) {
  return total.macs == 0 ? 0 : static_cast<double>(cost.macs) / static_cast<double>(total.macs);
}

std::string ShapeText(const predict::Line& line) {
  return line.shape ? tensor::ToString(*line.shape) : "?";
}

Table TableOf(const predict::Breakdown& breakdown) {
  Table table{{{"operator"},
               {"does"},
               {"output", true},
               {"parameters", true},
               {"MACs", true},
               {"bytes", true},
               {"flop/byte", true},
               {"share", true}},
              {}};
  const auto add = [&](const std::string& name, const std::string& op, const std::string& shape,
                       const predict::Line& line, Tone tone) {
    const predict::Cost& cost = line.cost;
    table.rows.push_back(
        {{Short(name, 20), tone},
         {Short(op, 14), tone},
         {shape, tone},
         {cost.parameters == 0 ? kNothing : Count(cost.parameters), tone},
         {cost.macs == 0 ? kNothing : Count(cost.macs), tone},
         {cost.bytes() == 0 ? kNothing : Bytes(cost.bytes()), tone},
         {line.intensity() > 0 ? fmt::format("{:.1f}", line.intensity()) : kNothing, tone},
         {Percent(static_cast<double>(cost.macs), static_cast<double>(breakdown.total.macs)),
          tone}});
  };
  for (const predict::Line& line : breakdown.lines) {
    add(line.name, line.op, ShapeText(line), line,
        line.cost.kind == predict::Kind::kUnknown ? Tone::kDoubtful
        : line.cost.kind == predict::Kind::kView  ? Tone::kFaint
                                                  : Tone::kPlain);
  }
  const predict::Line total{"all", "", {}, breakdown.total};
  add("all", fmt::format("{} operators", breakdown.coverage.nodes), "", total, Tone::kStrong);
  return table;
}

Json JsonOf(const predict::Line& line, const predict::Cost& total) {
  const predict::Cost& cost = line.cost;
  return {{"name", line.name},
          {"op", line.op},
          {"kind", predict::Name(cost.kind)},
          {"shape", line.shape ? Json(*line.shape) : Json()},
          {"parameters", cost.parameters},
          {"macs", cost.macs},
          {"flops", cost.flops},
          {"read_bytes", cost.read_bytes},
          {"weight_bytes", cost.weight_bytes},
          {"written_bytes", cost.written_bytes},
          {"intensity", line.intensity()},
          {"share", ShareOf(cost, total)}};
}

std::string JsonText(const ProfiledModel& model, const predict::Breakdown& breakdown) {
  Json operators = Json::array();
  for (const predict::Line& line : breakdown.lines) {
    operators.push_back(JsonOf(line, breakdown.total));
  }
  const predict::Cost& total = breakdown.total;
  const Json json = {{"schema", "assay.profile/1"},
                     {"model",
                      {{"name", model.name},
                       {"parameters", model.parameters},
                       {"macs", model.macs},
                       {"batch_size", model.batch_size}}},
                     {"precision", model.precision},
                     {"total",
                      {{"parameters", total.parameters},
                       {"macs", total.macs},
                       {"flops", total.flops},
                       {"read_bytes", total.read_bytes},
                       {"weight_bytes", total.weight_bytes},
                       {"written_bytes", total.written_bytes}}},
                     {"coverage",
                      {{"operators", breakdown.coverage.nodes},
                       {"understood", breakdown.coverage.understood},
                       {"unknown", breakdown.coverage.unknown}}},
                     {"operators", operators}};
  return json.dump(2) + "\n";
}

std::string CsvText(const predict::Breakdown& breakdown) {
  std::string text;
  for (const predict::Line& line : breakdown.lines) {
    const Json json = JsonOf(line, breakdown.total);
    std::vector<std::string> keys, fields;
    for (const auto& [key, value] : json.items()) {
      keys.push_back(key);
      fields.push_back(key == "shape"      ? ShapeText(line)
                       : value.is_string() ? value.get<std::string>()
                                           : value.dump());
    }
    text += (text.empty() ? CsvLine(keys) : "") + CsvLine(fields);
  }
  return text;
}

}  // namespace

std::string CoverageText(const predict::Coverage& coverage) {
  if (coverage.understood == coverage.nodes) {
    return fmt::format("all {} operators of the graph understood", coverage.nodes);
  }
  return fmt::format("{} of {} operators understood; not counted: {}", coverage.understood,
                     coverage.nodes, Join(coverage.unknown, ", "));
}

std::string RenderBreakdown(const ProfiledModel& model, const predict::Breakdown& breakdown,
                            Format format, const Style& style) {
  if (format == Format::kJson) {
    return JsonText(model, breakdown);
  }
  if (format == Format::kCsv) {
    return CsvText(breakdown);
  }
  const std::string heading =
      fmt::format("{} at batch {} in {}: {} parameters, {} multiply-adds; {}", model.name,
                  model.batch_size, model.precision, Count(model.parameters), Count(model.macs),
                  CoverageText(breakdown.coverage));
  if (format == Format::kMarkdown) {
    return heading + "\n\n" + MarkdownTable(TableOf(breakdown));
  }
  return Join(Wrap(heading, style.width), "\n") + "\n\n" + TextTable(TableOf(breakdown), style);
}

}  // namespace assay::report
