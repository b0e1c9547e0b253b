#include "tensor/npy.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/file.h"

namespace assay::tensor {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::size_t kMostHeaderBytes = 10'000;  // numpy's _MAX_HEADER_SIZE
constexpr std::size_t kMostWord = 32;             // longer than any type of one element
constexpr std::size_t kMostDimensions = 64;       // numpy's NPY_MAXDIMS

constexpr std::array<std::pair<std::string_view, DType>, 12> kDescriptions = {
    {{"<f4", DType::kFloat32},
     {"<f8", DType::kFloat64},
     {"<f2", DType::kFloat16},
     {"|i1", DType::kInt8},
     {"<i2", DType::kInt16},
     {"<i4", DType::kInt32},
     {"<i8", DType::kInt64},
     {"|u1", DType::kUInt8},
     {"<u2", DType::kUInt16},
     {"<u4", DType::kUInt32},
     {"<u8", DType::kUInt64},
     {"|b1", DType::kBool}}};

struct Header {
  std::string description;
  bool fortran_order = false;
  Shape shape;
};

/// The header: a literal of Python, {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), } and
/// blanks. Exactly these keys, in any order; nothing else of Python.
class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  std::optional<Header> Run() {
    Header header;
    bool description = false, order = false, shape = false;
    if (!Take('{')) {
      return std::nullopt;
    }
    while (!Take('}')) {
      const auto key = String();
      if (!key || !Take(':')) {
        return std::nullopt;
      }
      bool* seen = *key == "descr"           ? &description
                   : *key == "fortran_order" ? &order
                   : *key == "shape"         ? &shape
                                             : nullptr;
      if (seen == nullptr || std::exchange(*seen, true) || !Value(*key, header)) {
        return std::nullopt;
      }
      if (!Take(',') && !At('}')) {
        return std::nullopt;
      }
    }
    Skip();
    return text_.empty() && description && order && shape ? std::optional(header) : std::nullopt;
  }

 private:
  void Skip() { text_.remove_prefix(std::min(text_.find_first_not_of(" \t\n"), text_.size())); }
  bool At(char c) {
    Skip();
    return text_.starts_with(c);
  }
  bool Take(char c) {
    const bool here = At(c);
    text_.remove_prefix(here ? 1 : 0);
    return here;
  }

  std::optional<std::string> String() {
    const char quote = At('"') ? '"' : '\'';
    const std::size_t end = At(quote) ? text_.find(quote, 1) : std::string_view::npos;
    if (end == std::string_view::npos) {
      return std::nullopt;
    }
    std::string word(text_.substr(1, end - 1));
    text_.remove_prefix(end + 1);
    const bool plain = word.size() <= kMostWord &&
                       std::all_of(word.begin(), word.end(),
                                   [](char c) { return c >= ' ' && c <= '~' && c != '\\'; });
    return plain ? std::optional(word) : std::nullopt;
  }

  bool Value(const std::string& key, Header& header) {
    if (key == "shape") {
      return Tuple(header.shape);
    }
    if (key == "descr") {
      // Fields of a structure are a list: told from damage, since numpy does write it.
      const auto word = At('[') ? Structure() : String();
      header.description = word.value_or("");
      return word.has_value();
    }
    Skip();
    for (const bool value : {true, false}) {
      const std::string_view word = value ? "True" : "False";
      if (text_.starts_with(word)) {
        text_.remove_prefix(word.size());
        header.fortran_order = value;
        return true;
      }
    }
    return false;
  }

  std::optional<std::string> Structure() {
    const std::size_t end = text_.find(']');
    if (end == std::string_view::npos) {
      return std::nullopt;
    }
    text_.remove_prefix(end + 1);
    return "a structure";
  }

  bool Tuple(Shape& shape) {
    if (!Take('(')) {
      return false;
    }
    while (!Take(')')) {
      Skip();
      std::int64_t number = 0;
      const auto [end, error] = std::from_chars(text_.data(), text_.data() + text_.size(), number);
      if (error != std::errc() || number < 0 || shape.size() == kMostDimensions) {
        return false;
      }
      text_.remove_prefix(static_cast<std::size_t>(end - text_.data()));
      shape.push_back(number);
      if (!Take(',') && (shape.size() == 1 || !At(')'))) {
        return false;  // (3) is a number, not a tuple
      }
    }
    return true;
  }

  std::string_view text_;
};

struct Parts {
  std::string_view header;
  std::span<const std::byte> data;
};

Result<Parts> Divide(std::span<const std::byte> bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  constexpr std::size_t kVersionBytes = 2;
  const std::size_t fixed = kMagic.size() + kVersionBytes;
  if (!text.starts_with(kMagic) || bytes.size() < fixed) {
    return Error{Code::kMalformed, "is no .npy file", ""};
  }
  const auto major = std::to_integer<unsigned>(bytes[kMagic.size()]);
  const auto minor = std::to_integer<unsigned>(bytes[kMagic.size() + 1]);
  if (major < 1 || major > 3 || minor != 0) {
    return Error{Code::kMalformed, fmt::format("is of the unknown version {}.{}", major, minor),
                 ""};
  }
  const std::size_t length_bytes = major == 1 ? 2 : 4;
  if (bytes.size() < fixed + length_bytes) {
    return Error{Code::kMalformed, fmt::format("is cut off after {} bytes", bytes.size()), ""};
  }
  std::size_t length = 0;
  for (std::size_t i = 0; i < length_bytes; ++i) {
    length |= std::to_integer<std::size_t>(bytes[fixed + i]) << (8 * i);
  }
  const std::size_t begin = fixed + length_bytes;
  if (length > kMostHeaderBytes || length > bytes.size() - begin) {
    return Error{Code::kMalformed,
                 fmt::format("claims a header of {} bytes in a file of {}", length, bytes.size()),
                 ""};
  }
  return Parts{text.substr(begin, length), bytes.subspan(begin + length)};
}

Result<DType> TypeOf(const std::string& description) {
  for (const auto& [word, dtype] : kDescriptions) {
    if (word == description) {
      return dtype;
    }
  }
  return Error{Code::kUnsupported,
               description == "a structure"
                   ? "holds structures, not numbers"
                   : fmt::format("holds elements of the type '{}'", description),
               "save it as a little-endian array of the input's type: numpy.save(FILE, "
               "array.astype('<f4'))"};
}

/// The elements of an array whose first index runs fastest, with the last running fastest.
std::vector<std::byte> InCOrder(std::span<const std::byte> data, const Shape& shape,
                                std::size_t size) {
  std::vector<std::byte> ordered(data.size());
  std::vector<std::size_t> index(shape.size(), 0);
  for (std::size_t to = 0; to < ordered.size(); to += size) {
    std::size_t from = 0;
    for (std::size_t axis = shape.size(); axis-- > 0;) {
      from = from * static_cast<std::size_t>(shape[axis]) + index[axis];
    }
    std::memcpy(ordered.data() + to, data.data() + from * size, size);
    for (std::size_t axis = shape.size(); axis-- > 0;) {
      if (++index[axis] < static_cast<std::size_t>(shape[axis])) {
        break;
      }
      index[axis] = 0;
    }
  }
  return ordered;
}

Result<Tensor> Read(std::span<const std::byte> bytes) {
  ASSAY_ASSIGN(const Parts parts, Divide(bytes));
  const std::optional<Header> header = Parser(parts.header).Run();
  if (!header) {
    return Error{Code::kMalformed, "has a header that numpy does not write", ""};
  }
  Tensor tensor;
  ASSAY_ASSIGN(tensor.type.dtype, TypeOf(header->description));
  tensor.type.shape = header->shape;
  ASSAY_ASSIGN(const std::uint64_t count, ElementCount(header->shape));
  const std::size_t size = SizeOf(tensor.type.dtype);
  if (parts.data.size() != count * size) {
    return Error{Code::kMalformed,
                 fmt::format("holds {} bytes of data, but {} of {} takes {}", parts.data.size(),
                             Name(tensor.type.dtype), ToString(header->shape), count * size),
                 ""};
  }
  const bool truth = std::all_of(parts.data.begin(), parts.data.end(),
                                 [](std::byte b) { return b <= std::byte{1}; });
  if (tensor.type.dtype == DType::kBool && !truth) {
    return Error{Code::kMalformed, "holds booleans that are neither 0 nor 1", ""};
  }
  tensor.data = header->fortran_order
                    ? InCOrder(parts.data, header->shape, size)
                    : std::vector<std::byte>(parts.data.begin(), parts.data.end());
  return tensor;
}

}  // namespace

Result<Tensor> ReadNpy(const std::filesystem::path& path) {
  ASSAY_ASSIGN(const MappedFile file, MappedFile::Open(path));
  Result<Tensor> tensor = Read(file.bytes());
  if (!tensor) {
    Error error = std::move(tensor).error();
    error.message = fmt::format("{} {}", path.string(), error.message);
    error.code = error.code == Code::kUnsupported ? Code::kInvalidArgument : Code::kMalformed;
    return error;
  }
  tensor->name = path.string();
  return tensor;
}

}  // namespace assay::tensor
