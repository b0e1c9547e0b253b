#include "model/sizes.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "model/fold_numbers.h"

namespace assay::model {
namespace {

constexpr Number kMostElements = 9e15L;  // of one axis; below 2^63 and exact

using Inputs = std::vector<const Value*>;

Error Malformed(const Node& node, const std::string& name, const std::string& what) {
  return {Code::kMalformed, fmt::format("node '{}' ({}) {}", name, node.op, what), ""};
}

std::optional<Numbers> NumbersOf(const Value* value) {
  return value != nullptr && value->constant ? Decode(*value->constant) : std::nullopt;
}

Status CheckResize(const Node& node, const std::string& name, const Inputs& inputs) {
  std::int64_t most = 1, least = 1;  // elements of an axis
  if (!inputs.empty() && inputs[0] != nullptr) {
    for (const std::int64_t size : inputs[0]->type.shape) {
      most = std::max(most, size);
      least = std::min(least, size);
    }
  }
  if (node.String("keep_aspect_ratio_policy", "stretch") != "stretch" && least < 1) {
    return Malformed(node, name, "keeps the aspect ratio of an axis without elements");
  }
  Numbers factors;  // or sizes, which are divided by an axis and multiplied by another
  if (const auto scales = node.attributes.find("scales"); scales != node.attributes.end()) {
    if (const auto* numbers = std::get_if<std::vector<double>>(&scales->second)) {
      factors.assign(numbers->begin(), numbers->end());
    }
  }
  for (std::size_t i = 1; i < inputs.size(); ++i) {
    if (const auto numbers = NumbersOf(inputs[i])) {
      factors.insert(factors.end(), numbers->begin(), numbers->end());
    }
  }
  for (const Number factor : factors) {
    if (!(std::abs(factor) * static_cast<Number>(most) <= kMostElements)) {
      return Malformed(
          node, name, fmt::format("scales {} elements by {:g}", most, static_cast<double>(factor)));
    }
  }
  return {};
}

Status CheckRange(const Node& node, const std::string& name, const Inputs& inputs) {
  Numbers numbers;  // from, to, step
  for (const Value* input : inputs) {
    const std::optional<Numbers> known = NumbersOf(input);
    if (!known || known->size() != 1) {
      return {};
    }
    numbers.push_back(known->front());
  }
  if (numbers.size() != 3) {
    return {};
  }
  const bool narrow = inputs[0]->type.dtype == tensor::DType::kInt32;
  const Number most = narrow ? std::numeric_limits<std::int32_t>::max() : kMostElements;
  const Number span = numbers[1] - numbers[0];
  if (std::abs(span) <= most && std::abs(span / numbers[2]) <= kMostElements) {
    return {};
  }
  return Malformed(node, name,
                   fmt::format("counts from {:g} to {:g} by {:g}", static_cast<double>(numbers[0]),
                               static_cast<double>(numbers[1]), static_cast<double>(numbers[2])));
}

Status CheckFrames(const Node& node, const std::string& name, const Inputs& inputs) {
  const auto step = inputs.size() > 1 ? NumbersOf(inputs[1]) : std::nullopt;
  if (!step || step->empty() || step->front() >= 1) {
    return {};
  }
  return Malformed(
      node, name,
      fmt::format("steps from frame to frame by {:g}", static_cast<double>(step->front())));
}

Status CheckAxes(const Node& node, const std::string& name, const Inputs& inputs) {
  if (inputs.empty() || inputs[0] == nullptr || !node.attributes.contains("perm")) {
    return {};
  }
  const std::vector<std::int64_t> given = node.Ints("perm");
  std::vector<std::int64_t> sorted = given, axes(inputs[0]->type.shape.size());
  std::iota(axes.begin(), axes.end(), 0);
  std::sort(sorted.begin(), sorted.end());
  return sorted == axes
             ? Status()
             : Malformed(node, name,
                         fmt::format("orders {} axes as {}", axes.size(), fmt::join(given, ", ")));
}

}  // namespace

Status CheckSizes(const Node& node, const std::string& name, const Inputs& inputs) {
  if (node.op == "Resize" || node.op == "Upsample") {
    return CheckResize(node, name, inputs);
  }
  if (node.op == "Transpose") {
    return CheckAxes(node, name, inputs);
  }
  if (node.op == "STFT") {
    return CheckFrames(node, name, inputs);
  }
  return node.op == "Range" ? CheckRange(node, name, inputs) : Status();
}

}  // namespace assay::model
