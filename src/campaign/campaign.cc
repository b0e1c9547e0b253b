#include "campaign/campaign.h"

#include <fmt/format.h>

#include <ctime>

#include "campaign/arms.h"
#include "campaign/assemble.h"
#include "campaign/child.h"
#include "campaign/choose_inputs.h"
#include "campaign/countdown.h"
#include "campaign/engines.h"
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
  for (std::size_t i = 0; i < model.graph.inputs.size(); ++i) {
    const auto id = static_cast<std::size_t>(model.graph.inputs[i]);
    const model::Value& value = model.graph.values[id];
    const bool known = i < setting.inputs.drawn.size();
    facts.inputs.push_back({value.name, value.type, "", known ? setting.inputs.drawn[i] : ""});
    for (const InputFile& file : setting.options.inputs) {
      if (file.name == value.name) {
        facts.inputs.back().file = file.path.string();
      }
    }
  }
  facts.fixed_input = setting.inputs.fixed;
  facts.batch_size = model::BatchOf(setting.model.graph);
  return facts;
}

Campaign Finish(const Setting& setting, Findings& findings, int signal) {
  Campaign campaign;
  campaign.run.machine = setting.around.machine;
  campaign.run.model = FactsOf(setting);
  campaign.signal = findings.signal = signal;
  findings.mistrust_reasons = setting.around.mistrust_reasons;
  const std::string subject =
      setting.options.subject.empty() ? setting.model.name : setting.options.subject;
  findings.command_before = "assay run " + subject;
  findings.command_after = RepeatOptions(setting.options);
  findings.names_threads = !setting.options.threads.empty();
  findings.names_batch = !setting.options.batch_sizes.empty();
  findings.calibration_options = CalibrationOptions(setting.options);
  Assemble(findings, campaign.run);
  return campaign;
}

}  // namespace

Result<Campaign> RunCampaign(std::span<const model::Model> models,
                             const std::vector<conversion::Choice>& choices, const Options& options,
                             const Surroundings& surroundings, Progress& shown) {
  const std::string started = Timestamp();
  ASSAY_ASSIGN(const std::unique_ptr<ProcessWorkshop> workshop,
               ProcessWorkshop::Open(surroundings.engines, surroundings.home));
  const double began = workshop->Now();
  Countdown progress(shown, [&] { return workshop->Now(); });
  for (const std::string& variable : ClearedVariables()) {
    progress.Say(fmt::format("{} is cleared for the runtimes", variable));
  }
  progress.Update({.name = "engines"});
  const model::Model& first = models.front();
  if (first.graph.unread && !first.module) {  // before engines that take seconds to start
    ASSAY_TRY(CheckReadable(first.onnx, surroundings.roles.onnx, Timeouts().load_s, *workshop));
  }
  ASSAY_ASSIGN(Settings settings, Arrange(models, choices, options, surroundings, *workshop));
  ASSAY_TRY(ChooseInputs(settings, *workshop, progress));
  Arms arms(settings, choices, *workshop, progress);
  arms.Plan();
  ASSAY_ASSIGN(Journal journal,
               Journal::Open(surroundings.home, arms.Identity(), options.resume, started));
  arms.GoOn(journal, began);
  if (options.tells_plan) {
    progress.Tell(arms.Outlooks());
  }
  arms.Prepare();
  std::vector<ComputedReferences> computed(models.size());
  for (std::size_t model = 0; model < models.size() && arms.AnyLeft(); ++model) {
    computed[model] =
        ComputeReferences(settings.ForReferences(model), arms.Plains(), *workshop, progress);
    if (workshop->signal() == 0) {
      ASSAY_TRY(computed[model].batch);
    }
  }
  arms.Measure(computed);
  arms.Judge(computed);
  Campaign campaign = Finish(settings.first(), arms.findings(), workshop->signal());
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
