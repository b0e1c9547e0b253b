#include "campaign/predicted.h"

#include <algorithm>
#include <string_view>

namespace assay::campaign {
namespace {

// The roofs of this machine are measured, how near engines come to them is assumed.
constexpr const char* kUncalibrated = "data sheet";

/// The numbers that products are computed in. Quantisers that only round, or only weights, compute
/// in what activations are.
std::string ComputedIn(const conversion::Recipe& recipe) {
  constexpr std::string_view kIntegers[] = {"fx_int8", "x86_int8", "static_int8", "dynamic_int8",
                                            "pt2e_integer"};
  return std::ranges::find(kIntegers, recipe.quantisation) == std::end(kIntegers) ? recipe.precision
                                                                                  : "int8";
}

/// Eager engines and what only quantises or captures for them launch operator by operator.
predict::EngineKind KindOf(const conversion::Recipe& recipe) {
  return recipe.compiler == "eager" ? predict::EngineKind::kEager : predict::EngineKind::kCompiled;
}

}  // namespace

std::optional<record::Predicted> Predictor::Of(const conversion::Recipe& recipe, double median_ms) {
  const predict::EngineKind kind = KindOf(recipe);
  const predict::Precision precision = predict::PrecisionOfModel(ComputedIn(recipe));
  const auto key = std::pair(kind, std::string(precision.name));
  if (!works_.contains(key)) {
    works_.emplace(key, predict::PrepareWork(graph_, precision, kind));
  }
  const predict::Prediction prediction = predict::Predict(works_.at(key), cores_, /*batch_size=*/1);
  if (!prediction.fits || prediction.latency_s <= 0) {
    return std::nullopt;
  }
  record::Predicted predicted;
  predicted.engine_kind = predict::Name(prediction.engine);
  predicted.precision = prediction.precision;
  predicted.confidence = kUncalibrated;
  predicted.bound = predict::Name(prediction.bound);
  predicted.latency_ms = 1e3 * prediction.latency_s;
  predicted.roofline_ms = 1e3 * prediction.roofline_s;
  predicted.ratio = median_ms / predicted.latency_ms;
  predicted.roofline_share = predicted.roofline_ms / median_ms;
  return predicted;
}

}  // namespace assay::campaign
