#include "campaign/calibration.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <optional>
#include <span>
#include <system_error>
#include <vector>

#include "base/file.h"
#include "base/text.h"
#include "tensor/npy.h"
#include "tensor/safetensors.h"

namespace assay::campaign {
namespace {

namespace fs = std::filesystem;

constexpr const char* kRecipe = "calibration/1";  // changes whenever other samples would be made
constexpr std::uint64_t kMostBytes = 1'000'000'000;

/// The rows of one input, one after another.
struct Rows {
  const model::Value* input = nullptr;
  std::vector<fs::path> files;
  std::vector<std::int64_t> counts;  // of each file
  std::vector<std::byte> data;

  std::int64_t count() const {
    std::int64_t all = 0;
    for (const std::int64_t one : counts) {
      all += one;
    }
    return all;
  }
};

/// Rows that a sample takes.
std::int64_t PerSample(const model::Value& input) {
  return input.type.shape.empty() ? 1 : input.type.shape.front();
}

std::string Described(const tensor::Type& type) {
  return fmt::format("{} {}", tensor::Name(type.dtype), tensor::ToString(type.shape));
}

std::string AllDescribed(const std::vector<const model::Value*>& inputs) {
  std::vector<std::string> all;
  for (const model::Value* input : inputs) {
    all.push_back(fmt::format("{} ({})", input->name, Described(input->type)));
  }
  return Join(all, ", ");
}

/// The .npy files in `folder`, by name; none when there is no such folder.
std::vector<fs::path> NpyFiles(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (entry.path().extension() == ".npy" && entry.is_regular_file(error)) {
      files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

/// The files of each input; those in `from` itself belong to the only one.
Result<std::vector<Rows>> FindFiles(const std::vector<const model::Value*>& inputs,
                                    const fs::path& from) {
  std::error_code error;
  if (!fs::is_directory(from, error)) {
    return Error{Code::kNotFound, fmt::format("--calibration {}: no such folder", from.string()),
                 "a folder of .npy files, or of one folder for each input"};
  }
  const std::vector<fs::path> here = NpyFiles(from);
  if (!here.empty() && inputs.size() > 1) {
    return Error{Code::kInvalidArgument,
                 fmt::format("--calibration {} holds .npy files, but the model has {} inputs",
                             from.string(), inputs.size()),
                 fmt::format("a folder in it for each input: {}", AllDescribed(inputs))};
  }
  std::vector<Rows> all;
  for (const model::Value* input : inputs) {
    Rows rows{.input = input, .files = NpyFiles(from / input->name), .counts = {}, .data = {}};
    if (!rows.files.empty() && !here.empty()) {
      return Error{Code::kInvalidArgument,
                   fmt::format("--calibration {0} holds .npy files and so does {0}/{1}",
                               from.string(), input->name),
                   "one of the two places"};
    }
    rows.files = rows.files.empty() ? here : std::move(rows.files);
    if (rows.files.empty()) {
      return Error{Code::kNotFound,
                   fmt::format("--calibration {}: no .npy file for the input '{}'", from.string(),
                               input->name),
                   fmt::format("{} in {}/{}/*.npy{}", Described(input->type), from.string(),
                               input->name, inputs.size() == 1 ? ", or in the folder itself" : "")};
    }
    all.push_back(std::move(rows));
  }
  return all;
}

/// Inputs belong together by the names of their files.
Status RequireSameNames(const std::vector<Rows>& all) {
  const auto names = [](const Rows& rows) {
    std::vector<std::string> stems;
    for (const fs::path& file : rows.files) {
      stems.push_back(file.filename().string());
    }
    return stems;
  };
  for (const Rows& rows : all) {
    const auto one = names(all.front()), other = names(rows);
    std::vector<std::string> apart;
    std::set_symmetric_difference(one.begin(), one.end(), other.begin(), other.end(),
                                  std::back_inserter(apart));
    if (!apart.empty()) {
      return Error{
          Code::kInvalidArgument,
          fmt::format("calibration file {} is there for one of the inputs '{}' and '{}' only",
                      apart.front(), all.front().input->name, rows.input->name),
          "a sample is made of the files of the same name, one for each input"};
    }
  }
  return {};
}

Status RequireRoom(const std::vector<Rows>& all) {
  std::uint64_t bytes = 0;
  std::error_code error;
  for (const Rows& rows : all) {
    for (const fs::path& file : rows.files) {
      const std::uintmax_t size = fs::file_size(file, error);
      bytes += error ? 0 : size;
    }
  }
  if (bytes > kMostBytes) {
    return Error{Code::kInvalidArgument,
                 fmt::format("the calibration files hold {}, {} is the most", FormatBytes(bytes),
                             FormatBytes(kMostBytes)),
                 "a few hundred typical samples are enough"};
  }
  return {};
}

/// Whether an element with all bits of its exponent set stands in `data`: NaN or infinity.
template <typename Bits>
bool AnyWith(const std::vector<std::byte>& data, Bits exponent) {
  for (std::size_t at = 0; at + sizeof(Bits) <= data.size(); at += sizeof(Bits)) {
    Bits bits;
    std::memcpy(&bits, data.data() + at, sizeof bits);
    if ((bits & exponent) == exponent) {
      return true;
    }
  }
  return false;
}

bool HasNonFinite(const tensor::Tensor& array) {
  switch (array.type.dtype) {
    case tensor::DType::kFloat32:
      return AnyWith<std::uint32_t>(array.data, 0x7f800000);
    case tensor::DType::kFloat64:
      return AnyWith<std::uint64_t>(array.data, 0x7ff0000000000000);
    case tensor::DType::kFloat16:
      return AnyWith<std::uint16_t>(array.data, 0x7c00);
    default:
      return false;  // integers; .npy has no bfloat16
  }
}

/// Rows in an array; nothing when its shape is not that of rows.
std::optional<std::int64_t> RowsIn(const tensor::Shape& shape, const tensor::Shape& wanted) {
  if (shape == wanted || wanted.empty()) {
    return shape == wanted ? std::optional(wanted.empty() ? 1 : shape.front()) : std::nullopt;
  }
  const tensor::Shape row(wanted.begin() + 1, wanted.end());
  if (shape == row) {
    return 1;
  }
  const bool several = shape.size() == wanted.size() && shape.front() > 0 &&
                       std::equal(row.begin(), row.end(), shape.begin() + 1);
  return several ? std::optional(shape.front()) : std::nullopt;
}

Status Read(Rows& rows) {
  const tensor::Type& wanted = rows.input->type;
  for (const fs::path& file : rows.files) {
    ASSAY_ASSIGN(const tensor::Tensor array, tensor::ReadNpy(file));
    const auto count = RowsIn(array.type.shape, wanted.shape);
    if (!count || array.type.dtype != wanted.dtype) {
      return Error{
          Code::kInvalidArgument,
          fmt::format("calibration file {} is {}, but the input '{}' takes {}", file.string(),
                      Described(array.type), rows.input->name, Described(wanted)),
          "that type, and that shape save for the first axis, which may have any length"};
    }
    if (HasNonFinite(array)) {
      return Error{Code::kInvalidArgument,
                   fmt::format("calibration file {} holds NaN or infinity", file.string()),
                   "no scale follows from that: leave the file out"};
    }
    rows.counts.push_back(*count);
    rows.data.insert(rows.data.end(), array.data.begin(), array.data.end());
  }
  return {};
}

/// Samples that the rows of every input fill.
Result<std::int64_t> SamplesIn(const std::vector<Rows>& all) {
  const Rows& first = all.front();
  const std::int64_t samples = first.count() / PerSample(*first.input);
  for (const Rows& rows : all) {
    const std::int64_t here = rows.count() / PerSample(*rows.input);
    if (here == 0) {
      return Error{
          Code::kInvalidArgument,
          fmt::format("the calibration files hold {} rows for the input '{}', and one sample takes "
                      "{} ({})",
                      rows.count(), rows.input->name, PerSample(*rows.input),
                      Described(rows.input->type)),
          "more files, or a smaller --batch-size"};
    }
    if (here != samples) {
      return Error{Code::kInvalidArgument,
                   fmt::format("the calibration files hold {} samples for the input '{}', but {} "
                               "for '{}'",
                               samples, first.input->name, here, rows.input->name),
                   "as many rows for each input"};
    }
  }
  return samples;
}

std::string HashOf(const std::vector<Rows>& all, std::int64_t samples) {
  Sha256 hash;
  hash.Update(fmt::format("{} samples {}\n", kRecipe, samples));
  for (const Rows& rows : all) {
    hash.Update(
        fmt::format("{} {} {}\n", rows.input->name, Described(rows.input->type), rows.data.size()));
    hash.Update(rows.data);
  }
  return hash.Finish();
}

Status Write(const std::vector<Rows>& all, std::int64_t samples, const fs::path& file) {
  std::vector<tensor::Declared> declared;
  std::vector<std::span<const std::byte>> pieces;
  for (const Rows& rows : all) {
    const auto bytes = rows.data.size() / static_cast<std::size_t>(rows.count()) *
                       static_cast<std::size_t>(PerSample(*rows.input));
    for (std::int64_t sample = 0; sample < samples; ++sample) {
      declared.push_back({fmt::format("{}.{}", rows.input->name, sample), rows.input->type});
      pieces.push_back(
          std::span(rows.data).subspan(static_cast<std::size_t>(sample) * bytes, bytes));
    }
  }
  return tensor::WriteSafetensors(
      file, declared, [&](std::size_t i, const tensor::Sink& sink) { return sink(pieces[i]); });
}

}  // namespace

Result<Calibration> ReadCalibration(const model::Graph& graph, const fs::path& from,
                                    const fs::path& folder) {
  std::vector<const model::Value*> inputs;
  for (const model::ValueId id : graph.inputs) {
    inputs.push_back(&graph.values[static_cast<std::size_t>(id)]);
  }
  if (inputs.empty()) {
    return Error{Code::kInvalidArgument, "--calibration: the model has no inputs", ""};
  }
  ASSAY_ASSIGN(std::vector<Rows> all, FindFiles(inputs, from));
  ASSAY_TRY(RequireSameNames(all));
  ASSAY_TRY(RequireRoom(all));
  for (Rows& rows : all) {
    ASSAY_TRY(Read(rows));
  }
  ASSAY_ASSIGN(const std::int64_t samples, SamplesIn(all));
  Calibration calibration{.file = {},
                          .sha256 = HashOf(all, samples),
                          .samples = static_cast<int>(samples),
                          .source = "files",
                          .dropped = all.front().count() - samples * PerSample(*inputs.front())};
  calibration.file = folder / (calibration.sha256.substr(0, 16) + ".safetensors");
  std::error_code error;
  if (!fs::exists(calibration.file, error)) {
    fs::create_directories(folder, error);
    ASSAY_TRY(Write(all, samples, calibration.file));
  }
  return calibration;
}

}  // namespace assay::campaign
