#include "tensor/safetensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>

#include "tensor/dtype_codes.h"

namespace assay::tensor {
namespace {

constexpr std::uint64_t kLengthBytes = 8;
constexpr std::uint64_t kMostHeaderBytes = 100'000'000;  // as the reference implementation

// Sorted keys: parsing stays n log n on a header made to be slow.
using Header = nlohmann::json;

Error Malformed(const std::filesystem::path& path, std::string_view what) {
  return {Code::kMalformed, fmt::format("{}: {}", path.string(), what),
          "the file is damaged or is no safetensors file; get it again"};
}

/// A name from the file, safe to print: quoted, on one line, of bounded length.
std::string Quoted(std::string_view name) {
  constexpr std::size_t kMost = 120;
  return Header(name.substr(0, kMost))
      .dump(-1, ' ', true, Header::error_handler_t::replace)
      .append(name.size() > kMost ? "..." : "");
}

Result<Header> ReadHeader(std::span<const std::byte> bytes, const std::filesystem::path& path) {
  if (bytes.size() < kLengthBytes) {
    return Malformed(path, fmt::format("{} bytes are no safetensors file", bytes.size()));
  }
  std::uint64_t length = 0;
  for (std::size_t i = 0; i < kLengthBytes; ++i) {
    length |= std::to_integer<std::uint64_t>(bytes[i]) << (8 * i);
  }
  if (length > kMostHeaderBytes || length > bytes.size() - kLengthBytes) {
    return Malformed(
        path, fmt::format("claims a header of {} bytes in a file of {}", length, bytes.size()));
  }
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()) + kLengthBytes, length);
  Header header = Header::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!header.is_object()) {
    return Malformed(path, "the header is not a JSON object");
  }
  return header;
}

Result<std::vector<std::int64_t>> ReadIntegers(const Header& list) {
  std::vector<std::int64_t> numbers;
  for (const Header& number : list) {
    if (!number.is_number_unsigned() || number.get<std::uint64_t>() > INT64_MAX) {
      return Error{Code::kMalformed, "is no list of non-negative integers", ""};
    }
    numbers.push_back(number.get<std::int64_t>());
  }
  return numbers;
}

Result<std::vector<std::int64_t>> ReadIntegers(const Header& fields, const char* key) {
  const auto found = fields.find(key);
  if (found == fields.end() || !found->is_array()) {
    return Error{Code::kMalformed, fmt::format("has no list '{}'", key), ""};
  }
  Result<std::vector<std::int64_t>> numbers = ReadIntegers(*found);
  if (!numbers) {
    return Error{Code::kMalformed, fmt::format("'{}' {}", key, numbers.error().message), ""};
  }
  return numbers;
}

Result<DType> ReadDType(const Header& fields) {
  const auto found = fields.find("dtype");
  if (found == fields.end() || !found->is_string()) {
    return Error{Code::kMalformed, "has no 'dtype'", ""};
  }
  const auto& code = found->get_ref<const std::string&>();
  for (const auto& [dtype, name] : kDTypeCodes) {
    if (name == code) {
      return dtype;
    }
  }
  return Error{Code::kMalformed, fmt::format("has the unknown dtype {}", Quoted(code)), ""};
}

/// The error's message is a predicate; the caller names file and tensor.
Result<Entry> ReadEntry(const std::string& name, const Header& fields, std::uint64_t data_begin,
                        std::uint64_t file_bytes) {
  if (!fields.is_object()) {
    return Error{Code::kMalformed, "is not described by an object", ""};
  }
  ASSAY_ASSIGN(const DType dtype, ReadDType(fields));
  ASSAY_ASSIGN(Shape shape, ReadIntegers(fields, "shape"));
  ASSAY_ASSIGN(const std::vector<std::int64_t> range, ReadIntegers(fields, "data_offsets"));
  ASSAY_ASSIGN(const std::uint64_t count, ElementCount(shape));
  if (range.size() != 2 || range[0] > range[1]) {
    return Error{Code::kMalformed, "has no [begin, end] in 'data_offsets'", ""};
  }
  const auto begin = static_cast<std::uint64_t>(range[0]);
  const auto end = static_cast<std::uint64_t>(range[1]);
  if (end > file_bytes - data_begin) {
    return Error{Code::kMalformed,
                 fmt::format("ends at byte {} of {} bytes of data", end, file_bytes - data_begin),
                 ""};
  }
  if (end - begin != count * SizeOf(dtype)) {
    return Error{Code::kMalformed,
                 fmt::format("has {} bytes, but {} of {} takes {}", end - begin, Name(dtype),
                             ToString(shape), count * SizeOf(dtype)),
                 ""};
  }
  return Entry{name, {dtype, std::move(shape)}, data_begin + begin, end - begin};
}

/// Every byte of data belongs to exactly one tensor, as the specification wants.
Status CheckCoverage(const std::vector<Entry>& entries, std::uint64_t data_begin,
                     std::uint64_t file_bytes, const std::filesystem::path& path) {
  std::uint64_t reached = data_begin;
  for (const Entry& entry : entries) {
    if (entry.offset != reached) {
      return Malformed(
          path, fmt::format("tensor {} {}", Quoted(entry.name),
                            entry.offset < reached ? "overlaps another"
                                                   : "leaves bytes before it that nobody claims"));
    }
    reached += entry.bytes;
  }
  if (reached != file_bytes) {
    return Malformed(path,
                     fmt::format("{} bytes at the end belong to no tensor", file_bytes - reached));
  }
  return {};
}

}  // namespace

Result<SafetensorsFile> SafetensorsFile::Open(const std::filesystem::path& path) {
  ASSAY_ASSIGN(MappedFile file, MappedFile::Open(path));
  ASSAY_ASSIGN(const Header header, ReadHeader(file.bytes(), path));
  std::uint64_t length = 0;
  std::memcpy(&length, file.bytes().data(), sizeof length);
  const std::uint64_t data_begin = kLengthBytes + length;
  std::vector<Entry> entries;
  for (const auto& [name, fields] : header.items()) {
    if (name == "__metadata__") {
      continue;
    }
    Result<Entry> entry = ReadEntry(name, fields, data_begin, file.bytes().size());
    if (!entry) {
      return Malformed(path, fmt::format("tensor {} {}", Quoted(name), entry.error().message));
    }
    entries.push_back(*std::move(entry));
  }
  std::stable_sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::pair(a.offset, a.bytes) < std::pair(b.offset, b.bytes);
  });
  ASSAY_TRY(CheckCoverage(entries, data_begin, file.bytes().size(), path));
  return SafetensorsFile(std::move(file), std::move(entries));
}

const Entry* SafetensorsFile::Find(std::string_view name) const {
  const auto found = std::find_if(entries_.begin(), entries_.end(),
                                  [&](const Entry& entry) { return entry.name == name; });
  return found == entries_.end() ? nullptr : &*found;
}

std::span<const std::byte> SafetensorsFile::Bytes(const Entry& entry) const {
  return file_.bytes().subspan(entry.offset, entry.bytes);
}

Tensor SafetensorsFile::Read(const Entry& entry) const {
  const std::span<const std::byte> bytes = Bytes(entry);
  return {entry.name, entry.type, {bytes.begin(), bytes.end()}};
}

}  // namespace assay::tensor
