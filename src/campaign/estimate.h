// How long a campaign of many arms may take, from what earlier runs recorded and, where there are
// none, from assumptions that are stated here. Pure.
#pragma once

#include <span>
#include <string>

#include "campaign/effort.h"
#include "campaign/history.h"
#include "conversion/recipe.h"

namespace assay::campaign {

/// What one arm that may run is expected to take. In seconds.
struct Outlook {
  double prepare_s = 0;  // 0: nothing to prepare, or it is done
  double start_s = 0;    // the process, and loading
  double latency_s = 0;
  bool prepared = false;  // has an artifact, of an earlier run
  bool assumed = false;   // some of it is no run's record
};

/// What is assumed of a model, where an arm is not known.
struct Assumed {
  double eager_s = 0;  // the latency of eager PyTorch
  double nodes = 0;    // of its graph
};

/// past     what is known of the arm, empty for nothing
/// prepares an artifact is still to be made
Outlook OutlookOf(const conversion::Recipe& recipe, bool in_python, const Past& past, bool prepares,
                  const Assumed& assumed);

struct Estimate {
  int arms = 0, prepared = 0, assumed = 0;
  int unable = 0;  // arms besides, that cannot run here
  int groups = 1;  // of the first generation
  double prepare_s = 0, measure_s = 0;
};

/// cores  preparations share them, and so does loading
Estimate EstimateOf(std::span<const Outlook> arms, const Effort& effort, int cores);

/// "63 of 112 arms can run here, 40 of them are prepared already; 7 groups; about 18 min (3 of them
/// preparing)".
std::string Describe(const Estimate& estimate);

/// Latency to assume of eager PyTorch: multiply-adds at 30 G/s per thread (a half of what ResNet-18
/// reached on an EPYC of 2024), 0.1 ms at the least.
double AssumedLatency(double macs, int threads);

}  // namespace assay::campaign
