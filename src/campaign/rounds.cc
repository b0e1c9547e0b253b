#include "campaign/rounds.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <limits>
#include <random>
#include <tuple>

#include "campaign/schedule.h"
#include "stats/stats.h"

namespace assay::campaign {
namespace {

constexpr double kConfidence = 0.99;  // of an interval at one of several looks

class Rounds {
 public:
  Rounds(const RoundsPlan& plan, Workshop& workshop, Progress& progress, Measurements& seen)
      : plan_(plan), workshop_(workshop), progress_(progress), seen_(seen), random_(plan.seed) {
    std::vector<std::size_t> all;
    for (std::size_t arm = 0; arm < plan.arms.size(); ++arm) {
      if (!seen.arms[arm].end) {
        all.push_back(arm);
      }
    }
    groups_ = {all};
  }

  void Run() {
    while (!Finished() && !Candidates().empty()) {
      Generation();
      ++generations_;
      if (!Finished() && !InTime()) {
        stopped_ = "budget";
      } else if (!Finished() && AtLook()) {
        Look();
      }
    }
    Conclude();
  }

 private:
  void Generation();
  void RunSession(std::size_t group);
  void PlanShare();
  bool AtLook() const;
  void Look();
  void Conclude();
  void Tell(int round);

  bool Finished() const { return !stopped_.empty(); }
  bool InTime() const { return plan_.budget_s == 0 || seen_.timing_s < plan_.budget_s; }
  std::vector<Standing> Standings() const;
  std::vector<std::size_t> Candidates() const;  // arms that are measured further
  bool GoesOn(std::size_t arm) const {
    return !seen_.arms[arm].end && seen_.arms[arm].stopped.empty();
  }

  const RoundsPlan& plan_;
  Workshop& workshop_;
  Progress& progress_;
  Measurements& seen_;
  std::mt19937_64 random_;
  std::vector<std::vector<std::size_t>> groups_;  // that are alive together
  int share_ = 0;                                 // rounds of each generation; 0: not known yet
  int next_look_ = 0;                             // in rounds
  int generations_ = 0;
  std::optional<double> precision_;
  std::string stopped_;  // record::Arm::stopped for those that went on to the end
};

std::vector<std::size_t> Rounds::Candidates() const {
  std::vector<std::size_t> candidates;
  for (std::size_t arm = 0; arm < seen_.arms.size(); ++arm) {
    if (GoesOn(arm)) {
      candidates.push_back(arm);
    }
  }
  return candidates;
}

void Rounds::Generation() {
  for (std::size_t group = 0; group < groups_.size() && !Finished(); ++group) {
    RunSession(group);
  }
}

void Rounds::RunSession(std::size_t group) {
  std::vector<std::size_t> arms;
  std::copy_if(groups_[group].begin(), groups_[group].end(), std::back_inserter(arms),
               [this](std::size_t arm) { return GoesOn(arm); });
  if (arms.empty() || (group > 0 && arms == std::vector{plan_.baseline})) {
    return;
  }
  Session session(plan_, workshop_, progress_, seen_);
  std::vector<std::size_t> left_out = session.Load(arms);
  if (!left_out.empty()) {
    std::erase_if(groups_[group], [&](std::size_t arm) {
      return std::find(left_out.begin(), left_out.end(), arm) != left_out.end();
    });
    left_out.insert(left_out.begin(), plan_.baseline);
    groups_.push_back(left_out);
    seen_.notes.push_back(
        fmt::format("memory does not hold all arms at once: they are measured in groups that "
                    "share {}",
                    plan_.arms[plan_.baseline].label));
    progress_.Say(seen_.notes.back());
  }
  session.FirstInferences();
  const double began = workshop_.Now();
  const double spent_before = seen_.timing_s;
  const auto spent = [&] { return spent_before + workshop_.Now() - began - session.lost_s(); };
  session.WarmUp(plan_.budget_s == 0 ? std::nullopt
                                     : std::optional(began + plan_.budget_s - spent_before));
  PlanShare();
  for (int round = 0; round < share_ && workshop_.signal() == 0 && !session.Live().empty();
       ++round) {
    seen_.timing_s = spent();
    const bool first = seen_.sessions.size() == 1 && round == 0;  // even a spent budget buys one
    if (!InTime() && !first) {
      stopped_ = "budget";
      break;
    }
    Tell(round);
    session.Round(random_);
  }
  seen_.timing_s = spent();
  session.Close();
  if (workshop_.signal() != 0) {
    stopped_ = "interrupted";
  }
}

void Rounds::PlanShare() {
  if (share_ > 0) {
    return;
  }
  int fewest = std::numeric_limits<int>::max();
  for (const std::size_t arm : Candidates()) {
    fewest = std::min(fewest, seen_.arms[arm].size.count * seen_.arms[arm].size.batch);
  }
  next_look_ = FirstLook(plan_.samples, fewest);
  share_ = (next_look_ + plan_.processes - 1) / plan_.processes;
}

bool Rounds::AtLook() const {
  return generations_ >= plan_.processes && generations_ * share_ >= next_look_;
}

std::vector<Standing> Rounds::Standings() const {
  std::vector<Standing> standings(seen_.arms.size());
  const std::size_t baseline = BaselineOf(seen_, plan_.baseline);
  for (std::size_t arm = 0; arm < seen_.arms.size(); ++arm) {
    Standing& standing = standings[arm];
    standing.live = GoesOn(arm);
    standing.competes = !seen_.arms[arm].end && !seen_.arms[arm].slice_medians_ns.empty();
    const std::vector<double>& medians = seen_.arms[arm].slice_medians_ns;
    standing.spare = arm != baseline;
    if (arm != baseline) {
      standing.comparison = stats::Compare(LogRatios(seen_, baseline, arm));
    } else if (const auto interval = stats::MedianInterval(medians, kConfidence)) {
      standing.own_half_width = interval->HalfWidth() / stats::Median(medians);
    }
  }
  const std::size_t leader = LeaderOf(standings);
  for (std::size_t arm = 0; arm < standings.size(); ++arm) {
    if (arm != leader && standings[arm].competes) {
      standings[arm].lead = stats::Compare(LogRatios(seen_, leader, arm));
    }
  }
  return standings;
}

void Rounds::Look() {
  const std::vector<Standing> standings = Standings();
  const std::vector<Wish> wishes = WishesAt(standings, plan_.precision_target, plan_.goal);
  precision_.reset();
  for (std::size_t arm = 0; arm < standings.size(); ++arm) {
    if (standings[arm].live && standings[arm].comparison) {
      precision_ = std::max(precision_.value_or(0), HalfWidth(*standings[arm].comparison));
    }
  }
  const bool more = std::find(wishes.begin(), wishes.end(), Wish::kMore) != wishes.end();
  for (std::size_t arm = 0; arm < wishes.size(); ++arm) {
    if (wishes[arm] == Wish::kLetBe) {
      const bool precise = HalfWidth(*standings[arm].comparison) <= plan_.precision_target;
      seen_.arms[arm].stopped = precise ? "precision" : "decided";
    }
  }
  const std::optional<int> look = LookAfter(generations_ * share_);
  if (!more) {
    stopped_ = plan_.goal == Goal::kDeciding ? "decided" : "precision";
  } else if (!look) {
    stopped_ = "rounds";
  } else {
    next_look_ = *look;
  }
}

void Rounds::Conclude() {
  const std::vector<Standing> standings = Standings();
  for (const std::size_t arm : Candidates()) {
    if (seen_.arms[arm].slice_medians_ns.empty()) {
      continue;
    }
    // An arm that was precise enough did not need what ended the others.
    const auto& [comparison, own] =
        std::tie(standings[arm].comparison, standings[arm].own_half_width);
    const double width = comparison ? HalfWidth(*comparison) : own.value_or(1);
    const bool precise = width <= plan_.precision_target;
    const bool enough = stopped_ == "rounds" || stopped_ == "decided";
    seen_.arms[arm].stopped = enough && precise ? "precision" : stopped_;
  }
}

void Rounds::Tell(int round) {
  const auto left =
      plan_.budget_s == 0 ? std::nullopt : std::optional(plan_.budget_s - seen_.timing_s);
  progress_.Update({.name = "timing",
                    .arms_live = static_cast<int>(Candidates().size()),
                    .arms_total = static_cast<int>(seen_.arms.size()),
                    .round = generations_ * share_ + round + 1,
                    .rounds_planned = next_look_,
                    .precision = precision_,
                    .seconds_left = left});
}

}  // namespace

void MeasureInRounds(const RoundsPlan& plan, Workshop& workshop, Progress& progress,
                     Measurements& seen) {
  Rounds(plan, workshop, progress, seen).Run();
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
