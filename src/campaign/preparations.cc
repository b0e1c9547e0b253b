#include "campaign/preparations.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <vector>

namespace assay::campaign {
namespace {

constexpr std::uint64_t kReserveBytes = 512u << 20;  // left to everyone else

class Preparations {
 public:
  Preparations(std::span<const PreparationSpec> specs, const Crew& crew,
               const std::filesystem::path& root, Workshop& workshop, Progress& progress,
               const std::function<void(std::size_t, Result<Artifact>)>& done)
      : specs_(specs),
        crew_(crew),
        root_(root),
        workshop_(workshop),
        progress_(progress),
        done_(done),
        expected_bytes_(crew.expected_bytes) {
    for (std::size_t i = 0; i < specs.size(); ++i) {
      waiting_.push_back(i);
    }
  }

  void Run() {
    while (!running_.empty() || (!waiting_.empty() && workshop_.signal() == 0)) {
      BeginWhatMay();
      if (!running_.empty()) {
        FinishOne();
      } else if (!waiting_.empty() && !workshop_.Pause(kLockRetryS).ok()) {
        return;  // interrupted
      }
    }
  }

 private:
  struct Running {
    Preparing preparing;
    bool beside = false;
  };

  bool HasRoom(const PreparationSpec& spec) const {
    if (running_.empty()) {
      return true;
    }
    const bool alone =
        spec.alone || std::any_of(running_.begin(), running_.end(),
                                  [&](const auto& one) { return specs_[one.first].alone; });
    // Those under way may have taken little of theirs yet.
    const std::uint64_t needed = kReserveBytes + expected_bytes_ * (running_.size() + 1);
    return !alone && static_cast<int>(running_.size()) < crew_.at_once &&
           needed <= workshop_.AvailableBytes();
  }

  void BeginWhatMay() {
    for (const std::size_t i : std::vector<std::size_t>(waiting_)) {
      if (workshop_.signal() == 0 && HasRoom(specs_[i]) && Begin(i)) {
        std::erase(waiting_, i);
        Tell();
      }
    }
  }

  /// False when another run is at it.
  bool Begin(std::size_t i) {
    Result<std::optional<Preparing>> begun = BeginPreparing(specs_[i], root_, workshop_, progress_);
    if (!begun.ok()) {
      done_(i, std::move(begun).error());
      return true;
    }
    if (!*begun) {
      if (said_.insert(i).second) {
        SayThatItWaits(specs_[i], progress_);
      }
      return false;
    }
    if ((*begun)->found) {
      done_(i, FinishPreparing(**std::move(begun), specs_[i], root_, false));
      return true;
    }
    for (auto& [other, one] : running_) {
      one.beside = true;
    }
    const bool beside = !running_.empty();
    running_.emplace(i, Running{**std::move(begun), beside});
    return true;
  }

  void FinishOne() {
    std::vector<Worker*> workers;
    for (const auto& [i, one] : running_) {
      workers.push_back(one.preparing.worker.get());
    }
    workshop_.WaitAny(workers);
    const auto ended = std::find_if(running_.begin(), running_.end(), [](const auto& one) {
      return one.second.preparing.worker->Answered();
    });
    const std::size_t i = ended->first;
    Running one = std::move(ended->second);
    running_.erase(ended);
    Result<Artifact> artifact =
        FinishPreparing(std::move(one.preparing), specs_[i], root_, one.beside);
    if (artifact.ok()) {
      expected_bytes_ = std::max(expected_bytes_, artifact->peak_rss_bytes);
    }
    done_(i, std::move(artifact));
    Tell();
  }

  void Tell() {
    const std::size_t left = waiting_.size() + running_.size();
    progress_.Update({.name = "prepare",
                      .arm = running_.empty() ? "" : specs_[running_.begin()->first].label,
                      .arms_live = static_cast<int>(specs_.size() - left),
                      .arms_total = static_cast<int>(specs_.size())});
  }

  std::span<const PreparationSpec> specs_;
  const Crew& crew_;
  const std::filesystem::path& root_;
  Workshop& workshop_;
  Progress& progress_;
  const std::function<void(std::size_t, Result<Artifact>)>& done_;
  std::uint64_t expected_bytes_;
  std::vector<std::size_t> waiting_;
  std::map<std::size_t, Running> running_;
  std::set<std::size_t> said_;  // that they wait for another run
};

}  // namespace

void PrepareAll(std::span<const PreparationSpec> specs, const Crew& crew,
                const std::filesystem::path& root, Workshop& workshop, Progress& progress,
                const std::function<void(std::size_t, Result<Artifact>)>& done) {
  Preparations(specs, crew, root, workshop, progress, done).Run();
}

}  // namespace assay::campaign
