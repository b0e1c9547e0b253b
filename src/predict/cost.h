// What one operator costs, from shapes alone: multiply-adds, floating-point operations, bytes and
// parameters. Multiply-adds are model::CountMacs's; nothing here knows a processor.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/graph.h"

namespace assay::predict {

/// A type of numbers that a model is computed in, as processors' rates are given for it.
struct Precision {
  std::string_view name;  // "fp32", "bf16", "int8"
  int bits = 32;          // of each floating-point tensor's elements
};

/// fp64, fp32, tf32, bf16, fp16, fp8, int8, int4.
const std::vector<Precision>& Precisions();
/// Errors  kInvalidArgument with the names there are.
Result<Precision> FindPrecision(std::string_view name);
/// That of a model's own numbers (model::PrecisionOf); a quantised graph is int8.
Precision PrecisionOfModel(std::string_view model_precision);

enum class Kind {
  kMatrix,   // multiplies and adds: runs on matrix units where there are any
  kGrouped,  // a convolution with so few channels to a group that matrix units lie idle
  kVector,   // elementwise, normalisation, reduction, pooling
  kMove,     // copies or rearranges, computes nothing
  kView,     // renames what is there: no bytes move
  kUnknown,  // no row in the table, or no static types: bytes are counted as far as they are known,
             // operations are not
};
std::string_view Name(Kind kind);  // "matrix", "grouped", ...

struct Cost {
  Kind kind = Kind::kUnknown;
  std::uint64_t macs = 0;
  std::uint64_t flops = 0;       // 2 per multiply-add, and what docs/predicting.md counts of others
  std::uint64_t read_bytes = 0;  // activations: each input once, of gathers what is picked
  std::uint64_t weight_bytes = 0;   // initializers that are read
  std::uint64_t written_bytes = 0;  // outputs
  std::uint64_t parameters = 0;     // as model::ParametersByValue; a weight counts where first used
  std::uint64_t bytes() const { return read_bytes + weight_bytes + written_bytes; }
  Cost& operator+=(const Cost& other);  // keeps `kind`
};

/// Bytes of a value, 0 of one that is not typed, when floating-point tensors have elements of
/// `precision`.
std::uint64_t BytesOf(const model::Value& value, Precision precision);

/// Of each value whether it is known before any input is: initializers, constants, and what is made
/// of nothing else (a transposed weight), which runtimes compute once.
std::vector<bool> ConstantValues(const model::Graph& graph);

/// One for each node, in the graph's order. What is computed of constants alone costs nothing; its
/// parameters count where it is used.
std::vector<Cost> Costs(const model::Graph& graph, Precision precision);

/// How much of the graph the table of operators knows.
struct Coverage {
  std::size_t nodes = 0, understood = 0;
  std::vector<std::string> unknown;  // operators without a row or types, each once
};
Coverage CoverageOf(const model::Graph& graph, const std::vector<Cost>& costs);

}  // namespace assay::predict
