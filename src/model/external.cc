#include "model/external.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "onnx/onnx-ml.pb.h"

namespace assay::model {
namespace {

Error Lies(const onnx::TensorProto& proto, std::string_view what) {
  return {Code::kMalformed, fmt::format("external data of '{}' {}", proto.name(), what),
          "graph and weights do not belong together; export both again"};
}

std::string EntryOf(const onnx::TensorProto& proto, std::string_view key) {
  for (const onnx::StringStringEntryProto& entry : proto.external_data()) {
    if (entry.key() == key) {
      return entry.value();
    }
  }
  return "";
}

/// The number under `key`, `otherwise` when the key is absent.
Result<std::uint64_t> NumberOf(const onnx::TensorProto& proto, std::string_view key,
                               std::uint64_t otherwise) {
  const std::string text = EntryOf(proto, key);
  if (text.empty()) {
    return otherwise;
  }
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) {
    return Lies(proto, fmt::format("has no number as its {}", key));
  }
  return number;
}

}  // namespace

void ListInitializers(onnx::GraphProto& graph, std::vector<onnx::TensorProto*>& initializers) {
  for (onnx::TensorProto& proto : *graph.mutable_initializer()) {
    initializers.push_back(&proto);
  }
  for (onnx::NodeProto& node : *graph.mutable_node()) {
    for (onnx::AttributeProto& attribute : *node.mutable_attribute()) {
      if (attribute.has_g()) {
        ListInitializers(*attribute.mutable_g(), initializers);
      }
    }
  }
}

std::string LocationOf(const onnx::TensorProto& proto) { return EntryOf(proto, "location"); }

Result<const ExternalFiles::File*> ExternalFiles::Open(const std::string& location) {
  if (const auto found = files_.find(location); found != files_.end()) {
    return &found->second;
  }
  const std::filesystem::path path = folder_ / location;
  ASSAY_ASSIGN(MappedFile content, MappedFile::Open(path));
  File file{std::move(content), std::nullopt};
  if (path.extension() == ".safetensors") {
    ASSAY_ASSIGN(file.safetensors, tensor::SafetensorsFile::Open(path));
  }
  return &files_.emplace(location, std::move(file)).first->second;
}

Result<ExternalFiles::Range> ExternalFiles::Locate(const onnx::TensorProto& proto,
                                                   const tensor::Type& type) {
  ASSAY_ASSIGN(const std::uint64_t count, tensor::ElementCount(type.shape));
  const std::uint64_t bytes = count * tensor::SizeOf(type.dtype);
  ASSAY_ASSIGN(const std::uint64_t length, NumberOf(proto, "length", bytes));
  if (length != bytes) {
    return Lies(proto, fmt::format("has {} bytes, but {} of {} takes {}", length, Name(type.dtype),
                                   tensor::ToString(type.shape), bytes));
  }
  return Locate(proto, bytes);
}

Result<ExternalFiles::Range> ExternalFiles::Locate(const onnx::TensorProto& proto,
                                                   std::optional<std::uint64_t> bytes) {
  ASSAY_ASSIGN(const File* file, Open(LocationOf(proto)));
  ASSAY_ASSIGN(const std::uint64_t offset, NumberOf(proto, "offset", 0));
  const std::uint64_t size = file->content.bytes().size();
  ASSAY_ASSIGN(const std::uint64_t length,
               NumberOf(proto, "length", bytes.value_or(size - std::min(offset, size))));
  if (offset > size || length > size - offset) {
    return Lies(proto,
                fmt::format("reaches from byte {} over {} in a file of {}", offset, length, size));
  }
  return Range{file, offset, length};
}

Result<Weight> ExternalFiles::Resolve(const onnx::TensorProto& proto, const tensor::Type& type) {
  const std::string location = LocationOf(proto);
  if (absent_) {
    return Weight{proto.name(), location};
  }
  ASSAY_ASSIGN(const Range range, Locate(proto, type));
  if (!range.file->safetensors) {
    return Weight{proto.name(), location};
  }
  const std::vector<tensor::Entry>& entries = range.file->safetensors->entries();
  auto entry = std::ranges::lower_bound(entries, range.offset, {}, &tensor::Entry::offset);
  for (; entry != entries.end() && entry->offset == range.offset; ++entry) {
    if (entry->type == type) {
      return Weight{entry->name, location};
    }
  }
  return Lies(proto, fmt::format("at byte {} is no {} of {} in {}", range.offset, Name(type.dtype),
                                 tensor::ToString(type.shape), location));
}

Result<std::span<const std::byte>> ExternalFiles::Bytes(const onnx::TensorProto& proto,
                                                        const tensor::Type& type) {
  ASSAY_ASSIGN(const Range range, Locate(proto, type));
  return range.file->content.bytes().subspan(range.offset, range.bytes);
}

Result<std::span<const std::byte>> ExternalFiles::Bytes(const onnx::TensorProto& proto) {
  ASSAY_ASSIGN(const Range range, Locate(proto, std::nullopt));
  return range.file->content.bytes().subspan(range.offset, range.bytes);
}

}  // namespace assay::model
