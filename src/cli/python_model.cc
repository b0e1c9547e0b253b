#include "cli/python_model.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <system_error>

#include "base/file.h"
#include "base/json.h"
#include "base/pending_folder.h"
#include "campaign/child.h"
#include "campaign/outcome.h"
#include "campaign/preparation.h"
#include "cli/installed.h"
#include "model/captured.h"
#include "tensor/checkpoint.h"

namespace assay::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* kProgram = "assay-capture-module";
constexpr const char* kLogFile = "capture.log";
constexpr const char* kStageFile = "stage";
constexpr double kTick = 0.2, kTellSeconds = 20;

/// A target whose file is named from the root, and the folder to import from.
struct Place {
  std::string target;
  fs::path folder;
};

Result<Place> PlaceOf(const std::string& target) {
  const std::size_t colon = target.rfind(':');
  const std::string place = target.substr(0, colon);
  if (colon == std::string::npos || place.empty() || colon + 1 == target.size()) {
    return Error{Code::kInvalidArgument,
                 fmt::format("'{}{}' names no callable", kPythonPrefix, target),
                 "python:package.module:callable or python:path/to/file.py:callable"};
  }
  const std::string callable = target.substr(colon);
  if (!place.ends_with(".py")) {
    return Place{target, fs::current_path()};
  }
  const fs::path file = fs::absolute(place).lexically_normal();
  std::error_code ignored;
  if (!fs::is_regular_file(file, ignored)) {
    return Error{Code::kInvalidArgument, fmt::format("no file '{}'", place),
                 "python:path/to/file.py:callable"};
  }
  return Place{file.string() + callable, file.parent_path()};
}

/// All that decides what is captured but for the content of the user's files.
Result<std::string> KeyOf(const PythonModel& wanted, const Place& place, const fs::path& program) {
  std::string weights;
  if (!wanted.weights.empty()) {
    ASSAY_ASSIGN(const auto checkpoint, tensor::Checkpoint::Open(wanted.weights));
    weights = checkpoint.Sha256Sum();
  }
  ASSAY_ASSIGN(const std::string launcher, ReadFile(program));  // names environment and sources
  const char* path = std::getenv("PYTHONPATH");
  return campaign::CacheKey(
      "python", {launcher, place.target, place.folder.string(), path == nullptr ? "" : path,
                 std::to_string(wanted.batch_size), wanted.input_shape, weights,
                 std::to_string(wanted.seed)});
}

bool Unchanged(const fs::path& folder) {
  const auto sources = model::SourcesOf(folder);
  if (!sources.ok()) {
    return false;
  }
  for (const auto& [path, sha256] : *sources) {
    const auto file = MappedFile::Open(path);
    Sha256 hash;
    if (!file.ok()) {
      return false;
    }
    hash.Update(file->bytes());
    if (hash.Finish() != sha256) {
      return false;
    }
  }
  return true;
}

std::vector<std::string> CommandOf(const PythonModel& wanted, const Place& place,
                                   const fs::path& program, const fs::path& into) {
  std::vector<std::string> command = {program.string(), place.target,
                                      "--folder",       place.folder.string(),
                                      "--into",         into.string(),
                                      "--seed",         std::to_string(wanted.seed),
                                      "--batch-size",   std::to_string(wanted.batch_size),
                                      "--timeout",      fmt::format("{}", wanted.stage_timeout_s)};
  if (!wanted.input_shape.empty()) {
    command.insert(command.end(), {"--input-shape", wanted.input_shape});
  }
  if (!wanted.weights.empty()) {
    command.insert(command.end(), {"--weights", fs::absolute(wanted.weights).string()});
  }
  return command;
}

/// What the capture is at: capture.py writes it down as it goes.
std::string StageIn(const fs::path& folder) {
  const auto said = ReadFile(folder / kStageFile);
  return said.ok() && !said->empty() ? *said : "starting Python";
}

/// Waits for the end of a capture into `folder`. Returns its wait status.
Result<int> AwaitStages(campaign::Child& child, const PythonModel& wanted, const fs::path& folder,
                        const Tell& tell) {
  using Clock = std::chrono::steady_clock;
  const auto since = [](Clock::time_point begin) {
    return std::chrono::duration<double>(Clock::now() - begin).count();
  };
  std::string stage = StageIn(folder);
  auto begun = Clock::now(), told = begun;
  while (true) {
    if (const auto status = child.AwaitFor(kTick)) {
      return *status;
    }
    if (std::string now = StageIn(folder); now != stage) {
      stage = std::move(now);
      begun = Clock::now();
    }
    if (since(begun) > wanted.stage_timeout_s) {
      return Error{Code::kTimedOut,
                   fmt::format("'{}{}' did not end {} within {:g} s", kPythonPrefix, wanted.target,
                               stage, wanted.stage_timeout_s),
                   "--timeout S gives each stage S seconds"};
    }
    if (since(told) > kTellSeconds) {
      tell(fmt::format("still at {}, for {:.0f} s", stage, since(begun)));
      told = Clock::now();
    }
  }
}

/// Runs a capture into `folder` to its end, its output beside. Returns its wait status.
Result<int> RunToEnd(const PythonModel& wanted, const std::vector<std::string>& command,
                     const fs::path& folder, const Tell& tell) {
  const fs::path log = folder / kLogFile;
  const Descriptor output(::open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  if (!output.valid()) {
    return Error{Code::kIo, fmt::format("cannot write {}: {}", log.string(), std::strerror(errno)),
                 "ASSAY_HOME names another place for assay's files"};
  }
  campaign::ChildSpec spec;
  spec.command = command;
  ASSAY_ASSIGN(campaign::Child child, campaign::Child::Start(spec, output.get()));
  return AwaitStages(child, wanted, folder, tell);
}

/// What capture.py says is wrong; what it printed last where it could say nothing.
Error FailureOf(int status, const std::string& target, const fs::path& folder) {
  if (const auto said = ReadJson(folder / "error.json"); said.ok()) {
    return {Code::kInvalidArgument, said->value("message", ""), said->value("hint", "")};
  }
  const auto log = ReadFile(folder / kLogFile);
  const std::string last = log.ok() ? campaign::LastLine(*log) : "";
  return {Code::kInvalidArgument,
          fmt::format("'{}{}' could not be captured: Python {}{}{}", kPythonPrefix, target,
                      campaign::HowItEnded(status), last.empty() ? "" : ": ", last),
          "make and run the module once with the environment's Python alone"};
}

Result<std::string> ContentKey(const fs::path& folder) {
  ASSAY_ASSIGN(const Json json, ReadJson(folder / model::kModuleFile));
  return FromJson("module.json", [&] {
    return campaign::CacheKey(json.at("name").get<std::string>(),
                              {json.at("sha256").get<std::string>()});
  });
}

/// Captures into a folder of its own, which is then named by its content, and notes it in `index`.
Result<fs::path> Capture(const PythonModel& wanted, const Place& place, const fs::path& program,
                         const fs::path& index, const Tell& tell) {
  ASSAY_ASSIGN(PendingFolder pending, PendingFolder::Make(index.parent_path()));
  ASSAY_ASSIGN(const int status,
               RunToEnd(wanted, CommandOf(wanted, place, program, pending.path()), pending.path(),
                        tell));
  if (status != 0) {
    return FailureOf(status, wanted.target, pending.path());
  }
  ASSAY_ASSIGN(const std::string key, ContentKey(pending.path()));
  const fs::path folder = index.parent_path() / key;
  ASSAY_TRY(pending.MoveTo(folder));
  ASSAY_TRY(WriteFileAtomically(index, Json{{"folder", key}}.dump() + "\n"));
  return folder;
}

/// The folder that `index` names, if all that it was made of is as it was.
Result<fs::path> Find(const fs::path& index) {
  ASSAY_ASSIGN(const Json json, ReadJson(index));
  ASSAY_ASSIGN(const std::string name,
               FromJson(index.string(), [&] { return json.at("folder").get<std::string>(); }));
  const fs::path folder = index.parent_path() / name;
  if (!Unchanged(folder)) {
    return Error{Code::kNotFound, fmt::format("{} is out of date", folder.string()), ""};
  }
  return folder;
}

void TellOf(const model::Model& model, const Tell& tell) {
  if (!model.module->not_counted.empty()) {
    tell(fmt::format("{}: its multiply-adds leave out {}, which could not be counted", model.name,
                     Join(model.module->not_counted, " and ")));
  }
  if (!model.module->made_float32.empty()) {
    tell(
        fmt::format("{}: its weights came in {} and are measured in float32; conversions in bf16 "
                    "and fp16 run it reduced",
                    model.name, Join(model.module->made_float32, " and ")));
  }
}

}  // namespace

Result<model::Model> LoadPythonModel(const PythonModel& wanted, const fs::path& home,
                                     const Tell& tell) {
  const fs::path program = ProgramFolder() / kProgram;
  std::error_code ignored;
  if (!fs::exists(program, ignored)) {
    return Error{Code::kUnavailable,
                 fmt::format("{} is not here, so no model can come from Python", kProgram),
                 "tools/setup.sh builds and installs what is missing"};
  }
  ASSAY_ASSIGN(const Place place, PlaceOf(wanted.target));
  ASSAY_ASSIGN(const std::string key, KeyOf(wanted, place, program));
  const fs::path index = home / "models" / (key + ".json");
  if (const auto found = Find(index); found.ok()) {
    if (auto loaded = model::LoadCaptured(*found); loaded.ok()) {
      TellOf(*loaded, tell);
      return loaded;
    }
    fs::remove_all(*found, ignored);  // damaged: capture it again
  }
  tell(fmt::format("capturing {}{} (once, then kept)", kPythonPrefix, wanted.target));
  ASSAY_ASSIGN(const fs::path folder, Capture(wanted, place, program, index, tell));
  ASSAY_ASSIGN(model::Model loaded, model::LoadCaptured(folder));
  TellOf(loaded, tell);
  return loaded;
}

}  // namespace assay::cli
