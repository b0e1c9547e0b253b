#include "campaign/written_outputs.h"

#include <memory>
#include <utility>

namespace assay::campaign {
namespace {

constexpr double kMemoryTimeoutS = 60;

}  // namespace

Result<std::uint64_t> WriteOutputs(const WorkerSpec& spec, const engine::Job& job,
                                   const std::filesystem::path& path, const Timeouts& timeouts,
                                   Workshop& workshop) {
  ASSAY_ASSIGN(const std::unique_ptr<Worker> worker, workshop.Start(spec));
  const auto ask = [&](const char* verb, Json arguments, double seconds) {
    return worker->Ask(engine::MakeRequest(verb, std::move(arguments)), seconds);
  };
  ASSAY_ASSIGN(const Json loaded, ask("load", engine::ToJson(job), timeouts.load_s));
  ASSAY_ASSIGN(const Json done, ask("outputs", {{"path", path.string()}}, timeouts.load_s));
  ASSAY_ASSIGN(const Json after, ask("memory", {{"reset", false}}, kMemoryTimeoutS));
  ASSAY_ASSIGN(const engine::Memory memory, engine::MemoryFromJson(after));
  worker->Close();
  return memory.peak_rss_bytes;
}

}  // namespace assay::campaign
