#include "campaign/worker_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <limits>
#include <system_error>

#include "campaign/outcome.h"
#include "campaign/process.h"

namespace assay::campaign {
namespace {

constexpr std::size_t kPrintedBytes = 4096;  // of the end of what a worker prints, for reasons
constexpr double kStopSeconds = 10;          // for the kernel to report a stop
constexpr double kCloseSeconds = 5;          // for a worker to end when asked
constexpr double kGraceSeconds = 2;          // from the end of file to the end of the process

/// Folders of the runtimes' caches, all inside the worker's own temporary folder.
constexpr const char* kCacheVariables[] = {"TORCHINDUCTOR_CACHE_DIR", "TRITON_CACHE_DIR",
                                           "XDG_CACHE_HOME"};

std::vector<std::pair<std::string, std::string>> Variables(const WorkerSpec& spec,
                                                           const std::filesystem::path& folder) {
  std::vector<std::pair<std::string, std::string>> variables = spec.variables;
  variables.emplace_back("TMPDIR", folder);
  for (const char* name : kCacheVariables) {
    variables.emplace_back(name, folder / name);
  }
  variables.emplace_back("TORCHINDUCTOR_COMPILE_THREADS", "1");  // a pool would outlive its worker
  return variables;
}

Error SystemError(std::string_view what) {
  return {Code::kIo, fmt::format("cannot make {}: {}", what, std::strerror(errno)), ""};
}

void SetNonBlocking(int fd) { ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK); }

Status MakeFolders(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  for (const char* name : kCacheVariables) {
    std::filesystem::create_directories(folder / name, error);
  }
  if (error) {
    return Error{Code::kIo, fmt::format("cannot make {}: {}", folder.string(), error.message()),
                 "set ASSAY_HOME to a folder that can be written"};
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<WorkerProcess>> WorkerProcess::Start(ProcessWorkshop& workshop,
                                                            const WorkerSpec& spec,
                                                            const std::filesystem::path& program,
                                                            const std::filesystem::path& temporary,
                                                            const sigset_t& mask) {
  if (::access(program.c_str(), X_OK) != 0) {
    return Error{
        Code::kUnavailable,
        fmt::format("the engine '{}' is not here: no program {}", spec.engine, program.string()),
        "assay engines says what it needs"};
  }
  ASSAY_TRY(MakeFolders(temporary));
  int pair[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
    return SystemError("a socket");
  }
  Descriptor ours(pair[0]), theirs(pair[1]);
  if (::pipe2(pair, O_CLOEXEC) != 0) {
    return SystemError("a pipe");
  }
  Descriptor read_end(pair[0]), write_end(pair[1]);
  SetNonBlocking(read_end.get());
  const ChildSpec child_spec{
      .command = {program.string(), "--protocol-fd", std::to_string(theirs.get())},
      .variables = Variables(spec, temporary),
      .cpus = spec.cpus,
      .memory_bytes = spec.memory_bytes,
      .inherited_fd = theirs.get(),
      .mask = mask};
  ASSAY_ASSIGN(Child child, Child::Start(child_spec, write_end.get()));
  return std::unique_ptr<WorkerProcess>(new WorkerProcess(workshop, "assay-engine-" + spec.engine,
                                                          std::move(child), std::move(ours),
                                                          std::move(read_end), temporary));
}

WorkerProcess::WorkerProcess(ProcessWorkshop& workshop, std::string name, Child child,
                             Descriptor socket, Descriptor output, std::filesystem::path temporary)
    : workshop_(workshop),
      name_(std::move(name)),
      child_(std::move(child)),
      socket_(std::move(socket)),
      output_(std::move(output)),
      temporary_(std::move(temporary)),
      oom_kills_before_(OomKills()) {}

WorkerProcess::~WorkerProcess() {
  while (closing_ && !ended_ && !end_) {
    workshop_.PollOnce(due_);
  }
  std::erase(workshop_.workers_, this);
  child_.KillGroup();
  std::error_code ignored;
  std::filesystem::remove_all(temporary_, ignored);
}

void WorkerProcess::Send(const Json& request, double seconds) {
  answer_.reset();
  verb_ = request.value("verb", "");
  timeout_s_ = seconds;
  due_ = workshop_.Now() + seconds;
  TakeWhatCame();  // a worker may have died or babbled since its last reply
  if (!answer_ && !end_ && !socket_.valid()) {
    due_ = std::min(due_, workshop_.Now() + kGraceSeconds);
  } else if (!answer_ && !end_) {
    const Status written = engine::WriteFrame(socket_.get(), request);
    if (!written.ok() && written.error().code != Code::kCrashed) {
      Fail(written.error());
    }
  }
  if (!answer_ && end_) {
    Answer(*end_);
  }
}

Result<Json> WorkerProcess::Receive() {
  Worker* const self = this;
  workshop_.WaitAny({&self, 1});
  Result<Json> answer = *std::move(answer_);
  answer_.reset();
  return answer;
}

Status WorkerProcess::Stop() {
  if (ended_ || child_.stopped()) {
    return {};
  }
  child_.SendStop();
  const double until = workshop_.Now() + kStopSeconds;
  while (!child_.StopReported()) {
    if (workshop_.Now() > until) {
      return Error{Code::kInternal, fmt::format("{} could not be stopped", name_), ""};
    }
    workshop_.PollOnce(until);  // SIGCHLD ends the wait
    if (ended_ || end_) {
      return *end_;
    }
  }
  return {};
}

void WorkerProcess::Close() {
  closing_ = true;
  Continue();
  Send(engine::MakeRequest("close"), kCloseSeconds);
}

void WorkerProcess::AddTo(std::vector<pollfd>& polled) const {
  for (const int fd : {socket_.get(), output_.get()}) {
    if (fd >= 0) {
      polled.push_back({fd, POLLIN, 0});
    }
  }
  if (!ended_) {
    polled.push_back({child_.pidfd(), POLLIN, 0});
  }
}

double WorkerProcess::deadline() const {
  return end_ || (verb_.empty() && !closing_) ? std::numeric_limits<double>::infinity() : due_;
}

void WorkerProcess::TakeWhatCame() {
  TakeOutput();
  TakeReplies();
  TakeEnd();
  if ((!verb_.empty() || closing_) && !end_ && workshop_.Now() > due_) {
    Fail(socket_.valid()
             ? Error{Code::kTimedOut,
                     fmt::format("{} did not answer {} within {:g} s", name_, verb_, timeout_s_),
                     "raise --timeout if it may take longer"}
             : Error{Code::kMalformed, fmt::format("{} closed the protocol's descriptor", name_),
                     ""});
  }
}

void WorkerProcess::TakeOutput() {
  std::array<char, 65536> bytes;
  while (output_.valid()) {
    const ssize_t got = ::read(output_.get(), bytes.data(), bytes.size());
    if (got > 0) {
      printed_.append(bytes.data(), static_cast<std::size_t>(got));
      if (printed_.size() > 2 * kPrintedBytes) {
        printed_.erase(0, printed_.size() - kPrintedBytes);
      }
    } else if (got == 0) {
      output_ = Descriptor();
    } else if (errno != EINTR) {
      return;
    }
  }
}

void WorkerProcess::TakeReplies() {
  std::array<char, 65536> bytes;
  while (socket_.valid() && !end_) {
    const ssize_t got = ::recv(socket_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      return;
    }
    if (got <= 0) {  // the end of the process follows, or must
      socket_ = Descriptor();
      due_ = std::min(due_, workshop_.Now() + kGraceSeconds);
      return;
    }
    parser_.Feed(bytes.data(), static_cast<std::size_t>(got));
    for (Result<Json> frame = parser_.Next(); !frame.ok() || !frame->is_null();
         frame = parser_.Next()) {
      if (!frame.ok() || verb_.empty()) {
        Fail({Code::kMalformed,
              fmt::format("{} broke the protocol: {}", name_,
                          frame.ok() ? "a reply that nobody asked for" : frame.error().message),
              ""});
        return;
      }
      const Status status = engine::CheckReply(*frame);
      Answer(status.ok() ? std::move(frame) : Result<Json>(status.error()));
    }
  }
}

void WorkerProcess::TakeEnd() {
  const std::optional<int> status = ended_ ? std::nullopt : child_.Reap();
  if (!status) {
    return;
  }
  ended_ = true;
  TakeOutput();
  TakeReplies();  // its last one may have come just before its end
  if (!end_) {
    Fail(Explain({.worker = name_,
                  .verb = verb_,
                  .wait_status = *status,
                  .oom_killed = OomKills() > oom_kills_before_,
                  .output = printed_}));
  }
}

void WorkerProcess::Interrupt() { Fail({Code::kInterrupted, "interrupted", ""}); }

void WorkerProcess::Answer(Result<Json> answer) {
  answer_ = std::move(answer);
  verb_.clear();
}

void WorkerProcess::Fail(Error error) {
  end_ = std::move(error);
  socket_ = Descriptor();
  child_.KillGroup();
  if (!verb_.empty()) {
    Answer(*end_);
  }
}

}  // namespace assay::campaign
