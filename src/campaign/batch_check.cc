#include "campaign/batch_check.h"

#include <fmt/format.h>

#include <system_error>
#include <vector>

#include "base/file.h"
#include "tensor/safetensors.h"

namespace assay::campaign {
namespace {

constexpr const char* kRecipe = "pieces/1";  // changes whenever other pieces would be cut

std::int64_t RowsOf(const model::Value& value) { return value.type.shape.front(); }

/// Piece `piece` of a set: `batch` rows of `bytes`, from the first again after the last.
tensor::Tensor Cut(const model::Value& value, std::span<const std::byte> bytes, std::string name,
                   std::int64_t piece, std::int64_t batch) {
  const auto rows = static_cast<std::size_t>(RowsOf(value));
  const std::size_t row_bytes = bytes.size() / rows;
  tensor::Tensor cut{.name = std::move(name), .type = value.type, .data = {}};
  cut.type.shape.front() = batch;
  for (std::int64_t i = 0; i < batch; ++i) {
    const std::size_t row = static_cast<std::size_t>(piece * batch + i) % rows;
    const auto from = bytes.subspan(row * row_bytes, row_bytes);
    cut.data.insert(cut.data.end(), from.begin(), from.end());
  }
  return cut;
}

}  // namespace

Result<Pieces> CutInputs(const model::Graph& graph, const Inputs& inputs, std::int64_t batch,
                         const std::filesystem::path& folder) {
  const std::int64_t rows = RowsOf(graph.values[static_cast<std::size_t>(graph.inputs.front())]);
  Pieces pieces{.file = {},
                .sha256 = Sha256Of(fmt::format("{} {} {}", kRecipe, inputs.sha256, batch)),
                .per_set = static_cast<int>((rows + batch - 1) / batch)};
  pieces.file = folder / (pieces.sha256.substr(0, 16) + ".safetensors");
  std::error_code error;
  if (std::filesystem::exists(pieces.file, error)) {
    return pieces;
  }
  ASSAY_ASSIGN(const tensor::SafetensorsFile file, tensor::SafetensorsFile::Open(inputs.file));
  std::vector<tensor::Tensor> tensors;
  for (const model::ValueId id : graph.inputs) {
    const model::Value& value = graph.values[static_cast<std::size_t>(id)];
    for (int set = 0; set < kInputSets; ++set) {
      const tensor::Entry* entry = file.Find(fmt::format("{}.{}", value.name, set));
      if (entry == nullptr || entry->type != value.type) {
        return Error{Code::kMalformed,
                     fmt::format("{} lacks set {} of '{}'", inputs.file.string(), set, value.name),
                     "assay cache --clear"};
      }
      for (int piece = 0; piece < pieces.per_set; ++piece) {
        const int number = set * pieces.per_set + piece;
        tensors.push_back(
            Cut(value, file.Bytes(*entry), fmt::format("{}.{}", value.name, number), piece, batch));
      }
    }
  }
  ASSAY_TRY(tensor::WriteSafetensors(pieces.file, tensors));
  return pieces;
}

Result<Outputs> Stack(const Outputs& pieces, int per_set, std::int64_t rows, std::int64_t batch) {
  Outputs stacked;
  for (const auto& [name, output] : pieces) {
    const auto sets = output.sets.size() / static_cast<std::size_t>(per_set);
    const std::size_t elements = output.sets.empty() ? 0 : output.sets.front().size();
    if (output.shape.empty() || output.shape.front() != batch ||
        sets * static_cast<std::size_t>(per_set) != output.sets.size() ||
        elements % static_cast<std::size_t>(batch) != 0) {
      return Error{Code::kMalformed,
                   fmt::format("output '{}' of {} is not made of batches of {}", name,
                               tensor::ToString(output.shape), batch),
                   ""};
    }
    const auto row = static_cast<std::ptrdiff_t>(elements / static_cast<std::size_t>(batch));
    OutputSets& made = stacked[name];
    made.shape = output.shape;
    made.shape.front() = rows;
    for (std::size_t set = 0; set < sets; ++set) {
      std::vector<double>& values = made.sets.emplace_back();
      for (std::int64_t i = 0; i < rows; ++i) {
        const auto& piece = output.sets[set * static_cast<std::size_t>(per_set) +
                                        static_cast<std::size_t>(i / batch)];
        const auto from = piece.begin() + (i % batch) * row;
        values.insert(values.end(), from, from + row);
      }
    }
  }
  return stacked;
}

}  // namespace assay::campaign
