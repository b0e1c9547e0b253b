#include "tensor/fit.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "base/text.h"
#include "tensor/convert.h"

namespace assay::tensor {
namespace {

constexpr std::size_t kMostListed = 5;
constexpr std::size_t kMostComplaint = 3000;  // bytes

/// Heads that share their weight with an embedding, by the ends of their names. safetensors writes
/// shared tensors once.
/// Source  transformers 5.24: _tied_weights_keys of modeling_gpt2.py, modeling_llama.py,
///         modeling_bert.py
constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kTied = {
    {{"lm_head.weight", "wte.weight"},
     {"lm_head.weight", "embed_tokens.weight"},
     {"cls.predictions.decoder.weight", "embeddings.word_embeddings.weight"}}};

/// Counters and constants that some versions of a project save with the weights.
/// Source  PyTorch's BatchNorm2d; transformers 4.30 and before: modeling_bert.py (position_ids),
///         modeling_gpt2.py (attn.bias, the causal mask of rank 4, and attn.masked_bias);
///         ultralytics (dfl.conv.weight: 0 to 15, which turn distributions into distances)
bool IsBuffer(const Stored& tensor) {
  const std::string_view name = tensor.name;
  return name.ends_with("num_batches_tracked") || name.ends_with("position_ids") ||
         name.ends_with("attn.masked_bias") || name.ends_with("dfl.conv.weight") ||
         (name.ends_with("attn.bias") && tensor.type.shape.size() == 4);
}

std::string Written(const Type& type) {
  return fmt::format("{} {}", Name(type.dtype), ToString(type.shape));
}

Shape WithoutOnes(Shape shape) {
  std::erase(shape, 1);
  return shape;
}

/// "missing: a, b and 7 more"; "" for none. `describe` is asked for those shown only.
std::string Listed(std::string_view what, const std::vector<std::string>& names,
                   const std::function<std::string(const std::string&)>& describe) {
  std::vector<std::string> shown;
  for (std::size_t i = 0; i < std::min(names.size(), kMostListed); ++i) {
    shown.push_back(describe(names[i]));
  }
  const std::size_t rest = names.size() - shown.size();
  return names.empty() ? ""
                       : fmt::format("{} {}{}", what, Join(shown, ", "),
                                     rest == 0 ? "" : fmt::format(" and {} more", rest));
}

class Fitting {
 public:
  Fitting(const Checkpoint& checkpoint, const Spelling* spelling)
      : checkpoint_(checkpoint), spelling_(spelling) {}

  Result<std::vector<Parts>> Run(const std::vector<Declared>& wanted, const Subject& subject) {
    for (const Declared& tensor : wanted) {
      known_.insert(tensor.name);
    }
    for (const Stored& tensor : checkpoint_.tensors()) {
      Place(tensor);
    }
    std::vector<Parts> made;
    for (const Declared& tensor : wanted) {
      made.push_back(Make(tensor));
    }
    if (missing_.empty() && other_.empty() && extra_.empty()) {
      return made;
    }
    return Complaint(subject);
  }

 private:
  void Place(const Stored& tensor) {
    const auto read = spelling_ == nullptr ? std::nullopt : spelling_->read(tensor.name);
    const Target target = read.value_or(Target{tensor.name});
    if (target.name.empty()) {
      return;
    }
    if (!known_.contains(target.name)) {
      if (!IsBuffer(tensor) && !CopiesEmbedding(tensor)) {
        extra_.push_back(tensor.name);
      }
      return;
    }
    Parts& parts = given_[target.name];
    parts.resize(target.parts, nullptr);
    if (target.part >= parts.size() || parts[target.part] != nullptr) {
      extra_.push_back(tensor.name);  // two names for one tensor
      return;
    }
    parts[target.part] = &tensor;
  }

  Parts Make(const Declared& wanted) {
    const auto found = given_.find(wanted.name);
    if (found == given_.end()) {
      const Stored* embedding = EmbeddingOf(wanted.name);
      if (embedding != nullptr && embedding->type.shape == wanted.type.shape) {
        return {embedding};
      }
      missing_.push_back(wanted.name);
      return {};
    }
    const Parts& parts = found->second;
    if (std::count(parts.begin(), parts.end(), nullptr) > 0) {
      missing_.push_back(wanted.name);  // a part of it is
    } else if (!Makes(parts, wanted.type)) {
      std::vector<std::string> written;
      for (const Stored* part : parts) {
        written.push_back(fmt::format("{} is {}", part->name, Written(part->type)));
      }
      other_.push_back(
          fmt::format("{} instead of {}", Join(written, " and "), Written(wanted.type)));
    }
    return parts;
  }

  bool Makes(const Parts& parts, const Type& wanted) const {
    Shape shape = parts.front()->type.shape;
    for (std::size_t i = 1; i < parts.size(); ++i) {
      const Shape& next = parts[i]->type.shape;
      if (next.empty() || next.size() != shape.size() ||
          !std::equal(next.begin() + 1, next.end(), shape.begin() + 1)) {
        return false;
      }
      shape[0] += next[0];
    }
    const bool same = spelling_ == nullptr ? shape == wanted.shape
                                           : WithoutOnes(shape) == WithoutOnes(wanted.shape);
    return same && std::all_of(parts.begin(), parts.end(), [&](const Stored* part) {
             return Converts(part->type.dtype, wanted.dtype);
           });
  }

  /// The embedding of the checkpoint that a head of that name shares; null when there is none.
  const Stored* EmbeddingOf(std::string_view head) const {
    for (const auto& [shared, embedding] : kTied) {
      if (!head.ends_with(shared)) {
        continue;
      }
      for (const Stored& tensor : checkpoint_.tensors()) {
        if (tensor.name.ends_with(embedding)) {
          return &tensor;
        }
      }
    }
    return nullptr;
  }

  bool CopiesEmbedding(const Stored& head) const {
    const Stored* embedding = EmbeddingOf(head.name);
    return embedding != nullptr && embedding->type == head.type &&
           std::equal(head.bytes.begin(), head.bytes.end(), embedding->bytes.begin(),
                      embedding->bytes.end());
  }

  Error Complaint(const Subject& subject) const {
    const auto as_it_is = [](const std::string& name) { return name; };
    const auto nearest = [this](const std::string& name) {
      return name + DidYouMean(name, extra_);
    };
    std::vector<std::string> complaints = {Listed("missing:", missing_, nearest),
                                           Listed("other type:", other_, as_it_is),
                                           Listed("unexpected:", extra_, as_it_is)};
    std::erase(complaints, "");
    const std::string as =
        spelling_ == nullptr ? "" : fmt::format(" (read with the names of {})", spelling_->origin);
    return {Code::kInvalidArgument,
            OneLine(fmt::format("{} does not fit {}{}: {}", subject.file, subject.model, as,
                                Join(complaints, "; ")),
                    kMostComplaint),
            subject.hint};
  }

  const Checkpoint& checkpoint_;
  const Spelling* spelling_;
  std::set<std::string_view> known_;
  std::map<std::string, Parts> given_;  // by the model's names
  std::vector<std::string> missing_, other_, extra_;
};

}  // namespace

Result<std::vector<Parts>> Fit(const Checkpoint& checkpoint, const std::vector<Declared>& wanted,
                               const Subject& subject, const Spelling* spelling) {
  return Fitting(checkpoint, spelling).Run(wanted, subject);
}

Status Feed(const Parts& parts, DType wanted, const Sink& sink) {
  for (const Stored* part : parts) {
    if (Status fed = Convert(part->bytes, part->type.dtype, wanted, sink); !fed.ok()) {
      Error error = std::move(fed).error();
      if (error.code == Code::kInvalidArgument) {  // of the value, not of the disk
        error.message = fmt::format("tensor {}: {}", OneLine(part->name), error.message);
      }
      return error;
    }
  }
  return {};
}

}  // namespace assay::tensor
