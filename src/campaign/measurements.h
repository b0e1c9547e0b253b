// What a campaign has seen, as plain numbers: written by session.h and rounds.h, kept by journal.h,
// read by assemble.h. Times are in nanoseconds unless their names say otherwise.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "engine/protocol.h"
#include "record/record.h"

namespace assay::campaign {

/// Why an arm went no further.
struct End {
  record::Outcome outcome = record::Outcome::kFailed;
  std::string reason, hint;
  std::string stage;  // record::Arm::stage
};

/// Samples of a slice: `count` of `batch` inferences each.
struct SliceSize {
  int count = 5;
  int batch = 1;
};

/// One arm over all its processes.
struct ArmLog {
  std::optional<End> end;
  std::string stopped;                   // record::Arm::stopped
  std::string cut;                       // of one that was cut: by what, in words; else ""
  std::optional<engine::Loaded> loaded;  // by the first process
  std::vector<double> load_s, first_inference_ns;  // one per process
  std::vector<std::uint64_t> peak_rss_bytes, file_rss_bytes;
  std::vector<bool> steady;  // one per process
  double last_median_ns = 0;
  SliceSize size;
  std::vector<double> samples_ns;        // every timed sample
  std::vector<double> slice_medians_ns;  // one per slice
  // With several places, samples are times from one completion to the next, and these are apart:
  std::vector<double> latencies_ns;        // of each inference, from start to end
  std::vector<double> slice_latencies_ns;  // their median, one per slice
  engine::Charges charges;                 // summed; threads_active: the most of any slice
  std::int64_t steal_ticks = 0;
  std::filesystem::path outputs;  // safetensors "NAME.K"; "" before they were written
};

/// Arms that were alive together, and their turns.
struct SessionLog {
  int generation = 0;
  std::vector<std::size_t> arms;
  std::vector<std::vector<std::optional<double>>> rounds;  // slice medians [round][as in arms],
                                                           // each per input of an inference
};

struct Measurements {
  std::vector<ArmLog> arms;
  std::vector<SessionLog> sessions;
  std::vector<std::string> notes;
  double clock_floor_ns = 0;
  double timing_s = 0;  // warm-up and rounds, without what arms that hung took
};

}  // namespace assay::campaign
