#include "engines/onnxruntime/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "engine/charges.h"
#include "engine/text.h"
#include "engines/onnxruntime/values.h"

namespace assay::engine::onnxruntime {
namespace {

Result<GraphOptimizationLevel> OptimizationLevel(const Json& recipe) {
  const auto asked = recipe.value<std::string>("graph_optimization", "all");
  if (asked == "all") {
    return ORT_ENABLE_ALL;
  }
  if (asked == "none") {
    return ORT_DISABLE_ALL;
  }
  return Error{Code::kInvalidArgument,
               fmt::format("no graph optimisation '{}' (all or none)", asked), ""};
}

/// No provider is appended: the CPU's is what remains, whatever others a library brings.
Result<Ort::SessionOptions> Options(const Job& job) {
  Ort::SessionOptions options;
  options.SetIntraOpNumThreads(job.threads);
  options.SetInterOpNumThreads(1);
  options.SetExecutionMode(ORT_SEQUENTIAL);
  ASSAY_ASSIGN(const GraphOptimizationLevel level, OptimizationLevel(job.recipe));
  options.SetGraphOptimizationLevel(level);
  options.AddConfigEntry("session.set_denormal_as_zero", "1");
  if (!job.recipe.value("spinning", true)) {
    options.AddConfigEntry("session.intra_op.allow_spinning", "0");
  }
  return options;
}

Result<Port> ReadPort(std::string name, const Ort::TypeInfo& info) {
  if (info.GetONNXType() != ONNX_TYPE_TENSOR) {
    return Port{std::move(name), {}, false};
  }
  const auto tensor = info.GetTensorTypeAndShapeInfo();
  const std::optional<tensor::DType> dtype = FromOnnx(tensor.GetElementType());
  if (!dtype) {
    return Error{Code::kUnsupported,
                 fmt::format("'{}' has elements of ONNX's type {}", name,
                             static_cast<int>(tensor.GetElementType())),
                 ""};
  }
  return Port{std::move(name), {*dtype, tensor.GetShape()}};
}

bool IsStatic(const Port& port) {
  return port.tensor && port.type.dtype != tensor::DType::kString &&
         std::all_of(port.type.shape.begin(), port.type.shape.end(),
                     [](std::int64_t dimension) { return dimension >= 0; });
}

Result<Ort::Value> TextOf(const tensor::SafetensorsFile& inputs, const Port& input, int set) {
  tensor::Type wanted{tensor::DType::kUInt8, input.type.shape};
  wanted.shape.push_back(-1);
  ASSAY_ASSIGN(const tensor::Entry* entry, FindInput(inputs, input.name, set, wanted));
  tensor::Shape shape = entry->type.shape;
  const std::vector<std::string> strings = ToStrings(shape, inputs.Bytes(*entry));
  shape.pop_back();
  return TextValue(shape, strings);
}

}  // namespace

Result<BoundSession> BoundSession::Create(Ort::Env& env, const Job& job,
                                          const tensor::SafetensorsFile& inputs) {
  ASSAY_ASSIGN(const Ort::SessionOptions options, Options(job));
  BoundSession bound;
  // The API does not tell the size of its pool: the threads that a session starts do.
  const int before = CountThreads();
  bound.session_ = Ort::Session(env, GraphOf(job).c_str(), options);
  bound.threads_ = 1 + CountThreads() - before;
  ASSAY_TRY(bound.ReadPorts());
  for (const Port& output : bound.outputs_) {
    std::size_t bytes = 0;
    if (IsStatic(output)) {
      ASSAY_ASSIGN(const std::uint64_t count, tensor::ElementCount(output.type.shape));
      bytes = count * tensor::SizeOf(output.type.dtype);
    }
    bound.output_buffers_.emplace_back(bytes);
  }
  for (int set = 0; set < job.input_sets; ++set) {
    ASSAY_TRY(bound.Bind(set, inputs));
  }
  return bound;
}

Status BoundSession::ReadPorts() {
  Ort::AllocatorWithDefaultOptions allocator;
  for (std::size_t i = 0; i < session_.GetInputCount(); ++i) {
    ASSAY_ASSIGN(
        inputs_.emplace_back(),
        ReadPort(session_.GetInputNameAllocated(i, allocator).get(), session_.GetInputTypeInfo(i)));
    if (!inputs_.back().tensor) {
      return Error{Code::kUnsupported, fmt::format("'{}' is no tensor", inputs_.back().name), ""};
    }
  }
  for (std::size_t i = 0; i < session_.GetOutputCount(); ++i) {
    ASSAY_ASSIGN(outputs_.emplace_back(),
                 ReadPort(session_.GetOutputNameAllocated(i, allocator).get(),
                          session_.GetOutputTypeInfo(i)));
  }
  for (const Port& input : inputs_) {
    input_names_.push_back(input.name.c_str());
  }
  for (const Port& output : outputs_) {
    output_names_.push_back(output.name.c_str());
  }
  return {};
}

Status BoundSession::Bind(int set, const tensor::SafetensorsFile& inputs) {
  Ort::IoBinding binding(session_);
  std::vector<Ort::Value>& given = given_.emplace_back();
  for (const Port& input : inputs_) {
    if (input.type.dtype == tensor::DType::kString) {
      ASSAY_ASSIGN(Ort::Value text, TextOf(inputs, input, set));
      given.push_back(std::move(text));
    } else {
      ASSAY_ASSIGN(const tensor::Entry* entry, FindInput(inputs, input.name, set, input.type));
      const AlignedBuffer& buffer = input_buffers_.emplace_back(inputs.Bytes(*entry));
      given.push_back(View({input.name, entry->type}, buffer));
    }
    binding.BindInput(input.name.c_str(), given.back());
  }
  for (std::size_t i = 0; i < outputs_.size(); ++i) {
    const Port& output = outputs_[i];
    if (IsStatic(output)) {
      binding.BindOutput(output.name.c_str(),
                         values_.emplace_back(View(output, output_buffers_[i])));
    } else {
      binding.BindOutput(output.name.c_str(), memory_);
    }
  }
  bindings_.push_back(std::move(binding));
  return {};
}

void BoundSession::Run(int set) {
  const auto at = static_cast<std::size_t>(set);
  if (as_declared_) {
    try {
      return session_.Run(run_options_, bindings_[at]);
    } catch (const Ort::Exception&) {
      as_declared_ = false;  // fails again below where shapes were not to blame
    }
  }
  made_ = session_.Run(run_options_, input_names_.data(), given_[at].data(), given_[at].size(),
                       output_names_.data(), output_names_.size());
}

Ort::Value BoundSession::View(const Port& port, const AlignedBuffer& buffer) const {
  return Ort::Value::CreateTensor(memory_, buffer.data(), buffer.size(), port.type.shape.data(),
                                  port.type.shape.size(), ToOnnx(port.type.dtype));
}

Result<std::vector<tensor::Tensor>> BoundSession::ReadOutputs(int set) const {
  std::vector<Ort::Value> bound;
  if (as_declared_) {
    bound = bindings_[static_cast<std::size_t>(set)].GetOutputValues();
  }
  const std::vector<Ort::Value>& values = as_declared_ ? bound : made_;
  std::vector<tensor::Tensor> tensors;
  for (std::size_t i = 0; i < outputs_.size(); ++i) {
    ASSAY_TRY(Append(outputs_[i].name, values[i], tensors));
  }
  return tensors;
}

}  // namespace assay::engine::onnxruntime
