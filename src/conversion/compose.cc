#include "conversion/compose.h"

#include <algorithm>
#include <cstdlib>

#include "base/text.h"
#include "conversion/parts.h"

namespace assay::conversion {
namespace {

const Part& PartOf(const std::string& name) {
  const auto found = std::find_if(Parts().begin(), Parts().end(),
                                  [&](const Part& part) { return part.name == name; });
  if (found == Parts().end()) {
    std::abort();  // a name in the registry with a part that is not in the table
  }
  return *found;
}

std::vector<Route> RoutesOf(const Recipe& recipe) {
  const std::string& compiler = recipe.compiler;
  const bool other_graph = !recipe.quantisation.empty() || recipe.capture == "dynamo_onnx";
  if (compiler == "onnxruntime") {
    return {{"onnxruntime", other_graph ? "pytorch" : ""}};
  }
  if (compiler == "openvino") {
    return {{"openvino", other_graph ? "pytorch" : "openvino"}};
  }
  if (compiler == "aot_inductor") {
    return {{"torch", "pytorch"}};
  }
  if (recipe == Recipe{.compiler = "eager"}) {
    return {{"torch", ""}, {"pytorch", ""}};
  }
  const bool as_it_is =
      compiler == "eager" && recipe.capture == "none" && recipe.quantisation.empty();
  return {{"pytorch", as_it_is ? "" : "pytorch"}};
}

std::string DescriptionOf(const std::vector<std::string>& steps) {
  std::string text;
  for (const std::string& step : steps) {
    text += text.empty() ? "" : step.starts_with("with ") ? ", " : ", then ";
    text += step;
  }
  return text;
}

/// Names that come near, whether or not there is such a conversion: first with a part replaced by
/// what stands in for it, then with parts left out from the front, then from the back.
std::vector<std::string> AlternativesOf(const std::vector<std::string>& parts) {
  std::vector<std::string> names;
  const auto add = [&](auto begin, auto end) { names.push_back(Join({begin, end}, "+")); };
  for (auto part = parts.begin(); part != parts.end(); ++part) {
    for (const std::string& other : PartOf(*part).instead) {
      for (auto begin = parts.begin(); begin <= part; ++begin) {
        std::vector<std::string> replaced(begin, part);
        replaced.push_back(other);
        names.push_back(Join(replaced, "+"));
      }
    }
  }
  for (auto begin = parts.begin() + 1; begin < parts.end(); ++begin) {
    add(begin, parts.end());
  }
  for (auto end = parts.end() - 1; end > parts.begin(); --end) {
    add(parts.begin(), end);
  }
  return names;
}

}  // namespace

Conversion Compose(int id, const std::string& name) {
  Conversion c;
  c.id = id;
  c.name = name;
  c.device = "CPU";
  const std::vector<std::string> parts = Split(name, '+');
  for (const std::string& word : parts) {
    const Part& part = PartOf(word);
    part.apply(c);
    c.steps.emplace_back(part.step);
  }
  Recipe& recipe = c.recipe;
  if (recipe.compiler.empty()) {
    recipe.compiler = "eager";
  }
  if (c.weights.empty()) {
    c.weights = recipe.weights.empty() ? recipe.precision : recipe.weights;
  }
  c.activations = recipe.activations.empty() ? recipe.precision : recipe.activations;
  c.description = DescriptionOf(c.steps);
  c.routes = RoutesOf(recipe);
  if (recipe.compiler == "onnxruntime" && recipe.precision == "bf16") {
    c.standing = Standing::kExplained;
    c.why = "ONNX Runtime's CPU provider has no convolution in bf16";
  }
  c.alternatives = AlternativesOf(parts);
  return c;
}

}  // namespace assay::conversion
