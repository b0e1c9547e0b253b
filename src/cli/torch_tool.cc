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

/// All that comes out of `fd` until its other end is closed.
std::string ReadAll(int fd) {
  std::string text;
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
  ::lseek(log, 0, SEEK_SET);
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
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    return Error{Code::kIo, fmt::format("no pipe: {}", std::strerror(errno)), ""};
  }
  const Descriptor reply(ends[0]);
  Descriptor theirs(ends[1]);
  const Descriptor log(::memfd_create("log", MFD_CLOEXEC));
  campaign::ChildSpec spec;
  spec.command = {tool.string(), form, file.string(), weights.string(),
                  std::to_string(theirs.get())};
  spec.inherited_fd = theirs.get();
  ASSAY_ASSIGN(campaign::Child child, campaign::Child::Start(spec, log.get()));
  theirs = Descriptor();
  const std::string text = ReadAll(reply.get());
  if (const int status = child.Await(); status != 0) {
    return Failed(status, log.get());
  }
  ASSAY_ASSIGN(const Json json, ParseJson(text, kProgram));
  if (json.contains("error")) {
    return Error{Code::kUnsupported,
                 fmt::format("{} of PyTorch: {}", form == "fx" ? "torch.export" : "dynamo",
                             json["error"].value("message", "no reason given")),
                 "--as aten shows the calls themselves"};
  }
  return view::TorchGraphsFromJson(json, kProgram);
}

}  // namespace assay::cli
