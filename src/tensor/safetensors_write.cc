#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <set>

#include "base/json.h"
#include "tensor/dtype_codes.h"
#include "tensor/safetensors.h"

namespace assay::tensor {
namespace {

constexpr std::size_t kAlignment = 64;  // of the data section: a cache line, the widest vector

std::uint64_t ByteCount(const Type& type) {
  const Result<std::uint64_t> count = ElementCount(type.shape);
  return count ? *count * SizeOf(type.dtype) : 0;
}

std::string_view CodeOf(DType dtype) {
  return std::find_if(kDTypeCodes.begin(), kDTypeCodes.end(),
                      [&](const auto& row) { return row.first == dtype; })
      ->second;
}

/// The file's first bytes: length, JSON, and spaces up to the data.
std::string HeaderOf(const std::vector<Declared>& declared) {
  nlohmann::json header = nlohmann::json::object();
  std::uint64_t offset = 0;
  for (const Declared& tensor : declared) {
    const std::uint64_t end = offset + ByteCount(tensor.type);
    header[tensor.name] = {{"dtype", CodeOf(tensor.type.dtype)},
                           {"shape", tensor.type.shape},
                           {"data_offsets", {offset, end}}};
    offset = end;
  }
  std::string text = header.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  const std::size_t used = sizeof(std::uint64_t) + text.size();
  text.append((kAlignment - used % kAlignment) % kAlignment, ' ');
  std::string length(sizeof(std::uint64_t), '\0');
  for (std::size_t i = 0; i < length.size(); ++i) {
    length[i] = static_cast<char>((text.size() >> (8 * i)) & 0xff);
  }
  return length + text;
}

Status Check(const std::vector<Declared>& declared) {
  std::set<std::string_view> names;
  for (const Declared& tensor : declared) {
    ASSAY_TRY(ElementCount(tensor.type.shape));
    if (tensor.name == "__metadata__" || !names.insert(tensor.name).second) {
      return Error{Code::kInvalidArgument,
                   fmt::format("tensor name '{}' is taken already", tensor.name), ""};
    }
  }
  return {};
}

/// A file being written beside its final name; gone unless committed.
class PendingFile {
 public:
  explicit PendingFile(const std::filesystem::path& path)
      : path_(path),
        temporary_(path.parent_path() /
                   fmt::format(".{}.{}", path.filename().string(), ::getpid())),
        file_(::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644)) {}
  PendingFile(const PendingFile&) = delete;
  PendingFile& operator=(const PendingFile&) = delete;
  ~PendingFile() {
    if (!committed_ && file_.valid()) {
      ::unlink(temporary_.c_str());
    }
  }

  Status Write(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
      const ssize_t written = ::write(file_.get(), bytes.data(), bytes.size());
      if (written < 0 && errno != EINTR) {
        return Failure();
      }
      bytes = bytes.subspan(static_cast<std::size_t>(std::max<ssize_t>(written, 0)));
    }
    return {};
  }

  Status Commit() {
    if (::rename(temporary_.c_str(), path_.c_str()) != 0) {
      return Failure();
    }
    committed_ = true;
    return {};
  }

  bool valid() const { return file_.valid(); }

  Error Failure() const {
    const int number = errno;
    return {Code::kIo, fmt::format("cannot write {}: {}", path_.string(), std::strerror(number)),
            ""};
  }

 private:
  std::filesystem::path path_;
  std::filesystem::path temporary_;
  Descriptor file_;
  bool committed_ = false;
};

}  // namespace

std::vector<Entry> LayOut(const std::vector<Declared>& declared) {
  std::uint64_t offset = HeaderOf(declared).size();
  std::vector<Entry> entries;
  for (const Declared& tensor : declared) {
    const std::uint64_t bytes = ByteCount(tensor.type);
    entries.push_back({tensor.name, tensor.type, offset, bytes});
    offset += bytes;
  }
  return entries;
}

Status WriteSafetensors(const std::filesystem::path& path, const std::vector<Declared>& declared,
                        const std::function<Status(std::size_t, const Sink&)>& fill) {
  ASSAY_TRY(Check(declared));
  PendingFile file(path);
  if (!file.valid()) {
    return file.Failure();
  }
  const std::string header = HeaderOf(declared);
  ASSAY_TRY(file.Write(std::as_bytes(std::span(header))));
  for (std::size_t i = 0; i < declared.size(); ++i) {
    const std::uint64_t expected = ByteCount(declared[i].type);
    std::uint64_t fed = 0;
    ASSAY_TRY(fill(i, [&](std::span<const std::byte> bytes) {
      fed += bytes.size();
      return file.Write(bytes);
    }));
    if (fed != expected) {
      return Error{
          Code::kInternal,
          fmt::format("tensor '{}' was given {} bytes of {}", declared[i].name, fed, expected), ""};
    }
  }
  return file.Commit();
}

Status WriteSafetensors(const std::filesystem::path& path, const std::vector<Tensor>& tensors) {
  std::vector<Declared> declared;
  for (const Tensor& tensor : tensors) {
    declared.push_back({tensor.name, tensor.type});
  }
  return WriteSafetensors(path, declared,
                          [&](std::size_t i, const Sink& sink) { return sink(tensors[i].data); });
}

}  // namespace assay::tensor
