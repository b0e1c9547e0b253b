// Planes at other sizes or places: interpolation, sampling along a grid.
#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include "aten/axes.h"
#include "aten/constants.h"
#include "aten/rules.h"

namespace assay::aten {
namespace {

/// A Resize node as numbers, by spatial dimension.
struct Resampling {
  std::string mode;         // nearest, linear, cubic
  std::string coordinates;  // coordinate_transformation_mode
  tensor::Shape in;
  tensor::Shape out;
  std::vector<double> scales;  // out over in, as the node gives them
  bool by_scale = false;       // scales are given, sizes follow
};

Result<Resampling> ReadResampling(const Lowering& lowering, const model::Node& node) {
  const tensor::Shape& in = lowering.Shape(node.inputs[0]);
  const tensor::Shape& out = lowering.Shape(node.outputs[0]);
  const bool first = lowering.opset() < 11;  // without coordinates to choose from
  const model::ValueId scales = lowering.Operand(first ? 1 : 2);
  Resampling made{
      node.String("mode", "nearest"),
      node.String("coordinate_transformation_mode", first ? "asymmetric" : "half_pixel"),
      {},
      {},
      {}};
  made.by_scale = scales != model::kNone && lowering.Shape(scales) != tensor::Shape{0};
  if (in.size() < 3 || in.size() > 5 || in[0] != out[0] || in[1] != out[1]) {
    return lowering.Unsupported("1 to 3 spatial dimensions, batch and channels as they are, only");
  }
  if (made.coordinates == "tf_crop_and_resize") {
    return lowering.Unsupported("a region of interest");
  }
  if (node.String("keep_aspect_ratio_policy", "stretch") != "stretch") {
    return lowering.Unsupported("sizes that keep the aspect ratio");
  }
  const auto rank = static_cast<std::int64_t>(in.size());
  const Integers64 axes = node.Ints("axes", AxesFrom(0, rank));
  const auto given = lowering.Floats(scales);
  if (made.by_scale && (!given || given->size() != axes.size())) {
    return lowering.Unsupported("scales that are no constants");
  }
  for (std::size_t i = 2; i < in.size(); ++i) {
    made.in.push_back(in[i]);
    made.out.push_back(out[i]);
    made.scales.push_back(static_cast<double>(out[i]) / static_cast<double>(in[i]));
  }
  for (std::size_t i = 0; made.by_scale && i < axes.size(); ++i) {
    if (const std::int64_t axis = FromFront(axes[i], rank); axis >= 2) {
      const auto d = static_cast<std::size_t>(axis) - 2;
      if (axis >= rank) {
        return lowering.Unsupported("an axis that the input lacks");
      }
      made.scales[d] = (*given)[i];
      if (std::trunc(static_cast<double>(made.in[d]) * made.scales[d]) !=
          static_cast<double>(made.out[d])) {
        return lowering.Unsupported("a scale that PyTorch rounds to another size");
      }
    }
  }
  return made;
}

/// Where output element `i` lies in the input.
/// Source  ONNX operator Resize, attribute coordinate_transformation_mode.
double SourceOf(const Resampling& resampling, std::size_t dimension, std::int64_t i) {
  const double scale = resampling.scales[dimension];
  const auto in = static_cast<double>(resampling.in[dimension]);
  const auto out = static_cast<double>(resampling.out[dimension]);
  const auto x = static_cast<double>(i);
  if (resampling.coordinates == "asymmetric") {
    return x / scale;
  }
  if (resampling.coordinates == "align_corners") {
    return out > 1 ? x * (in - 1) / (out - 1) : 0;
  }
  if (resampling.coordinates == "pytorch_half_pixel" && out <= 1) {
    return 0;
  }
  const double half_pixel = (x + 0.5) / scale - 0.5;
  if (resampling.coordinates == "half_pixel_symmetric") {
    return in / 2 * (1 - out / (scale * in)) + half_pixel;
  }
  return half_pixel;
}

/// `place` as the number of one of `size` elements, the nearest where there is none; 0 for NaN.
std::int64_t Element(double place, std::int64_t size) {
  const auto last = static_cast<double>(size - 1);
  return place > 0 ? static_cast<std::int64_t>(std::min(place, last)) : 0;
}

/// The input element nearest to `source`.
std::int64_t Nearest(double source, std::string_view rounding, std::int64_t size) {
  const double down = std::floor(source);
  const double nearest = rounding == "floor"               ? down
                         : rounding == "ceil"              ? std::ceil(source)
                         : rounding == "round_prefer_ceil" ? std::floor(source + 0.5)
                                                           : std::ceil(source - 0.5);
  return Element(nearest, size);
}

/// The input, then sizes, or scales where these were given, and between them whether corners align.
Arguments UpsamplingArguments(Lowering& lowering, const model::Node& node,
                              const Resampling& resampling) {
  Arguments arguments;
  arguments.push_back(lowering.Tensor(node.inputs[0]));
  arguments.emplace_back();
  if (resampling.mode != "nearest") {
    arguments.emplace_back(resampling.coordinates == "align_corners");
  }
  arguments.emplace_back();
  if (resampling.by_scale) {
    arguments.back() = resampling.scales;
  } else {
    arguments[1] = resampling.out;
  }
  return arguments;
}

/// The elements that PyTorch picks: floor((i + offset) / scale), in float32.
bool PicksAlike(const Resampling& resampling, std::size_t dimension, double offset,
                const Integers64& picked) {
  const auto step = static_cast<float>(1 / resampling.scales[dimension]);
  for (std::size_t i = 0; i < picked.size(); ++i) {
    const float source = (static_cast<float>(i) + static_cast<float>(offset)) * step;
    if (Element(source, resampling.in[dimension]) != picked[i]) {
      return false;
    }
  }
  return true;
}

/// PyTorch's nearest or nearest-exact where they pick the node's elements; any other choice is
/// made along one dimension after the other.
Status LowerNearest(Lowering& lowering, const model::Node& node, const Resampling& resampling) {
  const std::size_t dimensions = resampling.in.size();
  if (std::ranges::any_of(resampling.out, [](auto size) { return size > kMostNumbers; }) ||
      std::ranges::count(resampling.in, 0) > 0) {
    return lowering.Unsupported("an input or output of that size");
  }
  std::vector<Integers64> picked(dimensions);
  bool plain = true;
  bool exact = true;
  const std::string rounding =
      node.String("nearest_mode", lowering.opset() < 11 ? "floor" : "round_prefer_floor");
  for (std::size_t d = 0; d < dimensions; ++d) {
    for (std::int64_t i = 0; i < resampling.out[d]; ++i) {
      picked[d].push_back(Nearest(SourceOf(resampling, d, i), rounding, resampling.in[d]));
    }
    plain = plain && PicksAlike(resampling, d, 0.0, picked[d]);
    exact = exact && PicksAlike(resampling, d, 0.5, picked[d]);
  }
  if (plain || exact) {
    const std::string name = plain ? "upsample_nearest" : "_upsample_nearest_exact";
    return lowering.Finish("aten::" + name + std::to_string(dimensions) + "d", "vec",
                           UpsamplingArguments(lowering, node, resampling));
  }
  ValueId made = lowering.TensorId(node.inputs[0]);
  for (std::size_t d = 0; d < dimensions; ++d) {
    const Argument index = lowering.Constant(IntegerTensor(picked[d], {resampling.out[d]}));
    made = lowering.Emit("aten::index_select", "",
                         {ValueRef{made}, static_cast<std::int64_t>(d) + 2, index});
  }
  lowering.Bind(node.outputs[0], made);
  return {};
}

/// Whether PyTorch's coordinates are the node's: half_pixel, or align_corners.
bool HasPyTorchsCoordinates(const Resampling& resampling) {
  const bool one_pixel = std::ranges::any_of(resampling.out, [](auto size) { return size == 1; });
  return resampling.coordinates == "half_pixel" || resampling.coordinates == "align_corners" ||
         (resampling.coordinates == "pytorch_half_pixel" && !one_pixel);
}

}  // namespace

Status LowerResize(Lowering& lowering, const model::Node& node) {
  ASSAY_ASSIGN(const Resampling resampling, ReadResampling(lowering, node));
  const std::size_t dimensions = resampling.in.size();
  const bool smooths = node.Int("antialias", 0) != 0;
  if (resampling.mode == "nearest") {
    return LowerNearest(lowering, node, resampling);
  }
  if (!HasPyTorchsCoordinates(resampling)) {
    return lowering.Unsupported("PyTorch does not interpolate at coordinates " +
                                resampling.coordinates);
  }
  const bool cubic = resampling.mode == "cubic";
  // PyTorch's cubic kernels: -0.75, and -0.5 where it smooths.
  const bool usual_cubic =
      std::abs(node.Float("cubic_coeff_a", -0.75) - (smooths ? -0.5 : -0.75)) < 1e-6;
  if ((cubic && !usual_cubic) || (node.Int("exclude_outside", 0) != 0) != smooths) {
    return lowering.Unsupported(
        "PyTorch has other coefficients, and smooths only over what lies inside");
  }
  if ((cubic || smooths) && dimensions != 2) {
    return lowering.Unsupported("2 spatial dimensions only");
  }
  constexpr auto kLinear = std::to_array<std::string_view>(
      {"upsample_linear1d", "upsample_bilinear2d", "upsample_trilinear3d"});
  const std::string name = cubic ? "upsample_bicubic2d" : std::string(kLinear[dimensions - 1]);
  return lowering.Finish("aten::" + (smooths ? "_" + name + "_aa" : name), "vec",
                         UpsamplingArguments(lowering, node, resampling));
}

Status LowerGridSample(Lowering& lowering, const model::Node& node) {
  const std::string mode = node.String("mode", "linear");
  const std::string padding = node.String("padding_mode", "zeros");
  const std::int64_t interpolation = mode.ends_with("linear") ? 0 : mode == "nearest" ? 1 : 2;
  const std::int64_t rank = lowering.Rank(node.inputs[0]);
  if (rank < 4 || rank > 5 || (rank == 5 && interpolation == 2)) {
    return lowering.Unsupported("PyTorch samples planes, and volumes but cubically");
  }
  const std::int64_t outside = padding == "zeros" ? 0 : padding == "border" ? 1 : 2;
  return lowering.Finish("aten::grid_sampler", "",
                         {lowering.Tensor(node.inputs[0]), lowering.Tensor(node.inputs[1]),
                          interpolation, outside, node.Int("align_corners", 0) != 0});
}

Status LowerAffineGrid(Lowering& lowering, const model::Node& node) {
  const auto size = lowering.Ints(lowering.Operand(1));
  if (!size) {
    return lowering.Unsupported("a size that is no constant");
  }
  return lowering.Finish(
      "aten::affine_grid_generator", "",
      {lowering.Tensor(node.inputs[0]), *size, node.Int("align_corners", 0) != 0});
}

}  // namespace assay::aten
