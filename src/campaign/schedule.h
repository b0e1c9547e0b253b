// How long slices are and when a campaign may stop. Pure: numbers in, decisions out.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "campaign/measurements.h"
#include "stats/stats.h"

namespace assay::campaign {

/// What decides the size of an arm's slices.
struct Pace {
  double inference_ns = 0;  // that one took last; with several places: from one to the next
  int places = 1;           // inferences that it runs at a time: a sample holds a multiple of them
};

/// The size of an arm's next warm-up slice.
SliceSize WarmUpSize(const Pace& pace);

/// Sizes of the slices of arms taking turns: for each at least 5 samples and 50 ms, samples of at
/// least 10 us, the same number of inferences for all; except that a slice that would take an arm
/// more than half a second is cut, down to 5 samples.
std::vector<SliceSize> SliceSizes(std::span<const Pace> paces);

/// The first look whose rounds hold `inferences` of an arm that has `per_slice` in a slice.
int FirstLook(int inferences, int per_slice);
/// The first look after `rounds` and not beyond `most`, nothing when that was the last.
std::optional<int> LookAfter(int rounds, int most);

/// The groups of a first generation: all arms, or each `most` of them with the one that is shared.
std::vector<std::vector<std::size_t>> Heats(const std::vector<std::size_t>& arms,
                                            std::size_t shared, std::size_t most);

/// How an arm stands at a look. The baseline has no comparison; its ratio is 1.
struct Standing {
  int contest = 0;       // the arms that it is to be faster than: each contest has its leader
  bool competes = true;  // may be the fastest: has neither failed nor been cut
  bool live = true;      // is measured further
  bool spare = true;     // may be measured no further while others are: not the baseline
  bool aside = false;    // of another metric: never the leader, but of interest beside it
  std::optional<stats::Comparison> comparison{};  // with the baseline
  std::optional<stats::Comparison> lead{};        // the leader's time / its own; not of the leader
  std::optional<double> own_half_width{};  // relative, of its median; counts when it is alone
  double fastest_ns = 0;  // its fastest slice, per input: what a busy machine spoils last
};

enum class Wish {
  kNothing,  // not live, or as precise as asked
  kMore,     // further rounds
  kLetBe,    // no further rounds: they could not change what the goal asks for
};

/// What precision is for. Deciding spends it where the verdict depends on it: on arms that may
/// still be the fastest. Everywhere makes every interval narrow, except of arms whose processes
/// differ too much for that and that are decided.
enum class Goal { kDeciding, kEverywhere };

/// How many times as fast as the baseline it is.
double RatioOf(const Standing& standing);

/// The arm with the greatest ratio among those of the contest that compete and do not stand aside;
/// `standings.size()` when none does.
std::size_t LeaderOf(std::span<const Standing> standings, int contest);

/// What each arm wishes at a look.
std::vector<Wish> WishesAt(std::span<const Standing> standings, double target, Goal goal);

/// Which live arms are so far behind their leader that no more is measured of them: `times` slower,
/// or more, in the comparison and in their fastest slices. Not the one that all are compared with.
std::vector<bool> Hopeless(std::span<const Standing> standings, double times);

/// Relative half-width of an interval of a ratio, infinite without one.
double HalfWidth(const stats::Comparison& comparison);

}  // namespace assay::campaign
