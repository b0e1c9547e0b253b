// Operands of ai.onnx.ml (trees, encoders) and com.microsoft (fused layers).
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "model/fold_numbers.h"
#include "model/uses.h"

namespace assay::model {
namespace {

/// A list of numbers, as integers, floats or a tensor.
std::vector<double> Listed(const Node& node, const std::string& attribute) {
  const auto found = node.attributes.find(attribute);
  if (found == node.attributes.end()) {
    return {};
  }
  if (const auto* floats = std::get_if<std::vector<double>>(&found->second)) {
    return *floats;
  }
  if (const auto* integers = std::get_if<std::vector<std::int64_t>>(&found->second)) {
    return {integers->begin(), integers->end()};
  }
  if (const auto* array = std::get_if<tensor::Tensor>(&found->second)) {
    const auto decoded = Decode(*array);
    return decoded ? std::vector<double>(decoded->begin(), decoded->end()) : std::vector<double>{};
  }
  return {};
}

std::vector<std::string> Texts(const Node& node, const std::string& attribute) {
  const auto found = node.attributes.find(attribute);
  const auto* words = found == node.attributes.end()
                          ? nullptr
                          : std::get_if<std::vector<std::string>>(&found->second);
  return words == nullptr ? std::vector<std::string>{} : *words;
}

/// One of the keys that an encoder has, in the type that it takes.
Demands Keys(const Use& use, std::initializer_list<const char*> attributes) {
  Domain domain{.reason = fmt::format("keys of '{}'", use.node.name)};
  for (const char* attribute : attributes) {
    for (const double key : Listed(use.node, attribute)) {
      domain.among.push_back(key);
    }
    for (const std::string& word : Texts(use.node, attribute)) {
      domain.words.push_back(word);
    }
  }
  if (!domain.among.empty()) {
    const auto [low, high] = std::minmax_element(domain.among.begin(), domain.among.end());
    domain.each = {{*low, *high}};
  }
  return domain.among.empty() && domain.words.empty()
             ? Demands{}
             : Demands{{Force::kTypical, std::move(domain)}};
}
Demands LabelKeys(const Use& use) {
  const auto classes = static_cast<double>(Texts(use.node, "classes_strings").size());
  Demands demands = Keys(use, {"keys_int64s", "keys_floats", "keys_strings", "keys_tensor"});
  if (demands.empty() && classes > 0) {  // of version 1: their numbers, or themselves
    demands = Keys(use, {"classes_strings"});
    demands.front().domain.each = {{0, classes - 1, true}};
  }
  return demands;
}
Demands Categories(const Use& use) { return Keys(use, {"cats_int64s", "cats_strings"}); }

Demands FeatureNumbers(const Use& use) {
  const std::int64_t features = use.Size(0, -1);
  return features == 0 ? Demands{}
                       : One(Force::kMust, {0, static_cast<double>(features - 1), true},
                             "columns of " + use.Quoted(0));
}

Demands Scaled(const Use& use) {
  constexpr double kDeviations = 2;
  const std::vector<double> offsets = Listed(use.node, "offset"),
                            scales = Listed(use.node, "scale");
  const std::size_t columns = std::max(offsets.size(), scales.size());
  Domain domain{.reason = "around what is subtracted"};
  for (std::size_t i = 0; i < columns; ++i) {
    const double centre = offsets.empty() ? 0 : offsets[std::min(i, offsets.size() - 1)];
    const double scale = scales.empty() ? 1 : std::abs(scales[std::min(i, scales.size() - 1)]);
    const double reach = kDeviations / (scale > 0 ? scale : 1);
    domain.each.push_back({centre - reach, centre + reach});
  }
  return domain.each.empty() ? Demands{} : Demands{{Force::kTypical, std::move(domain)}};
}

Demands AboutThreshold(const Use& use) {
  const double threshold = use.node.Float("threshold", 0);
  return One(Force::kCompared, {threshold - 1, threshold + 1}, "compared with a threshold");
}

/// From below the least threshold of each feature to above the greatest, so that branches vary.
Demands Branches(const Use& use, const char* thresholds_of) {
  const std::vector<double> features = Listed(use.node, "nodes_featureids");
  const std::vector<double> thresholds = Listed(use.node, thresholds_of);
  const std::vector<std::string> modes = Texts(use.node, "nodes_modes");
  std::map<std::size_t, std::pair<Range, bool>> seen;  // with whether it is only compared as equal
  for (std::size_t i = 0; i < std::min(features.size(), thresholds.size()); ++i) {
    const bool leaf = i < modes.size() && modes[i] == "LEAF";
    if (leaf || features[i] < 0 || !std::isfinite(thresholds[i])) {
      continue;
    }
    const bool equal = i < modes.size() && modes[i] == "BRANCH_EQ";
    const Range here{thresholds[i], thresholds[i]};
    const auto [at, added] =
        seen.try_emplace(static_cast<std::size_t>(features[i]), std::pair{here, equal});
    auto& [range, categories] = at->second;
    range = {std::min(range.low, here.low), std::max(range.high, here.high)};
    categories = categories && equal;
  }
  const std::size_t width = seen.empty() ? 0 : seen.rbegin()->first + 1;
  const auto columns = static_cast<std::size_t>(use.Size(0, -1));
  if (width == 0 || (columns > 0 && width > columns)) {
    return {};
  }
  Domain domain{.each = std::vector<Range>(std::max(width, columns), Range{-1, 1}),
                .reason = "around the thresholds of trees"};
  for (const auto& [feature, found] : seen) {
    const auto& [range, categories] = found;
    const double span = range.high - range.low;
    const double beyond = span > 0 ? span / 4 : std::max(1.0, std::abs(range.low) / 2);
    domain.each[feature] = categories ? Range{range.low, range.high + 1, true}
                                      : Range{range.low - beyond, range.high + beyond};
  }
  return {{Force::kTypical, std::move(domain)}};
}
Demands TreeBranches(const Use& use) {
  const bool doubles = use.node.attributes.contains("nodes_values_as_tensor");
  return Branches(use, doubles ? "nodes_values_as_tensor" : "nodes_values");
}
Demands TreeSplits(const Use& use) { return Branches(use, "nodes_splits"); }

Demands Rows(const Use& use, std::size_t table, std::int64_t axis) {
  const std::int64_t rows = use.Size(table, axis);
  return rows == 0 ? Demands{}
                   : One(Force::kMust, {0, static_cast<double>(rows - 1), true},
                         "rows of " + use.Quoted(table));
}
template <std::size_t kTable>
Demands RowsOf(const Use& use) {
  return Rows(use, kTable, 0);
}
Demands Picks(const Use& use) { return Rows(use, 0, use.node.Int("gather_axis", 0)); }

/// 0 or 1 for each key, or how many keys there are.
Demands KeyMask(const Use& use) {
  const std::size_t rank = use.Shape(use.operand).value_or(tensor::Shape{}).size();
  if (rank == 1) {
    const auto keys = static_cast<double>(use.Size(0, 1));
    return keys == 0 ? Demands{}
                     : One(Force::kMust, {1, keys, true}, fmt::format("lengths up to {:g}", keys));
  }
  Demands mask = One(Force::kMust, {0, 1, true}, "a mask");
  mask.front().domain.first = 1;
  return mask;
}

/// The last key of each row, and how many there are in all.
Demands LastKey(const Use& use) {
  const std::int64_t keys = use.Size(0, 1);
  return keys == 0 ? Demands{} : Exactly({keys - 1}, "the last key");
}
Demands AllKeys(const Use& use) {
  const std::int64_t keys = use.Size(0, 1);
  return keys == 0 ? Demands{} : Exactly({keys}, "the number of keys");
}

}  // namespace

const Rules& RuntimeRules() {
  static const Rules kRules = {
      {"ai.onnx.ml", "LabelEncoder", 0, LabelKeys},
      {"ai.onnx.ml", "OneHotEncoder", 0, Categories},
      {"ai.onnx.ml", "CategoryMapper", 0, Categories},
      {"ai.onnx.ml", "ArrayFeatureExtractor", 1, FeatureNumbers},
      {"ai.onnx.ml", "Scaler", 0, Scaled},
      {"ai.onnx.ml", "Binarizer", 0, AboutThreshold},
      {"ai.onnx.ml", "TreeEnsembleClassifier", 0, TreeBranches},
      {"ai.onnx.ml", "TreeEnsembleRegressor", 0, TreeBranches},
      {"ai.onnx.ml", "TreeEnsemble", 0, TreeSplits},
      {"com.microsoft", "EmbedLayerNormalization", 0, RowsOf<2>},
      {"com.microsoft", "EmbedLayerNormalization", 1, RowsOf<4>},
      {"com.microsoft", "EmbedLayerNormalization", 7, KeyMask},
      {"com.microsoft", "EmbedLayerNormalization", 8, RowsOf<3>},
      {"com.microsoft", "GatherBlockQuantized", 1, Picks},
      {"com.microsoft", "RotaryEmbedding", 1, RowsOf<2>},
      {"com.microsoft", "Attention", 3, KeyMask},
      {"com.microsoft", "QAttention", 5, KeyMask},
      {"com.microsoft", "MultiHeadAttention", 4, KeyMask},
      {"com.microsoft", "GroupQueryAttention", 5, LastKey},
      {"com.microsoft", "GroupQueryAttention", 6, AllKeys},
  };
  return kRules;
}

}  // namespace assay::model
