#include "model/resize.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "model/fold_numbers.h"

namespace assay::model {
namespace {

constexpr Number kMostElements = 9e15L;  // of one axis; below 2^63 and exact

}  // namespace

Status CheckResize(const Node& node, const std::string& name,
                   const std::vector<const Value*>& inputs) {
  if (node.op != "Resize" && node.op != "Upsample") {
    return {};
  }
  const auto malformed = [&](const std::string& what) {
    return Error{Code::kMalformed, fmt::format("node '{}' ({}) {}", name, node.op, what), ""};
  };
  std::int64_t most = 1, least = 1;  // elements of an axis
  if (!inputs.empty() && inputs[0] != nullptr) {
    for (const std::int64_t size : inputs[0]->type.shape) {
      most = std::max(most, size);
      least = std::min(least, size);
    }
  }
  if (node.String("keep_aspect_ratio_policy", "stretch") != "stretch" && least < 1) {
    return malformed("keeps the aspect ratio of an axis without elements");
  }
  Numbers factors;  // or sizes, which are divided by an axis and multiplied by another
  if (const auto scales = node.attributes.find("scales"); scales != node.attributes.end()) {
    if (const auto* numbers = std::get_if<std::vector<double>>(&scales->second)) {
      factors.assign(numbers->begin(), numbers->end());
    }
  }
  for (std::size_t i = 1; i < inputs.size(); ++i) {
    if (inputs[i] == nullptr || !inputs[i]->constant) {
      continue;
    }
    if (const auto numbers = Decode(*inputs[i]->constant)) {
      factors.insert(factors.end(), numbers->begin(), numbers->end());
    }
  }
  for (const Number factor : factors) {
    if (!(std::abs(factor) * static_cast<Number>(most) <= kMostElements)) {
      return malformed(
          fmt::format("scales {} elements by {:g}", most, static_cast<double>(factor)));
    }
  }
  return {};
}

}  // namespace assay::model
