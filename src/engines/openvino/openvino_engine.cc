#include "engines/openvino/openvino_engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <exception>
#include <openvino/core/except.hpp>
#include <openvino/runtime/properties.hpp>
#include <string>

#include "base/text.h"
#include "engines/openvino/cache_check.h"
#include "engines/openvino/ports.h"
#include "engines/openvino/settings.h"

namespace assay::engine::openvino {
namespace {

/// "2026.4.1" out of "2026.4.1-21919-...-releases/2026/4".
std::string Version() {
  const std::string build = ov::get_openvino_version().buildNumber;
  return build.substr(0, build.find('-'));
}

/// An operator that OpenVINO does not know, rather than a failure.
bool SaysUnsupported(const std::exception& e) {
  // The words of its reader, its translators and its CPU plugin.
  constexpr std::array<std::string_view, 6> kSigns = {
      "does not support the following ONNX operations",
      "wasn't fully converted",
      "No conversion rule",
      "not supported",
      "Not Implemented",
      "Unsupported"};
  const std::string_view words = e.what();
  return dynamic_cast<const ov::NotImplemented*>(&e) != nullptr ||
         std::ranges::any_of(kSigns, [&](std::string_view sign) {
           return words.find(sign) != std::string_view::npos;
         });
}

/// Without the places in its own sources that its exceptions begin with.
std::string WhatItSays(const std::exception& e) {
  std::string words;
  for (const std::string& line : Split(e.what(), '\n')) {
    const bool place = line.starts_with("Exception from ") || line.find("Check '") == 0;
    words += place || line.empty() ? "" : (words.empty() ? "" : " ") + line;
  }
  return words.empty() ? OneLine(e.what()) : OneLine(words);
}

/// As its words, "" for none.
std::string WordsOf(const std::exception_ptr& raised) {
  if (!raised) {
    return "";
  }
  try {
    std::rethrow_exception(raised);
  } catch (const std::exception& e) {
    return OneLine(e.what());
  } catch (...) {
    return "an inference failed without a word";
  }
}

}  // namespace

OpenVinoEngine::~OpenVinoEngine() {
  if (flight_) {
    static_cast<void>(flight_->Settle(0));  // a request that ends calls back
  }
}

Description OpenVinoEngine::Describe() {
  Description description{kProtocolVersion, "openvino", Version(), true, "", ""};
  try {
    core_.emplace();
    const std::vector<std::string> devices = core_->get_available_devices();
    if (std::find(devices.begin(), devices.end(), "CPU") != devices.end()) {
      return description;
    }
    description.reason = "OpenVINO finds no CPU plugin";
  } catch (const std::exception& e) {
    description.reason = fmt::format("OpenVINO does not start: {}", e.what());
  }
  description.available = false;
  description.hint = "run tools/setup.sh";
  return description;
}

Status OpenVinoEngine::Examine(const std::string& onnx) {
  if (!core_) {
    core_.emplace();
  }
  try {
    static_cast<void>(core_->read_model(onnx));
    return {};
  } catch (const std::exception& e) {
    return Error{SaysUnsupported(e) ? Code::kUnsupported : Code::kInternal, WhatItSays(e), ""};
  }
}

Result<ov::CompiledModel> OpenVinoEngine::Compile(const Job& job) {
  ASSAY_ASSIGN(const ov::AnyMap settings, Settings(job));
  if (!core_) {
    core_.emplace();
  }
  try {
    return core_->compile_model(GraphOf(job), "CPU", settings);
  } catch (const std::exception& e) {
    if (SaysUnsupported(e)) {
      return Error{Code::kUnsupported, WhatItSays(e), ""};
    }
    throw;
  }
}

Result<Prepared> OpenVinoEngine::Prepare(const Job& job) {
  ASSAY_ASSIGN(const ov::CompiledModel model, Compile(job));
  Prepared prepared{.notes = ReadBack(model, job).notes};
  if (HasCache(job) && !job.inputs.empty()) {
    ASSAY_TRY(CheckCache(model, job, prepared.notes));
  }
  return prepared;
}

Status OpenVinoEngine::CheckCache(const ov::CompiledModel& fresh, const Job& job,
                                  std::vector<std::string>& notes) {
  constexpr double kSame = 1e-4;  // the same kernels: equal bit by bit but for sums of threads
  ASSAY_ASSIGN(const ov::CompiledModel cached, Compile(job));
  if (!cached.get_property(ov::loaded_from_cache)) {
    return {};
  }
  ASSAY_ASSIGN(const double apart, ApartFrom(fresh, cached, job));
  if (apart <= kSame) {
    return {};
  }
  notes.push_back(fmt::format(
      "its compile cache is not used: OpenVINO {} loads this model from it with outputs that are "
      "off "
      "by {:.1e}; compiled afresh they are right (compile_model twice with CACHE_DIR shows it)",
      Version(), apart));
  return DropCache(job.artifact, notes.back());
}

Result<Loaded> OpenVinoEngine::Load(const Job& job, const tensor::SafetensorsFile& inputs) {
  requests_.clear();
  flight_.reset();
  input_buffers_.clear();
  ASSAY_ASSIGN(model_, Compile(job));
  if (ForThroughput(job)) {
    flight_.emplace(
        std::max(1, static_cast<int>(model_.get_property(ov::optimal_number_of_infer_requests))));
  }
  for (int set = 0; set < job.input_sets; ++set) {
    ASSAY_TRY(Bind(set, inputs));
  }
  Loaded loaded = ReadBack(model_, job);
  loaded.places = Places();
  if (flight_) {
    loaded.notes.push_back(fmt::format("{} requests at a time, in {} streams", Places(),
                                       model_.get_property(ov::num_streams).num));
  }
  if (HasCache(job) && !model_.get_property(ov::loaded_from_cache)) {
    loaded.notes.push_back("compiled anew: the artifact was not used");
  }
  if (!job.recipe.value("quantisation", "").empty()) {
    NoteInt8(model_, loaded);
  }
  return loaded;
}

Status OpenVinoEngine::Bind(int set, const tensor::SafetensorsFile& inputs) {
  std::vector<ov::InferRequest>& requests = requests_.emplace_back();
  for (int place = 0; place < Places(); ++place) {
    requests.push_back(model_.create_infer_request());
    if (flight_) {
      requests.back().set_callback([this, place](const std::exception_ptr& raised) {
        flight_->End(place, WordsOf(raised));
      });
    }
  }
  for (const auto& port : model_.inputs()) {
    ASSAY_ASSIGN(const tensor::Type wanted, TypeOf(port));
    ASSAY_ASSIGN(const tensor::Entry* entry,
                 FindInput(inputs, InputNameOf(port, inputs), set, wanted));
    const AlignedBuffer& buffer = input_buffers_.emplace_back(inputs.Bytes(*entry));
    for (ov::InferRequest& request : requests) {
      request.set_tensor(
          port, ov::Tensor(port.get_element_type(), ShapeOf(entry->type.shape), buffer.data()));
    }
  }
  return {};
}

ov::InferRequest& OpenVinoEngine::Request(int place, int set) {
  return requests_[static_cast<std::size_t>(set)][static_cast<std::size_t>(place)];
}

Result<int> OpenVinoEngine::Start(int set) {
  ASSAY_ASSIGN(const int place, flight_->Begin());
  try {
    Request(place, set).start_async();
  } catch (...) {
    flight_->End(place, WordsOf(std::current_exception()));
  }
  return place;
}

Status OpenVinoEngine::Infer(int set) {
  set_ = set;
  if (flight_) {
    const Result<int> place = Start(set);
    return place.ok() ? Status() : Status(place.error());
  }
  Request(0, set).infer();
  return {};
}

std::vector<double> OpenVinoEngine::TakeLatencies() {
  return flight_ ? flight_->TakeLatencies() : std::vector<double>();
}

Result<std::vector<tensor::Tensor>> OpenVinoEngine::Outputs() {
  int place = 0;
  if (flight_) {
    const int sets = static_cast<int>(requests_.size());
    ASSAY_TRY(Settle(0));
    ASSAY_ASSIGN(place, Start(set_));
    for (int beside = 1; beside < Places(); ++beside) {
      ASSAY_TRY(Start((set_ + beside) % sets));
    }
    ASSAY_TRY(Settle(0));
  }
  ov::InferRequest& request = Request(place, set_);
  std::vector<tensor::Tensor> outputs;
  for (const auto& port : model_.outputs()) {
    const ov::Tensor values = request.get_tensor(port);
    tensor::Tensor output;
    output.name = NameOf(port);
    ASSAY_ASSIGN(output.type.dtype, DTypeOf(values.get_element_type(), output.name));
    for (const std::size_t dimension : values.get_shape()) {
      output.type.shape.push_back(static_cast<std::int64_t>(dimension));
    }
    output.data.resize(values.get_byte_size());
    std::memcpy(output.data.data(), values.data(), output.data.size());
    outputs.push_back(AsOutput(std::move(output)));
  }
  return outputs;
}

}  // namespace assay::engine::openvino
