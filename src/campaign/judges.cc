#include "campaign/judges.h"

namespace assay::campaign {

std::optional<Result<Outputs>> Judges::OutputsOf(std::size_t arm) const {
  const std::filesystem::path& path = findings_.seen.arms[arm].outputs;
  return path.empty() ? std::nullopt : std::optional(ReadOutputs(path));
}

ArmOutputs Judges::ForJudgement(std::size_t arm, const Outputs* outputs) const {
  const ArmFacts& facts = findings_.arms[arm];
  const Setting& setting = *cases_[arm].setting;
  const auto plain = conversion::PlainOf(cases_[arm].choice.conversion.recipe);
  return {.outputs = outputs,
          .precision = facts.precision,
          .plain = plain ? conversion::PlainName(*plain) : "",
          .lowered = setting.RunsProgram(facts.engine),
          .witness_runtime = facts.engine == setting.around.roles.witness};
}

Verdict Judges::Hold(std::size_t model, const std::vector<ArmOutputs>& arms) const {
  return campaign::Judge(computed_[model].references, arms,
                         cases_.front().setting->options.tolerance);
}

bool Judges::MayLead(std::size_t arm) {
  if (const auto known = may_lead_.find(arm); known != may_lead_.end()) {
    return known->second;
  }
  const ArmFacts& facts = findings_.arms[arm];
  const auto read = OutputsOf(arm);
  const Outputs* outputs = read && read->ok() ? &**read : nullptr;
  const Verdict verdict = Hold(cases_[arm].model, {ForJudgement(arm, outputs)});
  const bool right = verdict.arms.front().outcome == record::Outcome::kMeasured &&
                     verdict.arms.front().output.verdict == "pass";
  const bool doubted = !DoubtOf(facts, findings_.seen.arms[arm]).empty();
  return may_lead_[arm] = right && !doubted && !facts.control;
}

Judges::Sentence Judges::Judge() const {
  Sentence sentence;
  sentence.judgements.resize(cases_.size());
  for (std::size_t model = 0; model < computed_.size(); ++model) {
    std::vector<std::size_t> whose;
    std::vector<std::optional<Outputs>> outputs(cases_.size());  // that judgement points into
    std::vector<ArmOutputs> arms;
    for (std::size_t arm = 0; arm < cases_.size(); ++arm) {
      if (cases_[arm].model != model) {
        continue;
      }
      auto read = OutputsOf(arm);
      if (read && read->ok()) {
        outputs[arm] = **std::move(read);
      } else if (read) {
        sentence.unreadable.emplace_back(arm, read->error());
      }
      whose.push_back(arm);
      arms.push_back(ForJudgement(arm, outputs[arm] ? &*outputs[arm] : nullptr));
    }
    Verdict verdict = Hold(model, arms);
    for (std::size_t i = 0; i < whose.size(); ++i) {
      sentence.judgements[whose[i]] = std::move(verdict.arms[i]);
    }
    if (sentence.lowering_suspect.empty()) {
      sentence.lowering_suspect = std::move(verdict.lowering_suspect);
    }
  }
  return sentence;
}

}  // namespace assay::campaign
