#include "zoo/checkpoint.h"

#include <fmt/format.h>

#include <set>

#include "base/text.h"

namespace assay::zoo {
namespace {

constexpr std::size_t kMostListed = 5;

/// "missing a, b and 7 more"; "" for none.
std::string Listed(std::string_view what, const std::vector<std::string>& names) {
  if (names.empty()) {
    return "";
  }
  const std::size_t shown = std::min(names.size(), kMostListed);
  const std::string text = Join({names.begin(), names.begin() + static_cast<long>(shown)}, ", ");
  const std::size_t rest = names.size() - shown;
  return fmt::format("{} {}{}", what, text, rest == 0 ? "" : fmt::format(" and {} more", rest));
}

std::string Written(const tensor::Type& type) {
  return fmt::format("{} {}", Name(type.dtype), tensor::ToString(type.shape));
}

}  // namespace

Status CheckCheckpoint(const tensor::SafetensorsFile& checkpoint, const std::string& file,
                       const std::vector<tensor::Declared>& wanted, const std::string& model) {
  std::set<std::string_view> known;
  for (const tensor::Declared& tensor : wanted) {
    known.insert(tensor.name);
  }
  std::vector<std::string> extra;
  for (const tensor::Entry& entry : checkpoint.entries()) {
    if (!known.contains(entry.name) && !entry.name.ends_with("num_batches_tracked")) {
      extra.push_back(entry.name);
    }
  }
  std::vector<std::string> missing;
  std::vector<std::string> other;
  for (const tensor::Declared& tensor : wanted) {
    const tensor::Entry* entry = checkpoint.Find(tensor.name);
    if (entry == nullptr) {
      missing.push_back(tensor.name + DidYouMean(tensor.name, extra));
    } else if (entry->type != tensor.type) {
      other.push_back(fmt::format("{} is {} instead of {}", tensor.name, Written(entry->type),
                                  Written(tensor.type)));
    }
  }
  std::vector<std::string> complaints;
  for (const std::string& complaint :
       {Listed("missing:", missing), Listed("other type:", other), Listed("unexpected:", extra)}) {
    if (!complaint.empty()) {
      complaints.push_back(complaint);
    }
  }
  if (complaints.empty()) {
    return {};
  }
  return Error{Code::kInvalidArgument,
               fmt::format("{} does not fit {}: {}", file, model, Join(complaints, "; ")),
               "names and shapes must be torchvision's, in float32"};
}

}  // namespace assay::zoo
