#include "campaign/process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <csignal>
#include <limits>
#include <system_error>

#include "campaign/worker_process.h"
#include "hardware/machine.h"
#include "hardware/ticks.h"

namespace assay::campaign {
namespace {

constexpr double kForever = std::numeric_limits<double>::infinity();
constexpr const char* kTemporaryPrefix = "run-";

double Monotonic() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

/// Removes what earlier processes left behind when they were killed.
void RemoveAbandoned(const std::filesystem::path& folder) {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    const std::string name = entry.path().filename();
    pid_t pid = 0;
    const std::string_view prefix = kTemporaryPrefix;
    if (!name.starts_with(prefix) ||
        std::from_chars(name.data() + prefix.size(), name.data() + name.size(), pid).ec !=
            std::errc()) {
      continue;
    }
    if (::kill(pid, 0) != 0 && errno == ESRCH) {
      std::filesystem::remove_all(entry.path(), ignored);
    }
  }
}

}  // namespace

Result<std::unique_ptr<ProcessWorkshop>> ProcessWorkshop::Open(const std::filesystem::path& engines,
                                                               const std::filesystem::path& home) {
  const std::filesystem::path folder = home / "tmp";
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  RemoveAbandoned(folder);
  const std::filesystem::path own = folder / fmt::format("{}{}", kTemporaryPrefix, ::getpid());
  std::filesystem::create_directories(own, error);
  if (error) {
    return Error{Code::kIo, fmt::format("cannot make {}: {}", own.string(), error.message()),
                 "set ASSAY_HOME to a folder that can be written"};
  }
  ASSAY_ASSIGN(Signals signals, Signals::Block());
  return std::unique_ptr<ProcessWorkshop>(new ProcessWorkshop(std::move(signals), engines, own));
}

ProcessWorkshop::ProcessWorkshop(Signals signals, std::filesystem::path engines,
                                 std::filesystem::path temporary)
    : signals_(std::move(signals)),
      engines_(std::move(engines)),
      temporary_(std::move(temporary)) {}

ProcessWorkshop::~ProcessWorkshop() {
  std::error_code ignored;
  std::filesystem::remove_all(temporary_, ignored);
}

Result<std::unique_ptr<Worker>> ProcessWorkshop::Start(const WorkerSpec& spec) {
  if (signal_ != 0) {
    return Error{Code::kInterrupted, "interrupted", ""};
  }
  auto worker = WorkerProcess::Start(*this, spec, engines_ / ("assay-engine-" + spec.engine),
                                     temporary_ / fmt::format("{}-{}", started_++, spec.engine),
                                     signals_.mask_before());
  if (!worker.ok()) {
    return std::move(worker).error();
  }
  workers_.push_back(worker->get());
  return std::unique_ptr<Worker>(*std::move(worker));
}

void ProcessWorkshop::WaitAny(std::span<Worker* const> workers) {
  const auto answered = [](const Worker* worker) { return worker->Answered(); };
  while (std::none_of(workers.begin(), workers.end(), answered)) {
    PollOnce(kForever);
  }
}

Status ProcessWorkshop::Pause(double seconds) {
  const double until = Now() + seconds;
  while (signal_ == 0 && Now() < until) {
    PollOnce(until);
  }
  return signal_ == 0 ? Status() : Error{Code::kInterrupted, "interrupted", ""};
}

double ProcessWorkshop::Now() { return Monotonic() - suspended_s_; }

std::uint64_t ProcessWorkshop::AvailableBytes() { return hardware::AvailableBytes(); }

std::int64_t ProcessWorkshop::StealTicks() {
  return hardware::ReadTicks(hardware::Tree("/")).steal;
}

void ProcessWorkshop::PollOnce(double until) {
  std::vector<pollfd> polled = {{signals_.fd(), POLLIN, 0}};
  for (const WorkerProcess* worker : workers_) {
    worker->AddTo(polled);
    until = std::min(until, worker->deadline());
  }
  // One millisecond more than is left, so that the deadline has passed when poll returns.
  const double left_ms = std::clamp((until - Now()) * 1e3 + 1, 0.0, 1e9);
  ::poll(polled.data(), polled.size(), until == kForever ? -1 : static_cast<int>(left_ms));
  HandleSignals();
  for (WorkerProcess* worker : workers_) {
    worker->TakeWhatCame();
  }
}

void ProcessWorkshop::HandleSignals() {
  while (const auto number = signals_.Next()) {
    if (*number == SIGTSTP) {
      Suspend();
    } else if (*number != SIGCHLD) {
      signal_ = *number;
      for (WorkerProcess* worker : workers_) {
        worker->Interrupt();
      }
    }
  }
}

void ProcessWorkshop::Suspend() {
  std::vector<WorkerProcess*> running;
  for (WorkerProcess* worker : workers_) {
    if (!worker->stopped()) {
      running.push_back(worker);
      worker->child().SendStop();
    }
  }
  const double began = Monotonic();
  ::kill(::getpid(), SIGSTOP);
  suspended_s_ += Monotonic() - began;
  for (WorkerProcess* worker : running) {
    worker->child().Continue();
  }
}

}  // namespace assay::campaign
