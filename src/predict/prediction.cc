#include "predict/prediction.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/text.h"
#include "predict/assumptions.h"

namespace assay::predict {
namespace {

/// The processor as one precision sees it.
struct Device {
  const hardware::Profile* profile = nullptr;
  double matrix_peak = 0, vector_peak = 0;  // operations a second
  double main_bytes_per_s = 0;
  double cache_bytes = 0;                   // of the last level before main memory, 0 without
  std::optional<double> cache_bytes_per_s;  // nothing: not published
  bool scratchpad = false;  // a memory beside the units that bounds nothing that is published
  double units = 1;         // that work is spread over
};

std::optional<Device> DeviceOf(const hardware::Profile& profile, Precision precision) {
  const std::string dtype(precision.name);
  const auto matrix = profile.Peak(dtype, true);
  const auto vector = profile.Peak(dtype, false);
  if (!matrix && !vector) {
    return std::nullopt;
  }
  Device device;
  device.profile = &profile;
  device.matrix_peak = std::max(matrix.value_or(0), vector.value_or(0));
  const auto wide = profile.Peak("fp32", false);
  device.vector_peak = vector ? *vector
                       : wide ? std::min(*wide, device.matrix_peak)
                              : device.matrix_peak;
  device.main_bytes_per_s = profile.Main().bytes_per_s->value;
  device.units = profile.units ? profile.units->value : 1;
  if (profile.memory.size() > 1) {
    const hardware::Level& last = profile.memory[profile.memory.size() - 2];
    device.cache_bytes = last.capacity_bytes.value_or(0);
    if (last.bytes_per_s) {
      device.cache_bytes_per_s = last.bytes_per_s->value;
    }
  }
  device.scratchpad =
      profile.Main().name == "host" || (device.cache_bytes > 0 && !device.cache_bytes_per_s &&
                                        (profile.kind == "npu" || profile.kind == "dsp"));
  return device;
}

/// How many units the results of an operator keep busy, over all units; full waves of tiles.
double Spread(double results, double tile, double units) {
  const double tiles = std::max(1.0, std::ceil(results / tile));
  return tiles / (std::ceil(tiles / units) * units);
}

struct Rate {
  double peak;      // of the units that the operation runs on
  double attained;  // what it is expected to reach, never above the peak
};

Rate RateOf(const Device& device, const Group& group, double results) {
  const Efficiency& efficiency = EfficiencyOf(device.profile->kind);
  const double spread = Spread(results, efficiency.tile, device.units);
  if (group.cost.kind == Kind::kMatrix) {
    const double depth = static_cast<double>(group.cost.macs) / std::max(results, 1.0);
    const double filled = depth / (depth + efficiency.depth);
    return {device.matrix_peak, device.matrix_peak * efficiency.matrix * spread * filled};
  }
  const double share = group.cost.kind == Kind::kGrouped ? efficiency.grouped : efficiency.vector;
  return {device.vector_peak, device.vector_peak * share * spread};
}

/// Which bytes the cache serves: activations when they fit into half of it, weights when all of
/// them stay there with the activations.
void SplitBytes(const Device& device, const Cost& cost, bool resident, OperatorPrediction& op) {
  const std::uint64_t activations = cost.read_bytes + cost.written_bytes;
  const bool has_cache = device.cache_bytes_per_s.has_value() || device.scratchpad;
  const bool near = has_cache && (device.profile->Main().name == "host" ||
                                  static_cast<double>(activations) <= device.cache_bytes / 2);
  (near ? op.cache_bytes : op.main_bytes) += activations;
  (has_cache && resident ? op.cache_bytes : op.main_bytes) += cost.weight_bytes;
}

void TimeOperator(const Device& device, const Work& work, const Group& group, double results,
                  OperatorPrediction& op) {
  const std::string& kind = device.profile->kind;
  const Rate rate = RateOf(device, group, results);
  const double bandwidth = EfficiencyOf(kind).bandwidth;
  const auto main_bytes = static_cast<double>(op.main_bytes);
  const double cache_s = device.cache_bytes_per_s
                             ? static_cast<double>(op.cache_bytes) / *device.cache_bytes_per_s
                             : 0;
  op.peak_flops_per_s = rate.peak;
  op.compute_s = op.flops == 0 ? 0 : static_cast<double>(op.flops) / rate.attained;
  op.memory_s = (main_bytes / device.main_bytes_per_s + cache_s) / bandwidth;
  op.overhead_s = OverheadOf(kind, work.engine, group.cost.kind);
  const double roof = std::max(op.compute_s, op.memory_s);
  op.time_s = LaunchesAhead(kind) ? std::max(roof, op.overhead_s) : roof + op.overhead_s;
  op.bound = op.overhead_s > roof          ? Bound::kOverhead
             : op.compute_s >= op.memory_s ? Bound::kCompute
                                           : Bound::kMemory;
  const double ideal = std::max(static_cast<double>(op.flops) / rate.peak,
                                main_bytes / device.main_bytes_per_s + cache_s);
  op.utilization = op.time_s > 0 ? ideal / op.time_s : 0;
}

OperatorPrediction Describe(const model::Graph& graph, const Group& group) {
  OperatorPrediction op;
  op.name = graph.nodes[group.main].name;
  op.kind = group.cost.kind;
  op.flops = group.cost.flops;
  constexpr std::size_t kNamed = 4;
  for (std::size_t i = 0; i < std::min(group.nodes.size(), kNamed); ++i) {
    op.op += (i == 0 ? "" : "+") + graph.nodes[group.nodes[i]].op;
  }
  op.op += group.nodes.size() > kNamed ? "+..." : "";
  return op;
}

/// Elements that the group's main operator gives.
double ResultsOf(const model::Graph& graph, const Group& group) {
  for (const model::ValueId output : graph.nodes[group.main].outputs) {
    if (output != model::kNone) {
      const auto& shape = graph.values[static_cast<std::size_t>(output)].type.shape;
      return static_cast<double>(*tensor::ElementCount(shape));
    }
  }
  return 1;
}

/// What crosses the link of a processor that has no memory of its own: the model's ends.
OperatorPrediction Transfer(const Device& device, const Work& work) {
  OperatorPrediction op;
  op.name = "inputs and outputs";
  op.op = "Transfer";
  op.kind = Kind::kMove;
  for (const auto* ports : {&work.graph->inputs, &work.graph->outputs}) {
    for (const model::ValueId id : *ports) {
      op.main_bytes += BytesOf(work.graph->values[static_cast<std::size_t>(id)], work.precision);
    }
  }
  op.peak_flops_per_s = device.vector_peak;
  op.memory_s = static_cast<double>(op.main_bytes) / device.main_bytes_per_s /
                EfficiencyOf(device.profile->kind).bandwidth;
  op.time_s = op.memory_s;
  op.bound = Bound::kMemory;
  op.utilization = EfficiencyOf(device.profile->kind).bandwidth;
  return op;
}

std::optional<Energy> EnergyOf(const Device& device, const Prediction& prediction) {
  const hardware::Profile& profile = *device.profile;
  if (!profile.tdp_w || !profile.process_nm) {
    return std::nullopt;
  }
  const auto flop = EnergyOfFlop(prediction.precision, profile.process_nm->value);
  if (!flop) {
    return std::nullopt;
  }
  Energy energy;
  for (const OperatorPrediction& op : prediction.operators) {
    energy.compute += static_cast<double>(op.flops) * *flop;
    energy.memory += static_cast<double>(op.main_bytes) * EnergyOfByte(profile.kind, false) +
                     static_cast<double>(op.cache_bytes) * EnergyOfByte(profile.kind, true);
  }
  energy.idle = profile.tdp_w->value * StaticShare(profile.kind) * prediction.latency_s;
  return energy;
}

/// The bound that most of the time is spent under.
Bound BoundOf(const std::vector<OperatorPrediction>& operators) {
  std::array<double, 3> time{};
  for (const OperatorPrediction& op : operators) {
    time[static_cast<std::size_t>(op.bound)] += op.time_s;
  }
  return static_cast<Bound>(std::ranges::max_element(time) - time.begin());
}

}  // namespace

std::string_view Name(Bound bound) {
  switch (bound) {
    case Bound::kCompute:
      return "compute";
    case Bound::kMemory:
      return "memory";
    case Bound::kOverhead:
      break;
  }
  return "overhead";
}

Work PrepareWork(const model::Graph& graph, Precision precision, EngineKind engine) {
  Work work{.graph = &graph,
            .precision = precision,
            .engine = engine,
            .costs = Costs(graph, precision),
            .groups = {},
            .memory = {},
            .coverage = {}};
  work.groups = Fuse(graph, work.costs, engine, precision);
  work.memory = UseMemory(graph, work.costs, work.groups, precision);
  work.coverage = CoverageOf(graph, work.costs);
  return work;
}

Prediction Predict(const Work& work, const hardware::Profile& profile, std::int64_t batch_size) {
  Prediction prediction;
  prediction.hardware = profile.name;
  prediction.precision = work.precision.name;
  prediction.confidence = profile.confidence;
  prediction.batch_size = batch_size;
  prediction.engine = work.engine;
  prediction.peak_memory_bytes = work.memory.peak_bytes();
  prediction.weight_bytes = work.memory.weight_bytes;
  const auto device = DeviceOf(profile, work.precision);
  if (!device) {
    prediction.fits = false;
    prediction.problem =
        fmt::format("has no {}; it has {}", work.precision.name, Join(profile.Dtypes(), ", "));
    return prediction;
  }
  const auto capacity = profile.Main().capacity_bytes;
  if (capacity && static_cast<double>(prediction.peak_memory_bytes) > *capacity) {
    prediction.fits = false;
    prediction.problem =
        fmt::format("does not fit: needs {} of {}", FormatBytes(prediction.peak_memory_bytes),
                    FormatBytes(static_cast<std::uint64_t>(*capacity)));
    return prediction;
  }
  const bool sized = device->cache_bytes > 0;
  prediction.weights_resident =
      sized ? static_cast<double>(prediction.peak_memory_bytes) <= device->cache_bytes
            : profile.Main().name == "host";
  prediction.peak_flops_per_s = device->matrix_peak;
  prediction.peak_bytes_per_s = device->main_bytes_per_s;
  prediction.cache_bytes_per_s = device->cache_bytes_per_s.value_or(0);
  for (const Group& group : work.groups) {
    OperatorPrediction op = Describe(*work.graph, group);
    SplitBytes(*device, group.cost, prediction.weights_resident, op);
    TimeOperator(*device, work, group, ResultsOf(*work.graph, group), op);
    prediction.operators.push_back(std::move(op));
  }
  if (profile.Main().name == "host") {
    prediction.operators.push_back(Transfer(*device, work));
  }
  for (const OperatorPrediction& op : prediction.operators) {
    prediction.latency_s += op.time_s;
    prediction.roofline_s += op.time_s * op.utilization;
    prediction.flops += op.flops;
    prediction.bytes += op.bytes();
  }
  prediction.bound = BoundOf(prediction.operators);
  prediction.energy = EnergyOf(*device, prediction);
  return prediction;
}

}  // namespace assay::predict
