#include "model/precision.h"

#include <algorithm>
#include <array>
#include <set>
#include <string_view>
#include <utility>

namespace assay::model {
namespace {

using tensor::DType;

/// The wider first: it wins where there are as many.
constexpr std::array<std::pair<DType, const char*>, 4> kClasses = {{{DType::kFloat64, "fp64"},
                                                                    {DType::kFloat32, "fp32"},
                                                                    {DType::kBFloat16, "bf16"},
                                                                    {DType::kFloat16, "fp16"}}};

/// Rounds activations to integers: the standard's operators and those that runtimes' quantisers
/// write (DynamicQuantizeLSTM, QAttention, QLinearAdd).
bool Quantises(const Node& node) {
  static const std::set<std::string> kStandard = {"QuantizeLinear", "DequantizeLinear",
                                                  "DynamicQuantizeLinear", "QLinearConv",
                                                  "QLinearMatMul"};
  const std::string_view op = node.op;
  const bool theirs = op.starts_with("QLinear") || op.starts_with("DynamicQuantize") ||
                      op.starts_with("QAttention") || op.starts_with("QGemm") ||
                      op == "QuantizeLinear" || op == "DequantizeLinear";
  return node.domain.empty() ? kStandard.contains(node.op)
                             : node.domain == "com.microsoft" && theirs;
}

/// The class of most elements among the weights, or among what nodes make; "" for none.
std::string Most(const Graph& graph, bool weights) {
  std::array<std::uint64_t, kClasses.size()> elements{};
  for (const Value& value : graph.values) {
    for (std::size_t i = 0; i < kClasses.size(); ++i) {
      const bool counts = weights ? value.weight.has_value() : value.producer >= 0;
      if (counts && value.Typed() && value.type.dtype == kClasses[i].first) {
        elements[i] += *tensor::ElementCount(value.type.shape);
      }
    }
  }
  const auto most = std::max_element(elements.begin(), elements.end());
  return *most == 0 ? "" : kClasses[static_cast<std::size_t>(most - elements.begin())].second;
}

}  // namespace

std::string PrecisionOf(const Graph& graph) {
  if (std::any_of(graph.nodes.begin(), graph.nodes.end(), Quantises)) {
    return kQuantised;
  }
  const std::string of_weights = Most(graph, true);
  const std::string found = of_weights.empty() ? Most(graph, false) : of_weights;
  return found.empty() ? "fp32" : found;
}

}  // namespace assay::model
