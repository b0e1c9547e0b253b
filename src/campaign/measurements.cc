#include "campaign/measurements.h"

#include <algorithm>
#include <cmath>

namespace assay::campaign {

std::vector<std::vector<double>> LogRatios(const Measurements& seen, std::size_t baseline,
                                           std::size_t arm) {
  std::vector<std::vector<double>> ratios;
  for (const SessionLog& session : seen.sessions) {
    const auto begin = session.arms.begin(), end = session.arms.end();
    const auto base = std::find(begin, end, baseline) - begin;
    const auto other = std::find(begin, end, arm) - begin;
    if (base == end - begin || other == end - begin) {
      continue;
    }
    std::vector<double> values;
    for (const auto& round : session.rounds) {
      const auto& numerator = round[static_cast<std::size_t>(base)];
      const auto& denominator = round[static_cast<std::size_t>(other)];
      if (numerator && denominator) {
        values.push_back(std::log(*numerator / *denominator));
      }
    }
    if (!values.empty()) {
      ratios.push_back(std::move(values));
    }
  }
  return ratios;
}

}  // namespace assay::campaign
