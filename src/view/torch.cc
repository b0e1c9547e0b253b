// Reads what src/engines/pytorch/torch_graph.py wrote (assay.torch_graph/1).
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "view/listing.h"

namespace assay::view {
namespace {

constexpr std::string_view kSchema = "assay.torch_graph/1";
constexpr std::array<std::pair<std::string_view, Kind>, 4> kKinds = {{{"input", Kind::kInput},
                                                                      {"weight", Kind::kWeight},
                                                                      {"constant", Kind::kConstant},
                                                                      {"result", Kind::kResult}}};

Item ItemOf(const Json& json) {
  Item item;
  const auto kind = json.at("kind").get<std::string>();
  for (const auto& [name, value] : kKinds) {
    item.kind = name == kind ? value : item.kind;
  }
  item.name = json.at("name").get<std::string>();
  item.content = json.value("content", "");
  item.parameters = json.value("parameters", std::uint64_t{0});
  const auto dtype = json.contains("dtype")
                         ? tensor::ParseDType(json.at("dtype").get<std::string>())
                         : std::nullopt;
  if (dtype) {
    item.type = tensor::Type{*dtype, json.at("shape").get<tensor::Shape>()};
  }
  return item;
}

/// "conv2d" for "aten.conv2d.default" and "torch.conv2d".
std::string_view BaseName(std::string_view op) {
  const auto first = op.find('.');
  if (first == std::string_view::npos) {
    return op;
  }
  if (!op.starts_with("aten.")) {
    return op.substr(op.rfind('.') + 1);
  }
  op.remove_prefix(first + 1);
  return op.substr(0, op.find('.'));
}

Step StepOf(const Json& json, const std::vector<Item>& items) {
  Step step{.name = json.at("name").get<std::string>(),
            .op = json.at("op").get<std::string>(),
            .origin = json.at("origin").get<std::string>(),
            .arguments = {},
            .results = json.at("results").get<std::vector<ItemId>>()};
  const auto item = [&](ItemId id) -> const Item& {
    return items.at(static_cast<std::size_t>(id));
  };
  std::vector<std::optional<tensor::Type>> operands;
  for (const Json& argument : json.at("arguments")) {
    const ItemId id = argument.value("item", -1);
    operands.push_back(id < 0 ? std::nullopt : item(id).type);
    step.arguments.push_back({id, argument.value("text", "")});
  }
  const std::string_view base = BaseName(step.op);
  step.remark = IsInPlace(base) ? "in place" : "";
  step.macs =
      step.results.empty() ? 0 : MultiplyAdds(base, operands, item(step.results.front()).type);
  return step;
}

Listing ListingOf(const Json& json) {
  Listing listing{.name = json.at("name").get<std::string>(),
                  .title = json.at("title").get<std::string>(),
                  .step = "name",
                  .origin = "module"};
  for (const Json& item : json.at("items")) {
    listing.items.push_back(ItemOf(item));
  }
  for (const Json& step : json.at("steps")) {
    listing.steps.push_back(StepOf(step, listing.items));
  }
  listing.inputs = json.at("inputs").get<std::vector<ItemId>>();
  listing.outputs = json.at("outputs").get<std::vector<ItemId>>();
  listing.whole = listing.steps.size();
  listing.notes = {
      "*NAME is a parameter or buffer of the module; module: where in it the call was "
      "made. A name that ends in _ is an operator in place."};
  return listing;
}

/// Whether every id names an item.
bool IsWhole(const Listing& listing) {
  const auto fits = [&](ItemId id) {
    return id >= 0 && static_cast<std::size_t>(id) < listing.items.size();
  };
  const auto all = [&](const std::vector<ItemId>& ids) {
    return std::all_of(ids.begin(), ids.end(), fits);
  };
  return all(listing.inputs) && all(listing.outputs) &&
         std::all_of(listing.steps.begin(), listing.steps.end(),
                     [&](const Step& step) { return all(step.results); });
}

}  // namespace

Result<TorchGraphs> TorchGraphsFromJson(const Json& json, std::string_view what) {
  ASSAY_ASSIGN(const std::string schema,
               FromJson(what, [&] { return json.at("schema").get<std::string>(); }));
  if (schema != kSchema) {
    return Error{Code::kMalformed,
                 fmt::format("{}: its schema is '{}', not '{}'", what, schema, kSchema), ""};
  }
  TorchGraphs read;
  try {
    for (const Json& graph : json.at("graphs")) {
      read.graphs.push_back(ListingOf(graph));
      read.code.push_back(graph.at("code").get<std::string>());
      if (!IsWhole(read.graphs.back())) {
        return Error{Code::kMalformed, fmt::format("{}: an item that is not there", what), ""};
      }
    }
    for (const Json& json_break : json.at("breaks")) {
      read.breaks.push_back({json_break.at("reason").get<std::string>(),
                             json_break.at("where").get<std::vector<std::string>>()});
    }
  } catch (const std::exception& e) {  // the JSON library's, and a vector's at()
    return Error{Code::kMalformed, fmt::format("{}: {}", what, e.what()), ""};
  }
  return read;
}

}  // namespace assay::view
