// The page of `assay analyze --output x.html`: one file, drawn as SVG, no script, no network.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "base/text.h"
#include "report/format.h"
#include "report/predictions.h"

namespace assay::report {
namespace {

using predict::OperatorPrediction;
using predict::Prediction;

constexpr double kWidth = 900, kHeight = 420, kLeft = 90, kRight = 20, kTop = 20, kBottom = 60;

constexpr const char* kStyle = R"(
:root{color-scheme:light dark;--ink:#1a1d21;--soft:#5c6670;--line:#d5dae0;--paper:#fff;--compute:#c2410c;
--memory:#1d5fbf;--overhead:#6d737a;--area:#1d5fbf33}
@media (prefers-color-scheme:dark){:root{--ink:#e8eaed;--soft:#a5adb6;--line:#3a4149;--paper:#15181c;
--compute:#ff9a5c;--memory:#7db2ff;--overhead:#a5adb6;--area:#7db2ff33}}
*{box-sizing:border-box}body{margin:0 auto;max-width:70rem;padding:1rem;background:var(--paper);color:var(--ink);
font:1rem/1.5 system-ui,sans-serif}h1{font-size:1.6rem}h2{font-size:1.25rem;margin-top:2.5rem}
.wide{overflow-x:auto}table{border-collapse:collapse;font-variant-numeric:tabular-nums}
th,td{padding:.3rem .7rem;border-bottom:1px solid var(--line);text-align:left;white-space:nowrap}
th{color:var(--soft);font-weight:600}td.n,th.n{text-align:right}
svg{display:block;width:100%;min-width:36rem;height:auto}svg text{fill:var(--soft);font-size:15px}
.axis{stroke:var(--line)}.roof{stroke:var(--ink);stroke-width:2.5;fill:none}.near{stroke-dasharray:7 6;stroke-width:1.5}
.compute{fill:var(--compute);color:var(--compute)}.memory{fill:var(--memory);color:var(--memory)}
.overhead{fill:var(--overhead);color:var(--overhead)}.dot{fill-opacity:.65}
.live{fill:var(--area);stroke:var(--memory);stroke-width:2}.key{font-weight:600}.bad{color:var(--compute)}
.note{color:var(--soft)}
)";

std::string Escape(std::string_view text) {
  std::string safe;
  for (const char c : text) {
    switch (c) {
      case '<':
        safe += "&lt;";
        break;
      case '>':
        safe += "&gt;";
        break;
      case '&':
        safe += "&amp;";
        break;
      case '"':
        safe += "&quot;";
        break;
      default:
        safe += c;
    }
  }
  return safe;
}

/// A logarithmic axis over whole decades, in SVG units.
struct Axis {
  double low, high;   // powers of ten
  double begin, end;  // where they lie
  double At(double value) const {
    const double share = (std::log10(std::max(value, 1e-30)) - low) / (high - low);
    return begin + std::clamp(share, 0.0, 1.0) * (end - begin);
  }
};

std::string Power(double exponent, const char* unit) {
  static const std::map<int, const char*> kPrefixes = {{0, ""},  {1, "k"}, {2, "M"},
                                                       {3, "G"}, {4, "T"}, {5, "P"}};
  const int e = static_cast<int>(exponent);
  const int third = e >= 0 ? e / 3 : 0;
  const auto prefix = kPrefixes.find(third);
  return fmt::format("{:g} {}{}", std::pow(10.0, e - 3 * third),
                     prefix == kPrefixes.end() ? "" : prefix->second, unit);
}

std::string Text(double x, double y, const char* anchor, const std::string& text) {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\">{}</text>\n", x, y, anchor,
                     Escape(text));
}

std::string Grid(const Axis& x, const Axis& y) {
  std::string svg;
  for (double e = x.low; e <= x.high; ++e) {
    const double at = x.At(std::pow(10, e));
    svg +=
        fmt::format("<line class=\"axis\" x1=\"{0:.1f}\" y1=\"{1}\" x2=\"{0:.1f}\" y2=\"{2}\"/>\n",
                    at, kTop, kHeight - kBottom);
    svg += Text(at, kHeight - kBottom + 20, "middle", fmt::format("{:g}", std::pow(10, e)));
  }
  for (double e = y.low; e <= y.high; ++e) {
    const double at = y.At(std::pow(10, e));
    svg +=
        fmt::format("<line class=\"axis\" x1=\"{1}\" y1=\"{0:.1f}\" x2=\"{2}\" y2=\"{0:.1f}\"/>\n",
                    at, kLeft, kWidth - kRight);
    svg += Text(kLeft - 8, at + 5, "end", Power(e, "op/s"));
  }
  return svg + Text((kLeft + kWidth) / 2, kHeight - 12, "middle",
                    "operations to a byte of memory traffic");
}

/// Up along the bandwidth, then flat at the peak.
std::string Roof(const Axis& x, const Axis& y, double flops_per_s, double bytes_per_s,
                 const char* name) {
  const double left = std::max(std::pow(10, x.low), std::pow(10, y.low) / bytes_per_s);
  return fmt::format("<path class=\"roof {}\" d=\"M{:.1f} {:.1f}L{:.1f} {:.1f}L{:.1f} {:.1f}\"/>\n",
                     name, x.At(left), y.At(left * bytes_per_s), x.At(flops_per_s / bytes_per_s),
                     y.At(flops_per_s), kWidth - kRight, y.At(flops_per_s));
}

/// The roofs, and each group of operators at its intensity and attained rate; the area of a dot is
/// its share of the time.
std::string Roofline(const Prediction& p) {
  double low = 1e30, least = 1e30;
  for (const OperatorPrediction& op : p.operators) {
    if (op.flops > 0 && op.bytes() > 0 && op.time_s > 0) {
      low = std::min(low, static_cast<double>(op.flops) / static_cast<double>(op.bytes()));
      least = std::min(least, static_cast<double>(op.flops) / op.time_s);
    }
  }
  const Axis x{std::floor(std::log10(std::min(low, 0.1))),
               std::ceil(std::log10(std::max(1e3, 3 * p.ridge()))), kLeft, kWidth - kRight};
  const Axis y{std::floor(std::log10(std::min(least, p.peak_flops_per_s / 1e3))),
               std::ceil(std::log10(p.peak_flops_per_s)), kHeight - kBottom, kTop};
  std::string svg = fmt::format(
      "<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"Roofline\">\n", kWidth, kHeight);
  svg += Grid(x, y);
  svg += p.cache_bytes_per_s > 0 ? Roof(x, y, p.peak_flops_per_s, p.cache_bytes_per_s, "near") : "";
  svg += Roof(x, y, p.peak_flops_per_s, p.peak_bytes_per_s, "main");
  for (const OperatorPrediction& op : p.operators) {
    if (op.flops == 0 || op.bytes() == 0 || !(op.time_s > 0)) {
      continue;
    }
    const double intensity = static_cast<double>(op.flops) / static_cast<double>(op.bytes());
    const double radius = 3 + 40 * std::sqrt(op.time_s / p.latency_s);
    svg += fmt::format(
        "<circle class=\"dot {}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{:.1f}\"><title>{} ({}): {}, "
        "bound by {}</title></circle>\n",
        predict::Name(op.bound), x.At(intensity), y.At(static_cast<double>(op.flops) / op.time_s),
        std::min(radius, 22.0), Escape(op.name), Escape(op.op), Duration(op.time_s),
        predict::Name(op.bound));
  }
  return svg + "</svg>\n";
}

std::string Timeline(const predict::MemoryUse& memory, const std::vector<std::string>& names) {
  if (memory.timeline.empty()) {
    return "";
  }
  const double most =
      std::max(1.0, static_cast<double>(memory.timeline[memory.peak].activation_bytes));
  const double steps = static_cast<double>(memory.timeline.size());
  const auto x = [&](double step) { return kLeft + step / steps * (kWidth - kLeft - kRight); };
  const auto y = [&](double bytes) {
    return kHeight - kBottom - bytes / most * 0.9 * (kHeight - kBottom - kTop);
  };
  std::string path = fmt::format("M{:.1f} {:.1f}", x(0), y(0));
  for (std::size_t i = 0; i < memory.timeline.size(); ++i) {
    const double height = y(static_cast<double>(memory.timeline[i].activation_bytes));
    path += fmt::format("L{:.1f} {:.1f}L{:.1f} {:.1f}", x(static_cast<double>(i)), height,
                        x(static_cast<double>(i + 1)), height);
  }
  path += fmt::format("L{:.1f} {:.1f}Z", x(steps), y(0));
  std::string svg = fmt::format(
      "<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"Memory timeline\">\n", kWidth, kHeight);
  for (const double share : {0.0, 0.5, 1.0}) {
    svg +=
        fmt::format("<line class=\"axis\" x1=\"{1}\" y1=\"{0:.1f}\" x2=\"{2}\" y2=\"{0:.1f}\"/>\n",
                    y(share * most), kLeft, kWidth - kRight);
    svg += Text(kLeft - 8, y(share * most) + 5, "end",
                FormatBytes(static_cast<std::uint64_t>(share * most)));
  }
  svg += fmt::format("<path class=\"live\" d=\"{}\"/>\n", path);
  const double peak = x(static_cast<double>(memory.peak) + 0.5);
  svg += fmt::format("<circle class=\"compute\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"5\"/>\n", peak,
                     y(most));
  svg += Text(peak, y(most) - 10,
              peak > kWidth * 0.6   ? "end"
              : peak < kWidth * 0.3 ? "start"
                                    : "middle",
              "peak at " + names[memory.peak]);
  return svg +
         Text((kLeft + kWidth) / 2, kHeight - 12, "middle",
              "groups of operators in the order in which they run") +
         "</svg>\n";
}

std::string Summary(const std::vector<Analysis>& analyses) {
  std::string html =
      "<div class=\"wide\"><table><thead><tr><th>model<th>hardware<th>numbers<th class=n>batch"
      "<th class=n>latency<th class=n>per second<th class=n>memory<th class=n>energy<th>bound"
      "<th>figures</tr></thead><tbody>\n";
  for (const Analysis& analysis : analyses) {
    for (const Prediction& p : analysis.predictions) {
      html += fmt::format("<tr><td>{}<td>{}<td>{}<td class=n>{}", Escape(analysis.model),
                          Escape(p.hardware), p.precision, p.batch_size);
      if (!p.fits) {
        html += fmt::format("<td class=bad colspan=6>{}</tr>\n", Escape(p.problem));
        continue;
      }
      html += fmt::format(
          "<td class=n>{}<td class=n>{:.4g}<td class=n>{}<td class=n>{}<td class=\"key {}\" "
          "style=\"background:none\">{}<td>{}</tr>\n",
          Duration(p.latency_s), static_cast<double>(p.batch_size) / p.latency_s,
          Bytes(p.peak_memory_bytes), Joules(p.energy), predict::Name(p.bound),
          predict::Name(p.bound), Escape(p.confidence));
    }
  }
  return html + "</tbody></table></div>\n";
}

std::string Section(const Analysis& analysis, std::size_t i) {
  const Prediction& p = analysis.predictions[i];
  const predict::MemoryUse& memory = analysis.memory[i];
  std::string html = fmt::format("<h2>{} on {} in {} at batch {}</h2>\n", Escape(analysis.model),
                                 Escape(p.hardware), p.precision, p.batch_size);
  html += fmt::format(
      "<p>{} an inference, {} of memory, of which {} are weights. The line is what the processor "
      "can do at most; it bends at {:.1f} operations to a byte{}. A dot is what runs as one "
      "kernel, "
      "as large as its share of the time, bound by <span class=\"key compute\">compute</span>, "
      "<span class=\"key memory\">memory</span> or <span class=\"key overhead\">overhead</span>."
      "</p>\n",
      Duration(p.latency_s), Bytes(p.peak_memory_bytes), Bytes(memory.weight_bytes), p.ridge(),
      p.cache_bytes_per_s > 0 ? ", dashed where the last-level cache serves them" : "");
  html += "<div class=\"wide\">" + Roofline(p) + "</div>\n";
  if (p.energy) {
    html += fmt::format(
        "<p>Energy, modelled: arithmetic {:.3g} J, memory traffic {:.3g} J, idle power {:.3g} J."
        "</p>\n",
        p.energy->compute, p.energy->memory, p.energy->idle);
  }
  html += fmt::format("<p>Memory of activations while it runs, at most {}:</p>\n",
                      Bytes(p.peak_memory_bytes - memory.weight_bytes));
  return html + "<div class=\"wide\">" + Timeline(memory, analysis.step_names[i]) + "</div>\n";
}

}  // namespace

std::string Html(const std::vector<Analysis>& analyses) {
  constexpr std::size_t kMostSections = 24;  // beyond, the table is what can still be read
  std::vector<std::string> names;
  for (const Analysis& analysis : analyses) {
    names.push_back(analysis.model);
  }
  const std::string title = Escape(Join(names, ", ")) + ": predicted";
  std::string html = fmt::format(
      "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\">\n<meta name=\"viewport\" "
      "content=\"width=device-width,initial-scale=1\">\n<title>{0}</title>\n<style>{1}</style>\n"
      "<h1>{0}</h1>\n",
      title, kStyle);
  if (!analyses.empty()) {
    for (const std::string& note : analyses[0].notes) {
      html += fmt::format("<p class=note>{}</p>\n", Escape(note));
    }
  }
  html += Summary(analyses);
  std::size_t sections = 0;
  for (const Analysis& analysis : analyses) {
    for (const Gate& gate : analysis.gates) {
      html +=
          fmt::format("<p class=\"{}\">{}</p>\n", gate.passed ? "note" : "bad", Escape(gate.text));
    }
    for (std::size_t i = 0; i < analysis.predictions.size(); ++i) {
      if (analysis.predictions[i].fits && sections++ < kMostSections) {
        html += Section(analysis, i);
      }
    }
  }
  if (sections > kMostSections) {
    html += fmt::format("<p class=note>Plots of the first {} of {} combinations.</p>\n",
                        kMostSections, sections);
  }
  return html + "</html>\n";
}

}  // namespace assay::report
