#include "campaign/campaign.h"

#include <ctime>

#include "campaign/arms.h"
#include "campaign/assemble.h"
#include "campaign/countdown.h"
#include "campaign/journal.h"
#include "campaign/process.h"
#include "campaign/reference.h"
#include "campaign/repeat.h"
#include "campaign/setting.h"

namespace assay::campaign {
namespace {

std::string Timestamp() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  ::gmtime_r(&now, &utc);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
  return text;
}

record::ModelFacts FactsOf(const Setting& setting) {
  const model::Model& model = setting.model;
  record::ModelFacts facts;
  facts.name = model.name;
  facts.source = model.source;
  facts.parameters = model.parameters;
  facts.macs = model.macs;
  facts.precision = model.precision;
  facts.file_batch_size = model.original ? model.original->batch : 0;
  facts.weights = model.weights;
  facts.sha256 = model.sha256;
  for (const model::ValueId id : model.graph.inputs) {
    const model::Value& value = model.graph.values[static_cast<std::size_t>(id)];
    facts.inputs.push_back({value.name, value.type, ""});
    for (const InputFile& file : setting.options.inputs) {
      if (file.name == value.name) {
        facts.inputs.back().file = file.path.string();
      }
    }
  }
  facts.fixed_input = setting.inputs.fixed;
  if (!facts.inputs.empty() && !facts.inputs.front().type.shape.empty()) {
    facts.batch_size = facts.inputs.front().type.shape.front();
  }
  return facts;
}

Campaign Finish(const Setting& setting, Findings& findings, int signal) {
  Campaign campaign;
  campaign.run.machine = setting.around.machine;
  campaign.run.model = FactsOf(setting);
  campaign.signal = findings.signal = signal;
  findings.threads = setting.threads;
  findings.batch_size = campaign.run.model.batch_size;
  findings.mistrust_reasons = setting.around.mistrust_reasons;
  const std::string subject =
      setting.options.subject.empty() ? setting.model.name : setting.options.subject;
  findings.command_before = "assay run " + subject;
  findings.command_after = RepeatOptions(setting.options);
  findings.calibration_options = CalibrationOptions(setting.options);
  Assemble(findings, campaign.run);
  return campaign;
}

}  // namespace

Result<Campaign> RunCampaign(const model::Model& model,
                             const std::vector<conversion::Choice>& choices, const Options& options,
                             const Surroundings& surroundings, Progress& shown) {
  const std::string started = Timestamp();
  ASSAY_ASSIGN(const std::unique_ptr<ProcessWorkshop> workshop,
               ProcessWorkshop::Open(surroundings.engines, surroundings.home));
  const double began = workshop->Now();
  Countdown progress(shown, [&] { return workshop->Now(); });
  progress.Update({.name = "engines"});
  ASSAY_ASSIGN(const Setting setting, Arrange(model, choices, options, surroundings, *workshop));
  Arms arms(setting, choices, *workshop, progress);
  arms.Plan();
  ASSAY_ASSIGN(Journal journal,
               Journal::Open(surroundings.home, arms.Identity(), options.resume, started));
  arms.GoOn(journal, began);
  if (options.tells_plan) {
    progress.Tell(arms.Outlooks());
  }
  arms.Prepare();
  const ComputedReferences computed =
      arms.AnyLeft() ? ComputeReferences(setting, arms.Plains(), *workshop, progress)
                     : ComputedReferences{};
  if (workshop->signal() == 0) {
    ASSAY_TRY(computed.batch);
  }
  arms.Measure(computed);
  arms.Judge(computed.references);
  Campaign campaign = Finish(setting, arms.findings(), workshop->signal());
  arms.Predict(campaign.run);
  campaign.run.started = journal.found().started;
  campaign.run.total_s = workshop->Now() - began + journal.found().seconds;
  if (campaign.signal == 0) {
    journal.Remove();
  } else if (journal.writes()) {
    progress.Say("interrupted: the same command with --resume goes on from here");
  }
  return campaign;
}

}  // namespace assay::campaign
