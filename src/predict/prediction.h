// What a model would take on a processor: the roofline of each group of operators, memory and
// energy, from the graph and the processor's profile alone.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "hardware/profile.h"
#include "predict/fusion.h"
#include "predict/memory.h"

namespace assay::predict {

enum class Bound { kCompute, kMemory, kOverhead };
std::string_view Name(Bound bound);  // "compute", "memory", "overhead"

/// One group of operators on a processor. Times in seconds.
struct OperatorPrediction {
  std::string name, op;  // of the group's main operator; "Conv+Relu" for a fused one
  Kind kind = Kind::kUnknown;
  std::uint64_t flops = 0;
  std::uint64_t main_bytes = 0;   // that cross the main memory
  std::uint64_t cache_bytes = 0;  // that the last-level cache serves
  double peak_flops_per_s = 0;    // of the units that it runs on
  double compute_s = 0, memory_s = 0, overhead_s = 0;
  double time_s = 0;
  Bound bound = Bound::kCompute;
  std::uint64_t bytes() const { return main_bytes + cache_bytes; }
  /// Of the roofline: what the peaks alone would take, over the time.
  double utilization = 0;
};

struct Energy {  // joules, modelled
  double compute = 0, memory = 0, idle = 0;
  double total() const { return compute + memory + idle; }
};

struct Prediction {
  std::string hardware, precision, confidence;
  std::int64_t batch_size = 1;
  EngineKind engine = EngineKind::kCompiled;
  bool fits = true;
  std::string problem;  // "does not fit: needs 95 GB of 80 GB"; why nothing is predicted
  std::uint64_t peak_memory_bytes = 0, weight_bytes = 0;
  bool weights_resident = false;  // in the last-level cache, from one inference to the next
  // Where it fits:
  double latency_s = 0;
  double roofline_s = 0;         // what the peaks alone would take
  std::optional<Energy> energy;  // nothing where power or process are not published
  Bound bound = Bound::kCompute;
  std::uint64_t flops = 0, bytes = 0;
  double peak_flops_per_s = 0, peak_bytes_per_s = 0;
  double cache_bytes_per_s = 0;  // of the last-level cache; 0: not published
  double ridge() const { return peak_flops_per_s / peak_bytes_per_s; }  // flops per byte
  std::vector<OperatorPrediction> operators;
};

/// What of a prediction does not depend on the processor.
struct Work {
  const model::Graph* graph = nullptr;  // must outlive this
  Precision precision;
  EngineKind engine = EngineKind::kCompiled;
  std::vector<Cost> costs;
  std::vector<Group> groups;
  MemoryUse memory;
  Coverage coverage;
};
Work PrepareWork(const model::Graph& graph, Precision precision, EngineKind engine);

/// Time of a group: max(flops / rate, bytes / bandwidth) + overhead, summed over groups; on
/// processors that launch ahead the greater of overhead and the rest.
/// Source  Williams, Waterman, Patterson, CACM 52(4), 2009; constants: assumptions.h.
/// Returns a prediction with fits = false and a problem where memory is too small or the processor
///         has no rate for the precision.
Prediction Predict(const Work& work, const hardware::Profile& profile, std::int64_t batch_size);

}  // namespace assay::predict
