// The body of every engine's main: arguments, the descriptor, the loop over requests.
#include <fcntl.h>
#include <fmt/format.h>

#include <charconv>
#include <cstdio>
#include <optional>
#include <string_view>

#include "engine/denormals.h"
#include "engine/engine.h"
#include "engine/guard.h"
#include "engine/worker.h"

namespace assay::engine {
namespace {

std::optional<int> ProtocolDescriptor(int argc, char** argv) {
  if (argc != 3 || std::string_view(argv[1]) != "--protocol-fd") {
    return std::nullopt;
  }
  const std::string_view text = argv[2];
  int fd = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), fd);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole && fd >= 0 ? std::optional(fd) : std::nullopt;
}

int PrintDescription(Engine& engine) {
  const auto description = Guard([&] { return Describe(engine); });
  if (!description.ok()) {
    fmt::print(stderr, "{}\n", description.error().message);
    return 1;
  }
  fmt::print("{}\n", ToJson(*description).dump(2, ' ', false, Json::error_handler_t::replace));
  return 0;
}

int Loop(Engine& engine, int fd) {
  Worker worker(engine);
  while (!worker.closed()) {
    const Result<Json> request = ReadFrame(fd);
    if (!request.ok()) {
      const bool gone = request.error().code == Code::kCrashed;
      if (!gone) {
        fmt::print(stderr, "assay-engine: {}\n", request.error().message);
      }
      return gone ? 0 : 1;
    }
    const Status written = WriteFrame(fd, worker.Answer(*request));
    if (!written.ok()) {
      return written.error().code == Code::kCrashed ? 0 : 1;
    }
  }
  return 0;
}

}  // namespace

int Serve(Engine& engine, int argc, char** argv) {
  FlushDenormals();
  if (argc == 2 && std::string_view(argv[1]) == "--describe") {
    return PrintDescription(engine);
  }
  const std::optional<int> fd = ProtocolDescriptor(argc, argv);
  if (!fd) {
    fmt::print(stderr, "usage: {} --protocol-fd N | --describe\n", argv[0]);
    return 2;
  }
  // At once: a compiler started by the runtime would hold it open, and end of file never come.
  if (::fcntl(*fd, F_SETFD, FD_CLOEXEC) != 0) {
    fmt::print(stderr, "{}: descriptor {} is not open\n", argv[0], *fd);
    return 2;
  }
  return Loop(engine, *fd);
}

}  // namespace assay::engine
