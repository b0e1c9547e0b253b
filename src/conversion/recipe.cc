#include "conversion/recipe.h"

namespace assay::conversion {
namespace {

/// Gives `visit` the name and member of each field that is left out where it has its default.
template <typename R, typename Visit>
void OptionalFields(R& recipe, Visit visit) {
  visit("mode", recipe.mode);
  visit("fullgraph", recipe.fullgraph);
  visit("eager_fallback", recipe.eager_fallback);
  visit("autocast", recipe.autocast);
  visit("as_is", recipe.as_is);
  visit("quantisation", recipe.quantisation);
  visit("weights", recipe.weights);
  visit("activations", recipe.activations);
  visit("calibration", recipe.calibration);
  visit("decompose", recipe.decompose);
  visit("channels_last", recipe.channels_last);
  visit("onednn_graph", recipe.onednn_graph);
  visit("rounding", recipe.rounding);
  visit("spinning", recipe.spinning);
  visit("streams", recipe.streams);
}

}  // namespace

bool Calibrates(const Recipe& recipe) {
  return !recipe.activations.empty() && recipe.quantisation != "dynamic_int8";
}

std::string ClassOf(const Recipe& recipe) {
  if (recipe.weights.starts_with("float8")) {
    return "fp8";
  }
  return recipe.weights.empty() ? recipe.precision : recipe.weights;
}

std::optional<Recipe> PlainOf(const Recipe& recipe) {
  const std::string& how = recipe.quantisation;
  Recipe plain{.compiler = "eager", .precision = recipe.precision};
  if (how.empty()) {
    const bool cast = !recipe.as_is && (recipe.precision == "bf16" || recipe.precision == "fp16");
    return cast ? std::optional(plain) : std::nullopt;
  }
  if (recipe.weights == "int2") {
    return std::nullopt;
  }
  plain.as_is = recipe.as_is;
  plain.quantisation = "plain";
  plain.weights = recipe.weights;
  plain.activations = recipe.activations;
  if (how == "static_int8" || how == "dynamic_int8") {
    plain.weights = kNarrowInt8;
  } else if (how == "x86_int8") {
    plain.activations = kNarrowInt8;
  } else if (how == "fx_int8" || how == "fx_simulated") {
    plain.activations = kInt7;
  }
  return plain;
}

std::string PlainName(const Recipe& plain) {
  std::string name = "plain";
  const bool cast = plain.quantisation.empty() || plain.precision != "fp32";
  for (const std::string& part : {cast ? plain.precision : "", plain.weights, plain.activations}) {
    name += part.empty() ? "" : "-" + part;
  }
  return name;
}

Json ToJson(const Recipe& recipe) {
  Json json = {{"capture", recipe.capture},
               {"compiler", recipe.compiler},
               {"precision", recipe.precision},
               {"freezing", recipe.freezing},
               {"graph_optimization", recipe.graph_optimization}};
  const Recipe plain{.compiler = ""};
  Json usual;
  OptionalFields(plain, [&](const char* name, const auto& value) { usual[name] = value; });
  OptionalFields(recipe, [&](const char* name, const auto& value) {
    if (usual[name] != Json(value)) {
      json[name] = value;
    }
  });
  return json;
}

Result<Recipe> RecipeFromJson(const Json& json, std::string_view what) {
  return FromJson(what, [&] {
    Recipe recipe;
    json.at("capture").get_to(recipe.capture);
    json.at("compiler").get_to(recipe.compiler);
    json.at("precision").get_to(recipe.precision);
    json.at("freezing").get_to(recipe.freezing);
    json.at("graph_optimization").get_to(recipe.graph_optimization);
    OptionalFields(recipe, [&](const char* name, auto& value) {
      if (json.contains(name)) {
        json.at(name).get_to(value);
      }
    });
    return recipe;
  });
}

}  // namespace assay::conversion
