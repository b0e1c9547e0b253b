#include <fmt/format.h>

#include <algorithm>
#include <csignal>

#include "base/file.h"
#include "campaign/campaign.h"
#include "cli/folders.h"
#include "cli/hardware_options.h"
#include "cli/keep.h"
#include "cli/list_options.h"
#include "cli/progress.h"
#include "cli/run_options.h"
#include "cli/status.h"
#include "cli/surroundings.h"
#include "cli/terminal.h"
#include "cli/verb.h"
#include "hardware/machine.h"

namespace assay::cli {
namespace {

constexpr const char* kExamples =
    "Examples:\n"
    "  assay run resnet18\n"
    "  assay run model.onnx --conversions COMPILE_OPENVINO,EAGER,ONNX_CPU --threads 2\n"
    "  assay run mobilenet_v2 --batch-size 8 --output m.json --output m.md --keep best/\n"
    "  assay run resnet50 --format json --quiet > r.json\n"
    "  assay run resnet18 --tier 3 --output all.json\n"
    "  assay run resnet18 --threads auto --batch-size 1,8\n"
    "  assay run python:net.py:build --input-shape 1x3x224x224\n"
    "  assay run model.onnx --conversions 'EAGER,INT8_STATIC*' --calibration typical/\n"
    "\n"
    "Ends with 0 when every arm was measured (or is unsupported here), 1 when one was not, 2 for "
    "a\n"
    "wrong command, 3 when nothing can run here, 4 for a failure of assay itself.";

/// Everything that can be known to be wrong is said before anything is measured.
struct Prepared {
  report::Format format = report::Format::kText;
  std::vector<conversion::Choice> choices;
  campaign::Options campaign;
  std::vector<OutputFile> outputs;
};

Result<Prepared> Prepare(const RunOptions& options, const hardware::Machine& machine) {
  const conversion::Host host = HostOf(machine);
  Prepared prepared;
  ASSAY_ASSIGN(prepared.format, FormatOf(options.format));
  ASSAY_ASSIGN(prepared.choices, options.Choices(host));
  ASSAY_ASSIGN(prepared.campaign, options.ForCampaign(machine.usable_cores));
  ASSAY_TRY(options.CheckCalibration(prepared.choices));
  ASSAY_TRY(CheckHome());
  ASSAY_ASSIGN(prepared.outputs, CheckOutputs(options.outputs, prepared.choices.size()));
  if (!options.keep.empty()) {
    ASSAY_TRY(RequireEmptyFolder(options.keep));
  }
  return prepared;
}

campaign::Surroundings Around(const hardware::Machine& machine, const Prepared& prepared) {
  campaign::Surroundings around = SurroundingsOf(machine);
  for (const hardware::Warning& warning : machine.warnings) {
    if (warning.mistrust) {
      around.mistrust_reasons.push_back(warning.message);
    }
  }
  const auto is_fake = [&](const conversion::Choice& choice) {
    return choice.route.engine == conversion::kTestEngine ||
           !conversion::LegalityOf(choice, around.host).able.ok();
  };
  if (std::all_of(prepared.choices.begin(), prepared.choices.end(), is_fake)) {  // none is real
    around.roles = {.golden = conversion::kTestEngine,
                    .witness = conversion::kTestEngine,
                    .plain = conversion::kTestEngine,
                    .rounding = "",
                    .lowered = {},
                    .module = conversion::kTestEngine,
                    .onnx = {}};
  } else if (auto profile = FindHardware("this")) {
    around.profile = *std::move(profile);
  } else {
    Say("no predictions beside the measurement: " + profile.error().message);
  }
  return around;
}

Status CheckThreads(const std::vector<int>& counts, std::size_t cpus) {
  const int asked = counts.empty() ? 1 : *std::max_element(counts.begin(), counts.end());
  if (asked <= static_cast<int>(cpus)) {
    return {};
  }
  return Error{Code::kInvalidArgument,
               fmt::format("--threads {} is more than the {} CPUs that assay may use", asked, cpus),
               fmt::format("--threads 1 to {}; without it: the physical cores", cpus)};
}

/// Writes the files asked for; the record is kept below the home folder whatever becomes of them.
Status WriteOutputs(const std::vector<OutputFile>& outputs, const record::Run& run,
                    StderrProgress& progress) {
  const auto kept = KeepRecord(run, HomeDirectory());
  Status first;
  for (const OutputFile& output : outputs) {
    const Status written =
        WriteFileAtomically(output.path, report::Render({run}, output.format, {}));
    if (!written && first) {
      first = Error{Code::kIo, written.error().message,
                    kept ? fmt::format("the record is kept: assay report {}", kept->string()) : ""};
    }
  }
  if (first && kept) {
    progress.Say(fmt::format("record: {}", kept->string()));
  } else if (!kept && outputs.empty()) {
    progress.Say(fmt::format("the record could not be kept: {}", kept.error().message));
  }
  return first;
}

/// Among the arms that nobody asked for, EAGER by the engine that runs a Python module as it is:
/// there is no program of it to replay.
Status RunAsItIs(std::vector<conversion::Choice>& choices) {
  for (conversion::Choice& choice : choices) {
    if (choice.label == "EAGER") {
      ASSAY_ASSIGN(auto pinned, conversion::Select("EAGER@pytorch"));
      choice = std::move(pinned.front());
    }
  }
  return {};
}

int StatusOf(const campaign::Campaign& campaign) {
  // As a shell reports a program that the signal ended.
  return campaign.signal == 0 ? ExitStatus(campaign.run) : 128 + campaign.signal;
}

Result<int> Run(const RunOptions& options, const std::vector<std::string>& command) {
  ASSAY_ASSIGN(const hardware::Machine machine, hardware::Detect());
  ASSAY_ASSIGN(Prepared prepared, Prepare(options, machine));
  ASSAY_TRY(CheckThreads(prepared.campaign.threads, machine.cpus.size()));
  StderrProgress progress(options.telling(), !options.no_progress);
  ASSAY_ASSIGN(const std::vector<model::Model> models,
               options.Models([&](const std::string& line) { progress.Say(line); }));
  const auto& module = models.front().module;
  if (options.conversions.empty() && module && module->no_program) {
    ASSAY_TRY(RunAsItIs(prepared.choices));
  }
  ASSAY_ASSIGN(campaign::Campaign campaign,
               campaign::RunCampaign(models, prepared.choices, prepared.campaign,
                                     Around(machine, prepared), progress));
  campaign.run.assay_version = ASSAY_VERSION;
  campaign.run.command = command;
  // What can still be written is written, whatever else fails.
  const Status written = WriteOutputs(prepared.outputs, campaign.run, progress);
  report::Style style = StyleOfStdout();
  style.notes = options.verbose;
  const Status shown = WriteOut(report::Render({campaign.run}, prepared.format, style));
  if (!options.keep.empty()) {
    ASSAY_ASSIGN(const std::string story, Keep(campaign.run, models, options.keep));
    progress.Say(story);
  }
  ASSAY_TRY(written);
  ASSAY_TRY(shown);
  return StatusOf(campaign);
}

}  // namespace

Verb AddRun(CLI::App& app) {
  const auto options = std::make_shared<RunOptions>();
  CLI::App* verb = app.add_subcommand("run", "measures a model and gives a verdict");
  options->AddTo(*verb);
  verb->footer(kExamples);
  return {verb,
          [options](const std::vector<std::string>& command) { return Run(*options, command); }};
}

}  // namespace assay::cli
