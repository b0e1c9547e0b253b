#include "campaign/input_files.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/file.h"
#include "base/text.h"
#include "tensor/npy.h"

namespace assay::campaign {
namespace {

constexpr std::int64_t kSets = kInputSets;

/// The shapes that hold every set: with the first axis longer, and with an axis before it.
std::vector<tensor::Shape> ShapesOfSets(const tensor::Shape& shape) {
  std::vector<tensor::Shape> shapes;
  if (!shape.empty()) {
    shapes.push_back(shape);
    shapes.back().front() *= kSets;
  }
  shapes.push_back(shape);
  shapes.back().insert(shapes.back().begin(), kSets);
  return shapes;
}

Result<const model::Value*> FindInput(const model::Graph& graph, const std::string& name) {
  std::vector<std::string> names;
  for (const model::ValueId id : graph.inputs) {
    const model::Value& value = graph.values[static_cast<std::size_t>(id)];
    if (value.name == name) {
      return &value;
    }
    names.push_back(value.name);
  }
  const std::string nearest = DidYouMean(name, names);
  return Error{Code::kInvalidArgument,
               fmt::format("--input: the model has no input '{}'{}", name, nearest),
               fmt::format("its inputs are {}", Join(names, ", "))};
}

Result<GivenInput> Fit(tensor::Tensor array, const model::Value& input) {
  const tensor::Type& wanted = input.type;
  const std::vector<tensor::Shape> several = ShapesOfSets(wanted.shape);
  const bool sets = std::find(several.begin(), several.end(), array.type.shape) != several.end();
  if (array.type.dtype != wanted.dtype || (!sets && array.type.shape != wanted.shape)) {
    return Error{
        Code::kInvalidArgument,
        fmt::format("{} is {} {}, but the input '{}' takes {} {}", array.name,
                    tensor::Name(array.type.dtype), tensor::ToString(array.type.shape), input.name,
                    tensor::Name(wanted.dtype), tensor::ToString(wanted.shape)),
        fmt::format("that type and shape, or {} for {} inputs that take turns",
                    tensor::ToString(several.front()), kSets)};
  }
  GivenInput given{.data = std::move(array.data), .sha256 = "", .several = sets};
  given.sha256 = Sha256Of({reinterpret_cast<const char*>(given.data.data()), given.data.size()});
  return given;
}

}  // namespace

tensor::Tensor GivenInput::Set(const model::Value& input, int set) const {
  const std::size_t bytes = several ? data.size() / static_cast<std::size_t>(kSets) : data.size();
  const auto begin = data.begin() + static_cast<std::ptrdiff_t>(
                                        several ? static_cast<std::size_t>(set) * bytes : 0);
  return {.name = fmt::format("{}.{}", input.name, set),
          .type = input.type,
          .data = {begin, begin + static_cast<std::ptrdiff_t>(bytes)}};
}

bool GivenInput::Fixed() const {
  const std::size_t bytes = data.size() / static_cast<std::size_t>(kSets);
  // Equal to itself a set further on: all sets are the first.
  return !several ||
         std::equal(data.begin() + static_cast<std::ptrdiff_t>(bytes), data.end(), data.begin());
}

Result<GivenInputs> ReadInputFiles(const model::Graph& graph, const std::vector<InputFile>& files) {
  GivenInputs given;
  for (const InputFile& file : files) {
    ASSAY_ASSIGN(const model::Value* input, FindInput(graph, file.name));
    ASSAY_ASSIGN(tensor::Tensor array, tensor::ReadNpy(file.path));
    ASSAY_ASSIGN(GivenInput fitting, Fit(std::move(array), *input));
    if (!given.emplace(file.name, std::move(fitting)).second) {
      return Error{Code::kInvalidArgument,
                   fmt::format("--input: '{}' is given more than once", file.name), ""};
    }
  }
  return given;
}

}  // namespace assay::campaign
