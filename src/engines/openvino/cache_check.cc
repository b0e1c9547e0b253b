#include "engines/openvino/cache_check.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <openvino/runtime/infer_request.hpp>
#include <system_error>
#include <vector>

#include "base/file.h"
#include "engine/inputs.h"
#include "engines/openvino/ports.h"

namespace assay::engine::openvino {
namespace {

constexpr int kSets = 2;  // the second shows state that the first leaves behind

/// Elements of floating point as they are, bytes of everything else.
std::vector<double> NumbersOf(const ov::Tensor& tensor) {
  tensor::Tensor raw;
  const auto dtype = DTypeOf(tensor.get_element_type(), "");
  const auto* bytes = static_cast<const std::byte*>(tensor.data());
  if (dtype.ok() && tensor::IsFloat(*dtype)) {
    raw.type.dtype = *dtype;
    raw.data.assign(bytes, bytes + tensor.get_byte_size());
    raw = AsOutput(std::move(raw), /*as_float64=*/true);
    std::vector<double> numbers(raw.data.size() / sizeof(double));
    std::memcpy(numbers.data(), raw.data.data(), raw.data.size());
    return numbers;
  }
  std::vector<double> numbers;
  std::transform(bytes, bytes + tensor.get_byte_size(), std::back_inserter(numbers),
                 [](std::byte byte) { return static_cast<double>(byte); });
  return numbers;
}

using Run = std::vector<std::vector<double>>;  // by set and output

Result<Run> RunSets(ov::CompiledModel model, const Job& job,
                    const tensor::SafetensorsFile& inputs) {
  Run run;
  ov::InferRequest request = model.create_infer_request();
  for (int set = 0; set < std::min(kSets, job.input_sets); ++set) {
    std::vector<AlignedBuffer> buffers;
    for (const auto& port : model.inputs()) {
      ASSAY_ASSIGN(const tensor::Type wanted, TypeOf(port));
      ASSAY_ASSIGN(const tensor::Entry* entry,
                   FindInput(inputs, InputNameOf(port, inputs), set, wanted));
      buffers.emplace_back(inputs.Bytes(*entry));
      request.set_tensor(port, ov::Tensor(port.get_element_type(), ShapeOf(entry->type.shape),
                                          buffers.back().data()));
    }
    request.infer();
    for (const auto& port : model.outputs()) {
      run.push_back(NumbersOf(request.get_tensor(port)));
    }
  }
  return run;
}

double Apart(const std::vector<double>& a, const std::vector<double>& b) {
  if (a.size() != b.size()) {
    return 1;
  }
  double squares = 0, own = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (std::isfinite(a[i]) || std::isfinite(b[i])) {
      squares += (a[i] - b[i]) * (a[i] - b[i]);
      own += a[i] * a[i];
    }
  }
  const double apart = std::sqrt(squares) / (own > 0 ? std::sqrt(own) : 1);
  return std::isfinite(apart) ? apart : 1;
}

}  // namespace

Result<double> ApartFrom(const ov::CompiledModel& fresh, const ov::CompiledModel& cached,
                         const Job& job) {
  ASSAY_ASSIGN(const tensor::SafetensorsFile inputs, tensor::SafetensorsFile::Open(job.inputs));
  ASSAY_ASSIGN(const Run wanted, RunSets(fresh, job, inputs));
  ASSAY_ASSIGN(const Run got, RunSets(cached, job, inputs));
  double worst = 0;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    worst = std::max(worst, Apart(wanted[i], got[i]));
  }
  return worst;
}

Status DropCache(const std::string& artifact, const std::string& why) {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(artifact, error)) {
    std::filesystem::remove_all(entry.path(), error);
  }
  return WriteFileAtomically(std::filesystem::path(artifact) / kCacheNotUsed, why + "\n");
}

}  // namespace assay::engine::openvino
