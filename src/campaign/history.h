// What earlier runs of a model on this machine recorded of its arms: what they took to prepare, to
// load and to run. Read from the records below home.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "record/record.h"

namespace assay::campaign {

/// The latest that is known of an arm.
struct Past {
  std::optional<double> prepare_s, load_s, latency_ms;
  std::optional<std::uint64_t> peak_rss_bytes;
};
using History = std::map<std::string, Past>;  // by the arm's label

/// Adds what `run` says and `history` does not know yet. Latencies count with as many threads.
void Learn(const record::Run& run, int threads, History& history);

/// From the latest records of the model with this name and content, on this processor; a record
/// that cannot be read is passed over.
///
/// home  as cli's KeepRecord writes them: records/STARTED-MODEL-PID.json
History ReadHistory(const std::filesystem::path& home, const std::string& model,
                    const std::string& sha256, const std::string& cpu, int threads);

}  // namespace assay::campaign
