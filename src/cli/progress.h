// What stderr shows while a campaign runs: one line that changes, on a terminal, and the story.
#pragma once

#include <chrono>
#include <string>

#include "campaign/progress.h"

namespace assay::cli {

enum class Telling { kQuiet, kNormal, kVerbose };

/// "timing  round 14 of 20  6 arms  ±1.3 %  0:42 left"
std::string Describe(const campaign::Stage& stage);

class StderrProgress final : public campaign::Progress {
 public:
  /// live_line  false for --no-progress; it needs a terminal besides
  StderrProgress(Telling telling, bool live_line);
  ~StderrProgress() override;
  StderrProgress(const StderrProgress&) = delete;
  StderrProgress& operator=(const StderrProgress&) = delete;

  void Update(const campaign::Stage& stage) override;
  void Say(const std::string& line) override;

 private:
  using Clock = std::chrono::steady_clock;
  void Erase();

  Telling telling_;
  int width_;  // of the terminal; 0: no line that changes
  Clock::time_point begun_ = Clock::now();
  Clock::time_point drawn_;
  std::string shown_;  // the line that stands there now
  std::string stage_;  // the last one told, for --verbose
};

}  // namespace assay::cli
