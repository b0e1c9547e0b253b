#include "predict/memory.h"

#include <algorithm>

namespace assay::predict {
namespace {

using model::ValueId;

std::size_t At(ValueId id) { return static_cast<std::size_t>(id); }

struct Life {
  std::ptrdiff_t begin = -1, end = -1;  // groups; begin -1: there from the start
  std::uint64_t bytes = 0;
  bool leaves = false;  // is an input or output of the model
};

/// The value whose storage each value shares: itself, or the input of the view that renames it.
std::vector<std::size_t> Owners(const model::Graph& graph, const std::vector<Cost>& costs) {
  std::vector<std::size_t> owners(graph.values.size());
  for (std::size_t v = 0; v < owners.size(); ++v) {
    const std::int32_t producer = graph.values[v].producer;
    owners[v] = v;
    if (producer < 0 || costs[static_cast<std::size_t>(producer)].kind != Kind::kView) {
      continue;
    }
    const model::Node& node = graph.nodes[static_cast<std::size_t>(producer)];
    if (!node.inputs.empty() && node.inputs[0] != model::kNone) {
      owners[v] = owners[At(node.inputs[0])];
    }
  }
  return owners;
}

/// An input that the group may write its output over: as large, made before, read last here.
bool WritesInPlace(const model::Graph& graph, const Group& group, const std::vector<Cost>& costs,
                   const std::vector<Life>& lives, const std::vector<std::size_t>& owners,
                   std::ptrdiff_t step, std::uint64_t bytes) {
  if (group.nodes.size() != 1 || costs[group.main].kind != Kind::kVector) {
    return false;
  }
  return std::ranges::any_of(graph.nodes[group.main].inputs, [&](ValueId input) {
    if (input == model::kNone) {
      return false;
    }
    const Life& life = lives[owners[At(input)]];
    return life.begin >= 0 && life.end == step && life.bytes == bytes;
  });
}

}  // namespace

std::uint64_t MemoryUse::peak_bytes() const {
  return weight_bytes + (timeline.empty() ? 0 : timeline[peak].activation_bytes);
}

MemoryUse UseMemory(const model::Graph& graph, const std::vector<Cost>& costs,
                    const std::vector<Group>& groups, Precision precision) {
  const std::vector<std::size_t> owners = Owners(graph, costs);
  const auto last = static_cast<std::ptrdiff_t>(groups.size()) - 1;
  std::vector<std::size_t> group_of(graph.nodes.size());
  for (std::size_t g = 0; g < groups.size(); ++g) {
    for (const std::size_t n : groups[g].nodes) {
      group_of[n] = g;
    }
  }
  MemoryUse use;
  std::vector<Life> lives(graph.values.size());
  for (std::size_t v = 0; v < graph.values.size(); ++v) {
    const model::Value& value = graph.values[v];
    if (value.weight) {
      use.weight_bytes += BytesOf(value, precision);
    } else if (owners[v] == v && !value.constant) {
      lives[v].bytes = BytesOf(value, precision);
      lives[v].begin =
          value.producer < 0
              ? -1
              : static_cast<std::ptrdiff_t>(group_of[static_cast<std::size_t>(value.producer)]);
      lives[v].end = lives[v].begin;
    }
  }
  for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
    for (const ValueId input : graph.nodes[n].inputs) {
      if (input != model::kNone) {
        Life& life = lives[owners[At(input)]];
        life.end = std::max(life.end, static_cast<std::ptrdiff_t>(group_of[n]));
      }
    }
  }
  for (const auto* ports : {&graph.inputs, &graph.outputs}) {
    for (const ValueId port : *ports) {
      lives[owners[At(port)]].end = last;
      lives[owners[At(port)]].leaves = true;
    }
  }
  // Changes of what is live, from one step to the next; a value inside one group takes nothing.
  std::vector<std::int64_t> change(groups.size() + 1, 0);
  for (std::size_t v = 0; v < lives.size(); ++v) {
    const Life& life = lives[v];
    const bool inside = life.begin == life.end && !life.leaves;
    if (life.bytes == 0 || groups.empty() || inside) {
      continue;
    }
    std::ptrdiff_t begin = std::max<std::ptrdiff_t>(life.begin, 0);
    if (life.begin > 0 && WritesInPlace(graph, groups[static_cast<std::size_t>(life.begin)], costs,
                                        lives, owners, life.begin, life.bytes)) {
      ++begin;  // until then it is its input's
    }
    change[static_cast<std::size_t>(begin)] += static_cast<std::int64_t>(life.bytes);
    change[static_cast<std::size_t>(life.end + 1)] -= static_cast<std::int64_t>(life.bytes);
  }
  std::int64_t live = 0;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    live += change[g];
    use.timeline.push_back({g, static_cast<std::uint64_t>(std::max<std::int64_t>(live, 0))});
    if (use.timeline[g].activation_bytes > use.timeline[use.peak].activation_bytes) {
      use.peak = g;
    }
  }
  return use;
}

}  // namespace assay::predict
