#include "campaign_simulation.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <string>

#include "campaign/assemble.h"
#include "campaign/rounds.h"
#include "campaign/scripted_workshop.h"

namespace assay::campaign {
namespace {

constexpr double kEqual = 1e-9;  // log speedups nearer than this are the same

constexpr std::uint64_t kArmBytes = 1000;
constexpr std::uint64_t kReserveBytes = 512u << 20;  // that a session leaves free

std::string NameOf(std::size_t arm) { return arm == 0 ? "EAGER" : "ARM" + std::to_string(arm); }

/// Each process of an arm has an effect of its own, each slice the machine's disturbance.
ScriptedArm Disturbed(double ns, double process_sd, stats::Machine& machine, stats::Dice& dice) {
  const auto effects = std::make_shared<std::map<int, double>>();
  return {.latency_ns =
              [=, &machine, &dice](int process, int) {
                if (!effects->contains(process)) {
                  (*effects)[process] = process_sd * dice.Normal();
                }
                return ns * std::exp(effects->at(process) + machine.Slice());
              },
          .fails = [](const std::string&, int, int) { return std::nullopt; },
          .bytes = kArmBytes};
}

record::Run Simulated(const Field& field, const stats::Noise& noise, double process_sd,
                      std::uint64_t seed) {
  stats::Machine machine(noise, seed);
  stats::Dice dice(seed + 1);
  ScriptedWorkshop workshop;
  RoundsPlan plan;
  const Effort& effort = field.effort;
  plan.budget_s = effort.seconds_per_arm * static_cast<double>(field.log_speedups.size());
  plan.seed = seed;
  plan.samples = std::max(effort.samples, effort.baseline_runs);
  plan.processes = effort.processes;
  plan.most_rounds = effort.most_rounds;
  plan.heat = effort.heat;
  plan.cut = effort.cut;
  if (field.memory > 0) {
    workshop.memory = kReserveBytes + (field.memory + 1) * kArmBytes - 1;
  }
  Findings findings;
  for (std::size_t arm = 0; arm < field.log_speedups.size(); ++arm) {
    ArmFacts facts;
    facts.conversion = facts.label = NameOf(arm);
    facts.precision = "fp32";
    facts.device = "cpu";
    ArmPlan planned;
    planned.label = planned.job.conversion = facts.label;
    workshop.arms[facts.label] = Disturbed(field.baseline_ns * std::exp(-field.log_speedups[arm]),
                                           process_sd, machine, dice);
    planned.expected_bytes = kArmBytes;
    plan.arms.push_back(planned);
    findings.arms.push_back(facts);
    findings.seen.arms.emplace_back();
    findings.judgements.emplace_back().output.verdict = "pass";
  }
  SilentProgress silent;
  MeasureInRounds(plan, workshop, silent, findings.seen);
  record::Run run;
  Assemble(findings, run);
  return run;
}

bool Close(const record::Run& run, std::size_t arm) {
  const auto& close = run.recommendation->not_separated_from;
  return std::find(close.begin(), close.end(), NameOf(arm)) != close.end();
}

double MostRounds(const record::Run& run) {
  int rounds = 0;
  for (const record::Arm& arm : run.arms) {
    rounds = std::max(rounds, arm.speedup ? arm.speedup->rounds : 0);
  }
  return rounds;
}

}  // namespace

CampaignTally SimulateCampaigns(const Field& field, const stats::Noise& noise, double process_sd,
                                int trials) {
  const std::vector<double>& truth = field.log_speedups;
  const std::size_t best =
      static_cast<std::size_t>(std::max_element(truth.begin(), truth.end()) - truth.begin());
  std::vector<double> covered(truth.size(), 0), claimed(truth.size(), 0);
  CampaignTally tally;
  for (int trial = 0; trial < trials; ++trial) {
    const record::Run run =
        Simulated(field, noise, process_sd, 7919u * static_cast<std::uint64_t>(trial) + 3);
    const auto winner = static_cast<std::size_t>(record::Recommended(run) - run.arms.data());
    bool falsely = false;
    for (std::size_t arm = 0; arm < truth.size(); ++arm) {
      const auto& speedup = run.arms[arm].speedup;
      const double ratio = std::exp(truth[arm]);
      const bool claims = speedup && (speedup->ci95 || run.arms[arm].stopped != "cut");
      claimed[arm] += claims;
      covered[arm] +=
          claims && speedup->ci95 && speedup->ci95->low <= ratio && ratio <= speedup->ci95->high;
      falsely |= arm != winner && truth[arm] > truth[winner] - kEqual && !Close(run, arm);
    }
    tally.false_claims += falsely;
    tally.best_found += truth[winner] > truth[best] - kEqual || Close(run, best);
    tally.rounds += MostRounds(run);
  }
  double all_covered = 0, all_claimed = 0;
  for (std::size_t arm = 1; arm < truth.size(); ++arm) {
    all_covered += covered[arm];
    all_claimed += claimed[arm];
    if (claimed[arm] > 0) {
      tally.worst_covered = std::min(tally.worst_covered, covered[arm] / claimed[arm]);
    }
  }
  tally.covered = all_covered / all_claimed;
  tally.false_claims /= trials;
  tally.best_found /= trials;
  tally.rounds /= trials;
  return tally;
}

}  // namespace assay::campaign
