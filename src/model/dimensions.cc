#include "model/dimensions.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
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
};

std::vector<Dimension> DimensionsOf(const onnx::GraphProto& graph) {
  std::set<std::string> defaults;  // old files declare each initializer as an input
  for (const onnx::TensorProto& initializer : graph.initializer()) {
    defaults.insert(initializer.name());
  }
  std::vector<Dimension> dimensions;
  for (const onnx::ValueInfoProto& input : graph.input()) {
    const auto& shape = input.type().tensor_type().shape();
    for (int axis = 0; axis < shape.dim_size() && !defaults.contains(input.name()); ++axis) {
      const auto& dim = shape.dim(axis);
      const std::string name = NameOf(dim, input.name(), axis);
      auto found = std::find_if(dimensions.begin(), dimensions.end(), [&](const Dimension& d) {
        return d.name == name && d.fixed.has_value() == dim.has_dim_value();
      });
      if (found == dimensions.end()) {
        dimensions.push_back({name, std::nullopt, {}});
        found = dimensions.end() - 1;
        if (dim.has_dim_value()) {
          found->fixed = dim.dim_value();
        }
      }
      found->places.push_back({input.name(), axis, shape.dim_size()});
    }
  }
  return dimensions;
}

/// A size to begin with, by what the name and the place say.
std::int64_t Usual(const Dimension& dimension) {
  const std::string name = ToLower(dimension.name);
  const auto says = [&](std::initializer_list<const char*> words) {
    return std::any_of(words.begin(), words.end(),
                       [&](const char* word) { return name.find(word) != std::string::npos; });
  };
  const Place& place = dimension.places.front();
  if (says({"batch"}) || (place.axis == 0 && !says({"seq", "len", "time", "tok"}))) {
    return 1;
  }
  if (place.rank == 4) {  // an image: channels, then height and width
    return place.axis == 1 ? 3 : 224;
  }
  return 128;
}

/// As a shell takes it.
std::string Quoted(const std::string& text) {
  const bool plain = std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '.' || c == '=' || c == '-' || c == '/';
  });
  return plain ? text : fmt::format("'{}'", text);
}

std::string Remedy(const std::vector<Dimension>& dimensions,
                   const std::map<std::string, std::int64_t>& sizes) {
  std::vector<std::string> options;
  for (const Dimension& dimension : dimensions) {
    if (!dimension.fixed) {
      const auto given = sizes.find(dimension.name);
      options.push_back(
          "--dim " + Quoted(fmt::format("{}={}", dimension.name,
                                        given == sizes.end() ? Usual(dimension) : given->second)));
    }
  }
  return Join(options, " ");
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
              const std::map<std::string, std::int64_t>& sizes) {
  std::vector<std::string> free;
  for (const Dimension& dimension : dimensions) {
    if (!dimension.fixed) {
      free.push_back(dimension.name);
    } else if (dimension.name == name) {
      return {Code::kInvalidArgument,
              fmt::format("dimension {} is {} in the file, it is not free", Where(dimension),
                          *dimension.fixed),
              free.empty() ? "leave that --dim out" : Remedy(dimensions, sizes)};
    }
  }
  return {Code::kInvalidArgument,
          fmt::format("no free dimension '{}'{}", name, DidYouMean(name, free)),
          free.empty() ? "all dimensions of its inputs are fixed: leave --dim out"
                       : "its free dimensions: " + Remedy(dimensions, sizes)};
}

}  // namespace

std::string NameOf(const onnx::TensorShapeProto_Dimension& dimension, const std::string& input,
                   int axis) {
  return dimension.dim_param().empty() ? fmt::format("{}.{}", input, axis) : dimension.dim_param();
}

Status CheckDimensions(const onnx::GraphProto& graph,
                       const std::map<std::string, std::int64_t>& sizes) {
  const std::vector<Dimension> dimensions = DimensionsOf(graph);
  for (const auto& [name, size] : sizes) {
    if (size < 1) {
      return Error{Code::kInvalidArgument, fmt::format("dimension '{}' cannot be {}", name, size),
                   "sizes are 1 and more"};
    }
    const auto free = [&](const Dimension& d) { return d.name == name && !d.fixed; };
    if (std::none_of(dimensions.begin(), dimensions.end(), free)) {
      return Unknown(name, dimensions, sizes);
    }
  }
  std::vector<std::string> missing;
  for (const Dimension& dimension : dimensions) {
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
               fmt::format("for example {}", Remedy(dimensions, sizes))};
}

}  // namespace assay::model
