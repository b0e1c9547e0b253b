// Operands that are computed with: what has a root or a logarithm, pixels, masks, comparisons.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "model/uses.h"

namespace assay::model {
namespace {

constexpr double kSmall = 0.1;   // well above zero, for denominators
constexpr double kBlock = -1e3;  // what is added to a score that a mask blocks, at most
constexpr double kLargeExponent = 10;
constexpr double kPixel = 255;

Demands Root(const Use&) { return One(Force::kMust, {.low = 0}, "under a root"); }
Demands Logarithm(const Use&) { return One(Force::kMust, {.low = kSmall / 2}, "under Log"); }
Demands Exponent(const Use&) { return One(Force::kMust, {.high = kLargeExponent}, "an exponent"); }
Demands Cosine(const Use& use) { return One(Force::kMust, {-0.95, 0.95}, "under " + use.node.op); }
Demands AboveOne(const Use& use) {
  return One(Force::kMust, {.low = 1.05}, "under " + use.node.op);
}
Demands Positive(const Use&) { return One(Force::kMust, {.low = kSmall}, "above zero"); }
Demands Variance(const Use&) { return One(Force::kMust, {.low = kSmall}, "a variance"); }
Demands Probability(const Use&) { return One(Force::kMust, {0, 1}, "probabilities"); }
Demands Score(const Use&) { return One(Force::kTypical, {0, 1}, "scores"); }
Demands Ratio(const Use&) { return One(Force::kMust, {0.3, 0.7}, "a ratio"); }
Demands Threshold(const Use&) { return One(Force::kMust, {0, 0.3}, "a threshold"); }
Demands Least(const Use&) { return One(Force::kTypical, {-1, -0.5}, "a lower limit"); }
Demands Most(const Use&) { return One(Force::kTypical, {0.5, 1}, "an upper limit"); }
Demands Scale(const Use&) { return One(Force::kMust, {0.01, 0.1}, "a scale"); }
Demands Bits(const Use&) { return One(Force::kMust, {0, 3, true}, "bits to shift by"); }
Demands Off(const Use&) { return Exactly({0}, "off"); }
Demands Truth(const Use&) { return One(Force::kCompared, {0, 1, true}, "true or false"); }

Demands FirstBranch(const Use&) {  // both may have other shapes
  return One(Force::kTypical, {1, 1, true}, "takes the first branch");
}

bool IsWhole(const Use& use, std::size_t operand) {
  const Value* value = use.At(operand);
  return value != nullptr && !tensor::IsFloat(value->type.dtype);
}

/// To an integer, which fractions would all leave 0; or to a boolean.
Demands Converted(const Use& use) {
  constexpr std::int64_t kBool = 9;  // TensorProto.DataType
  constexpr std::int64_t kFloats[] = {1, 10, 11, 16};
  const std::int64_t to = use.node.Int("to", kFloats[0]);
  if (to == kBool) {
    return Truth(use);
  }
  const bool fractions = std::find(std::begin(kFloats), std::end(kFloats), to) != std::end(kFloats);
  return fractions || IsWhole(use, 0) ? Demands{}
                                      : One(Force::kGuess, {0, 4, true}, "made integers");
}

/// Roots of what is negative are NaN, and so are other broken powers.
Demands Base(const Use& use) {
  const std::optional<double> exponent = use.Scalar(1);
  const bool any = IsWhole(use, 0) || (exponent && *exponent == std::round(*exponent));
  if (any && exponent && *exponent < 0) {
    return Positive(use);
  }
  return any ? Demands{} : One(Force::kMust, {.low = kSmall / 2}, "a base of broken powers");
}
Demands Power(const Use& use) {
  return One(Force::kTypical, IsWhole(use, 1) ? Range{0, 3, true} : Range{0.5, 2}, "an exponent");
}

Demands Denominator(const Use& use) {
  return IsWhole(use, 1) ? One(Force::kMust, {.low = 1, .whole = true}, "a divisor")
                         : One(Force::kMust, {.low = kSmall}, "a divisor");
}

bool IsImage(const Use& use) {
  constexpr std::size_t kLeastRank = 3;
  return use.Shape(use.operand).value_or(tensor::Shape{}).size() >= kLeastRank;
}

Demands Pixels(const Use&) {
  return One(Force::kTypical, {0, kPixel}, "pixels, by what the graph subtracts or divides by");
}

/// A mean is subtracted: of pixels, or of one feature each.
Demands Centred(const Use& use) {
  constexpr double kLeastMean = 20, kMostMean = 235, kNear = 5;
  const auto mean = use.Known(1);
  const bool large =
      mean && std::any_of(mean->begin(), mean->end(), [](double m) { return std::abs(m) > kNear; });
  if (!large || IsWhole(use, 0)) {
    return {};
  }
  if (IsImage(use)) {
    const bool pixels = std::all_of(mean->begin(), mean->end(),
                                    [](double m) { return m >= kLeastMean && m <= kMostMean; });
    return pixels ? Pixels(use) : Demands{};
  }
  Domain domain{.reason = "around what the graph subtracts"};
  for (const double m : *mean) {
    domain.each.push_back({m - std::abs(m) / 2 - 1, m + std::abs(m) / 2 + 1});
  }
  return {{Force::kTypical, std::move(domain)}};
}

Demands Divided(const Use& use) {
  constexpr double kLeast = 50, kMost = 300;
  const auto by = use.Known(1);
  const bool pixels =
      by && std::all_of(by->begin(), by->end(), [](double d) { return d >= kLeast && d <= kMost; });
  return pixels && IsImage(use) && !IsWhole(use, 0) ? Pixels(use) : Demands{};
}

/// By 1/255 or so; or by what blocks the scores of what is masked.
Demands Multiplied(const Use& use) {
  constexpr double kLeast = 1.0 / 300, kMost = 1.0 / 50;
  const auto factor = use.Known(1 - use.operand);
  if (!factor) {
    return {};
  }
  if (std::all_of(factor->begin(), factor->end(), [](double f) { return f <= kBlock; })) {
    Demands mask = One(Force::kTypical, {0, 1, true}, "a mask");
    mask.front().domain.first = 0;
    return mask;
  }
  const bool pixels = std::all_of(factor->begin(), factor->end(),
                                  [](double f) { return f >= kLeast && f <= kMost; });
  return pixels && IsImage(use) && !IsWhole(use, use.operand) ? Pixels(use) : Demands{};
}

/// A condition: of a mask that blocks scores, or of any two.
Demands Condition(const Use& use) {
  Demands demands = Truth(use);
  for (const std::size_t branch : {1u, 2u}) {
    const std::optional<double> blocked = use.Scalar(branch);
    if (blocked && *blocked <= kBlock) {
      demands.front().domain.reason = "a mask";
      demands.front().domain.first = branch == 1 ? 0 : 1;
    }
  }
  return demands;
}

bool IsRange(const std::vector<double>& numbers) {
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    if (numbers[i] != static_cast<double>(i)) {
      return false;
    }
  }
  return numbers.size() > 1;
}

/// Compared with constants: all of them, and what is beside, so that it ends in both ways.
Demands Compared(const Use& use) {
  const auto with = use.Known(1 - use.operand);
  if (!with) {
    return {};
  }
  const auto [low, high] = std::minmax_element(with->begin(), with->end());
  const bool equality = use.node.op == "Equal", several = *low < *high;
  const bool whole = equality || IsWhole(use, use.operand);
  std::string reason = several ? fmt::format("compared with {:g} to {:g}", *low, *high)
                               : fmt::format("compared with {:g}", *low);
  const auto elements = tensor::ElementCount(use.Shape(use.operand).value_or(tensor::Shape{}));
  if (equality && !several && elements.ok() && *elements == 1) {
    // The mode of a model, such as its sampling rate: another one may not fit the other inputs.
    Demands mode = One(Force::kCompared, {*low, *low, true}, std::move(reason));
    mode.front().domain.among = {*low};
    return mode;
  }
  if (!equality && IsRange(*with)) {  // position < length
    return One(Force::kTypical, {1, *high + 1, whole},
               fmt::format("lengths up to {:g}", *high + 1));
  }
  const Range range = several    ? Range{*low, *high, whole}
                      : equality ? Range{*low, *low + 1, whole}
                                 : Range{*low - 1, *low + 1, whole};
  return One(Force::kCompared, range, std::move(reason));
}

/// What the quantiser's type spans.
Demands Quantised(const Use& use) {
  constexpr double kLow = -128, kHigh = 127, kSigned = 128;
  const std::optional<double> scale = use.Scalar(1);
  const Value* zero = use.At(2);
  if (!scale || *scale <= 0) {
    return {};
  }
  const bool is_signed = zero != nullptr && zero->type.dtype == tensor::DType::kInt8;
  const double point = use.Scalar(2).value_or(is_signed ? 0 : kSigned);
  const double shift = is_signed ? 0 : kSigned;
  return One(Force::kTypical, {(kLow + shift - point) * *scale, (kHigh + shift - point) * *scale},
             "what its quantiser spans");
}

/// Boxes x1, y1, x2, y2 (any two corners will do for NonMaxSuppression) of an extent.
Demands Boxes(double width, double height) {
  Domain domain{
      .each = {{0, width / 2}, {0, height / 2}, {width * 0.6, width}, {height * 0.6, height}},
      .reason = "corners of boxes"};
  return {{Force::kTypical, std::move(domain)}};
}
Demands Suppressed(const Use& use) {
  if (use.node.Int("center_point_box", 0) == 0) {
    return Boxes(1, 1);
  }
  return {{Force::kTypical,
           {.each = {{0.2, 0.8}, {0.2, 0.8}, {0.1, 0.3}, {0.1, 0.3}}, .reason = "boxes"}}};
}
Demands Regions(const Use& use) {
  const auto scale = std::max(use.node.Float("spatial_scale", 1), 1e-6);
  const double width = static_cast<double>(use.Size(0, 3)) / scale;
  const double height = static_cast<double>(use.Size(0, 2)) / scale;
  return width > 0 && height > 0 ? Boxes(width, height) : Demands{};
}
Demands NumberedRegions(const Use& use) {  // of MaxRoiPool: the image's number before the corners
  Demands demands = Regions(use);
  for (Demand& demand : demands) {
    const auto images = static_cast<double>(std::max<std::int64_t>(1, use.Size(0, 0)));
    demand.force = Force::kMust;
    demand.domain.each.insert(demand.domain.each.begin(), Range{0, images - 1, true});
  }
  return demands;
}

}  // namespace

const Rules& NumberRules() {
  static const Rules kRules = {
      {"", "Cast", 0, Converted},
      {"", "Sqrt", 0, Root},
      {"", "Log", 0, Logarithm},
      {"", "Reciprocal", 0, Positive},
      {"", "Div", 1, Denominator},
      {"", "Mod", 1, Denominator},
      {"", "Pow", 0, Base},
      {"", "Pow", 1, Power},
      {"", "Exp", 0, Exponent},
      {"", "Acos", 0, Cosine},
      {"", "Asin", 0, Cosine},
      {"", "Atanh", 0, Cosine},
      {"", "Acosh", 0, AboveOne},
      {"", "BitShift", 1, Bits},
      {"", "Bernoulli", 0, Probability},
      {"", "Dropout", 1, Ratio},
      {"", "Dropout", 2, Off},
      {"", "BatchNormalization", 4, Variance},
      {"", "Clip", 1, Least},
      {"", "Clip", 2, Most},
      {"", "Sub", 0, Centred},
      {"", "Div", 0, Divided},
      {"", "Mul", 0, Multiplied},
      {"", "Mul", 1, Multiplied},
      {"", "Where", 0, Condition},
      {"", "If", 0, FirstBranch},
      {"", "Compress", 1, Truth},
      {"", "Equal", 0, Compared},
      {"", "Equal", 1, Compared},
      {"", "Less", 0, Compared},
      {"", "Less", 1, Compared},
      {"", "LessOrEqual", 0, Compared},
      {"", "LessOrEqual", 1, Compared},
      {"", "Greater", 0, Compared},
      {"", "Greater", 1, Compared},
      {"", "GreaterOrEqual", 0, Compared},
      {"", "GreaterOrEqual", 1, Compared},
      {"", "QuantizeLinear", 0, Quantised},
      {"", "QuantizeLinear", 1, Scale},
      {"", "DequantizeLinear", 1, Scale},
      {"", "NonMaxSuppression", 0, Suppressed},
      {"", "NonMaxSuppression", 1, Score},
      {"", "NonMaxSuppression", 3, Ratio},
      {"", "NonMaxSuppression", 4, Threshold},
      {"", "RoiAlign", 1, Regions},
      {"", "MaxRoiPool", 1, NumberedRegions},
  };
  return kRules;
}

}  // namespace assay::model
