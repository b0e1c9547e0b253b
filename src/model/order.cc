// The order of a graph's nodes. Files may have them in any; runtimes sort them, ONNX's checker and
// our readers take them as they come.
#include <algorithm>
#include <functional>
#include <queue>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "model/proto.h"
#include "onnx/onnx-ml.pb.h"

namespace assay::model {
namespace {

using Names = std::unordered_set<std::string>;

/// What a graph inside a node reads of the graphs around it, and names of its own besides.
void AddReads(const onnx::GraphProto& graph, Names& reads);

void AddReads(const onnx::NodeProto& node, Names& reads) {
  reads.insert(node.input().begin(), node.input().end());
  for (const onnx::AttributeProto& attribute : node.attribute()) {
    AddReads(attribute.g(), reads);
  }
}

void AddReads(const onnx::GraphProto& graph, Names& reads) {
  for (const onnx::NodeProto& node : graph.node()) {
    AddReads(node, reads);
  }
  for (const onnx::ValueInfoProto& output : graph.output()) {
    reads.insert(output.name());
  }
}

/// Positions of the nodes in order: of those that may come next the first in the file. Shorter than
/// the list when there is a cycle.
std::vector<int> OrderOf(const onnx::GraphProto& graph) {
  std::unordered_map<std::string, int> makers;
  for (int i = 0; i < graph.node_size(); ++i) {
    for (const std::string& output : graph.node(i).output()) {
      makers.emplace(output, i);
    }
  }
  std::vector<std::vector<int>> readers(static_cast<std::size_t>(graph.node_size()));
  std::vector<int> waits(static_cast<std::size_t>(graph.node_size()), 0);
  std::priority_queue<int, std::vector<int>, std::greater<>> ready;
  for (int i = 0; i < graph.node_size(); ++i) {
    Names reads;
    AddReads(graph.node(i), reads);
    for (const std::string& name : reads) {
      if (const auto maker = makers.find(name); maker != makers.end() && !name.empty()) {
        readers[static_cast<std::size_t>(maker->second)].push_back(i);
        ++waits[static_cast<std::size_t>(i)];
      }
    }
    if (waits[static_cast<std::size_t>(i)] == 0) {
      ready.push(i);
    }
  }
  std::vector<int> order;
  while (!ready.empty()) {
    order.push_back(ready.top());
    ready.pop();
    for (const int reader : readers[static_cast<std::size_t>(order.back())]) {
      if (--waits[static_cast<std::size_t>(reader)] == 0) {
        ready.push(reader);
      }
    }
  }
  return order;
}

}  // namespace

void SortNodes(onnx::GraphProto& graph) {
  for (onnx::NodeProto& node : *graph.mutable_node()) {
    for (onnx::AttributeProto& attribute : *node.mutable_attribute()) {
      if (attribute.has_g()) {
        SortNodes(*attribute.mutable_g());
      }
    }
  }
  const std::vector<int> order = OrderOf(graph);
  if (std::is_sorted(order.begin(), order.end()) ||
      order.size() != static_cast<std::size_t>(graph.node_size())) {
    return;
  }
  google::protobuf::RepeatedPtrField<onnx::NodeProto> sorted;
  for (const int position : order) {
    sorted.Add(std::move(*graph.mutable_node(position)));
  }
  graph.mutable_node()->Swap(&sorted);
}

}  // namespace assay::model
