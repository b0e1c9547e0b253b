#include "campaign/outputs.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>

#include "campaign/finite.h"
#include "tensor/safetensors.h"

namespace assay::campaign {
namespace {

// Below this part of an output's norm, variation over the inputs is rounding of the fp64 reference.
constexpr double kRoundingOfReference = 1e-12;

template <typename T>
void Widen(std::span<const std::byte> bytes, std::vector<double>& values) {
  for (std::size_t at = 0; at + sizeof(T) <= bytes.size(); at += sizeof(T)) {
    T value;  // mapped tensors are aligned to nothing
    std::memcpy(&value, bytes.data() + at, sizeof value);
    values.push_back(static_cast<double>(value));
  }
}

Result<std::vector<double>> Doubles(std::span<const std::byte> bytes, const tensor::Entry& entry) {
  std::vector<double> values;
  values.reserve(bytes.size() / tensor::SizeOf(entry.type.dtype));
  switch (entry.type.dtype) {
    case tensor::DType::kFloat32:
      Widen<float>(bytes, values);
      return values;
    case tensor::DType::kFloat64:
      Widen<double>(bytes, values);
      return values;
    case tensor::DType::kInt8:
      Widen<std::int8_t>(bytes, values);
      return values;
    case tensor::DType::kInt32:
      Widen<std::int32_t>(bytes, values);
      return values;
    case tensor::DType::kInt64:
      Widen<std::int64_t>(bytes, values);
      return values;
    case tensor::DType::kUInt8:
    case tensor::DType::kBool:
      Widen<std::uint8_t>(bytes, values);
      return values;
    default:
      return Error{Code::kUnsupported,
                   fmt::format("output '{}' of type {} cannot be checked", entry.name,
                               tensor::Name(entry.type.dtype)),
                   ""};
  }
}

double Norm(const OutputSets& output) {
  double sum = 0;
  for (const auto& set : output.sets) {
    for (const double x : set) {
      sum += std::isfinite(x) ? x * x : 0;
    }
  }
  return std::sqrt(sum);
}

/// Root of the summed squared distances of each finite element from its mean over the sets. An
/// output whose size depends on the input varies altogether.
double Variation(const OutputSets& output) {
  if (std::ranges::any_of(
          output.sets, [&](const auto& set) { return set.size() != output.sets.front().size(); })) {
    return Norm(output);
  }
  double sum = 0;
  for (std::size_t i = 0; i < output.sets.front().size(); ++i) {
    double mean = 0, finite = 0;
    for (const auto& set : output.sets) {
      mean += std::isfinite(set[i]) ? set[i] : 0;
      finite += std::isfinite(set[i]) ? 1 : 0;
    }
    mean /= std::max(1.0, finite);
    for (const auto& set : output.sets) {
      sum += std::isfinite(set[i]) ? (set[i] - mean) * (set[i] - mean) : 0;
    }
  }
  const double variation = std::sqrt(sum);
  return variation > kRoundingOfReference * Norm(output) ? variation : 0;
}

double Scale(const OutputSets& reference, bool fixed_input) {
  // What varies under a fixed input is the noise of threads.
  const double variation = fixed_input ? 0 : Variation(reference);
  const double norm = Norm(reference);
  return variation > 0 ? variation : norm > 0 ? norm : 1;
}

/// Whether both are no finite numbers at the same places, and in the same way.
bool Alike(const OutputSets& reference, const OutputSets& output) {
  for (std::size_t set = 0; set < reference.sets.size(); ++set) {
    const auto &x = reference.sets[set], &y = output.sets[set];
    if (!std::equal(x.begin(), x.end(), y.begin(), y.end(),
                    [](double a, double b) { return PairOf(a, b) != Pair::kApart; })) {
      return false;
    }
  }
  return true;
}

/// Rows of the last axis whose largest element stands at the same place in both.
struct Agreement {
  std::size_t rows = 0, agreeing = 0;
};
void Count(Agreement& agreement, const OutputSets& a, const OutputSets& b) {
  for (std::size_t set = 0; set < a.sets.size(); ++set) {
    const tensor::Shape& shape = a.ShapeOf(set);
    if (shape.size() < 2 || shape.back() < 2) {
      continue;
    }
    const auto width = static_cast<std::ptrdiff_t>(shape.back());
    auto x = a.sets[set].begin(), y = b.sets[set].begin();
    for (; x != a.sets[set].end(); x += width, y += width) {
      ++agreement.rows;
      agreement.agreeing +=
          std::max_element(x, x + width) - x == std::max_element(y, y + width) - y ? 1 : 0;
    }
  }
}

void Accumulate(Difference& worst, const OutputSets& reference, const OutputSets& output,
                bool fixed_input) {
  double squares = 0, dot = 0, own = 0, other = 0;
  for (std::size_t set = 0; set < reference.sets.size(); ++set) {
    for (std::size_t i = 0; i < reference.sets[set].size(); ++i) {
      const double x = reference.sets[set][i], y = output.sets[set][i];
      if (PairOf(x, y) != Pair::kNumbers) {
        continue;
      }
      squares += (x - y) * (x - y);
      dot += x * y;
      own += x * x;
      other += y * y;
      worst.max_abs = std::max(worst.max_abs, std::abs(x - y));
    }
  }
  worst.relative_l2 =
      std::max(worst.relative_l2, std::sqrt(squares) / Scale(reference, fixed_input));
  if (own > 0 && other > 0) {
    worst.cosine = std::min(worst.cosine, dot / std::sqrt(own * other));
  }
}

/// What keeps the two from being compared; "" for nothing.
std::string ProblemOf(const std::string& name, const OutputSets& reference,
                      const OutputSets& output) {
  if (output.sets.size() != reference.sets.size()) {
    return fmt::format("output '{}' is there for {} input sets, in the reference for {}", name,
                       output.sets.size(), reference.sets.size());
  }
  for (std::size_t set = 0; set < output.sets.size(); ++set) {
    if (output.sets[set].size() != reference.sets[set].size()) {
      return fmt::format("output '{}' has shape {}, the reference {}", name,
                         tensor::ToString(output.ShapeOf(set)),
                         tensor::ToString(reference.ShapeOf(set)));
    }
  }
  if (Alike(reference, output)) {
    return "";
  }
  const NonFinite there = CountNonFinite({{name, reference}}),
                  here = CountNonFinite({{name, output}});
  if (here.nan + here.infinite == 0) {
    return fmt::format("output '{}' is a number where the reference is infinite", name);
  }
  return fmt::format("output '{}' holds NaN or infinity{}", name,
                     there.nan + there.infinite == 0 ? "" : ", not where the reference does");
}

}  // namespace

Result<Outputs> ReadOutputs(const std::filesystem::path& path) {
  ASSAY_ASSIGN(const tensor::SafetensorsFile file, tensor::SafetensorsFile::Open(path));
  const auto malformed = [&](std::string_view tensor) {
    return Error{Code::kMalformed,
                 fmt::format("{}: tensor '{}' is no output NAME.SET that fits the others",
                             path.string(), tensor),
                 ""};
  };
  std::map<std::string, std::map<int, const tensor::Entry*>> found;
  int last = -1;  // set of any output: the elements of a sequence may be in some sets only
  for (const tensor::Entry& entry : file.entries()) {
    const std::size_t dot = entry.name.rfind('.');
    int set = -1;
    if (dot == std::string::npos ||
        std::from_chars(entry.name.data() + dot + 1, entry.name.data() + entry.name.size(), set)
                .ec != std::errc() ||
        set < 0) {
      return malformed(entry.name);
    }
    found[entry.name.substr(0, dot)][set] = &entry;
    last = std::max(last, set);
  }
  Outputs outputs;
  for (const auto& [name, sets] : found) {
    OutputSets& output = outputs[name];
    output.shape = sets.begin()->second->type.shape;
    output.sets.resize(static_cast<std::size_t>(last) + 1);
    output.shapes.assign(output.sets.size(), {-1});
    for (const auto& [set, entry] : sets) {
      const auto at = static_cast<std::size_t>(set);
      output.shapes[at] = entry->type.shape;
      ASSAY_ASSIGN(output.sets[at], Doubles(file.Bytes(*entry), *entry));
    }
    if (std::ranges::all_of(output.shapes, [&](const auto& s) { return s == output.shape; })) {
      output.shapes.clear();
    }
  }
  return outputs;
}

Difference Compare(const Outputs& reference, const Outputs& outputs, bool fixed_input) {
  Difference worst;
  Agreement agreement;
  for (const auto& [name, expected] : reference) {
    const auto found = outputs.find(name);
    worst.problem = found == outputs.end() ? fmt::format("output '{}' is missing", name)
                                           : ProblemOf(name, expected, found->second);
    if (!worst.problem.empty()) {
      return worst;
    }
    Accumulate(worst, expected, found->second, fixed_input);
    Count(agreement, expected, found->second);
  }
  if (agreement.rows > 0) {
    worst.top1_agreement =
        static_cast<double>(agreement.agreeing) / static_cast<double>(agreement.rows);
  }
  return worst;
}

bool Varies(const Outputs& outputs) {
  return std::any_of(outputs.begin(), outputs.end(),
                     [](const auto& output) { return Variation(output.second) > 0; });
}

}  // namespace assay::campaign
