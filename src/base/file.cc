#include "base/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <system_error>
#include <utility>

namespace assay {
namespace {

Error SystemError(std::string_view what, const std::filesystem::path& path) {
  const int number = errno;
  return {number == ENOENT ? Code::kNotFound : Code::kIo,
          fmt::format("cannot {} {}: {}", what, path.string(), std::strerror(number)), ""};
}

/// The same for a file that was named to be read: what cannot be read is the wrong file.
Error UnreadableError(std::string_view what, const std::filesystem::path& path) {
  const bool wrong_file = errno == EACCES || errno == EISDIR || errno == ENOTDIR ||
                          errno == ELOOP || errno == ENAMETOOLONG;
  Error error = SystemError(what, path);
  error.code = wrong_file ? Code::kInvalidArgument : error.code;
  return error;
}

Status WriteAll(int fd, std::string_view content, const std::filesystem::path& path) {
  while (!content.empty()) {
    const ssize_t written = ::write(fd, content.data(), content.size());
    if (written < 0 && errno == EINTR) {
      continue;
    }
    if (written < 0) {
      return SystemError("write", path);
    }
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

}  // namespace

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

Descriptor::~Descriptor() {
  if (fd_ >= 0) {
    ::close(fd_);
  }
}

Result<MappedFile> MappedFile::Open(const std::filesystem::path& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat info{};
  if (!file.valid() || ::fstat(file.get(), &info) != 0) {
    return UnreadableError("open", path);
  }
  if (!S_ISREG(info.st_mode)) {
    return Error{Code::kInvalidArgument, fmt::format("{} is not a regular file", path.string()),
                 ""};
  }
  const auto size = static_cast<std::size_t>(info.st_size);
  if (size == 0) {
    return MappedFile(nullptr, 0);
  }
  void* data = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.get(), 0);
  if (data == MAP_FAILED) {
    return SystemError("map", path);
  }
  return MappedFile(static_cast<const std::byte*>(data), size);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) {
    ::munmap(const_cast<std::byte*>(data_), size_);
  }
}

Result<std::string> ReadFile(const std::filesystem::path& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) {
    return UnreadableError("open", path);
  }
  std::string content;
  char buffer[1 << 16];
  while (true) {
    const ssize_t got = ::read(file.get(), buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      return UnreadableError("read", path);
    }
    if (got == 0) {
      return content;
    }
    content.append(buffer, static_cast<std::size_t>(got));
  }
}

Status WriteFileAtomically(const std::filesystem::path& path, std::string_view content) {
  const std::filesystem::path temporary =
      path.parent_path() / fmt::format(".{}.{}", path.filename().string(), ::getpid());
  {
    const Descriptor file(
        ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    if (!file.valid()) {
      return SystemError("write", path);
    }
    if (Status written = WriteAll(file.get(), content, path); !written.ok()) {
      ::unlink(temporary.c_str());
      return written;
    }
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) {
    const Error error = SystemError("write", path);
    ::unlink(temporary.c_str());
    return error;
  }
  return {};
}

struct Sha256::State {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  ~State() { EVP_MD_CTX_free(context); }
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
  EVP_DigestInit_ex(state_->context, EVP_sha256(), nullptr);
}

Sha256::~Sha256() = default;

void Sha256::Update(std::span<const std::byte> bytes) {
  EVP_DigestUpdate(state_->context, bytes.data(), bytes.size());
}

void Sha256::Update(std::string_view text) {
  EVP_DigestUpdate(state_->context, text.data(), text.size());
}

std::string Sha256::Finish() {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  EVP_DigestFinal_ex(state_->context, digest, &size);
  std::string text;
  for (unsigned int i = 0; i < size; ++i) {
    text += fmt::format("{:02x}", digest[i]);
  }
  return text;
}

std::string Sha256Of(std::string_view text) {
  Sha256 hash;
  hash.Update(text);
  return hash.Finish();
}

namespace {
std::filesystem::path Variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}
}  // namespace

std::string_view HomeVariable() {
  // The specification of XDG_CACHE_HOME has relative ones ignored.
  return !Variable("ASSAY_HOME").empty()            ? "ASSAY_HOME"
         : Variable("XDG_CACHE_HOME").is_absolute() ? "XDG_CACHE_HOME"
                                                    : "HOME";
}

std::filesystem::path HomeDirectory() {
  namespace fs = std::filesystem;
  const std::string_view variable = HomeVariable();
  const fs::path set = Variable(variable.data());
  fs::path home = set.empty() ? "/tmp" : set;
  if (variable != "ASSAY_HOME") {
    home /= variable == "HOME" ? ".cache/assay" : "assay";
  }
  // A relative one is of no use to programs that run elsewhere.
  std::error_code error;
  const fs::path whole = fs::absolute(home, error).lexically_normal();
  return error ? home : whole;
}

}  // namespace assay
