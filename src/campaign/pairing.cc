#include "campaign/pairing.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>

namespace assay::campaign {
namespace {

using Sessions = std::vector<const SessionLog*>;

bool Has(const SessionLog& session, std::size_t arm) {
  return std::find(session.arms.begin(), session.arms.end(), arm) != session.arms.end();
}

/// Of the rounds of one session that had both.
std::vector<double> Within(const SessionLog& session, std::size_t numerator,
                           std::size_t denominator) {
  const auto above = RoundsOf(session, numerator), below = RoundsOf(session, denominator);
  std::vector<double> values;
  for (std::size_t round = 0; round < std::min(above.size(), below.size()); ++round) {
    if (above[round] && below[round]) {
      values.push_back(std::log(*above[round] / *below[round]));
    }
  }
  return values;
}

/// ln(shared / arm) over all sessions that had both, in their order.
std::vector<double> OverSessions(const Sessions& sessions, std::size_t shared, std::size_t arm) {
  std::vector<double> values;
  for (const SessionLog* session : sessions) {
    if (Has(*session, shared) && Has(*session, arm)) {
      const std::vector<double> more = Within(*session, shared, arm);
      values.insert(values.end(), more.begin(), more.end());
    }
  }
  return values;
}

/// Of sessions of one generation, none of which had both.
std::vector<double> Across(const Sessions& sessions, std::size_t numerator,
                           std::size_t denominator) {
  const auto with = [&](std::size_t arm) {
    return std::find_if(sessions.begin(), sessions.end(),
                        [&](const SessionLog* session) { return Has(*session, arm); });
  };
  const auto one = with(numerator), other = with(denominator);
  if (one == sessions.end() || other == sessions.end()) {
    return {};
  }
  for (const std::size_t shared : (*one)->arms) {
    if (!Has(**other, shared)) {
      continue;
    }
    const std::vector<double> of_one = OverSessions(sessions, shared, numerator);
    std::vector<double> values = OverSessions(sessions, shared, denominator);
    values.resize(std::min(values.size(), of_one.size()));
    std::transform(values.begin(), values.end(), of_one.begin(), values.begin(), std::minus<>());
    if (!values.empty()) {
      return values;
    }
  }
  return {};
}

}  // namespace

std::vector<std::optional<double>> RoundsOf(const SessionLog& session, std::size_t arm) {
  const auto at = std::find(session.arms.begin(), session.arms.end(), arm);
  std::vector<std::optional<double>> values;
  if (at != session.arms.end()) {
    for (const auto& round : session.rounds) {
      values.push_back(round[static_cast<std::size_t>(at - session.arms.begin())]);
    }
  }
  return values;
}

std::vector<std::vector<double>> LogRatios(const Measurements& seen, std::size_t numerator,
                                           std::size_t denominator) {
  std::map<int, Sessions> generations;
  for (const SessionLog& session : seen.sessions) {
    generations[session.generation].push_back(&session);
  }
  std::vector<std::vector<double>> ratios;
  const auto keep = [&](std::vector<double> values) {
    if (!values.empty()) {
      ratios.push_back(std::move(values));
    }
  };
  for (const auto& [generation, sessions] : generations) {
    bool together = false;
    for (const SessionLog* session : sessions) {
      if (Has(*session, numerator) && Has(*session, denominator)) {
        together = true;
        keep(Within(*session, numerator, denominator));
      }
    }
    if (!together) {
      keep(Across(sessions, numerator, denominator));
    }
  }
  return ratios;
}

std::size_t BaselineOf(const Measurements& seen, std::size_t preferred) {
  if (!seen.arms[preferred].slice_medians_ns.empty()) {
    return preferred;
  }
  for (std::size_t arm = 0; arm < seen.arms.size(); ++arm) {
    if (!seen.arms[arm].slice_medians_ns.empty()) {
      return arm;
    }
  }
  return preferred;
}

}  // namespace assay::campaign
