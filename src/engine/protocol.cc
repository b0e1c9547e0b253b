#include "engine/protocol.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <optional>
#include <system_error>
#include <utility>

namespace assay::engine {
namespace {

/// An integer field. Stricter than get<int>, which takes any number: a worker that lies with 1e300
/// must not become undefined behaviour here. Too large a value becomes the nearest that fits.
int Int(const Json& json, const char* key) {
  return static_cast<int>(std::clamp<std::int64_t>(json.at(key).get_ref<const std::int64_t&>(),
                                                   std::numeric_limits<int>::min(),
                                                   std::numeric_limits<int>::max()));
}

std::int64_t Int64(const Json& json, const char* key) {
  return json.at(key).get_ref<const std::int64_t&>();
}

std::uint64_t Uint64(const Json& json, const char* key) {
  return json.at(key).get_ref<const std::uint64_t&>();
}

template <typename T>
T Get(const Json& json, const char* key) {
  return json.at(key).get<T>();
}

Json ToJson(const Charges& v) {
  return {{"voluntary_switches", v.voluntary_switches},
          {"involuntary_switches", v.involuntary_switches},
          {"minor_faults", v.minor_faults},
          {"major_faults", v.major_faults},
          {"cpu_ns", v.cpu_ns},
          {"threads_active", v.threads_active}};
}

Charges ReadCharges(const Json& json) {
  return {.voluntary_switches = Int64(json, "voluntary_switches"),
          .involuntary_switches = Int64(json, "involuntary_switches"),
          .minor_faults = Int64(json, "minor_faults"),
          .major_faults = Int64(json, "major_faults"),
          .cpu_ns = Int64(json, "cpu_ns"),
          .threads_active = Int(json, "threads_active")};
}

}  // namespace

Json ToJson(const Description& v) {
  return {{"protocol", v.protocol}, {"engine", v.engine},
          {"version", v.version},   {"available", v.available},
          {"reason", v.reason},     {"hint", v.hint},
          {"code", v.code}};
}

std::string GraphOf(const Job& job) {
  const std::filesystem::path prepared = std::filesystem::path(job.artifact) / "model.onnx";
  std::error_code error;
  const bool there = !job.artifact.empty() && std::filesystem::exists(prepared, error);
  return there ? prepared.string() : job.onnx;
}

Json ToJson(const Job& v) {
  return {{"conversion", v.conversion}, {"recipe", v.recipe},         {"onnx", v.onnx},
          {"program", v.program},       {"module", v.module},         {"artifact", v.artifact},
          {"inputs", v.inputs},         {"input_sets", v.input_sets}, {"threads", v.threads},
          {"options", v.options}};
}

Json ToJson(const Prepared& v) {
  return {{"seconds", v.seconds}, {"notes", v.notes}, {"doubt", v.doubt}};
}

Json ToJson(const Loaded& v) {
  return {{"seconds", v.seconds}, {"threads", v.threads}, {"precision", v.precision},
          {"device", v.device},   {"notes", v.notes},     {"doubt", v.doubt},
          {"places", v.places}};
}

Json ToJson(const Slice& v) {
  return {{"samples_ns", v.samples_ns},
          {"latencies_ns", v.latencies_ns},
          {"charges", ToJson(v.charges)},
          {"clock_floor_ns", v.clock_floor_ns}};
}

Json ToJson(const Memory& v) {
  return {{"peak_rss_bytes", v.peak_rss_bytes}, {"file_bytes", v.file_bytes}};
}

Result<Description> DescriptionFromJson(const Json& json) {
  return FromJson("a worker's description", [&] {
    return Description{.protocol = Int(json, "protocol"),
                       .engine = Get<std::string>(json, "engine"),
                       .version = Get<std::string>(json, "version"),
                       .available = Get<bool>(json, "available"),
                       .reason = Get<std::string>(json, "reason"),
                       .hint = Get<std::string>(json, "hint"),
                       .code = Get<std::string>(json, "code")};
  });
}

Result<Job> JobFromJson(const Json& json) {
  return FromJson("a job", [&] {
    return Job{.conversion = Get<std::string>(json, "conversion"),
               .recipe = json.at("recipe"),
               .onnx = Get<std::string>(json, "onnx"),
               .program = Get<std::string>(json, "program"),
               .module = Get<std::string>(json, "module"),
               .artifact = Get<std::string>(json, "artifact"),
               .inputs = Get<std::string>(json, "inputs"),
               .input_sets = Int(json, "input_sets"),
               .threads = Int(json, "threads"),
               .options = json.at("options")};
  });
}

Result<Prepared> PreparedFromJson(const Json& json) {
  return FromJson("a reply to prepare", [&] {
    return Prepared{.seconds = Get<double>(json, "seconds"),
                    .notes = Get<std::vector<std::string>>(json, "notes"),
                    .doubt = json.value("doubt", "")};
  });
}

Result<Loaded> LoadedFromJson(const Json& json) {
  return FromJson("a reply to load", [&] {
    return Loaded{.seconds = Get<double>(json, "seconds"),
                  .threads = Int(json, "threads"),
                  .precision = Get<std::string>(json, "precision"),
                  .device = Get<std::string>(json, "device"),
                  .notes = Get<std::vector<std::string>>(json, "notes"),
                  .doubt = json.value("doubt", ""),
                  .places = json.contains("places") ? std::max(1, Int(json, "places")) : 1};
  });
}

Result<Slice> SliceFromJson(const Json& json) {
  auto slice = FromJson("a reply to infer", [&] {
    return Slice{.samples_ns = Get<std::vector<double>>(json, "samples_ns"),
                 .charges = ReadCharges(json.at("charges")),
                 .clock_floor_ns = Get<double>(json, "clock_floor_ns"),
                 .latencies_ns = json.value("latencies_ns", std::vector<double>())};
  });
  if (slice.ok()) {
    for (const std::vector<double>* times : {&slice->samples_ns, &slice->latencies_ns}) {
      for (const double ns : *times) {
        if (!std::isfinite(ns) || ns < 0) {
          return Error{Code::kMalformed,
                       fmt::format("a reply to infer: {} ns is no time of an inference", ns), ""};
        }
      }
    }
  }
  return slice;
}

Result<Memory> MemoryFromJson(const Json& json) {
  return FromJson("a reply to memory", [&] {
    return Memory{.peak_rss_bytes = Uint64(json, "peak_rss_bytes"),
                  .file_bytes = Uint64(json, "file_bytes")};
  });
}

Json MakeRequest(std::string_view verb, Json arguments) {
  arguments["verb"] = verb;
  return arguments;
}

Json MakeReply(Json body) {
  body["ok"] = true;
  return body;
}

Json MakeReply(const Error& error) {
  const char* kind = "failed";
  if (error.code == Code::kUnsupported || error.code == Code::kUnavailable) {
    kind = "unsupported";
  } else if (error.code == Code::kOutOfMemory) {
    kind = "out_of_memory";
  }
  return {{"ok", false},
          {"error", {{"kind", kind}, {"message", error.message}, {"hint", error.hint}}}};
}

Status CheckReply(const Json& reply) {
  Result<std::optional<Error>> carried =
      FromJson("a worker's reply", [&]() -> std::optional<Error> {
        if (Get<bool>(reply, "ok")) {
          return std::nullopt;
        }
        const Json& body = reply.at("error");
        const auto kind = Get<std::string>(body, "kind");
        const Code code = kind == "unsupported"     ? Code::kUnsupported
                          : kind == "out_of_memory" ? Code::kOutOfMemory
                                                    : Code::kInternal;
        return Error{code, Get<std::string>(body, "message"), Get<std::string>(body, "hint")};
      });
  if (!carried.ok()) {
    return std::move(carried).error();
  }
  return carried->has_value() ? Status(**std::move(carried)) : Status();
}

}  // namespace assay::engine
