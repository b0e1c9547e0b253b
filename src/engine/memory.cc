#include "engine/memory.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>

#include "base/file.h"

namespace assay::engine {
namespace {

/// The number of a line such as "VmHWM:\t    5124 kB", in bytes.
Result<std::uint64_t> Field(std::string_view status, std::string_view name) {
  const std::string head = fmt::format("\n{}:", name);
  const std::size_t at = status.find(head);
  if (at != std::string_view::npos) {
    std::string_view rest = status.substr(at + head.size());
    rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size()));
    std::uint64_t kib = 0;
    if (std::from_chars(rest.data(), rest.data() + rest.size(), kib).ec == std::errc()) {
      return kib * 1024;
    }
  }
  return Error{Code::kMalformed, fmt::format("/proc/self/status has no number for {}", name), ""};
}

}  // namespace

Result<Memory> ParseStatus(std::string_view status) {
  Memory memory;
  ASSAY_ASSIGN(memory.peak_rss_bytes, Field(status, "VmHWM"));
  ASSAY_ASSIGN(memory.file_bytes, Field(status, "RssFile"));
  return memory;
}

Result<Memory> ReadMemory() {
  ASSAY_ASSIGN(const std::string status, ReadFile("/proc/self/status"));
  return ParseStatus(status);
}

Status ResetPeak() {
  const Descriptor file(::open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC));
  if (!file.valid() || ::write(file.get(), "5", 1) != 1) {
    return Error{Code::kIo,
                 fmt::format("cannot reset the peak of resident memory through "
                             "/proc/self/clear_refs: {}",
                             std::strerror(errno)),
                 ""};
  }
  return {};
}

}  // namespace assay::engine
