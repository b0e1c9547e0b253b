#include "engines/onnxruntime/onnxruntime_engine.h"

#include <fmt/format.h>

namespace assay::engine::onnxruntime {
namespace {

/// The precision of a graph that is run as it is: that of its outputs.
std::string PrecisionOf(const std::vector<Port>& outputs) {
  for (const Port& output : outputs) {
    switch (output.type.dtype) {
      case tensor::DType::kFloat64:
        return "fp64";
      case tensor::DType::kFloat16:
        return "fp16";
      case tensor::DType::kBFloat16:
        return "bf16";
      default:
        break;
    }
  }
  return "fp32";
}

}  // namespace

Description OnnxRuntimeEngine::Describe() {
  if (!version_.ok()) {
    const Error& error = version_.error();
    return {kProtocolVersion, "onnxruntime", "", false, error.message, error.hint};
  }
  return {kProtocolVersion, "onnxruntime", *version_, true, "", ""};
}

Result<Loaded> OnnxRuntimeEngine::Load(const Job& job, const tensor::SafetensorsFile& inputs) {
  if (!version_.ok()) {
    return version_.error();
  }
  const auto asked = job.recipe.value<std::string>("precision", "fp32");
  const bool as_is = job.recipe.value("as_is", false);
  if (asked != "fp32" && !as_is) {
    return Error{Code::kUnsupported,
                 fmt::format("ONNX Runtime runs a graph in its own precision, not in {}", asked),
                 ""};
  }
  session_.reset();
  if (!env_) {
    env_.emplace(ORT_LOGGING_LEVEL_ERROR, "assay");
  }
  try {
    ASSAY_ASSIGN(session_, BoundSession::Create(*env_, job, inputs));
  } catch (const Ort::Exception& e) {
    if (e.GetOrtErrorCode() == ORT_NOT_IMPLEMENTED) {
      return Error{Code::kUnsupported, e.what(), ""};
    }
    throw;
  }
  std::vector<std::string> notes = {
      fmt::format("session.intra_op.allow_spinning: {}",
                  job.recipe.value("spinning", true) ? "the runtime's default (1)" : "0")};
  if (as_is) {
    notes.push_back("the file is run as it is; where the CPU provider has no kernel for " + asked +
                    ", ONNX Runtime casts to float32 and back");
  }
  return Loaded{.threads = session_->threads(),
                .precision = as_is ? asked : PrecisionOf(session_->outputs()),
                .device = "cpu",
                .notes = std::move(notes)};
}

Status OnnxRuntimeEngine::Infer(int set) {
  session_->Run(set);
  set_ = set;
  return {};
}

Result<std::vector<tensor::Tensor>> OnnxRuntimeEngine::Outputs() {
  std::vector<tensor::Tensor> outputs = session_->ReadOutputs(set_);
  for (tensor::Tensor& output : outputs) {
    output = AsOutput(std::move(output));
  }
  return outputs;
}

}  // namespace assay::engine::onnxruntime
