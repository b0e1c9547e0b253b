#include "campaign/inputs.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <system_error>
#include <type_traits>
#include <vector>

#include "base/file.h"
#include "campaign/input_files.h"
#include "tensor/safetensors.h"
#include "tensor/tensor.h"

namespace assay::campaign {
namespace {

constexpr const char* kRecipe = "inputs/1";  // changes whenever other values would be drawn

/// Source  Steele, Lea, Flood, OOPSLA 2014 (SplitMix64)
class SplitMix {
 public:
  explicit SplitMix(std::uint64_t seed) : state_(seed) {}
  std::uint64_t Next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  double Uniform() { return static_cast<double>(Next() >> 11) * 0x1p-53; }  // [0, 1)

 private:
  std::uint64_t state_;
};

std::uint64_t HashOf(std::string_view name, std::uint64_t seed, int set) {
  std::uint64_t hash = 0xcbf29ce484222325;  // FNV-1a
  for (const char c : name) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  }
  return SplitMix(hash ^ SplitMix(seed).Next()).Next() + static_cast<std::uint64_t>(set);
}

/// Rows that an integer input may pick: the fewest of the tables that it indexes directly; 2 when
/// it indexes none.
std::int64_t RowsOf(const model::Graph& graph, model::ValueId input) {
  std::int64_t rows = 0;
  for (const model::Node& node : graph.nodes) {
    if (node.op != "Gather" || node.inputs.size() < 2 || node.inputs[1] != input) {
      continue;
    }
    const auto& shape = graph.values[static_cast<std::size_t>(node.inputs[0])].type.shape;
    std::int64_t axis = node.Int("axis", 0);
    axis += axis < 0 ? static_cast<std::int64_t>(shape.size()) : 0;
    if (axis >= 0 && axis < static_cast<std::int64_t>(shape.size())) {
      const std::int64_t here = shape[static_cast<std::size_t>(axis)];
      rows = rows == 0 ? here : std::min(rows, here);
    }
  }
  return rows > 0 ? rows : 2;
}

template <typename T>
void Append(std::vector<std::byte>& bytes, T value) {
  const auto* begin = reinterpret_cast<const std::byte*>(&value);
  bytes.insert(bytes.end(), begin, begin + sizeof value);
}

/// The upper half of a float32: a bfloat16, rounded towards zero.
std::uint16_t BFloat16(float value) {
  return static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(value) >> 16);
}

/// IEEE half of `value` in [-1, 1), rounded towards zero; below 2^-14 it becomes 0.
std::uint16_t Half(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const auto exponent = static_cast<std::int32_t>((bits >> 23) & 0xff) - 127 + 15;
  const std::uint32_t sign = (bits >> 16) & 0x8000;
  return static_cast<std::uint16_t>(
      exponent <= 0 ? sign
                    : sign | static_cast<std::uint32_t>(exponent) << 10 | ((bits >> 13) & 0x3ff));
}

void AppendFloat(std::vector<std::byte>& bytes, tensor::DType dtype, double value) {
  switch (dtype) {
    case tensor::DType::kFloat64:
      return Append(bytes, value);
    case tensor::DType::kFloat16:
      return Append(bytes, Half(static_cast<float>(value)));
    case tensor::DType::kBFloat16:
      return Append(bytes, BFloat16(static_cast<float>(value)));
    default:
      return Append(bytes, static_cast<float>(value));
  }
}

tensor::Tensor Draw(const model::Value& value, std::uint64_t elements, std::int64_t rows,
                    std::uint64_t seed, int set) {
  tensor::Tensor drawn{
      .name = fmt::format("{}.{}", value.name, set), .type = value.type, .data = {}};
  const std::size_t size = tensor::SizeOf(value.type.dtype);
  drawn.data.reserve(elements * size);
  SplitMix random(HashOf(value.name, seed, set));
  for (std::uint64_t i = 0; i < elements; ++i) {
    if (tensor::IsFloat(value.type.dtype)) {
      AppendFloat(drawn.data, value.type.dtype, 2 * random.Uniform() - 1);
      continue;
    }
    const std::uint64_t small =
        rows == 2 && i == 0 ? 1 : random.Next() % static_cast<std::uint64_t>(rows);
    const auto* bytes = reinterpret_cast<const std::byte*>(&small);  // little endian
    drawn.data.insert(drawn.data.end(), bytes, bytes + size);
  }
  return drawn;
}

}  // namespace

Result<Inputs> DrawInputs(const model::Graph& graph, std::uint64_t seed,
                          const std::filesystem::path& folder, const std::vector<InputFile>& files,
                          int sets) {
  ASSAY_ASSIGN(const GivenInputs given, ReadInputFiles(graph, files));
  std::string description = fmt::format("{} seed {} sets {}\n", kRecipe, seed, sets);
  std::vector<std::int64_t> rows;
  for (const model::ValueId id : graph.inputs) {
    const model::Value& value = graph.values[static_cast<std::size_t>(id)];
    rows.push_back(RowsOf(graph, id));
    const auto read = given.find(value.name);
    description += fmt::format(
        "{} {} {} {}\n", value.name, tensor::Name(value.type.dtype),
        tensor::ToString(value.type.shape),
        read == given.end() ? std::to_string(rows.back()) : "file " + read->second.sha256);
  }
  Inputs inputs;
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
    ASSAY_ASSIGN(const std::uint64_t elements, tensor::ElementCount(value.type.shape));
    const auto read = given.find(value.name);
    for (int set = 0; set < sets; ++set) {
      tensors.push_back(read == given.end() ? Draw(value, elements, rows[i], seed, set)
                                            : read->second.Set(value, set % kInputSets));
    }
  }
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  ASSAY_TRY(tensor::WriteSafetensors(inputs.file, tensors));
  return inputs;
}

}  // namespace assay::campaign
