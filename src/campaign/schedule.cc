#include "campaign/schedule.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <map>
#include <set>

namespace assay::campaign {
namespace {

constexpr double kSliceNs = 50e6;
constexpr double kLongestSliceNs = 500e6;
constexpr double kShortestSampleNs = 10e3;
constexpr int kFewestSamples = 5;

int BatchFor(const Pace& pace) {
  const double shortest = std::ceil(kShortestSampleNs / std::max(pace.inference_ns, 1.0));
  return static_cast<int>(std::ceil(shortest / pace.places)) * pace.places;
}

int Samples(double slice_ns, double inference_ns, int batch) {
  const double count = std::ceil(slice_ns / (std::max(inference_ns, 1.0) * batch));
  return std::clamp(static_cast<int>(std::min(count, 1e9)), kFewestSamples, engine::kMaxSamples);
}

/// Whether the last look could tell the two apart, were the ratio to stay what it is. Intervals
/// narrow as the square root of the rounds; those of few processes that differ also as Student's t
/// does, together about in proportion.
bool MayBeTold(const stats::Comparison& lead) {
  if (!lead.interval) {
    return true;
  }
  const double done = lead.rounds / static_cast<double>(*std::rbegin(stats::kLooks));
  const double narrowing = lead.process_limited ? done : std::sqrt(done);
  return std::abs(lead.ratio - 1) > lead.interval->HalfWidth() * narrowing;
}

/// For which arms more rounds could show that they are as fast as the leader, or slower. An arm
/// known to be as fast within the target needs none, nor one that no rounds left could tell from
/// it.
std::vector<bool> Undecided(std::span<const Standing> standings, double target) {
  std::map<int, std::vector<std::size_t>> contests;  // their rivals
  std::vector<bool> undecided(standings.size(), false);
  for (std::size_t i = 0; i < standings.size(); ++i) {
    if (standings[i].aside && standings[i].lead) {  // of it, which way it differs is asked
      const stats::Comparison& lead = *standings[i].lead;
      undecided[i] = !stats::Separated(lead) && HalfWidth(lead) > target && MayBeTold(lead);
    } else if (standings[i].competes && standings[i].lead) {
      contests[standings[i].contest].push_back(i);
    }
  }
  for (const auto& [contest, rivals] : contests) {
    std::vector<stats::Comparison> leads;
    for (const std::size_t rival : rivals) {
      leads.push_back(*standings[rival].lead);
    }
    const std::vector<bool> slower = stats::SlowerThanLeader(leads);
    for (std::size_t i = 0; i < rivals.size(); ++i) {
      undecided[rivals[i]] = !slower[i] && HalfWidth(leads[i]) > target && MayBeTold(leads[i]);
    }
  }
  return undecided;
}

bool Precise(const Standing& standing, double target) {
  return !standing.comparison || HalfWidth(*standing.comparison) <= target;
}

}  // namespace

SliceSize WarmUpSize(const Pace& pace) {
  const int batch = BatchFor(pace);
  if (pace.inference_ns > kLongestSliceNs) {
    return {.count = 1, .batch = batch};
  }
  return {.count = Samples(kSliceNs, pace.inference_ns, batch), .batch = batch};
}

std::vector<SliceSize> SliceSizes(std::span<const Pace> paces) {
  double inferences = 0;
  for (const Pace& pace : paces) {
    const int batch = BatchFor(pace);
    const int samples = Samples(kSliceNs, pace.inference_ns, batch);
    inferences = std::max(inferences, static_cast<double>(batch) * samples);
  }
  std::vector<SliceSize> sizes;
  for (const Pace& pace : paces) {
    const double ns = pace.inference_ns;
    const int batch = BatchFor(pace);
    const int wanted = static_cast<int>(std::ceil(inferences / batch));
    sizes.push_back(
        {.count = std::min(wanted, Samples(kLongestSliceNs, ns, batch)), .batch = batch});
    sizes.back().count = std::max(sizes.back().count, kFewestSamples);
  }
  return sizes;
}

int FirstLook(int inferences, int per_slice) {
  for (const int look : stats::kLooks) {
    if (static_cast<std::int64_t>(look) * per_slice >= inferences) {
      return look;
    }
  }
  return *std::rbegin(stats::kLooks);
}

std::optional<int> LookAfter(int rounds, int most) {
  for (const int look : stats::kLooks) {
    if (look > rounds && look <= most) {
      return look;
    }
  }
  return std::nullopt;
}

std::vector<std::vector<std::size_t>> Heats(const std::vector<std::size_t>& arms,
                                            std::size_t shared, std::size_t most) {
  if (most == 0 || arms.size() <= most + 1) {
    return {arms};
  }
  std::vector<std::vector<std::size_t>> groups;
  for (const std::size_t arm : arms) {
    if (arm == shared) {
      continue;
    }
    if (groups.empty() || groups.back().size() > most) {
      groups.push_back({shared});
    }
    groups.back().push_back(arm);
  }
  return groups;
}

double HalfWidth(const stats::Comparison& comparison) {
  return comparison.interval ? comparison.interval->HalfWidth() / comparison.ratio
                             : std::numeric_limits<double>::infinity();
}

double RatioOf(const Standing& standing) {
  return standing.comparison ? standing.comparison->ratio : 1;
}

std::size_t LeaderOf(std::span<const Standing> standings, int contest) {
  std::size_t leader = standings.size();
  double best = 0;
  for (std::size_t i = 0; i < standings.size(); ++i) {
    const bool enters =
        standings[i].contest == contest && standings[i].competes && !standings[i].aside;
    if (enters && RatioOf(standings[i]) > best) {
      best = RatioOf(standings[i]);
      leader = i;
    }
  }
  return leader;
}

std::vector<Wish> WishesAt(std::span<const Standing> standings, double target, Goal goal) {
  const std::vector<bool> undecided = Undecided(standings, target);
  std::set<std::size_t> contested;  // leaders
  for (std::size_t i = 0; i < standings.size(); ++i) {
    if (standings[i].live && undecided[i]) {
      contested.insert(LeaderOf(standings, standings[i].contest));
    }
  }
  const auto live =
      std::count_if(standings.begin(), standings.end(), [](const Standing& s) { return s.live; });
  std::vector<Wish> wishes(standings.size(), Wish::kNothing);
  for (std::size_t i = 0; i < standings.size(); ++i) {
    const Standing& standing = standings[i];
    if (!standing.live) {
      continue;
    }
    const bool alone = live == 1 && standing.own_half_width.value_or(1) > target;
    const bool open = alone || undecided[i] || contested.contains(i);
    const bool wide = !Precise(standing, target);
    const bool narrows = wide && goal == Goal::kEverywhere && !standing.comparison->process_limited;
    if (open || narrows) {
      wishes[i] = Wish::kMore;
    } else if (standing.spare && (wide || goal == Goal::kDeciding)) {
      wishes[i] = Wish::kLetBe;
    }
  }
  return wishes;
}

std::vector<bool> Hopeless(std::span<const Standing> standings, double times) {
  std::vector<bool> hopeless(standings.size(), false);
  for (std::size_t i = 0; i < standings.size(); ++i) {
    const std::size_t leader = LeaderOf(standings, standings[i].contest);
    const bool measured = standings[i].comparison && standings[i].comparison->rounds > 0;
    hopeless[i] = standings[i].live && standings[i].spare && measured &&
                  leader < standings.size() &&
                  RatioOf(standings[i]) * times <= RatioOf(standings[leader]) &&
                  standings[i].fastest_ns >= standings[leader].fastest_ns * times;
  }
  return hopeless;
}

}  // namespace assay::campaign
