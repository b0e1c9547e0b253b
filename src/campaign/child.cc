#include "campaign/child.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

extern char** environ;

namespace assay::campaign {
namespace {

// Sanitizers reserve terabytes of private address space, which the limit counts: no program of
// theirs would start under one.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kLimitMemory = false;
#else
constexpr bool kLimitMemory = true;
#endif

constexpr const char* kOomScore = "500";  // of 1000: before the parent and most others

/// The strings that exec wants, made before fork.
struct Prepared {
  std::vector<std::string> environment;
  std::vector<char*> arguments, variables;
};

/// What a user's shell may say that would make a runtime another than the one that is named, or a
/// program of ours not start.
constexpr std::string_view kCleared[] = {
    // Compilers that then compile nothing, or otherwise than they were told.
    "TORCHDYNAMO_DISABLE", "TORCH_COMPILE_DISABLE", "PYTORCH_JIT", "TORCHINDUCTOR_FREEZING",
    "TORCHINDUCTOR_MAX_AUTOTUNE", "TORCHINDUCTOR_CPP_WRAPPER", "TORCHDYNAMO_SUPPRESS_ERRORS",
    // Kernels for less than the processor has, or of less precision than asked.
    "ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA", "ATEN_CPU_CAPABILITY", "MKL_ENABLE_INSTRUCTIONS",
    "ONEDNN_DEFAULT_FPMATH_MODE", "DNNL_DEFAULT_FPMATH_MODE",
    // Threads all on one CPU, or fewer than asked.
    "GOMP_CPU_AFFINITY", "KMP_AFFINITY", "KMP_HW_SUBSET", "OMP_PLACES", "OMP_PROC_BIND",
    "OMP_THREAD_LIMIT", "OMP_DYNAMIC",
    // Another Python than ours; asserts left out, warnings as errors.
    "PYTHONHOME", "PYTHONSTARTUP", "PYTHONINSPECT", "PYTHONOPTIMIZE", "PYTHONWARNINGS",
    "PYTHONSAFEPATH"};

bool IsCleared(std::string_view entry) {
  return std::ranges::find(kCleared, entry.substr(0, entry.find('='))) != std::end(kCleared);
}

bool Overridden(std::string_view entry, const ChildSpec& spec) {
  for (const auto& [name, value] : spec.variables) {
    if (entry.starts_with(name) && entry.substr(name.size()).starts_with('=')) {
      return true;
    }
  }
  return false;
}

Prepared Prepare(const ChildSpec& spec) {
  Prepared prepared;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    if (!Overridden(*entry, spec) && !IsCleared(*entry)) {
      prepared.environment.emplace_back(*entry);
    }
  }
  for (const auto& [name, value] : spec.variables) {
    prepared.environment.push_back(name + "=" + value);
  }
  for (std::string& entry : prepared.environment) {
    prepared.variables.push_back(entry.data());
  }
  for (const std::string& argument : spec.command) {
    prepared.arguments.push_back(const_cast<char*>(argument.c_str()));
  }
  prepared.variables.push_back(nullptr);
  prepared.arguments.push_back(nullptr);
  return prepared;
}

void WriteFileInChild(const char* path, const char* text) {
  const int fd = ::open(path, O_WRONLY | O_CLOEXEC);
  if (fd >= 0) {
    [[maybe_unused]] const ssize_t written = ::write(fd, text, std::strlen(text));
    ::close(fd);
  }
}

void Limit(int resource, rlim_t value) {
  const rlimit limit{value, value};
  ::setrlimit(static_cast<__rlimit_resource_t>(resource), &limit);
}

void PinTo(const std::vector<int>& cpus) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const int cpu : cpus) {
    CPU_SET(static_cast<std::size_t>(cpu), &set);
  }
  ::sched_setaffinity(0, sizeof set, &set);
}

/// What happens between fork and exec.
[[noreturn]] void Become(const ChildSpec& spec, const Prepared& prepared, int output,
                         pid_t parent) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) {
    ::_exit(127);  // the parent died before the line above
  }
  const int null = ::open("/dev/null", O_RDONLY);
  ::dup2(null, STDIN_FILENO);
  ::dup2(output, STDOUT_FILENO);
  ::dup2(output, STDERR_FILENO);
  if (null > STDERR_FILENO) {
    ::close(null);
  }
  if (spec.inherited_fd >= 0) {
    ::fcntl(spec.inherited_fd, F_SETFD, 0);
  }
  WriteFileInChild("/proc/self/oom_score_adj", kOomScore);
  Limit(RLIMIT_CORE, 0);
  if (kLimitMemory && spec.memory_bytes > 0) {
    Limit(RLIMIT_DATA, spec.memory_bytes);
  }
  if (!spec.cpus.empty()) {
    PinTo(spec.cpus);
  }
  ::sigprocmask(SIG_SETMASK, &spec.mask, nullptr);
  ::execve(prepared.arguments[0], prepared.arguments.data(), prepared.variables.data());
  ::dprintf(STDERR_FILENO, "cannot start %s: %s\n", prepared.arguments[0], std::strerror(errno));
  ::_exit(127);
}

}  // namespace

std::vector<std::string> ClearedVariables() {
  std::vector<std::string> cleared;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    if (IsCleared(*entry)) {
      cleared.emplace_back(*entry);
    }
  }
  return cleared;
}

Result<Child> Child::Start(const ChildSpec& spec, int output) {
  const Prepared prepared = Prepare(spec);
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) {
    return Error{Code::kIo,
                 fmt::format("cannot start {}: {}", spec.command.front(), std::strerror(errno)),
                 "the limit of processes or memory is reached"};
  }
  if (pid == 0) {
    Become(spec, prepared, output, parent);
  }
  ::setpgid(pid, pid);  // also here: whoever comes first
  // Not pidfd_open: the header of glibc 2.36 declares it for C only.
  Child child(pid, Descriptor(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))));
  if (!child.pidfd_.valid()) {
    return Error{Code::kIo, fmt::format("cannot watch a process: {}", std::strerror(errno)),
                 "assay needs Linux 5.3 or newer"};
  }
  return child;
}

Child::Child(Child&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      pidfd_(std::move(other.pidfd_)),
      stopped_(other.stopped_) {}

Child::~Child() {
  if (pid_ > 0) {
    KillGroup();
    ::waitpid(pid_, nullptr, 0);
  }
}

void Child::SendStop() {
  if (pid_ > 0) {
    ::kill(-pid_, SIGSTOP);
    stopped_ = true;
  }
}

bool Child::StopReported() {
  siginfo_t info{};
  return pid_ <= 0 || (::waitid(P_PID, static_cast<id_t>(pid_), &info, WSTOPPED | WNOHANG) == 0 &&
                       info.si_pid == pid_);
}

void Child::Continue() {
  if (pid_ > 0) {
    ::kill(-pid_, SIGCONT);
    stopped_ = false;
  }
}

void Child::KillGroup() {
  if (pid_ > 0) {
    ::kill(-pid_, SIGKILL);
  }
}

std::optional<int> Child::Reap() {
  siginfo_t info{};
  if (pid_ <= 0 ||
      ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
      info.si_pid != pid_) {
    return std::nullopt;
  }
  KillGroup();  // while the leader is unreaped its number cannot belong to anyone else
  int status = 0;
  ::waitpid(pid_, &status, 0);
  pid_ = -1;
  return status;
}

std::optional<int> Child::AwaitFor(double seconds) {
  pollfd ended{pidfd(), POLLIN, 0};
  ::poll(&ended, 1, static_cast<int>(std::min(seconds * 1e3 + 1, 1e9)));
  return Reap();
}

}  // namespace assay::campaign
