#include "report/format.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/text.h"

namespace assay::report {
namespace {

/// Decimals that give `value` `significant` digits, at most `most`.
int Decimals(double value, int significant, int most) {
  if (!(std::abs(value) > 0) || !std::isfinite(value)) {
    return 0;
  }
  return std::clamp(significant - 1 - static_cast<int>(std::floor(std::log10(std::abs(value)))), 0,
                    most);
}

}  // namespace

std::string Milliseconds(double ms) { return fmt::format("{:.{}f}", ms, Decimals(ms, 4, 7)); }

std::string Seconds(std::optional<double> seconds) {
  if (!seconds) {
    return kNothing;
  }
  if (*seconds >= 600) {
    return fmt::format("{:.0f} min", *seconds / 60);
  }
  return fmt::format("{:.{}f} s", *seconds, Decimals(*seconds, 2, 2));
}

std::string Bytes(std::optional<std::uint64_t> bytes) {
  return bytes ? FormatBytes(*bytes) : kNothing;
}

std::string Count(std::uint64_t count) {
  constexpr std::array<const char*, 5> kUnits = {"", " k", " M", " G", " T"};
  auto value = static_cast<double>(count);
  std::size_t unit = 0;
  while (value >= 999.5 && unit + 1 < kUnits.size()) {
    value /= 1000;
    ++unit;
  }
  return fmt::format("{:.{}f}{}", value, unit == 0 ? 0 : Decimals(value, 3, 2), kUnits[unit]);
}

std::string PlusMinus(const std::optional<record::Interval>& interval, double center) {
  if (!interval || !(center > 0)) {
    return "";
  }
  return fmt::format("±{:.1f} %", 100 * (interval->high - interval->low) / 2 / center);
}

std::string Ratio(double ratio, const std::optional<record::Interval>& interval) {
  const int decimals = std::clamp(Decimals(ratio, 3, 3), 1, 3);
  if (!interval) {
    return fmt::format("{:.{}f}x", ratio, decimals);
  }
  return fmt::format("{:.{}f}x [{:.{}f}, {:.{}f}]", ratio, decimals, interval->low, decimals,
                     interval->high, decimals);
}

std::string Scientific(double value) { return fmt::format("{:.1e}", value); }

}  // namespace assay::report
