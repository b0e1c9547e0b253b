// assay: which runtime runs a model fastest here, and are its answers right?
#include <fmt/format.h>

#include <new>

#include "base/text.h"
#include "cli/status.h"
#include "cli/terminal.h"
#include "cli/verb.h"

namespace assay::cli {
namespace {

constexpr const char* kAbout =
    "Measures a neural network under several runtimes side by side and says which is fastest "
    "here,\n"
    "by how much and how surely, and whether its answers are right.";
constexpr const char* kExamples =
    "Examples:\n"
    "  assay run resnet18                                       every way there is, and a verdict\n"
    "  assay run model.onnx --conversions EAGER,ONNX_CPU        two ways for a file of yours\n"
    "  assay run vit_b_16 --output vit.json --keep best/        keep the record and the winner\n"
    "  assay doctor                                             is this machine fit to measure?\n"
    "\n"
    "assay VERB --help tells more.";

std::vector<Verb> AddVerbs(CLI::App& app) {
  return {AddRun(app),     AddModels(app),  AddConversions(app), AddEngines(app), AddHardware(app),
          AddDoctor(app),  AddExport(app),  AddGraph(app),       AddReport(app),  AddCompare(app),
          AddAnalyze(app), AddProfile(app), AddCache(app)};
}

/// The names of `app`'s subcommands, or with `options` the long names of its options.
std::vector<std::string> Names(const CLI::App& app, bool options) {
  std::vector<std::string> names;
  for (const CLI::App* verb : app.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(verb->get_name());
  }
  if (options) {
    names.clear();
    for (const CLI::Option* option : app.get_options()) {
      for (const std::string& name : option->get_lnames()) {
        names.push_back("--" + name);
      }
    }
  }
  return names;
}

/// What the parser has to complain of, as one line with the nearest names.
Error UsageError(const CLI::App& app, const CLI::ParseError& complaint, int argc, char** argv) {
  const auto chosen = app.get_subcommands();
  const CLI::App& verb = chosen.empty() ? app : *chosen.front();
  const std::string hint = chosen.empty()
                               ? "assay --help lists the verbs"
                               : fmt::format("assay {} --help tells more", verb.get_name());
  for (int i = 1; i < argc; ++i) {
    const std::string word = Split(argv[i], '=').front();
    const std::vector<std::string> names = Names(verb, true);
    if (word.starts_with("--") && std::find(names.begin(), names.end(), word) == names.end()) {
      return {Code::kInvalidArgument,
              fmt::format("no option '{}'{}", word, DidYouMean(word, names)), hint};
    }
  }
  std::string text = Join(Split(complaint.what(), '\n'), " ");
  if (const auto twice = text.find(": At Most 1 required"); twice != std::string::npos) {
    text = text.substr(0, twice) + " is given more than once";
  }
  return {Code::kInvalidArgument, text, hint};
}

/// Parses and runs. Help and version are answers, not errors.
Result<int> Main(int argc, char** argv) {
  CLI::App app{kAbout, "assay"};
  app.footer(kExamples);
  app.set_version_flag("--version", fmt::format("assay {}", ASSAY_VERSION));
  app.require_subcommand(1);
  const std::vector<Verb> verbs = AddVerbs(app);
  const std::vector<std::string> names = Names(app, false);
  if (argc > 1 && *argv[1] != '-' &&
      std::find(names.begin(), names.end(), argv[1]) == names.end()) {
    return Error{Code::kInvalidArgument,
                 fmt::format("no verb '{}'{}", argv[1], DidYouMean(argv[1], names)),
                 "assay --help lists the verbs"};
  }
  if (argc == 1) {
    WriteError(app.help());
    return kUsage;
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    ASSAY_TRY(WriteOut(app.help()));
    return 0;
  } catch (const CLI::CallForVersion& version) {
    ASSAY_TRY(WriteOut(fmt::format("{}\n", version.what())));
    return 0;
  } catch (const CLI::ParseError& complaint) {
    return UsageError(app, complaint, argc, argv);
  }
  for (const Verb& verb : verbs) {
    if (verb.options->parsed()) {
      // However it was called, the record names the command that others can repeat.
      std::vector<std::string> command = {argv, argv + argc};
      command.front() = "assay";
      return verb.run(command);
    }
  }
  return Error{Code::kInternal, "no verb took the command", ""};
}

}  // namespace
}  // namespace assay::cli

int main(int argc, char** argv) {
  assay::cli::OpenStandardDescriptors();
  assay::Result<int> status = 0;
  try {
    status = assay::cli::Main(argc, argv);
  } catch (const std::bad_alloc&) {
    status =
        assay::Error{assay::Code::kOutOfMemory, "there is not enough memory for what was asked",
                     "a smaller --batch-size, --dim or --input-shape; or free some memory"};
  }
  if (!status.ok()) {
    assay::cli::PrintError(status.error());
    return assay::cli::ExitStatus(status.error().code);
  }
  return *status;
}
