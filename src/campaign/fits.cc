#include "campaign/fits.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "base/text.h"
#include "campaign/inputs.h"
#include "tensor/tensor.h"

namespace assay::campaign {
namespace {

constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
constexpr std::uint64_t kHeldReferences = 3;  // golden, its fp32 twin, and what is compared

std::uint64_t Plus(std::uint64_t a, std::uint64_t b) { return a > kMost - b ? kMost : a + b; }

std::uint64_t Times(std::uint64_t a, std::uint64_t b) {
  return b != 0 && a > kMost / b ? kMost : a * b;
}

/// 0 where a type is not known, the most there is where they are too many to be counted.
std::uint64_t Elements(const model::Value& value) {
  const auto count = tensor::ElementCount(value.type.shape);
  return !value.Typed() ? 0 : count.ok() ? *count : kMost;
}

std::uint64_t Bytes(const model::Value& value) {
  return Times(Elements(value), tensor::SizeOf(value.type.dtype));
}

std::uint64_t Total(const model::Graph& graph, const std::vector<model::ValueId>& ids) {
  std::uint64_t bytes = 0;
  for (const model::ValueId id : ids) {
    bytes = Plus(bytes, Bytes(graph.At(id)));
  }
  return bytes;
}

/// "input 'x' is 65536x3x224x224 (39.5 GB)", of the largest.
std::string Largest(const model::Graph& graph) {
  const auto larger = [&](model::ValueId a, model::ValueId b) {
    return Bytes(graph.At(a)) < Bytes(graph.At(b));
  };
  const auto input = std::ranges::max_element(graph.inputs, larger);
  const auto output = std::ranges::max_element(graph.outputs, larger);
  const bool in =
      output == graph.outputs.end() || (input != graph.inputs.end() && !larger(*input, *output));
  if (in && input == graph.inputs.end()) {
    return "";
  }
  const model::Value& value = graph.At(in ? *input : *output);
  return fmt::format("{} '{}' is {} ({})", in ? "input" : "output", value.name,
                     tensor::ToString(value.type.shape), FormatBytes(Bytes(value)));
}

}  // namespace

Footprint FootprintOf(const model::Graph& graph) {
  std::uint64_t widest = 0, outputs = 0;
  for (const model::ValueId id : graph.inputs) {
    widest = std::max(widest, Times(Elements(graph.At(id)), sizeof(double)));
  }
  for (const model::ValueId id : graph.outputs) {
    outputs = Plus(outputs, Times(Elements(graph.At(id)), sizeof(double)));
  }
  const std::uint64_t inputs = Times(Total(graph, graph.inputs), kInputSets);
  return {.drawing = Plus(inputs, widest),
          .held = Times(outputs, kInputSets * kHeldReferences),
          .worker = Plus(inputs, Total(graph, graph.outputs))};
}

Status CheckFits(const model::Graph& graph, std::uint64_t free, std::uint64_t limit, bool asked,
                 std::int64_t batch) {
  const Footprint needs = FootprintOf(graph);
  const std::uint64_t here = std::max(needs.drawing, Plus(needs.held, needs.worker));
  const bool fits_here = free == 0 || here <= free;
  const bool fits_worker = limit == 0 || needs.worker <= limit;
  if (fits_here && fits_worker) {
    return {};
  }
  const std::string said = batch > 0 ? fmt::format("--batch-size {}: ", batch) : "";
  return Error{
      Code::kInvalidArgument,
      fmt::format("{}{}; {} sets of inputs, with outputs, take {}, and {} {}", said, Largest(graph),
                  kInputSets, FormatBytes(fits_worker ? here : needs.worker),
                  FormatBytes(fits_worker ? free : limit),
                  fits_worker ? "of memory are free"
                  : asked     ? "are what --memory lets a worker have"
                              : "are what a worker may have of the free memory"),
      "a smaller --batch-size, --input-shape or --dim"};
}

}  // namespace assay::campaign
