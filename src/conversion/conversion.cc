#include "conversion/conversion.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace assay::conversion {
namespace {

constexpr int kFirstAddition = 1000;  // ids below are the ones that users know

Conversion Fp32OnCpu(int id, std::string name, std::string description, Recipe recipe,
                     std::vector<Route> routes) {
  return {id,     std::move(name), std::move(description), "fp32",
          "fp32", "CPU",           std::move(recipe),      std::move(routes)};
}

/// The arms of a run that asks for none, in its order.
constexpr const char* kDefault =
    "EAGER,COMPILE_INDUCTOR_DEFAULT,EXPORT+AOT_INDUCTOR,EXPORT+AOT_INDUCTOR+FREEZING,ONNX_CPU,"
    "COMPILE_OPENVINO";

std::vector<std::string> Names() {
  std::vector<std::string> names;
  for (const Conversion& conversion : Registry()) {
    names.push_back(conversion.name);
  }
  return names;
}

/// The route on `engine`; the test engine serves every conversion when it is allowed.
Result<Route> FindRoute(const Conversion& conversion, std::string_view engine,
                        TestEngines test_engines) {
  std::vector<std::string> able;
  for (const Route& route : conversion.routes) {
    if (route.engine == engine) {
      return route;
    }
    able.push_back(route.engine);
  }
  if (engine == kTestEngine && test_engines == TestEngines::kAllowed) {
    return Route{kTestEngine, conversion.routes.front().preparer.empty() ? "" : kTestEngine};
  }
  return Error{Code::kInvalidArgument,
               fmt::format("engine '{}' cannot run {} (engines that can: {})", engine,
                           conversion.name, Join(able, ", ")),
               fmt::format("{}@{}, or {} alone for {}", conversion.name, able.front(),
                           conversion.name, able.front())};
}

/// Parses one "NAME" or "NAME@ENGINE".
Result<Choice> SelectOne(std::string_view word, TestEngines test_engines) {
  const std::size_t at = word.find('@');
  const std::string name = ToUpper(word.substr(0, at));
  const auto found = std::find_if(Registry().begin(), Registry().end(),
                                  [&](const Conversion& c) { return c.name == name; });
  if (found == Registry().end()) {
    return Error{Code::kInvalidArgument,
                 fmt::format("no conversion '{}'{}", word.substr(0, at), DidYouMean(name, Names())),
                 "assay conversions lists them"};
  }
  if (at == std::string_view::npos) {
    return Choice{*found, found->routes.front(), found->name};
  }
  const std::string engine = ToLower(word.substr(at + 1));
  ASSAY_ASSIGN(Route route, FindRoute(*found, engine, test_engines));
  return Choice{*found, std::move(route), fmt::format("{}@{}", found->name, engine)};
}

std::string Trimmed(std::string_view word) {
  const std::size_t begin = word.find_first_not_of(" \t");
  const std::size_t end = word.find_last_not_of(" \t");
  return begin == std::string_view::npos ? "" : std::string(word.substr(begin, end - begin + 1));
}

}  // namespace

const std::vector<Conversion>& Registry() {
  static const std::vector<Conversion> registry = {
      Fp32OnCpu(0, "EAGER", "every operator called one by one, as PyTorch does by itself",
                {.capture = "none", .compiler = "eager"}, {{"torch", ""}, {"pytorch", ""}}),
      Fp32OnCpu(2, "ONNX_CPU", "the ONNX graph in ONNX Runtime on its CPU provider",
                {.capture = "none", .compiler = "onnxruntime"}, {{"onnxruntime", ""}}),
      Fp32OnCpu(6, "COMPILE_INDUCTOR_DEFAULT",
                "torch.compile with its own compiler, Inductor, in its default mode",
                {.capture = "none", .compiler = "inductor"}, {{"pytorch", "pytorch"}}),
      Fp32OnCpu(17, "EXPORT+AOT_INDUCTOR",
                "torch.export, then compiled ahead of time into a package that needs no Python",
                {.capture = "export", .compiler = "aot_inductor"}, {{"torch", "pytorch"}}),
      Fp32OnCpu(30, "COMPILE_OPENVINO",
                "the captured graph compiled by OpenVINO for its CPU device",
                {.capture = "none", .compiler = "openvino"}, {{"openvino", "openvino"}}),
      Fp32OnCpu(kFirstAddition, "EXPORT+AOT_INDUCTOR+FREEZING",
                "as EXPORT+AOT_INDUCTOR with the weights frozen in: what one deploys",
                {.capture = "export", .compiler = "aot_inductor", .freezing = true},
                {{"torch", "pytorch"}}),
  };
  return registry;
}

Result<std::vector<Choice>> Select(std::string_view list, TestEngines test_engines) {
  std::vector<Choice> choices;
  std::vector<Error> errors;
  for (const std::string& part : Split(list, ',')) {
    const std::string word = Trimmed(part);
    if (word.empty()) {
      return Error{Code::kInvalidArgument,
                   fmt::format("an empty name in the conversions '{}'", list),
                   "separate names by one comma: --conversions EAGER,ONNX_CPU"};
    }
    auto choice = SelectOne(word, test_engines);
    if (!choice) {
      errors.push_back(std::move(choice).error());
      continue;
    }
    if (std::any_of(choices.begin(), choices.end(),
                    [&](const Choice& c) { return c.label == choice->label; })) {
      errors.push_back({Code::kInvalidArgument,
                        fmt::format("conversion {} is named twice", choice->label),
                        "name each once; --control adds the baseline a second time"});
      continue;
    }
    choices.push_back(*std::move(choice));
  }
  if (errors.empty()) {
    return choices;
  }
  std::vector<std::string> messages;
  for (const Error& error : errors) {
    messages.push_back(error.message);
  }
  return Error{Code::kInvalidArgument, Join(messages, "; "), errors.front().hint};
}

std::vector<Choice> DefaultChoices() {
  auto choices = Select(kDefault);
  return choices ? *std::move(choices) : std::vector<Choice>{};
}

Json ToJson(const Recipe& recipe) {
  Json json = {{"capture", recipe.capture},
               {"compiler", recipe.compiler},
               {"precision", recipe.precision},
               {"freezing", recipe.freezing},
               {"graph_optimization", recipe.graph_optimization}};
  if (recipe.as_is) {  // caches made before it was known stay good
    json["as_is"] = true;
  }
  return json;
}

Result<Recipe> RecipeFromJson(const Json& json, std::string_view what) {
  return FromJson(what, [&] {
    return Recipe{.capture = json.at("capture").get<std::string>(),
                  .compiler = json.at("compiler").get<std::string>(),
                  .precision = json.at("precision").get<std::string>(),
                  .as_is = json.value("as_is", false),
                  .freezing = json.at("freezing").get<bool>(),
                  .graph_optimization = json.at("graph_optimization").get<std::string>()};
  });
}

}  // namespace assay::conversion
