#include "campaign/history.h"

#include <algorithm>
#include <functional>
#include <system_error>
#include <vector>

#include "base/json.h"
#include "base/text.h"

namespace assay::campaign {
namespace {

constexpr std::size_t kMostRecords = 8;  // of a model; more would say little that is new

/// Paths of the records of `model`, the latest first.
std::vector<std::filesystem::path> RecordsOf(const std::filesystem::path& folder,
                                             const std::string& model) {
  const std::string name = AsFileName("-" + model + "-", '_');
  std::vector<std::filesystem::path> paths;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    const std::string file = entry.path().filename().string();
    if (file.find(name) != std::string::npos && entry.path().extension() == ".json") {
      paths.push_back(entry.path());
    }
  }
  std::sort(paths.begin(), paths.end(), std::greater<>());  // names begin with the time
  paths.resize(std::min(paths.size(), kMostRecords));
  return paths;
}

template <typename T>
void Fill(std::optional<T>& known, const std::optional<T>& value) {
  if (!known) {
    known = value;
  }
}

}  // namespace

void Learn(const record::Run& run, int threads, History& history) {
  for (const record::Arm& arm : run.arms) {
    Past& past = history[arm.conversion];
    Fill(past.prepare_s, arm.prepare_s);
    Fill(past.load_s, arm.load_s);
    Fill(past.peak_rss_bytes, arm.peak_rss_bytes);
    const bool of_model = arm.batch_size.value_or(run.model.batch_size) == run.model.batch_size;
    if (arm.latency_ms && arm.threads.asked == threads && of_model) {
      Fill(past.latency_ms, std::optional(arm.latency_ms->median));
    }
  }
}

History ReadHistory(const std::filesystem::path& home, const std::string& model,
                    const std::string& sha256, const std::string& cpu, int threads) {
  History history;
  for (const std::filesystem::path& path : RecordsOf(home / "records", model)) {
    const Result<Json> json = ReadJson(path);
    const Result<record::Run> run =
        json.ok() ? record::RunFromJson(*json, path.string()) : json.error();
    if (run.ok() && run->model.sha256 == sha256 && run->machine.cpu == cpu) {
      Learn(*run, threads, history);
    }
  }
  return history;
}

}  // namespace assay::campaign
