// Frames: the part of protocol.h that touches bytes and descriptors.
#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>

#include "engine/protocol.h"

namespace assay::engine {
namespace {

constexpr std::size_t kHeaderBytes = 4;

std::uint32_t DecodeLength(const char* header) {
  std::uint32_t length = 0;
  for (std::size_t i = 0; i < kHeaderBytes; ++i) {
    length |= static_cast<std::uint32_t>(static_cast<unsigned char>(header[i])) << (8 * i);
  }
  return length;
}

/// The beginning of foreign bytes, fit for one line: a stray print is recognised by its text.
std::string Excerpt(std::string_view bytes) {
  constexpr std::size_t kShown = 60;
  std::string shown;
  for (const char c : bytes.substr(0, kShown)) {
    shown += c >= ' ' && c <= '~' ? c : '.';
  }
  return shown;
}

Status CheckLength(std::uint32_t length, std::string_view header) {
  if (length > kMaxFrameBytes) {
    return Error{
        Code::kMalformed,
        fmt::format("a frame of {} bytes is announced, {} are allowed; it begins with '{}'", length,
                    kMaxFrameBytes, Excerpt(header)),
        "something wrote to the protocol's descriptor that is not the protocol"};
  }
  return {};
}

Result<Json> ParseBody(std::string_view body) {
  Json message = Json::parse(body, nullptr, /*allow_exceptions=*/false);
  if (!message.is_object()) {
    return Error{Code::kMalformed,
                 fmt::format("a frame of {} bytes holds no JSON object; it begins with '{}'",
                             body.size(), Excerpt(body)),
                 "something wrote to the protocol's descriptor that is not the protocol"};
  }
  return message;
}

/// Reads exactly `count` bytes.
Status ReadAll(int fd, char* bytes, std::size_t count) {
  while (count > 0) {
    const ssize_t got = ::read(fd, bytes, count);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      return Error{Code::kCrashed, fmt::format("cannot read a frame: {}", std::strerror(errno)),
                   ""};
    }
    if (got == 0) {
      return Error{Code::kCrashed, "the other side closed the protocol's descriptor", ""};
    }
    bytes += got;
    count -= static_cast<std::size_t>(got);
  }
  return {};
}

}  // namespace

Status WriteFrame(int fd, const Json& message) {
  // Runtimes' messages may be no UTF-8: replaced, not thrown.
  const std::string body = message.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (body.size() > kMaxFrameBytes) {
    return Error{Code::kInternal,
                 fmt::format("a message of {} bytes is too long for a frame", body.size()), ""};
  }
  std::string frame;
  frame.reserve(kHeaderBytes + body.size());
  for (std::size_t i = 0; i < kHeaderBytes; ++i) {
    frame += static_cast<char>((body.size() >> (8 * i)) & 0xff);
  }
  frame += body;
  for (std::string_view rest = frame; !rest.empty();) {
    const ssize_t sent = ::send(fd, rest.data(), rest.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) {
      continue;
    }
    if (sent < 0) {
      const Code code = errno == EPIPE || errno == ECONNRESET ? Code::kCrashed : Code::kIo;
      return Error{code, fmt::format("cannot write a frame: {}", std::strerror(errno)), ""};
    }
    rest.remove_prefix(static_cast<std::size_t>(sent));
  }
  return {};
}

Result<Json> ReadFrame(int fd) {
  std::array<char, kHeaderBytes> header;
  ASSAY_TRY(ReadAll(fd, header.data(), header.size()));
  const std::uint32_t length = DecodeLength(header.data());
  ASSAY_TRY(CheckLength(length, {header.data(), header.size()}));
  std::string body(length, '\0');
  ASSAY_TRY(ReadAll(fd, body.data(), body.size()));
  return ParseBody(body);
}

void FrameParser::Feed(const char* bytes, std::size_t count) { buffer_.append(bytes, count); }

Result<Json> FrameParser::Next() {
  if (buffer_.size() < kHeaderBytes) {
    return Json();
  }
  const std::uint32_t length = DecodeLength(buffer_.data());
  ASSAY_TRY(CheckLength(length, buffer_));
  if (buffer_.size() < kHeaderBytes + length) {
    return Json();
  }
  Result<Json> message = ParseBody(std::string_view(buffer_).substr(kHeaderBytes, length));
  buffer_.erase(0, kHeaderBytes + length);
  return message;
}

}  // namespace assay::engine
