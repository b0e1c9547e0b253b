#include "campaign/inputs.h"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>
#include <utility>
#include <vector>

#include "base/file.h"
#include "campaign/draw.h"
#include "campaign/input_files.h"
#include "model/domain.h"
#include "tensor/safetensors.h"
#include "tensor/tensor.h"

namespace assay::campaign {
namespace {

constexpr const char* kRecipe = "inputs/2";  // changes whenever other values would be drawn

/// All that the values of one input follow from.
std::string Describe(const model::Value& input, const model::Domain& domain) {
  std::string text = fmt::format("{} {} {}", input.name, tensor::Name(input.type.dtype),
                                 tensor::ToString(input.type.shape));
  for (const model::Range& range : domain.each) {
    text += fmt::format(" {}..{}{}", range.low, range.high, range.whole ? " whole" : "");
  }
  for (const double value : domain.among) {
    text += fmt::format(" {}", value);
  }
  text += domain.first ? fmt::format(" first {}", *domain.first) : "";
  return text + (domain.distinct ? fmt::format(" distinct {}", *domain.distinct) : "");
}

}  // namespace

bool Inputs::AnyDrawn() const {
  return std::any_of(drawn.begin(), drawn.end(),
                     [](const std::string& how) { return !how.empty(); });
}

Result<Inputs> DrawInputs(const model::Graph& graph, std::uint64_t seed,
                          const std::filesystem::path& folder, const std::vector<InputFile>& files,
                          int sets, int gentleness) {
  ASSAY_ASSIGN(const GivenInputs given, ReadInputFiles(graph, files));
  std::string description = fmt::format("{} seed {} sets {}\n", kRecipe, seed, sets);
  Inputs inputs;
  inputs.gentleness = gentleness;
  std::vector<model::Domain> domains = model::DomainsOf(graph);
  for (std::size_t i = 0; i < domains.size(); ++i) {
    const model::Value& value = graph.values[static_cast<std::size_t>(graph.inputs[i])];
    const auto read = given.find(value.name);
    const bool drawn = read == given.end();
    domains[i] = Gentler(std::move(domains[i]), gentleness);
    inputs.drawn.push_back(drawn ? model::ToString(domains[i]) : "");
    description +=
        drawn ? Describe(value, domains[i]) + "\n"
              : fmt::format("{} {} {} file {}\n", value.name, tensor::Name(value.type.dtype),
                            tensor::ToString(value.type.shape), read->second.sha256);
  }
  inputs.sha256 = Sha256Of(description);
  inputs.file = folder / (inputs.sha256.substr(0, 16) + ".safetensors");
  inputs.fixed =
      !given.empty() && given.size() == graph.inputs.size() &&
      std::all_of(given.begin(), given.end(), [](const auto& one) { return one.second.Fixed(); });
  if (std::filesystem::exists(inputs.file)) {
    return inputs;
  }
  std::vector<tensor::Tensor> tensors;
  for (std::size_t i = 0; i < graph.inputs.size(); ++i) {
    const model::Value& value = graph.values[static_cast<std::size_t>(graph.inputs[i])];
    ASSAY_TRY(tensor::ElementCount(value.type.shape));
    const auto read = given.find(value.name);
    for (int set = 0; set < sets; ++set) {
      tensors.push_back(read == given.end() ? Draw(value, domains[i], seed, set)
                                            : read->second.Set(value, set % kInputSets));
    }
  }
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  ASSAY_TRY(tensor::WriteSafetensors(inputs.file, tensors));
  return inputs;
}

}  // namespace assay::campaign
