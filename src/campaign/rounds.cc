#include "campaign/rounds.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <limits>
#include <map>
#include <random>
#include <tuple>

#include "campaign/pairing.h"
#include "campaign/schedule.h"
#include "campaign/standings.h"
#include "stats/stats.h"

namespace assay::campaign {
namespace {

constexpr int kBriefRounds = 3;  // of an arm that is known to be slow

class Rounds {
 public:
  Rounds(const RoundsPlan& plan, Workshop& workshop, Progress& progress, Measurements& seen,
         Course course, const Keep& keep)
      : plan_(plan),
        workshop_(workshop),
        progress_(progress),
        seen_(seen),
        course_(std::move(course)),
        keep_(keep),
        // A campaign that goes on draws other orders than it began with.
        random_(plan.seed + seen.sessions.size()) {
    if (course_.groups.empty() && !Candidates().empty()) {
      course_.groups = Heats(Candidates(), Shared(), plan.heat);
    }
  }

  void Run() {
    while (!Finished() && !Candidates().empty()) {
      Generation();
      if (!Finished()) {
        EndGeneration();
      }
    }
    Conclude();
  }

 private:
  void Generation();
  void EndGeneration();
  void RunSession(std::size_t group);
  std::vector<std::size_t> MembersOf(std::size_t group) const;
  void LeaveForLater(std::size_t group, std::vector<std::size_t> arms);
  void TakeRounds(Session& session);
  void PlanShare(const std::vector<std::size_t>& live);
  bool AtLook() const;
  void Cut();
  void CutBrief(Session& session);
  void Look();
  void Conclude();
  void Tell();
  void Note(const std::string& note);
  void KeepIt() const {
    if (keep_ && workshop_.signal() == 0) {
      keep_(course_);
    }
  }

  bool Finished() const { return !stopped_.empty(); }
  bool InTime() const { return plan_.budget_s == 0 || seen_.timing_s < plan_.budget_s; }
  std::vector<Standing> Standings() const {
    std::vector<Entry> entries;
    for (const ArmPlan& arm : plan_.arms) {
      entries.push_back({.contest = arm.contest, .for_throughput = arm.for_throughput});
    }
    return StandingsOf(seen_, BaselineOf(seen_, plan_.baseline), plan_.may_lead, entries);
  }
  std::vector<std::size_t> Candidates() const;  // arms that are measured further
  std::size_t Shared() const;                   // by all groups

  const RoundsPlan& plan_;
  Workshop& workshop_;
  Progress& progress_;
  Measurements& seen_;
  Course course_;
  const Keep& keep_;
  std::mt19937_64 random_;
  Spares spares_;
  std::optional<double> precision_;
  std::string stopped_;  // record::Arm::stopped for those that went on to the end
};

std::vector<std::size_t> Rounds::Candidates() const {
  std::vector<std::size_t> candidates;
  for (std::size_t arm = 0; arm < seen_.arms.size(); ++arm) {
    if (GoesOn(seen_.arms[arm])) {
      candidates.push_back(arm);
    }
  }
  return candidates;
}

std::size_t Rounds::Shared() const {
  const std::size_t baseline = BaselineOf(seen_, plan_.baseline);
  return GoesOn(seen_.arms[baseline]) ? baseline : Candidates().front();
}

void Rounds::Generation() {
  for (; course_.group < course_.groups.size(); ++course_.group, course_.round = 0) {
    RunSession(course_.group);
    if (Finished()) {
      return;
    }
  }
  course_.group = 0;
  ++course_.generation;
}

void Rounds::EndGeneration() {
  if (!InTime()) {
    stopped_ = "budget";
    return;
  }
  const bool first = course_.generation == 1, look = AtLook();
  if (first && plan_.cut > 0) {
    Cut();
  }
  if (look) {
    Look();
  }
  if (look || (first && (plan_.cut > 0 || plan_.heat > 0))) {
    course_.groups = {Candidates()};  // those that are left may fit together now
  }
  KeepIt();
}

std::vector<std::size_t> Rounds::MembersOf(std::size_t group) const {
  std::vector<std::size_t> arms;
  const std::vector<std::size_t>& all = course_.groups[group];
  std::copy_if(all.begin(), all.end(), std::back_inserter(arms),
               [this](std::size_t arm) { return GoesOn(seen_.arms[arm]); });
  if (!arms.empty() && std::find(arms.begin(), arms.end(), Shared()) == arms.end()) {
    arms.insert(arms.begin(), Shared());
  }
  return arms;
}

void Rounds::LeaveForLater(std::size_t group, std::vector<std::size_t> arms) {
  std::erase_if(course_.groups[group], [&](std::size_t arm) {
    return std::find(arms.begin(), arms.end(), arm) != arms.end();
  });
  arms.insert(arms.begin(), Shared());
  course_.groups.push_back(std::move(arms));
  Note(
      fmt::format("memory does not hold all arms at once: they are measured in groups that "
                  "share {}",
                  plan_.arms[Shared()].label));
}

void Rounds::Note(const std::string& note) {
  if (std::find(seen_.notes.begin(), seen_.notes.end(), note) == seen_.notes.end()) {
    seen_.notes.push_back(note);
    progress_.Say(note);
  }
}

void Rounds::RunSession(std::size_t group) {
  if (!InTime() && !seen_.sessions.empty()) {
    stopped_ = "budget";
    return;
  }
  const std::vector<std::size_t> arms = MembersOf(group);
  const bool shared_alone = group > 0 && arms == std::vector{Shared()};
  if (arms.empty() || shared_alone || (course_.share > 0 && course_.round >= course_.share)) {
    return;
  }
  Session session(plan_, workshop_, progress_, seen_, course_.generation);
  const bool again = plan_.ahead && course_.generation + 1 < plan_.processes;
  if (const auto left_out = session.Load(arms, spares_, again); !left_out.empty()) {
    LeaveForLater(group, left_out);
  }
  KeepIt();
  session.FirstInferences();
  TakeRounds(session);
  session.Close();
  if (workshop_.signal() != 0) {
    stopped_ = "interrupted";
  }
  KeepIt();
}

void Rounds::TakeRounds(Session& session) {
  const double began = workshop_.Now();
  const double spent_before = seen_.timing_s;
  const auto spent = [&] { return spent_before + workshop_.Now() - began - session.lost_s(); };
  session.WarmUp(plan_.budget_s == 0 ? std::nullopt
                                     : std::optional(began + plan_.budget_s - spent_before));
  PlanShare(session.Live());
  while (course_.round < course_.share && workshop_.signal() == 0 && !session.Live().empty()) {
    seen_.timing_s = spent();
    const bool first = seen_.sessions.size() == 1 && course_.round == 0;
    if (!InTime() && !first) {  // even a spent budget buys one round
      stopped_ = "budget";
      break;
    }
    Tell();
    session.Round(random_);
    seen_.timing_s = spent();
    ++course_.round;
    if (course_.round == kBriefRounds) {
      CutBrief(session);
    }
    KeepIt();
  }
  if (!Finished() && workshop_.signal() == 0) {
    CutBrief(session);  // of a share below that
  }
  seen_.timing_s = spent();
}

void Rounds::PlanShare(const std::vector<std::size_t>& live) {
  if (course_.share > 0) {
    return;
  }
  // Arms of groups to come may be as slow as can be: as few as a slice can hold.
  int fewest =
      live.size() < Candidates().size() ? SliceSize{}.count : std::numeric_limits<int>::max();
  for (const std::size_t arm : live) {
    if (plan_.arms[arm].brief) {
      continue;  // the others need not take more rounds for it
    }
    fewest = std::min(fewest, seen_.arms[arm].size.count * seen_.arms[arm].size.batch);
  }
  course_.next_look = FirstLook(plan_.samples, fewest);
  course_.share = (course_.next_look + plan_.processes - 1) / plan_.processes;
}

bool Rounds::AtLook() const {
  return course_.generation >= plan_.processes &&
         course_.generation * course_.share >= course_.next_look;
}

void Rounds::Cut() {
  const std::vector<Standing> standings = Standings();
  const std::vector<bool> hopeless = Hopeless(standings, plan_.cut);
  int cut = 0;
  for (std::size_t arm = 0; arm < hopeless.size(); ++arm) {
    if (!hopeless[arm] || plan_.arms[arm].stays) {
      continue;
    }
    const std::size_t leader = LeaderOf(standings, standings[arm].contest);
    const double times = RatioOf(standings[leader]) / RatioOf(standings[arm]);
    seen_.arms[arm].stopped = "cut";
    seen_.arms[arm].cut = fmt::format("{:.1f} times slower than {} after {} rounds", times,
                                      plan_.arms[leader].label, standings[arm].comparison->rounds);
    ++cut;
  }
  if (cut > 0) {
    progress_.Say(fmt::format("{} {} cut: {:g} times slower than the fastest, or more", cut,
                              cut == 1 ? "arm is" : "arms are", plan_.cut));
  }
}

/// Ends the arms that are known to be slow, but for what others are compared with, and for one that
/// is not behind them after all.
void Rounds::CutBrief(Session& session) {
  const std::vector<Standing> standings = Standings();
  std::map<int, double> best_of;  // contests, of the others
  for (std::size_t arm = 0; arm < standings.size(); ++arm) {
    if (!plan_.arms[arm].brief && standings[arm].competes) {
      double& best = best_of[standings[arm].contest];
      best = std::max(best, RatioOf(standings[arm]));
    }
  }
  for (const std::size_t arm : session.Live()) {
    const double best = best_of[standings[arm].contest];
    const bool needed = best > 0 && (arm == Shared() || RatioOf(standings[arm]) >= best);
    if (!plan_.arms[arm].brief || needed || !GoesOn(seen_.arms[arm])) {
      continue;
    }
    session.Close(arm);
    ArmLog& log = seen_.arms[arm];
    if (GoesOn(log)) {
      log.stopped = "cut";
      log.cut = fmt::format("a short budget of {} rounds in one process, as it is known to be slow",
                            log.slice_medians_ns.size());
    }
  }
}

void Rounds::Look() {
  const std::vector<Standing> standings = Standings();
  const std::vector<Wish> wishes = WishesAt(standings, plan_.precision_target, plan_.goal);
  precision_.reset();
  for (const Standing& standing : standings) {
    if (standing.live && standing.comparison) {
      precision_ = std::max(precision_.value_or(0), HalfWidth(*standing.comparison));
    }
  }
  const bool more = std::find(wishes.begin(), wishes.end(), Wish::kMore) != wishes.end();
  for (std::size_t arm = 0; arm < wishes.size(); ++arm) {
    if (wishes[arm] == Wish::kLetBe) {
      const bool precise = HalfWidth(*standings[arm].comparison) <= plan_.precision_target;
      seen_.arms[arm].stopped = precise ? "precision" : "decided";
    }
  }
  const std::optional<int> look = LookAfter(course_.generation * course_.share, plan_.most_rounds);
  if (!more) {
    stopped_ = plan_.goal == Goal::kDeciding ? "decided" : "precision";
  } else if (!look) {
    stopped_ = "rounds";
  } else {
    course_.next_look = *look;
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

void Rounds::Tell() {
  const auto left =
      plan_.budget_s == 0 ? std::nullopt : std::optional(plan_.budget_s - seen_.timing_s);
  progress_.Update({.name = "timing",
                    .arms_live = static_cast<int>(Candidates().size()),
                    .arms_total = static_cast<int>(seen_.arms.size()),
                    .round = course_.generation * course_.share + course_.round + 1,
                    .rounds_planned = course_.next_look,
                    .group = static_cast<int>(course_.group) + 1,
                    .groups = static_cast<int>(course_.groups.size()),
                    .precision = precision_,
                    .seconds_left = left});
}

}  // namespace

void MeasureInRounds(const RoundsPlan& plan, Workshop& workshop, Progress& progress,
                     Measurements& seen, Course course, const Keep& keep) {
  Rounds(plan, workshop, progress, seen, std::move(course), keep).Run();
}

}  // namespace assay::campaign
