#include "campaign/reference.h"

#include <fmt/format.h>
#include <unistd.h>

#include <system_error>

#include "base/file.h"
#include "base/json.h"

namespace assay::campaign {
namespace {

constexpr double kMemoryTimeoutS = 60;

Result<Reference> ReadManifest(const std::filesystem::path& outputs,
                               const std::filesystem::path& manifest) {
  ASSAY_ASSIGN(const Json json, ReadJson(manifest));
  return FromJson(manifest.string(), [&] {
    return Reference{.outputs = outputs,
                     .peak_rss_bytes = json.at("peak_rss_bytes").get<std::uint64_t>()};
  });
}

}  // namespace

Result<Reference> ComputeReference(const ReferenceSpec& spec, const std::filesystem::path& folder,
                                   Workshop& workshop) {
  const std::filesystem::path outputs = folder / (spec.key + ".safetensors");
  const std::filesystem::path manifest = folder / (spec.key + ".json");
  std::error_code error;
  if (std::filesystem::exists(outputs, error)) {
    if (Result<Reference> done = ReadManifest(outputs, manifest); done.ok()) {
      return done;
    }
  }
  std::filesystem::create_directories(folder, error);
  // Two runs may do this at once: each writes a file of its own and renames it.
  const std::filesystem::path own = folder / fmt::format("{}.{}.partial", spec.key, ::getpid());
  ASSAY_ASSIGN(const std::unique_ptr<Worker> worker, workshop.Start(spec.worker));
  const auto ask = [&](const char* verb, Json arguments, double seconds) {
    return worker->Ask(engine::MakeRequest(verb, std::move(arguments)), seconds);
  };
  ASSAY_ASSIGN(const Json loaded, ask("load", engine::ToJson(spec.job), spec.timeouts.load_s));
  ASSAY_ASSIGN(const Json done, ask("outputs", {{"path", own.string()}}, spec.timeouts.load_s));
  ASSAY_ASSIGN(const Json after, ask("memory", {{"reset", false}}, kMemoryTimeoutS));
  ASSAY_ASSIGN(const engine::Memory memory, engine::MemoryFromJson(after));
  worker->Close();
  std::filesystem::rename(own, outputs, error);
  if (error) {
    return Error{Code::kIo, fmt::format("cannot write {}: {}", outputs.string(), error.message()),
                 "set ASSAY_HOME to a folder that can be written"};
  }
  ASSAY_TRY(WriteFileAtomically(manifest, Json{{"peak_rss_bytes", memory.peak_rss_bytes}}.dump()));
  return Reference{.outputs = outputs, .peak_rss_bytes = memory.peak_rss_bytes};
}

}  // namespace assay::campaign
