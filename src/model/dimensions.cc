#include "model/dimensions.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <functional>
#include <optional>
#include <set>
#include <vector>

#include "base/text.h"
#include "onnx/onnx-ml.pb.h"

namespace assay::model {
namespace {

struct Place {
  std::string input;
  int axis = 0, rank = 0;
};

struct Dimension {
  std::string name;
  std::optional<std::int64_t> fixed;  // the file's size
  std::vector<Place> places;
  bool alone = false;  // the only free one of its input
};

/// Inputs, but for those that give an initializer its default, as old files declare each of them.
std::vector<const onnx::ValueInfoProto*> InputsOf(const onnx::GraphProto& graph) {
  std::set<std::string> defaults;
  for (const onnx::TensorProto& initializer : graph.initializer()) {
    defaults.insert(initializer.name());
  }
  std::vector<const onnx::ValueInfoProto*> inputs;
  for (const onnx::ValueInfoProto& input : graph.input()) {
    if (!defaults.contains(input.name())) {
      inputs.push_back(&input);
    }
  }
  return inputs;
}

std::vector<Dimension> DimensionsOf(const onnx::GraphProto& graph, const Shapes& shapes) {
  std::vector<Dimension> dimensions;
  for (const onnx::ValueInfoProto* input : InputsOf(graph)) {
    const auto& shape = input->type().tensor_type().shape();
    for (int axis = 0; axis < shape.dim_size() && !shapes.contains(input->name()); ++axis) {
      const auto& dim = shape.dim(axis);
      const std::string name = NameOf(dim, input->name(), axis);
      const bool fixed = IsFixed(dim);
      auto found = std::find_if(dimensions.begin(), dimensions.end(), [&](const Dimension& d) {
        return d.name == name && d.fixed.has_value() == fixed;
      });
      if (found == dimensions.end()) {
        dimensions.push_back({.name = name, .fixed = std::nullopt, .places = {}});
        found = dimensions.end() - 1;
        if (fixed) {
          found->fixed = dim.dim_value();
        }
      }
      found->places.push_back({input->name(), axis, shape.dim_size()});
      found->alone = std::ranges::count_if(shape.dim(), std::not_fn(IsFixed)) == 1;
    }
  }
  return dimensions;
}

/// Channels that the first layer which reads the input has weights for, where it is an image (axis
/// 1) or a table (the last); 0 where none says.
std::int64_t ChannelsOf(const onnx::GraphProto& graph, const Place& place) {
  for (const onnx::NodeProto& node : graph.node()) {
    const bool convolution = node.op_type() == "Conv" && place.axis == 1;
    const bool product = (node.op_type() == "MatMul" || node.op_type() == "Gemm") &&
                         place.axis + 1 == place.rank && place.axis > 0;
    if (node.input_size() < 2 || node.input(0) != place.input || !(convolution || product)) {
      continue;
    }
    std::int64_t groups = 1;
    bool transposed = false;
    for (const onnx::AttributeProto& attribute : node.attribute()) {
      groups = attribute.name() == "group" ? attribute.i() : groups;
      transposed = transposed || (attribute.name() == "transB" && attribute.i() != 0);
    }
    for (const onnx::TensorProto& weight : graph.initializer()) {
      if (weight.name() == node.input(1) && weight.dims_size() >= 2) {
        return convolution ? weight.dims(1) * groups
                           : weight.dims(transposed ? 1 : weight.dims_size() - 2);
      }
    }
  }
  return 0;
}

/// A size to begin with, by what the name, the place and the graph say.
///
/// picture, sequence  of axes that nothing else is known of
std::int64_t Usual(const onnx::GraphProto& graph, const Dimension& dimension, std::int64_t picture,
                   std::int64_t sequence) {
  const std::string name = ToLower(dimension.name);
  const auto says = [&](std::initializer_list<const char*> words) {
    return std::any_of(words.begin(), words.end(),
                       [&](const char* word) { return name.find(word) != std::string::npos; });
  };
  const Place& place = dimension.places.front();
  if (says({"batch"}) || (place.axis == 0 && !says({"seq", "len", "time", "tok"}))) {
    return 1;
  }
  if (const std::int64_t channels = ChannelsOf(graph, place); channels > 0) {
    return channels;
  }
  if (place.rank == 3 && place.axis == 1 && dimension.alone) {
    return 1;  // of a recurrent state: layers, batch, features
  }
  if (place.rank == 4) {  // an image: channels, then height and width
    return place.axis == 1 ? 3 : picture;
  }
  return sequence;
}

/// As a shell takes it.
std::string Quoted(const std::string& text) {
  const bool plain = std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '.' || c == '=' || c == '-' || c == '/';
  });
  return plain ? text : fmt::format("'{}'", text);
}

/// Whether the file has no name for it.
bool IsNameless(const Dimension& dimension) {
  const Place& place = dimension.places.front();
  return dimension.name == fmt::format("{}.{}", place.input, place.axis);
}

std::string Remedy(const onnx::GraphProto& graph, const Sizes& sizes, const Shapes& shapes) {
  const std::vector<Sizes> guesses = Guesses(graph, sizes, shapes);
  return OptionsFor(graph, guesses.front(), shapes);
}

/// "'batch' (axis 0 of 'ids', axis 0 of 'mask')".
std::string Where(const Dimension& dimension) {
  std::vector<std::string> places;
  for (const Place& place : dimension.places) {
    places.push_back(fmt::format("axis {} of '{}'", place.axis, place.input));
  }
  return fmt::format("'{}' ({})", dimension.name, Join(places, ", "));
}

Error Unknown(const std::string& name, const std::vector<Dimension>& dimensions,
              const std::string& remedy) {
  std::vector<std::string> free;
  for (const Dimension& dimension : dimensions) {
    if (!dimension.fixed) {
      free.push_back(dimension.name);
    } else if (dimension.name == name) {
      return {Code::kInvalidArgument,
              fmt::format("dimension {} is {} in the file, it is not free", Where(dimension),
                          *dimension.fixed),
              free.empty() ? "leave that --dim out" : remedy};
    }
  }
  return {Code::kInvalidArgument,
          fmt::format("no free dimension '{}'{}", name, DidYouMean(name, free)),
          free.empty() ? "all dimensions of its inputs are fixed: leave --dim out"
                       : "its free dimensions: " + remedy};
}

}  // namespace

std::string NameOf(const onnx::TensorShapeProto_Dimension& dimension, const std::string& input,
                   int axis) {
  const std::string& name = dimension.dim_param();
  const bool named = std::any_of(name.begin(), name.end(),
                                 [](unsigned char c) { return std::isalnum(c) != 0 || c >= 0x80; });
  return named ? name : fmt::format("{}.{}", input, axis);
}

bool IsFixed(const onnx::TensorShapeProto_Dimension& dimension) {
  return dimension.has_dim_value() && dimension.dim_value() >= 0;
}

Result<Shapes> CheckShapes(const onnx::GraphProto& graph, const Shapes& asked) {
  const std::vector<const onnx::ValueInfoProto*> inputs = InputsOf(graph);
  std::vector<std::string> names;
  for (const onnx::ValueInfoProto* input : inputs) {
    names.push_back(input->name());
  }
  Shapes shapes;
  for (const auto& [name, shape] : asked) {
    const bool only = name.empty() && inputs.size() == 1;
    const auto found = std::find_if(inputs.begin(), inputs.end(), [&](const auto* input) {
      return only || input->name() == name;
    });
    if (found == inputs.end()) {
      return Error{Code::kInvalidArgument,
                   name.empty() ? fmt::format("--input-shape {} names no input, and there are {}",
                                              tensor::ToString(shape), inputs.size())
                                : fmt::format("--input-shape: no input '{}'{}", name,
                                              DidYouMean(name, names)),
                   fmt::format("its inputs: {}; for example --input-shape {}", Join(names, ", "),
                               Quoted(fmt::format("{}={}", names.empty() ? "NAME" : names.front(),
                                                  tensor::ToString(shape))))};
    }
    const onnx::TypeProto_Tensor& type = (*found)->type().tensor_type();
    const auto& own = type.shape();
    const auto misfit = [&](const std::string& what) {
      return Error{Code::kInvalidArgument,
                   fmt::format("--input-shape {}: input '{}' {}", tensor::ToString(shape),
                               (*found)->name(), what),
                   "only the dimensions that the file leaves free can be chosen"};
    };
    if (type.has_shape() && static_cast<std::size_t>(own.dim_size()) != shape.size()) {
      return misfit(fmt::format("has {} axes", own.dim_size()));
    }
    for (int axis = 0; axis < own.dim_size(); ++axis) {
      const std::int64_t size = shape[static_cast<std::size_t>(axis)];
      if (IsFixed(own.dim(axis)) && own.dim(axis).dim_value() != size) {
        return misfit(
            fmt::format("has {} in axis {}, not {}", own.dim(axis).dim_value(), axis, size));
      }
    }
    shapes[(*found)->name()] = shape;
  }
  return shapes;
}

std::vector<Sizes> Guesses(const onnx::GraphProto& graph, const Sizes& sizes,
                           const Shapes& shapes) {
  // Multiples of the strides that networks have, then what short sequences and small pictures are.
  constexpr std::pair<std::int64_t, std::int64_t> kTried[] = {
      {224, 128}, {320, 512}, {640, 256}, {48, 64}, {64, 576}, {32, 16}, {256, 1024}, {1, 1}};
  std::vector<Sizes> guesses;
  for (const auto& [picture, sequence] : kTried) {
    Sizes& guess = guesses.emplace_back(sizes);
    for (const Dimension& dimension : DimensionsOf(graph, shapes)) {
      if (!dimension.fixed) {
        guess.emplace(dimension.name, Usual(graph, dimension, picture, sequence));
      }
    }
  }
  return guesses;
}

std::string OptionsFor(const onnx::GraphProto& graph, const Sizes& sizes, const Shapes& shapes) {
  const std::vector<const onnx::ValueInfoProto*> inputs = InputsOf(graph);
  std::vector<std::string> options;
  Shapes whole = shapes;  // inputs whose shapes are given whole
  for (const Dimension& dimension : DimensionsOf(graph, shapes)) {
    if (!dimension.fixed && IsNameless(dimension)) {
      whole[dimension.places.front().input];
    }
  }
  for (const onnx::ValueInfoProto* input : inputs) {
    if (!whole.contains(input->name())) {
      continue;
    }
    tensor::Shape& shape = whole[input->name()];
    const auto& own = input->type().tensor_type().shape();
    for (int axis = 0; axis < own.dim_size() && !shapes.contains(input->name()); ++axis) {
      const auto size = sizes.find(NameOf(own.dim(axis), input->name(), axis));
      shape.push_back(IsFixed(own.dim(axis)) || size == sizes.end() ? own.dim(axis).dim_value()
                                                                    : size->second);
    }
    const std::string text = tensor::ToString(shape);
    options.push_back("--input-shape " + Quoted(inputs.size() == 1
                                                    ? text
                                                    : fmt::format("{}={}", input->name(), text)));
  }
  for (const Dimension& dimension : DimensionsOf(graph, whole)) {
    const auto size = sizes.find(dimension.name);
    if (!dimension.fixed && size != sizes.end()) {
      options.push_back("--dim " + Quoted(fmt::format("{}={}", dimension.name, size->second)));
    }
  }
  return Join(options, " ");
}

Status CheckDimensions(const onnx::GraphProto& graph, const Sizes& sizes, const Shapes& shapes) {
  for (const onnx::ValueInfoProto* input : InputsOf(graph)) {
    const onnx::TypeProto& type = input->type();
    if (type.has_tensor_type() && !type.tensor_type().has_shape() &&
        !shapes.contains(input->name())) {
      return Error{
          Code::kInvalidArgument, fmt::format("input '{}' has no shape", input->name()),
          fmt::format("for example --input-shape {}", Quoted(input->name() + "=1x3x224x224"))};
    }
  }
  const std::vector<Dimension> all = DimensionsOf(graph, {});
  for (const auto& [name, size] : sizes) {
    if (size < 1) {
      return Error{Code::kInvalidArgument, fmt::format("dimension '{}' cannot be {}", name, size),
                   "sizes are 1 and more"};
    }
    const auto free = [&](const Dimension& d) { return d.name == name && !d.fixed; };
    if (std::none_of(all.begin(), all.end(), free)) {
      Sizes others = sizes;
      others.erase(name);
      return Unknown(name, all, Remedy(graph, others, shapes));
    }
  }
  std::vector<std::string> missing;
  for (const Dimension& dimension : DimensionsOf(graph, shapes)) {
    if (!dimension.fixed && !sizes.contains(dimension.name)) {
      missing.push_back(Where(dimension));
    }
  }
  if (missing.empty()) {
    return {};
  }
  return Error{Code::kInvalidArgument,
               missing.size() == 1 ? fmt::format("the dimension {} has no size", missing.front())
                                   : fmt::format("{} dimensions have no size: {}", missing.size(),
                                                 Join(missing, ", ")),
               fmt::format("for example {}", Remedy(graph, sizes, shapes))};
}

}  // namespace assay::model
