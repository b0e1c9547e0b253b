#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <map>

#include "base/text.h"
#include "model/count.h"
#include "view/listing.h"

namespace assay::view {
namespace {

constexpr std::uint64_t kMostShown = 6;  // elements of a constant; more are shown as a type

template <typename T>
std::vector<std::string> Elements(const tensor::Tensor& tensor) {
  std::vector<std::string> texts;
  for (std::size_t at = 0; at + sizeof(T) <= tensor.data.size(); at += sizeof(T)) {
    T value;
    std::memcpy(&value, tensor.data.data() + at, sizeof value);
    texts.push_back(fmt::format("{}", value));
  }
  return texts;
}

/// "[1, -1]", "0.5" for a scalar; "" for types and sizes that are not shown.
std::string ContentOf(const tensor::Tensor& tensor) {
  const auto count = tensor::ElementCount(tensor.type.shape);
  if (!count || *count > kMostShown) {
    return "";
  }
  std::vector<std::string> texts;
  switch (tensor.type.dtype) {
    case tensor::DType::kFloat32:
      texts = Elements<float>(tensor);
      break;
    case tensor::DType::kFloat64:
      texts = Elements<double>(tensor);
      break;
    case tensor::DType::kInt32:
      texts = Elements<std::int32_t>(tensor);
      break;
    case tensor::DType::kInt64:
      texts = Elements<std::int64_t>(tensor);
      break;
    case tensor::DType::kBool:
      texts = Elements<bool>(tensor);
      break;
    default:
      return "";
  }
  const bool scalar = tensor.type.shape.empty() && texts.size() == 1;
  return scalar ? texts.front() : fmt::format("[{}]", Join(texts, ", "));
}

struct AttributeText {
  std::string operator()(std::int64_t number) const { return std::to_string(number); }
  std::string operator()(double number) const { return fmt::format("{:.6g}", number); }
  std::string operator()(const std::string& text) const { return text; }
  std::string operator()(const std::vector<std::int64_t>& numbers) const {
    return fmt::format("{}", fmt::join(numbers, "x"));
  }
  std::string operator()(const std::vector<double>& numbers) const {
    return fmt::format("[{:.6g}]", fmt::join(numbers, ", "));
  }
  std::string operator()(const std::vector<std::string>& texts) const {
    return fmt::format("[{}]", Join(texts, ", "));
  }
  std::string operator()(const tensor::Tensor& tensor) const {
    const std::string content = ContentOf(tensor);
    return content.empty() ? fmt::format("{} {}", tensor::Name(tensor.type.dtype),
                                         tensor::ToString(tensor.type.shape))
                           : content;
  }
};

/// Whether an attribute says what goes without saying, whichever operator has it.
bool IsTrivial(const std::string& name, const model::Attribute& value) {
  const auto all = [&](std::int64_t number) {
    const auto* list = std::get_if<std::vector<std::int64_t>>(&value);
    return list != nullptr && std::count(list->begin(), list->end(), number) ==
                                  static_cast<std::ptrdiff_t>(list->size());
  };
  if (name == "dilations" || name == "strides") {
    return all(1);
  }
  if (name == "pads") {
    return all(0);
  }
  if (name == "group") {
    const auto* number = std::get_if<std::int64_t>(&value);
    return number != nullptr && *number == 1;
  }
  const auto* text = std::get_if<std::string>(&value);
  return name == "auto_pad" && text != nullptr && *text == "NOTSET";
}

/// Lists of axes and pads read best with commas, sizes with an x.
std::string Shown(const std::string& name, const model::Attribute& value) {
  const auto* list = std::get_if<std::vector<std::int64_t>>(&value);
  const bool sizes =
      name == "kernel_shape" || name == "strides" || name == "dilations" || name.ends_with("shape");
  if (list != nullptr && !sizes) {
    return fmt::format("{} [{}]", name, fmt::join(*list, ", "));
  }
  return fmt::format("{} {}", name, std::visit(AttributeText{}, value));
}

std::string AttributesOf(const model::Node& node) {
  std::vector<std::string> texts;
  for (const auto& [name, value] : node.attributes) {
    if (!IsTrivial(name, value)) {
      texts.push_back(Shown(name, value));
    }
  }
  return Join(texts, ", ");
}

/// Unique names for nodes: ONNX lets several have the same.
class Names {
 public:
  std::string Unique(const std::string& name) {
    const int count = ++counts_[name];
    return count == 1 ? name : Unique(fmt::format("{}#{}", name, count));
  }

 private:
  std::map<std::string, int> counts_;
};

Kind KindOf(const model::Value& value, bool input) {
  if (input) {
    return Kind::kInput;
  }
  if (value.producer >= 0) {
    return Kind::kResult;
  }
  const bool small = value.constant && !ContentOf(*value.constant).empty();
  return value.weight && (tensor::IsFloat(value.type.dtype) || !small) && !value.type.shape.empty()
             ? Kind::kWeight
             : Kind::kConstant;
}

Item ItemOf(const model::Value& value, bool input, std::uint64_t parameters) {
  Item item{KindOf(value, input), value.name,
            value.Typed() ? std::optional(value.type) : std::nullopt};
  item.parameters = parameters;
  if (!value.Typed()) {
    item.content = value.open;
  } else if (item.kind == Kind::kConstant && value.constant) {
    item.content = ContentOf(*value.constant);
  }
  return item;
}

/// Writes a graph, and those inside its nodes after each, into a listing.
class Writer {
 public:
  explicit Writer(Listing& listing) : listing_(listing) {}

  /// prefix  of the names of its steps
  /// around  items by the names of values in the graphs around
  std::vector<ItemId> Add(const model::Graph& graph, const std::string& prefix,
                          const std::map<std::string, ItemId>& around) {
    const std::vector<ItemId> items = AddItems(graph, around);
    for (const model::Node& node : graph.nodes) {
      AddStep(graph, node, prefix, items);
      if (!node.bodies.empty()) {
        AddBodies(graph, node, prefix, items);
      }
    }
    return items;
  }

 private:
  std::vector<ItemId> AddItems(const model::Graph& graph,
                               const std::map<std::string, ItemId>& around) {
    const std::vector<std::uint64_t> parameters = model::ParametersByValue(graph);
    std::vector<ItemId> items;
    for (std::size_t i = 0; i < graph.values.size(); ++i) {
      const model::Value& value = graph.values[i];
      const bool input = std::count(graph.inputs.begin(), graph.inputs.end(), i) > 0;
      const auto found = around.find(value.name);
      if (found != around.end() && value.producer < 0 && !input && !value.weight) {
        items.push_back(found->second);
        continue;
      }
      items.push_back(static_cast<ItemId>(listing_.items.size()));
      listing_.items.push_back(ItemOf(value, input, parameters[i]));
    }
    return items;
  }

  static std::vector<ItemId> Mapped(const std::vector<model::ValueId>& ids,
                                    const std::vector<ItemId>& items) {
    std::vector<ItemId> mapped;
    for (const model::ValueId id : ids) {
      mapped.push_back(id == model::kNone ? -1 : items[static_cast<std::size_t>(id)]);
    }
    return mapped;
  }

  void AddStep(const model::Graph& graph, const model::Node& node, const std::string& prefix,
               const std::vector<ItemId>& items) {
    Step step{.name = names_.Unique(prefix + node.name),
              .op = node.domain.empty() ? node.op : node.domain + "." + node.op};
    for (const ItemId item : Mapped(node.inputs, items)) {
      step.arguments.push_back({item, item < 0 ? kLeftOut : ""});
    }
    while (!step.arguments.empty() && step.arguments.back().item < 0) {
      step.arguments.pop_back();
    }
    const std::vector<ItemId> results = Mapped(node.outputs, items);
    for (std::size_t i = 0; i < results.size(); ++i) {
      if (results[i] >= 0) {
        Item& made = listing_.items[static_cast<std::size_t>(results[i])];
        made.alias =
            std::exchange(made.name, i == 0 ? step.name : fmt::format("{}:{}", step.name, i));
        step.results.push_back(results[i]);
      }
    }
    step.attributes = AttributesOf(node);
    step.macs = model::CountMacs(graph, node);
    listing_.steps.push_back(std::move(step));
  }

  void AddBodies(const model::Graph& graph, const model::Node& node, const std::string& prefix,
                 const std::vector<ItemId>& items) {
    std::map<std::string, ItemId> around;
    for (std::size_t i = 0; i < graph.values.size(); ++i) {
      around[graph.values[i].name] = items[i];
    }
    const std::size_t step = listing_.steps.size() - 1;
    for (const auto& [attribute, body] : node.bodies) {
      const std::vector<ItemId> inside =
          Add(*body, fmt::format("{}{}/{}/", prefix, node.name, attribute), around);
      std::vector<std::string> gives;
      for (const ItemId item : Mapped(body->outputs, inside)) {
        gives.push_back(listing_.items[static_cast<std::size_t>(item)].name);
      }
      std::string& attributes = listing_.steps[step].attributes;
      attributes += fmt::format("{}{} gives {}", attributes.empty() ? "" : ", ", attribute,
                                gives.empty() ? "?" : Join(gives, " and "));
    }
  }

  Listing& listing_;
  Names names_;
};

}  // namespace

std::string TypeOf(const Item& item) {
  if (!item.type) {
    return item.content.empty() ? "?" : item.content;
  }
  return fmt::format("{} {}", tensor::Name(item.type->dtype), tensor::ToString(item.type->shape));
}

Listing OnnxListing(const model::Graph& graph, std::string_view name) {
  Listing listing{.name = std::string(name),
                  .title = fmt::format("{} as ONNX, opset {}", name, graph.opset),
                  .step = "node",
                  .origin = ""};
  Writer(listing).Add(graph, "", {});
  listing.inputs = graph.inputs;
  listing.outputs = graph.outputs;
  listing.whole = listing.steps.size();
  listing.notes = {
      "*NAME is a weight, [...] a constant; a value is called by the node that makes it, NODE:1 "
      "its "
      "second result. Attributes that say nothing (strides, dilations, group of 1, pads of 0) are "
      "left out; what the graph's reader computes beforehand (shapes) is not shown."};
  if (graph.unread) {
    listing.notes.push_back("Not all of it has static types, which PyTorch's arms need: " +
                            graph.unread->message);
  }
  return listing;
}

}  // namespace assay::view
