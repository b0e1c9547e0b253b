#include "tensor/checkpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <system_error>

#include "base/text.h"

namespace assay::tensor {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostNameBytes = 1000;
constexpr std::uintmax_t kMostIndexBytes = 100'000'000;  // as a safetensors header

using Shards = std::map<std::string, std::set<std::string>>;  // file: its tensors

/// A word from the file, safe to print: quoted, on one line, of bounded length.
std::string Quoted(std::string_view word) {
  constexpr std::size_t kMost = 120;
  using nlohmann::json;
  return json(word.substr(0, kMost))
      .dump(-1, ' ', true, json::error_handler_t::replace)
      .append(word.size() > kMost ? "..." : "");
}

Error Malformed(const fs::path& path, const std::string& what) {
  return {Code::kMalformed, fmt::format("{}: {}", path.string(), what),
          "the index and its shards do not belong together, or are damaged; get them again"};
}

/// A path that stays below the index's folder. Links may lead elsewhere: they are the user's own,
/// and Hugging Face's cache is made of them.
bool StaysInside(const std::string& file) {
  const fs::path path(file);
  return !file.empty() && IsText(file) && file.size() <= kMostNameBytes && path.is_relative() &&
         std::find(path.begin(), path.end(), "..") == path.end();
}

Result<Shards> ReadIndex(const fs::path& path) {
  std::error_code error;
  if (const auto bytes = fs::file_size(path, error); !error && bytes > kMostIndexBytes) {
    return Malformed(path, fmt::format("an index of {} bytes is none", bytes));
  }
  ASSAY_ASSIGN(const MappedFile file, MappedFile::Open(path));
  const auto* begin = reinterpret_cast<const char*>(file.bytes().data());
  const auto index = nlohmann::json::parse(begin, begin + file.bytes().size(), nullptr,
                                           /*allow_exceptions=*/false);
  const auto map = index.is_object() ? index.find("weight_map") : index.end();
  if (!index.is_object() || map == index.end() || !map->is_object() || map->empty()) {
    return Malformed(path, "is no index: it has no 'weight_map' of tensors and files");
  }
  Shards shards;
  for (const auto& [name, shard] : map->items()) {
    if (!shard.is_string()) {
      return Malformed(path, fmt::format("tensor {} is in no file", Quoted(name)));
    }
    const auto& where = shard.get_ref<const std::string&>();
    if (!StaysInside(where)) {
      return Malformed(path,
                       fmt::format("tensor {} is in {}, which is not below the index's folder",
                                   Quoted(name), Quoted(where)));
    }
    shards[where].insert(name);
  }
  return shards;
}

/// The shard holds the tensors that the index places there, and no others.
Status CheckShard(const SafetensorsFile& file, const std::string& shard,
                  const std::set<std::string>& placed, const fs::path& index) {
  for (const Entry& entry : file.entries()) {
    if (!placed.contains(entry.name)) {
      return Malformed(index,
                       fmt::format("{} has the tensor {}, which the index does not place there",
                                   Quoted(shard), Quoted(entry.name)));
    }
  }
  if (file.entries().size() == placed.size()) {
    return {};
  }
  std::set<std::string> absent = placed;
  for (const Entry& entry : file.entries()) {
    absent.erase(entry.name);
  }
  return Malformed(index,
                   fmt::format("tensor {} is not in {}", Quoted(*absent.begin()), Quoted(shard)));
}

}  // namespace

void Checkpoint::Add(SafetensorsFile file) {
  files_.push_back(std::move(file));  // moving does not move the mapping
  for (const Entry& entry : files_.back().entries()) {
    tensors_.push_back({entry.name, entry.type, files_.back().Bytes(entry)});
  }
}

Result<Checkpoint> Checkpoint::Open(const fs::path& path) {
  Checkpoint checkpoint;
  if (path.extension() == ".json") {
    ASSAY_ASSIGN(const Shards shards, ReadIndex(path));
    for (const auto& [shard, placed] : shards) {
      ASSAY_ASSIGN(SafetensorsFile file, SafetensorsFile::Open(path.parent_path() / shard));
      ASSAY_TRY(CheckShard(file, shard, placed, path));
      checkpoint.Add(std::move(file));
    }
  } else {
    ASSAY_ASSIGN(SafetensorsFile file, SafetensorsFile::Open(path));
    checkpoint.Add(std::move(file));
  }
  std::sort(checkpoint.tensors_.begin(), checkpoint.tensors_.end(),
            [](const Stored& a, const Stored& b) { return a.name < b.name; });
  return checkpoint;
}

const Stored* Checkpoint::Find(std::string_view name) const {
  const auto found = std::lower_bound(
      tensors_.begin(), tensors_.end(), name,
      [](const Stored& tensor, std::string_view key) { return tensor.name < key; });
  return found == tensors_.end() || found->name != name ? nullptr : &*found;
}

std::string Checkpoint::Sha256Sum() const {
  Sha256 hash;
  for (const Stored& tensor : tensors_) {
    // The length keeps a name from running into the type.
    hash.Update(fmt::format("{} {} {} {}\n", tensor.name.size(), tensor.name,
                            Name(tensor.type.dtype), ToString(tensor.type.shape)));
    hash.Update(tensor.bytes);
  }
  return hash.Finish();
}

}  // namespace assay::tensor
