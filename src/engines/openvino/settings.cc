#include "engines/openvino/settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/text.h"
#include "engines/openvino/cache_check.h"

namespace assay::engine::openvino {
namespace {

const std::pair<std::string, ov::element::Type> kPrecisions[] = {
    {"fp32", ov::element::f32}, {"bf16", ov::element::bf16}, {"fp16", ov::element::f16}};

std::string NameOf(const ov::element::Type& type) {
  for (const auto& [ours, theirs] : kPrecisions) {
    if (theirs == type) {
      return ours;
    }
  }
  return type.get_type_name();
}

/// "CPU" is "cpu"; several are joined.
std::string Devices(const ov::CompiledModel& model) {
  return ToLower(Join(model.get_property(ov::execution_devices), "+"));
}

bool CanRead(const ov::CompiledModel& model, const std::string& property) {
  const auto supported = model.get_property(ov::supported_properties);
  return std::find(supported.begin(), supported.end(), property) != supported.end();
}

}  // namespace

bool HasCache(const Job& job) {
  return !job.artifact.empty() && GraphOf(job) == job.onnx &&
         !std::filesystem::exists(std::filesystem::path(job.artifact) / kCacheNotUsed);
}

bool ForThroughput(const Job& job) { return job.recipe.value("streams", "") == "throughput"; }

Result<ov::AnyMap> Settings(const Job& job) {
  const auto precision = job.recipe.value<std::string>("precision", "fp32");
  const auto* found = std::find_if(std::begin(kPrecisions), std::end(kPrecisions),
                                   [&](const auto& known) { return known.first == precision; });
  if (found == std::end(kPrecisions)) {
    return Error{Code::kUnsupported,
                 fmt::format("OpenVINO has no inference precision {}", precision), ""};
  }
  ov::AnyMap settings = {ov::hint::inference_precision(found->second),
                         ov::inference_num_threads(job.threads),
                         ov::hint::enable_cpu_pinning(false), ov::log::level(ov::log::Level::NO)};
  if (ForThroughput(job)) {  // which chooses the number of streams
    settings.insert(ov::hint::performance_mode(ov::hint::PerformanceMode::THROUGHPUT));
  } else {
    settings.insert(ov::hint::performance_mode(ov::hint::PerformanceMode::LATENCY));
    settings.insert(ov::num_streams(1));
  }
  if (HasCache(job)) {
    settings.insert(ov::cache_dir(job.artifact));
  }
  return settings;
}

void NoteInt8(const ov::CompiledModel& model, Loaded& loaded) {
  static const std::set<std::string> kProducts = {"Convolution", "FullyConnected", "MatMul",
                                                  "Deconvolution"};
  int all = 0, int8 = 0;
  for (const auto& node : model.get_runtime_model()->get_ops()) {
    const auto& info = node->get_rt_info();
    const auto layer = info.find("layerType");
    const auto precision = info.find("runtimePrecision");
    if (layer == info.end() || precision == info.end() ||
        !kProducts.contains(layer->second.as<std::string>())) {
      continue;
    }
    const auto type = precision->second.as<std::string>();
    ++all;
    int8 += type == "i8" || type == "u8" ? 1 : 0;
  }
  if (int8 == 0) {
    loaded.doubt = "OpenVINO runs no product of the graph in int8";
  } else {
    loaded.notes.push_back(
        fmt::format("int8 kernels: {} of {} convolutions and matrix products", int8, all));
  }
}

Loaded ReadBack(const ov::CompiledModel& model, const Job& job) {
  Loaded loaded{.threads = model.get_property(ov::inference_num_threads),
                .precision = NameOf(model.get_property(ov::hint::inference_precision)),
                .device = Devices(model),
                .notes = {}};
  const Result<ov::AnyMap> settings = Settings(job);
  for (const auto& [name, asked] : *settings) {
    if (!CanRead(model, name)) {
      continue;
    }
    const auto obtained = model.get_property(name).as<std::string>();
    if (obtained != asked.as<std::string>()) {
      loaded.notes.push_back(
          fmt::format("{}: asked {}, obtained {}", name, asked.as<std::string>(), obtained));
    }
  }
  return loaded;
}

}  // namespace assay::engine::openvino
