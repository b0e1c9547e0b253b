#include "cli/progress.h"

#include <fmt/format.h>

#include <cmath>

#include "cli/terminal.h"

namespace assay::cli {
namespace {

constexpr auto kRedraw = std::chrono::milliseconds(200);  // the parent stays out of the way

std::string Clip(const std::string& line, int width) {
  std::string clipped;
  int columns = 0;
  for (const char c : line) {
    columns += (static_cast<unsigned char>(c) & 0xC0u) != 0x80u ? 1 : 0;
    if (columns > width) {
      break;
    }
    clipped += c;
  }
  return clipped;
}

}  // namespace

std::string Describe(const campaign::Stage& stage) {
  std::string line = stage.name;
  line += stage.arm.empty() ? "" : fmt::format(" {}", stage.arm);
  if (stage.rounds_planned > 0) {
    line += fmt::format("  round {} of {}", stage.round, stage.rounds_planned);
  }
  if (stage.groups > 1) {
    line += fmt::format("  group {} of {}", stage.group, stage.groups);
  }
  if (stage.arms_total > 0) {
    line += stage.arms_live == stage.arms_total
                ? fmt::format("  {} arms", stage.arms_total)
                : fmt::format("  {} of {} arms", stage.arms_live, stage.arms_total);
  }
  if (stage.precision) {
    line += fmt::format("  ±{:.1f} %", 100 * *stage.precision);
  }
  if (stage.seconds_left && std::isfinite(*stage.seconds_left)) {
    const auto seconds = std::lround(std::max(0.0, *stage.seconds_left));
    line += fmt::format("  {}:{:02} left", seconds / 60, seconds % 60);
  }
  return line;
}

StderrProgress::StderrProgress(Telling telling, bool live_line)
    : telling_(telling), width_(live_line && telling != Telling::kQuiet ? WidthOfStderr() : 0) {}

StderrProgress::~StderrProgress() { Erase(); }

void StderrProgress::Update(const campaign::Stage& stage) {
  const std::string name = stage.name + " " + stage.arm;
  if (telling_ == Telling::kVerbose && name != stage_) {
    stage_ = name;
    Say(Describe(stage));
  }
  const auto now = Clock::now();
  if (width_ == 0 || now - drawn_ < kRedraw) {
    return;
  }
  drawn_ = now;
  const std::string line = Clip(Describe(stage), width_ - 1);
  if (line != shown_) {
    WriteError(fmt::format("\r\033[K{}", line));
    shown_ = line;
  }
}

void StderrProgress::Say(const std::string& line) {
  if (telling_ == Telling::kQuiet) {
    return;
  }
  Erase();
  if (telling_ == Telling::kVerbose) {
    const std::chrono::duration<double> since = Clock::now() - begun_;
    cli::Say(fmt::format("assay: {:7.1f} s  {}", since.count(), line));
  } else {
    cli::Say(fmt::format("assay: {}", line));
  }
}

void StderrProgress::Erase() {
  if (!shown_.empty()) {
    WriteError("\r\033[K");
    shown_.clear();
  }
}

}  // namespace assay::cli
