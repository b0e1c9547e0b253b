#include "cli/model_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <map>
#include <optional>

#include "base/file.h"
#include "base/text.h"
#include "cli/folders.h"
#include "cli/number.h"
#include "cli/python_model.h"
#include "model/batch.h"
#include "model/copy.h"
#include "zoo/zoo.h"

namespace assay::cli {
namespace {

namespace fs = std::filesystem;

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

using Shapes = std::map<std::string, tensor::Shape>;  // by input, "" for the only one

Result<tensor::Shape> ParseShape(const std::string& asked) {
  tensor::Shape shape;
  if (asked == tensor::ToString({})) {
    return shape;
  }
  for (const std::string& part : Split(asked, 'x')) {
    const auto number = ParseNumber(part);
    if (!number) {
      return Error{Code::kInvalidArgument, fmt::format("--input-shape '{}' is no shape", asked),
                   "for example --input-shape 1x3x224x224, or NAME=1x3x224x224"};
    }
    shape.push_back(*number);
  }
  return shape;
}

/// Names may hold anything, a shape no '='.
Result<Shapes> ParseShapes(const std::vector<std::string>& texts) {
  Shapes shapes;
  for (const std::string& text : texts) {
    const std::size_t equals = text.rfind('=');
    const std::string name = equals == std::string::npos ? "" : text.substr(0, equals);
    ASSAY_ASSIGN(tensor::Shape shape,
                 ParseShape(equals == std::string::npos ? text : text.substr(equals + 1)));
    if (!shapes.emplace(name, std::move(shape)).second) {
      return Error{Code::kInvalidArgument,
                   fmt::format("--input-shape {} gives the same input a second shape", text), ""};
    }
  }
  return shapes;
}

/// A batch size and a first axis that was asked for besides have to be the same.
Status CheckAgreement(const Shapes& shapes, std::optional<std::int64_t> batch) {
  for (const auto& [name, shape] : shapes) {
    if (batch && (shape.empty() || shape.front() != *batch)) {
      return Error{Code::kInvalidArgument,
                   fmt::format("--batch-size {} and --input-shape {} disagree", *batch,
                               tensor::ToString(shape)),
                   "the first axis is the batch; leave --batch-size out"};
    }
  }
  return {};
}

/// What the zoo is asked for by the shape of a model's first input.
Status SetSizes(const zoo::Entry& entry, const tensor::Shape& shape, zoo::BuildOptions& options) {
  const auto misfit = [&](const std::string& why) {
    return Error{Code::kInvalidArgument,
                 fmt::format("--input-shape {} does not fit {}: {}", tensor::ToString(shape),
                             entry.name, why),
                 fmt::format("usual is --input-shape {}", tensor::ToString(entry.input_shape))};
  };
  if (shape.size() != entry.input_shape.size()) {
    return misfit(fmt::format("its input has {} axes", entry.input_shape.size()));
  }
  options.batch_size = shape.front();
  for (std::size_t axis = 1; axis < shape.size(); ++axis) {
    const auto dimension =
        std::ranges::find(entry.dimensions, static_cast<int>(axis), &zoo::Dimension::axis);
    if (dimension == entry.dimensions.end() && shape[axis] != entry.input_shape[axis]) {
      return misfit(
          fmt::format("axis {} is {}, as its weights are", axis, entry.input_shape[axis]));
    }
    if (dimension != entry.dimensions.end() &&
        options.dimensions.emplace(dimension->name, shape[axis]).first->second != shape[axis]) {
      return misfit(fmt::format("--dim says another {}", dimension->name));
    }
  }
  return {};
}

/// Whether the model has the shapes that were asked for.
Status CheckShapes(const model::Model& model, const Shapes& shapes) {
  for (const auto& [name, shape] : shapes) {
    const auto& inputs = model.graph.inputs;
    const auto found = std::ranges::find_if(inputs, [&](model::ValueId id) {
      return name.empty() || model.graph.values[static_cast<std::size_t>(id)].name == name;
    });
    if (found == inputs.end()) {
      return Error{Code::kInvalidArgument,
                   fmt::format("--input-shape: '{}' has no input '{}'", model.name, name), ""};
    }
    const tensor::Shape& own = model.graph.values[static_cast<std::size_t>(*found)].type.shape;
    if (own != shape) {
      return Error{Code::kInvalidArgument,
                   fmt::format("--input-shape {}: the input is {}", tensor::ToString(shape),
                               tensor::ToString(own)),
                   ""};
    }
  }
  return {};
}

Status CheckElements(const model::Model& model) {
  const model::Graph& graph = model.graph;
  if (graph.inputs.empty()) {
    return {};
  }
  const auto& input = graph.values[static_cast<std::size_t>(graph.inputs[0])];
  if (input.type.shape.empty() || input.type.shape[0] > 0) {
    return {};
  }
  return Error{Code::kInvalidArgument,
               fmt::format("the input '{}' of '{}' is {}: there is nothing to compute", input.name,
                           model.name, tensor::ToString(input.type.shape)),
               "export the file with a batch of 1 or more, or a free one"};
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
  return Error{Code::kInvalidArgument,
               fmt::format("--batch-size {} does not fit: the input '{}' of '{}' is {}", asked,
                           input.name, model.name, tensor::ToString(input.type.shape)),
               fmt::format("--batch-size {}, or export the file with that batch size or a free one",
                           input.type.shape[0])};
}

Result<model::Model> LoadPython(const ModelOptions& options, const fs::path& home,
                                const Tell& tell) {
  if (!options.dimensions.empty()) {
    return Error{Code::kInvalidArgument,
                 fmt::format("--dim is for ONNX files; '{}' is a Python module", options.model),
                 "--input-shape, or example_inputs() beside the callable, says its shapes"};
  }
  ASSAY_ASSIGN(const Shapes shapes, ParseShapes(options.input_shapes));
  if (shapes.size() > 1) {
    return Error{Code::kInvalidArgument,
                 "--input-shape gives a Python module its one float32 input; there are several",
                 "write example_inputs() beside the callable"};
  }
  return LoadPythonModel(
      {.target = options.model.substr(kPythonPrefix.size()),
       .batch_size = options.batch_size.value_or(1),
       .input_shape = shapes.empty() ? "" : tensor::ToString(shapes.begin()->second),
       .weights = options.weights,
       .seed = options.seed,
       .stage_timeout_s = options.stage_timeout_s},
      home, tell);
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
  verb.add_option("--input-shape", input_shapes,
                  "shape of an input, NAME left out where there is one: of an ONNX file what it "
                  "leaves free, of the zoo other batches, pictures and lengths, of a Python module "
                  "its one float32 input, in place of example_inputs(); may repeat")
      ->type_name("[NAME=]1x3x224x224")
      ->allow_extra_args(false);
  verb.add_option("--seed", seed, "of random weights and inputs")
      ->type_name("N")
      ->check(Between(0, 1e15))
      ->capture_default_str();
}

Result<model::Model> ModelOptions::LoadFile(const fs::path& home, const Tell& tell) const {
  const fs::path cache = home / "models";
  model::LoadOptions options;
  ASSAY_ASSIGN(options.dimensions, ParseDimensions(dimensions));
  ASSAY_ASSIGN(options.shapes, ParseShapes(input_shapes));
  ASSAY_TRY(CheckAgreement(options.shapes, batch_size));
  ASSAY_ASSIGN(model::Model loaded, weights.empty()
                                        ? model::LoadMapped(model, options, cache)
                                        : model::LoadWithWeights(model, options, weights, cache));
  ASSAY_TRY(CheckElements(loaded));
  if (const Status fits = batch_size ? CheckBatch(loaded, *batch_size) : Status(); !fits) {
    if (!changes_batch) {
      return fits.error();
    }
    Result<model::Model> changed = model::LoadWithBatch(loaded, options, *batch_size, cache);
    if (!changed) {
      return Error{fits.error().code,
                   fmt::format("{} ({})", fits.error().message, changed.error().message),
                   fits.error().hint};
    }
    loaded = *std::move(changed);
  }
  for (const std::string& warning : loaded.graph.warnings) {
    tell("warning: " + warning);
  }
  return loaded;
}

Result<zoo::BuildOptions> ModelOptions::ForZoo(const zoo::Entry& entry) const {
  zoo::BuildOptions options{.batch_size = batch_size.value_or(1), .seed = seed, .weights = weights};
  ASSAY_ASSIGN(options.dimensions, ParseDimensions(dimensions));
  ASSAY_ASSIGN(const Shapes shapes, ParseShapes(input_shapes));
  ASSAY_TRY(CheckAgreement(shapes, batch_size));
  if (!shapes.empty()) {
    ASSAY_TRY(SetSizes(entry, shapes.begin()->second, options));
  }
  return options;
}

Result<model::Model> ModelOptions::Load(const Tell& tell) const {
  Result<model::Model> loaded = LoadIn(HomeDirectory(), tell);
  if (loaded.ok() || loaded.error().code != Code::kIo || CheckHome()) {
    return loaded;
  }
  std::error_code error;
  const fs::path temporary = fs::temp_directory_path(error);
  Result<PendingFolder> folder = PendingFolder::Make(error ? "/tmp" : temporary);
  if (!folder.ok()) {
    return CheckHome().error();
  }
  scratch = std::make_shared<PendingFolder>(*std::move(folder));
  return LoadIn(scratch->path(), tell);
}

Result<model::Model> ModelOptions::LoadIn(const fs::path& home, const Tell& tell) const {
  if (model.starts_with(kPythonPrefix)) {
    return LoadPython(*this, home, tell);
  }
  if (LooksLikeFile(model)) {
    return LoadFile(home, tell);
  }
  ASSAY_ASSIGN(const zoo::Entry entry, zoo::Find(model));
  ASSAY_ASSIGN(const zoo::BuildOptions options, ForZoo(entry));
  ASSAY_ASSIGN(model::Model built, zoo::Build(entry, options, home / "models"));
  ASSAY_ASSIGN(const Shapes shapes, ParseShapes(input_shapes));
  ASSAY_TRY(CheckShapes(built, shapes));
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
  ASSAY_ASSIGN(const zoo::Entry entry, zoo::Find(model));
  ASSAY_ASSIGN(const zoo::BuildOptions options, ForZoo(entry));
  ASSAY_ASSIGN(model::Model built, zoo::Outline(entry, options));
  ASSAY_ASSIGN(const Shapes shapes, ParseShapes(input_shapes));
  ASSAY_TRY(CheckShapes(built, shapes));
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
  for (const std::string& shape : input_shapes) {
    add("--input-shape", shape);
  }
  return arguments;
}

}  // namespace assay::cli
