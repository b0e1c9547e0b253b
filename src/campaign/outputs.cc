#include "campaign/outputs.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <numeric>

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

Sets Chosen(const OutputSets& output, const Sets& sets) {
  Sets chosen = sets;
  if (chosen.empty()) {
    chosen.resize(output.sets.size());
    std::iota(chosen.begin(), chosen.end(), std::size_t{0});
  }
  return chosen;
}

double Norm(const OutputSets& output, const Sets& sets) {
  double sum = 0;
  for (const std::size_t set : sets) {
    for (const double x : output.sets[set]) {
      sum += std::isfinite(x) ? x * x : 0;
    }
  }
  return std::sqrt(sum);
}

/// Root of the summed squared distances of each finite element from its mean over the sets. An
/// output whose size depends on the input varies altogether.
double Variation(const OutputSets& output, const Sets& sets) {
  if (std::ranges::any_of(
          output.sets, [&](const auto& set) { return set.size() != output.sets.front().size(); })) {
    return Norm(output, sets);
  }
  double sum = 0;
  for (std::size_t i = 0; i < output.sets.front().size(); ++i) {
    double mean = 0, finite = 0;
    for (const std::size_t set : sets) {
      mean += std::isfinite(output.sets[set][i]) ? output.sets[set][i] : 0;
      finite += std::isfinite(output.sets[set][i]) ? 1 : 0;
    }
    mean /= std::max(1.0, finite);
    for (const std::size_t set : sets) {
      const double x = output.sets[set][i];
      sum += std::isfinite(x) ? (x - mean) * (x - mean) : 0;
    }
  }
  return std::sqrt(sum);
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
Agreement Count(const OutputSets& a, const OutputSets& b, const Sets& sets) {
  Agreement agreement;
  for (const std::size_t set : sets) {
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
  return agreement;
}

Difference Measure(const OutputSets& reference, const OutputSets& output, bool fixed_input,
                   const Sets& sets) {
  Difference difference;
  double squares = 0, dot = 0, own = 0, other = 0;
  for (const std::size_t set : sets) {
    for (std::size_t i = 0; i < reference.sets[set].size(); ++i) {
      const double x = reference.sets[set][i], y = output.sets[set][i];
      if (PairOf(x, y) != Pair::kNumbers) {
        continue;
      }
      squares += (x - y) * (x - y);
      dot += x * y;
      own += x * x;
      other += y * y;
      difference.max_abs = std::max(difference.max_abs, std::abs(x - y));
    }
  }
  difference.relative_l2 = std::sqrt(squares) / NormsOf(reference, fixed_input, sets).scale();
  if (own > 0 && other > 0) {
    difference.cosine = dot / std::sqrt(own * other);
  }
  if (const Agreement agreement = Count(reference, output, sets); agreement.rows > 0) {
    difference.top1_agreement =
        static_cast<double>(agreement.agreeing) / static_cast<double>(agreement.rows);
  }
  return difference;
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

Norms NormsOf(const OutputSets& reference, bool fixed_input, const Sets& sets) {
  const Sets chosen = Chosen(reference, sets);
  Norms norms{.whole = Norm(reference, chosen)};
  const double variation = fixed_input ? 0 : Variation(reference, chosen);
  norms.variation = variation > kRoundingOfReference * norms.whole ? variation : 0;
  return norms;
}

std::map<std::string, Difference> CompareEach(const Outputs& reference, const Outputs& outputs,
                                              bool fixed_input, const Sets& sets) {
  std::map<std::string, Difference> differences;
  for (const auto& [name, expected] : reference) {
    Difference& difference = differences[name];
    const auto found = outputs.find(name);
    const std::string problem = found == outputs.end() ? fmt::format("output '{}' is missing", name)
                                                       : ProblemOf(name, expected, found->second);
    if (problem.empty()) {
      difference = Measure(expected, found->second, fixed_input, Chosen(expected, sets));
    }
    difference.problem = problem;
  }
  return differences;
}

Difference Worst(const std::map<std::string, Difference>& differences) {
  Difference worst;
  for (const auto& [name, one] : differences) {
    worst.problem = worst.problem.empty() ? one.problem : worst.problem;
    worst.relative_l2 = std::max(worst.relative_l2, one.relative_l2);
    worst.max_abs = std::max(worst.max_abs, one.max_abs);
    worst.cosine = std::min(worst.cosine, one.cosine);
    if (one.top1_agreement) {
      worst.top1_agreement = std::min(worst.top1_agreement.value_or(1), *one.top1_agreement);
    }
  }
  return worst;
}

Difference Compare(const Outputs& reference, const Outputs& outputs, bool fixed_input) {
  return Worst(CompareEach(reference, outputs, fixed_input));
}

std::vector<double> Distances(const OutputSets& a, const OutputSets& b) {
  std::vector<double> distances;
  for (std::size_t set = 0; set < a.sets.size(); ++set) {
    double squares = 0;
    for (std::size_t i = 0; i < a.sets[set].size(); ++i) {
      const double x = a.sets[set][i], y = b.sets[set][i];
      squares += PairOf(x, y) == Pair::kNumbers ? (x - y) * (x - y) : 0;
    }
    distances.push_back(std::sqrt(squares));
  }
  return distances;
}

bool Varies(const Outputs& outputs) {
  return std::any_of(outputs.begin(), outputs.end(),
                     [](const auto& output) { return NormsOf(output.second).variation > 0; });
}

}  // namespace assay::campaign
