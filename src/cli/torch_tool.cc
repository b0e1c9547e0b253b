#include "cli/torch_tool.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

#include "base/file.h"
#include "campaign/child.h"
#include "campaign/outcome.h"
#include "cli/installed.h"

namespace assay::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* kProgram = "assay-torch-graph";

constexpr double kPatienceSeconds = 1800;  // what a campaign gives a preparation

/// The whole of a file, from its beginning.
std::string ReadAll(int fd) {
  std::string text;
  ::lseek(fd, 0, SEEK_SET);
  char buffer[1 << 16];
  while (true) {
    const ssize_t count = ::read(fd, buffer, sizeof buffer);
    if (count > 0) {
      text.append(buffer, static_cast<std::size_t>(count));
    } else if (count == 0 || errno != EINTR) {
      return text;
    }
  }
}

Error Failed(int status, int log) {
  const std::string last = campaign::LastLine(ReadAll(log));
  return {Code::kCrashed,
          fmt::format("{} {}{}", kProgram, campaign::HowItEnded(status),
                      last.empty() ? "" : fmt::format(" ({})", last)),
          "assay doctor says whether PyTorch works here"};
}

}  // namespace

Result<view::TorchGraphs> AskTorch(const std::string& form, const fs::path& file,
                                   const fs::path& weights) {
  const fs::path tool = ProgramFolder() / kProgram;
  std::error_code error;
  if (!fs::exists(tool, error)) {
    return Error{Code::kUnavailable,
                 fmt::format("{} is not here: this build has no PyTorch", kProgram),
                 "tools/setup.sh builds and installs what is missing; --as onnx and --as aten need "
                 "no PyTorch"};
  }
  const Descriptor reply(::memfd_create("reply", MFD_CLOEXEC));
  const Descriptor log(::memfd_create("log", MFD_CLOEXEC));
  campaign::ChildSpec spec;
  spec.command = {tool.string(), form, file.string(), weights.string(),
                  std::to_string(reply.get())};
  spec.inherited_fd = reply.get();
  ASSAY_ASSIGN(campaign::Child child, campaign::Child::Start(spec, log.get()));
  const std::optional<int> status = child.AwaitFor(kPatienceSeconds);
  if (!status) {
    return Error{Code::kTimedOut,
                 fmt::format("{} did not show it within {:g} s", kProgram, kPatienceSeconds),
                 "--as aten shows the calls themselves"};
  }
  if (*status != 0) {
    return Failed(*status, log.get());
  }
  ASSAY_ASSIGN(const Json json, ParseJson(ReadAll(reply.get()), kProgram));
  if (json.contains("error")) {
    return Error{Code::kUnsupported,
                 fmt::format("{} of PyTorch: {}", form == "fx" ? "torch.export" : "dynamo",
                             json["error"].value("message", "no reason given")),
                 "--as aten shows the calls themselves"};
  }
  return view::TorchGraphsFromJson(json, kProgram);
}

}  // namespace assay::cli
