// What a campaign tells while it runs; the command line turns it into a line on a terminal.
#pragma once

#include <optional>
#include <string>

namespace assay::campaign {

struct Stage {
  std::string name{};  // "prepare", "reference", "load", "warm-up", "timing", "verdict"
  std::string arm{};   // the arm at work, "" for all
  int arms_live = 0, arms_total = 0;
  int round = 0, rounds_planned = 0;
  int group = 0, groups = 0;          // of arms that are alive together
  std::optional<double> precision{};  // widest relative half-width so far
  std::optional<double> seconds_left{};
};

class Progress {
 public:
  virtual ~Progress() = default;
  virtual void Update(const Stage& stage) = 0;    // often
  virtual void Say(const std::string& line) = 0;  // the story: one line, for stderr
};

}  // namespace assay::campaign
