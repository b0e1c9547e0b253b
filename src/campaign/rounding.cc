#include "campaign/rounding.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace assay::campaign {
namespace {

constexpr int kNumbers = 4;        // of an output and set
constexpr double kUnfitSet = 10;   // times what fp32 does to the best set
constexpr double kRepeats = 1e-6;  // fp64 of the same inputs; of what is drawn it is about 1

}  // namespace

Result<Roundings> RoundingsFrom(const Outputs& numbers, const Outputs& golden) {
  Roundings roundings;
  for (const auto& [name, output] : golden) {
    const auto found = numbers.find(name);
    if (found == numbers.end() || found->second.shape != tensor::Shape{kNumbers} ||
        found->second.sets.size() != output.sets.size()) {
      return Error{Code::kMalformed, fmt::format("nothing fits output '{}'", name), ""};
    }
    Rounding& one = roundings[name];
    for (const std::vector<double>& set : found->second.sets) {
      one.reach.push_back(set[0]);
      one.again.push_back(set[1]);
      one.norm.push_back(set[2]);
      one.draws = set[3] != 0;
    }
  }
  return roundings;
}

void Extend(const Outputs& golden, const Outputs& run, Roundings& roundings) {
  for (const auto& [name, output] : golden) {
    const auto found = run.find(name);
    if (found == run.end() || found->second.shape != output.shape ||
        found->second.sets.size() != output.sets.size()) {
      continue;
    }
    Rounding& one = roundings[name];
    const std::vector<double> distances = Distances(output, found->second);
    one.reach.resize(distances.size());
    for (std::size_t set = 0; set < distances.size(); ++set) {
      one.reach[set] = std::max(one.reach[set], distances[set]);
    }
  }
}

double ReachOver(const Rounding& rounding, const Sets& sets) {
  double squares = 0;
  for (std::size_t set = 0; set < rounding.reach.size(); ++set) {
    if (sets.empty() || std::ranges::find(sets, set) != sets.end()) {
      squares += rounding.reach[set] * rounding.reach[set];
    }
  }
  return std::sqrt(squares);
}

std::string Unrepeatable(const Rounding& rounding) {
  for (std::size_t set = 0; set < rounding.again.size(); ++set) {
    if (rounding.again[set] > kRepeats * rounding.norm[set]) {
      return rounding.draws ? "its outputs are random" : "its outputs depend on earlier calls";
    }
  }
  return "";
}

Sets WellConditioned(const Roundings& roundings) {
  std::vector<double> worst;  // by set, over outputs: times the least of the output
  for (const auto& [name, one] : roundings) {
    worst.resize(std::max(worst.size(), one.reach.size()), 1);
    const double least = one.reach.empty() ? 0 : *std::ranges::min_element(one.reach);
    for (std::size_t set = 0; set < one.reach.size(); ++set) {
      worst[set] = std::max(worst[set], least > 0 ? one.reach[set] / least : 1);
    }
  }
  Sets order(worst.size());
  for (std::size_t set = 0; set < order.size(); ++set) {
    order[set] = set;
  }
  std::ranges::stable_sort(order, {}, [&](std::size_t set) { return worst[set]; });
  Sets fit;
  for (std::size_t place = 0; place < order.size(); ++place) {
    if (place < 2 || worst[order[place]] <= kUnfitSet * worst[order.front()]) {
      fit.push_back(order[place]);
    }
  }
  std::ranges::sort(fit);
  return fit;
}

}  // namespace assay::campaign
