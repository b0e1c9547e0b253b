#include "model/domain.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "base/text.h"
#include "model/trace.h"
#include "model/uses.h"

namespace assay::model {
namespace {

constexpr double kMostOfUnknown = 4;  // integers that nothing is known of

Range Intersect(const Range& a, const Range& b) {
  return {std::max(a.low, b.low), std::min(a.high, b.high), a.whole || b.whole};
}
Range Hull(const Range& a, const Range& b) {
  return {std::min(a.low, b.low), std::max(a.high, b.high), a.whole && b.whole};
}

/// Of the input, where the traced value has to lie in `range` whatever its offset.
Range Back(const Range& range, const Trace& trace) {
  double low = (range.low - trace.offset.low) / trace.scale;
  double high = (range.high - trace.offset.high) / trace.scale;
  if (trace.scale < 0) {
    std::swap(low, high);
  }
  Range back{low, high, range.whole || trace.whole};
  if (back.whole) {
    back.low = std::ceil(back.low - 1e-6) + 0.0;  // 0 where it is -0
    back.high = std::floor(back.high + 1e-6) + 0.0;
  }
  return back;
}

double Back(double value, const Trace& trace) { return (value - trace.offset.low) / trace.scale; }

/// The demand as one of the input, whose last axis has `columns`.
Demand OfInput(Demand demand, const Trace& trace, std::size_t columns) {
  Domain& domain = demand.domain;
  std::vector<Range>& each = domain.each;
  const bool placed = trace.aligned && each.size() >= trace.skip + trace.count;
  if (each.size() > 1 && !placed) {
    each = {std::accumulate(each.begin() + 1, each.end(), each.front(), Hull)};
  }
  std::vector<Range> back;
  if (each.size() == 1 && trace.count == columns) {
    back = {Back(each.front(), trace)};
  } else if (!each.empty()) {
    back.resize(columns);
    for (std::size_t i = 0; i < trace.count; ++i) {
      back[trace.from + i] = Back(each.size() == 1 ? each.front() : each[trace.skip + i], trace);
    }
  }
  each = std::move(back);
  for (double& value : domain.among) {
    value = Back(value, trace);
  }
  if (domain.first) {
    domain.first = Back(*domain.first, trace);
  }
  if (trace.decided && demand.force != Force::kGuess) {
    demand.force = Force::kCompared;
  }
  return demand;
}

/// Whether an operator that goes on by one value reads what many elements were reduced to: they are
/// not all drawn alike for its sake.
bool Chooses(const Step& step, const Value& input) {
  const auto elements = tensor::ElementCount(input.type.shape);
  return step.node->op == "If" && !(elements.ok() && *elements == 1);
}

Demands DemandsOn(const Graph& graph, ValueId input, std::size_t columns) {
  Demands all;
  for (const Step& step : StepsOf(graph, input)) {
    if (Chooses(step, graph.At(input))) {
      continue;
    }
    for (Demand& demand : DemandsOf({*step.trace.graph, *step.node, step.operand})) {
      const Value& read = step.trace.graph->values[static_cast<std::size_t>(step.trace.value)];
      const bool moved =
          read.type.shape != graph.values[static_cast<std::size_t>(input)].type.shape;
      if (moved && demand.domain.distinct && demand.domain.each.size() == 1) {
        demand.domain.distinct = tensor::Shape().max_size();  // among all
      }
      all.push_back(OfInput(std::move(demand), step.trace, columns));
    }
  }
  return all;
}

/// What is drawn where the graph says nothing.
Domain Unknown(const Value& input) {
  const auto whole = [](double low, double high) { return std::vector<Range>{{low, high, true}}; };
  switch (input.type.dtype) {
    case tensor::DType::kBool:
      return {.each = whole(0, 1), .first = 1};
    case tensor::DType::kUInt8:
      return {.each = whole(0, 255), .reason = "the whole range"};
    case tensor::DType::kInt8:
      return {.each = whole(-128, 127), .reason = "the whole range"};
    default:
      break;
  }
  if (tensor::IsFloat(input.type.dtype)) {
    return {.each = {{-1, 1}}};
  }
  if (ToLower(input.name).find("mask") != std::string::npos) {
    return {.each = whole(0, 1), .first = 1, .reason = "a mask, by its name"};
  }
  return {.each = whole(0, kMostOfUnknown)};
}

/// The range of one column: what must hold, and within that what is best.
class Column {
 public:
  Column(const Demands& demands, std::size_t column, const Range& unknown)
      : demands_(demands), column_(column), unknown_(unknown) {}

  Range Choose() {
    Range must;
    for (const Demand& demand : demands_) {
      Take(demand, Force::kMust, must);
    }
    Range best = must.Bounded() ? must : Within(must, Best());
    // Integers count something, unless what is asked for says otherwise.
    const bool counts = best.whole && best.low < 0 && best.high >= 0 && unknown_.low >= 0;
    return counts ? Range{0, best.high, true} : best;
  }
  const std::string& reason() const { return reason_; }

 private:
  const Range* Of(const Demand& demand, Force force) const {
    const std::vector<Range>& each = demand.domain.each;
    const bool here = demand.force == force && !each.empty();
    const Range* range = here ? &each[each.size() == 1 ? 0 : column_] : nullptr;
    return range != nullptr && !range->Empty() && *range != Range{} ? range : nullptr;
  }

  void Note(const Demand& demand) { reason_ = reason_.empty() ? demand.domain.reason : reason_; }

  void Take(const Demand& demand, Force force, Range& into) {
    const Range* range = Of(demand, force);
    const Range both = range == nullptr ? Range{} : Intersect(into, *range);
    if (range != nullptr && !both.Empty()) {
      into = both;
      Note(demand);
    }
  }

  /// The first typical one; else all that is compared; else what the input's type suggests.
  Range Best() {
    std::optional<Range> best;
    for (const Force force : {Force::kTypical, Force::kCompared, Force::kGuess}) {
      for (const Demand& demand : demands_) {
        const Range* range = Of(demand, force);
        if (range != nullptr && (!best || force == Force::kCompared)) {
          best = best ? Hull(*best, *range) : *range;
          Note(demand);
        }
      }
      if (best) {
        return *best;
      }
    }
    return unknown_;
  }

  /// `best` as far as it is in `must`; else a unit of `must`.
  static Range Within(const Range& must, const Range& best) {
    constexpr double kLeastWidth = 0.2, kUnit = 1;
    const Range both = Intersect(must, best);
    const bool enough = both.whole ? !both.Empty() : both.high - both.low >= kLeastWidth;
    if (enough || must == Range{}) {
      return enough ? both : best;
    }
    return must.low > -kInfinite ? Range{must.low, must.low + kUnit, both.whole}
                                 : Range{must.high - kUnit, must.high, both.whole};
  }

  const Demands& demands_;
  std::size_t column_;
  Range unknown_;
  std::string reason_;
};

/// Integers that the input's type holds, and floats of half precision.
Range Held(tensor::DType dtype) {
  using tensor::DType;
  switch (dtype) {
    case DType::kInt8:
      return {-128, 127, true};
    case DType::kUInt8:
      return {0, 255, true};
    case DType::kBool:
      return {0, 1, true};
    case DType::kInt16:
      return {-32768, 32767, true};
    case DType::kUInt16:
      return {0, 65535, true};
    case DType::kUInt32:
    case DType::kUInt64:
      return {0, 2147483647, true};
    case DType::kInt32:
    case DType::kInt64:
      return {-2147483648.0, 2147483647, true};
    case DType::kFloat16:
      return {-60000, 60000};
    default:
      return {-1e30, 1e30};
  }
}

/// What is asked for besides ranges, of each the first; values only where no range must hold.
void Gather(const Demands& demands, Domain& domain) {
  const bool free = std::none_of(demands.begin(), demands.end(), [](const Demand& demand) {
    return demand.force == Force::kMust && !demand.domain.each.empty();
  });
  std::optional<double> first;
  for (const Demand& demand : demands) {
    first = first ? first : demand.domain.first;
    domain.distinct = domain.distinct ? domain.distinct : demand.domain.distinct;
    if (free && domain.among.empty() && domain.words.empty()) {
      domain.among = demand.domain.among;
      domain.words = demand.domain.words;
    }
  }
  domain.first = first ? first : domain.first;
}

Domain DomainOf(const Graph& graph, ValueId id) {
  const Value& input = graph.values[static_cast<std::size_t>(id)];
  const auto columns = static_cast<std::size_t>(
      std::max<std::int64_t>(1, input.type.shape.empty() ? 1 : input.type.shape.back()));
  const Demands demands = DemandsOn(graph, id, columns);
  Domain domain = Unknown(input);
  const Range unknown = domain.each.front();
  const bool by_column = std::any_of(demands.begin(), demands.end(), [](const Demand& demand) {
    return demand.domain.each.size() > 1;
  });
  domain.each.clear();
  std::string reason;
  for (std::size_t column = 0; column < (by_column ? columns : 1); ++column) {
    Column chosen(demands, column, unknown);
    const Range range = Intersect(chosen.Choose(), Held(input.type.dtype));
    domain.each.push_back(range.Empty() ? unknown : range);
    reason = reason.empty() ? chosen.reason() : reason;
  }
  if (!reason.empty()) {
    domain.reason = reason;
    domain.first.reset();
  }
  Gather(demands, domain);
  return domain;
}

std::string RangeText(const Range& range) {
  if (range.low == range.high) {
    return fmt::format("{:g}", range.low);
  }
  return range.whole ? fmt::format("integers {:.0f}..{:.0f}", range.low, range.high)
                     : fmt::format("in [{:g}, {:g}]", range.low, range.high);
}

}  // namespace

bool Range::Empty() const { return low > high || (whole && std::ceil(low) > std::floor(high)); }

std::vector<Domain> DomainsOf(const Graph& graph) {
  std::vector<Domain> domains;
  for (const ValueId input : graph.inputs) {
    domains.push_back(DomainOf(graph, input));
  }
  return domains;
}

std::string ToString(const Domain& domain) {
  constexpr std::size_t kMostShown = 6;
  std::vector<std::string> parts;
  if (domain.words.empty() && domain.among.empty()) {
    for (const Range& range : domain.each) {
      parts.push_back(RangeText(range));
    }
  }
  for (const double value : domain.among) {
    parts.push_back(fmt::format("{:g}", value));
  }
  parts.insert(parts.end(), domain.words.begin(), domain.words.end());
  if (parts.size() > kMostShown) {
    parts.resize(kMostShown);
    parts.emplace_back("...");
  }
  const std::string text = Join(parts, " | ");
  return domain.reason.empty() ? text : fmt::format("{}, {}", text, domain.reason);
}

}  // namespace assay::model
