#include "cli/model_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <map>
#include <optional>

#include "base/file.h"
#include "base/text.h"
#include "cli/number.h"
#include "cli/python_model.h"
#include "model/batch.h"
#include "model/copy.h"
#include "zoo/zoo.h"

namespace assay::cli {
namespace {

namespace fs = std::filesystem;

Error NotBuilt(const std::string& what, const std::string& instead) {
  return {Code::kInvalidArgument, fmt::format("{} is not built yet", what), instead};
}

std::optional<std::int64_t> ParseNumber(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole && number > 0 ? std::optional(number) : std::nullopt;
}

Result<std::map<std::string, std::int64_t>> ParseDimensions(const std::vector<std::string>& texts) {
  std::map<std::string, std::int64_t> dimensions;
  for (const std::string& text : texts) {
    const std::size_t equals = text.find('=');
    const auto number =
        equals == std::string::npos ? std::nullopt : ParseNumber(text.substr(equals + 1));
    if (equals == 0 || !number) {
      return Error{Code::kInvalidArgument,
                   fmt::format("--dim '{}' is not NAME=N with N above 0", text),
                   "for example --dim batch=1"};
    }
    dimensions[text.substr(0, equals)] = *number;
  }
  return dimensions;
}

Result<tensor::Shape> ParseShape(const std::string& asked) {
  tensor::Shape shape;
  for (const std::string& part : Split(asked, 'x')) {
    const auto number = ParseNumber(part);
    if (!number) {
      return Error{Code::kInvalidArgument, fmt::format("--input-shape '{}' is no shape", asked),
                   "for example --input-shape 1x3x224x224"};
    }
    shape.push_back(*number);
  }
  return shape;
}

/// `--input-shape` states what the model must have; changing a model's shape is not built yet.
Status CheckShape(const model::Model& model, const std::string& asked) {
  if (asked.empty()) {
    return {};
  }
  ASSAY_ASSIGN(const tensor::Shape shape, ParseShape(asked));
  const model::Graph& graph = model.graph;
  if (graph.inputs.size() == 1 &&
      graph.values[static_cast<std::size_t>(graph.inputs[0])].type.shape == shape) {
    return {};
  }
  return NotBuilt(
      fmt::format("--input-shape {} for '{}', whose input has another shape,", asked, model.name),
      "--dim NAME=N sets the free dimensions of an ONNX file");
}

/// The batch that is wanted of an ONNX file: `asked`, else what `dimensions` makes of its input.
std::int64_t WantedBatch(const model::Model& model, std::optional<std::int64_t> asked,
                         const std::map<std::string, std::int64_t>& dimensions) {
  const model::Graph& graph = model.graph;
  if (asked || graph.inputs.empty()) {
    return asked.value_or(1);
  }
  const auto& shape = graph.values[static_cast<std::size_t>(graph.inputs[0])].type.shape;
  const bool given =
      !shape.empty() && std::any_of(dimensions.begin(), dimensions.end(),
                                    [&](const auto& d) { return d.second == shape[0]; });
  return given ? shape[0] : 1;
}

Status CheckBatch(const model::Model& model, std::int64_t asked) {
  const model::Graph& graph = model.graph;
  if (graph.inputs.empty()) {
    return {};
  }
  const auto& input = graph.values[static_cast<std::size_t>(graph.inputs[0])];
  if (input.type.shape.empty() || input.type.shape[0] == asked) {
    return {};
  }
  if (input.type.shape[0] == 0) {
    return Error{Code::kInvalidArgument,
                 fmt::format("the input '{}' of '{}' is {}: there is nothing to compute",
                             input.name, model.name, tensor::ToString(input.type.shape)),
                 "export the file with a batch of 1 or more, or a free one"};
  }
  return Error{Code::kInvalidArgument,
               fmt::format("--batch-size {} does not fit: the input '{}' of '{}' is {}", asked,
                           input.name, model.name, tensor::ToString(input.type.shape)),
               fmt::format("--batch-size {}, or export the file with that batch size or a free one",
                           input.type.shape[0])};
}

Result<model::Model> LoadPython(const ModelOptions& options, const Tell& tell) {
  if (!options.dimensions.empty()) {
    return Error{Code::kInvalidArgument,
                 fmt::format("--dim is for ONNX files; '{}' is a Python module", options.model),
                 "--input-shape, or example_inputs() beside the callable, says its shapes"};
  }
  if (!options.input_shape.empty()) {
    ASSAY_TRY(ParseShape(options.input_shape));
  }
  return LoadPythonModel({.target = options.model.substr(kPythonPrefix.size()),
                          .batch_size = options.batch_size.value_or(1),
                          .input_shape = options.input_shape,
                          .weights = options.weights,
                          .seed = options.seed},
                         HomeDirectory(), tell);
}

bool LooksLikeFile(const std::string& model) {
  return ToLower(model).ends_with(".onnx") || model.find('/') != std::string::npos;
}

}  // namespace

void ModelOptions::AddTo(CLI::App& verb) {
  verb.add_option(
          "MODEL", model,
          "a model of the zoo (assay models), a path to .onnx, or python:PACKAGE.MODULE:CALLABLE "
          "(python:FILE.py:CALLABLE) giving a torch.nn.Module")
      ->required();
  verb.add_option(
          "--batch-size", batch_size,
          "inputs per inference; of a Python module: replaces a 1 that --input-shape begins with")
      ->type_name("N")
      ->check(Between(1, zoo::kMostBatch))
      ->default_str("1");
  verb.add_option(
          "--weights", weights,
          "a checkpoint: FILE.safetensors, or the FILE.safetensors.index.json of several; "
          "without it zoo models have random weights, ONNX files and Python modules their own")
      ->type_name("FILE");
  verb.add_option(
          "--dim", dimensions,
          "value of a free dimension of an ONNX file, or of one that a model of the zoo has "
          "(assay models NAME); may repeat")
      ->type_name("NAME=N")
      ->allow_extra_args(false);
  verb.add_option("--input-shape", input_shape,
                  "shape that the model's input must have; of a Python module: of its one float32 "
                  "input, in place of example_inputs() beside the callable")
      ->type_name("1x3x224x224");
  verb.add_option("--seed", seed, "of random weights and inputs")
      ->type_name("N")
      ->check(Between(0, 1e15))
      ->capture_default_str();
}

Result<model::Model> ModelOptions::Load(const Tell& tell) const {
  ASSAY_ASSIGN(const auto named, ParseDimensions(dimensions));
  if (model.starts_with(kPythonPrefix)) {
    return LoadPython(*this, tell);
  }
  const fs::path cache = HomeDirectory() / "models";
  if (LooksLikeFile(model)) {
    const model::LoadOptions options{.dimensions = named, .known_sha256 = ""};
    ASSAY_ASSIGN(model::Model loaded, weights.empty()
                                          ? model::LoadMapped(model, options, cache)
                                          : model::LoadWithWeights(model, options, weights, cache));
    const std::int64_t batch = WantedBatch(loaded, batch_size, named);
    if (Status fits = CheckBatch(loaded, batch); !fits) {
      if (!changes_batch) {
        return std::move(fits).error();
      }
      Result<model::Model> changed = model::LoadWithBatch(loaded, options, batch, cache);
      if (!changed) {
        return Error{fits.error().code,
                     fmt::format("{} ({})", fits.error().message, changed.error().message),
                     fits.error().hint};
      }
      loaded = *std::move(changed);
    }
    ASSAY_TRY(CheckShape(loaded, input_shape));
    for (const std::string& warning : loaded.graph.warnings) {
      tell("warning: " + warning);
    }
    return loaded;
  }
  ASSAY_ASSIGN(const zoo::Entry entry, zoo::Find(model));
  ASSAY_ASSIGN(model::Model built, zoo::Build(entry,
                                              {.batch_size = batch_size.value_or(1),
                                               .seed = seed,
                                               .dimensions = named,
                                               .weights = weights},
                                              cache));
  ASSAY_TRY(CheckShape(built, input_shape));
  return built;
}

Result<model::Model> ModelOptions::Outline() const {
  if (model.starts_with(kPythonPrefix) || LooksLikeFile(model) || !weights.empty()) {
    ASSAY_ASSIGN(model::Model loaded, Load());
    if (loaded.module && loaded.module->no_onnx) {
      return *loaded.module->no_onnx;
    }
    return loaded;
  }
  ASSAY_ASSIGN(const auto named, ParseDimensions(dimensions));
  ASSAY_ASSIGN(const zoo::Entry entry, zoo::Find(model));
  ASSAY_ASSIGN(model::Model built,
               zoo::Outline(entry, {.batch_size = batch_size.value_or(1), .dimensions = named}));
  ASSAY_TRY(CheckShape(built, input_shape));
  return built;
}

std::vector<std::string> ModelOptions::Arguments() const {
  std::vector<std::string> arguments = {model};
  const auto add = [&](const char* option, const std::string& value) {
    arguments.emplace_back(option);
    arguments.push_back(value);
  };
  if (!weights.empty()) {
    add("--weights", weights);
  }
  for (const std::string& dimension : dimensions) {
    add("--dim", dimension);
  }
  if (model.starts_with(kPythonPrefix) && !input_shape.empty()) {
    add("--input-shape", input_shape);
  }
  return arguments;
}

}  // namespace assay::cli
