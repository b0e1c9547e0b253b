#include "engines/onnxruntime/onnxruntime_engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace assay::engine::onnxruntime {
namespace {

/// The precision of a graph that is run as it is: that of its outputs.
std::string PrecisionOf(const std::vector<Port>& outputs) {
  for (const Port& output : outputs) {
    if (!output.tensor) {
      continue;
    }
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

/// What it has no kernel or schema for is unsupported, everything else a failure.
Error ErrorOf(const Ort::Exception& e) {
  constexpr std::array<std::string_view, 4> kUnknown = {
      "is not a registered function/op", "No Op registered", "Could not find an implementation",
      "Unsupported model IR version"};
  const std::string_view words = e.what();
  const bool unknown = std::ranges::any_of(
      kUnknown, [&](std::string_view sign) { return words.find(sign) != std::string_view::npos; });
  const bool unsupported = unknown || e.GetOrtErrorCode() == ORT_NOT_IMPLEMENTED;
  return {unsupported ? Code::kUnsupported : Code::kInternal, e.what(), ""};
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
    return ErrorOf(e);
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

Status OnnxRuntimeEngine::Examine(const std::string& onnx) {
  if (!version_.ok()) {
    return version_.error();
  }
  env_.emplace(ORT_LOGGING_LEVEL_FATAL, "assay");
  try {
    Ort::SessionOptions options;
    options.SetGraphOptimizationLevel(ORT_DISABLE_ALL);
    const Ort::Session session(*env_, onnx.c_str(), options);
    return {};
  } catch (const Ort::Exception& e) {
    return ErrorOf(e);
  }
}

Status OnnxRuntimeEngine::Infer(int set) {
  session_->Run(set);
  set_ = set;
  return {};
}

Result<std::vector<tensor::Tensor>> OnnxRuntimeEngine::Outputs() {
  ASSAY_ASSIGN(std::vector<tensor::Tensor> outputs, session_->ReadOutputs(set_));
  for (tensor::Tensor& output : outputs) {
    output = AsOutput(std::move(output));
  }
  return outputs;
}

}  // namespace assay::engine::onnxruntime
