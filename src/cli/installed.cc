#include "cli/installed.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <system_error>

#include "base/file.h"
#include "campaign/outcome.h"
#include "conversion/select.h"

namespace assay::cli {
namespace {

namespace fs = std::filesystem;

constexpr auto kPatience = std::chrono::seconds(60);  // importing torch on a cold disk takes 20 s
constexpr const char* kPrefix = "assay-engine-";
constexpr const char* kBuild = "tools/setup.sh builds and installs what is missing";

/// An engine being asked: its process and what it has printed so far.
class Inquiry {
 public:
  Inquiry(std::string name, const fs::path& program) : name_(std::move(name)) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) {
      failure_ = std::strerror(errno);
      return;
    }
    reply_ = Descriptor(ends[0]);
    const Descriptor theirs(ends[1]);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&actions, theirs.get(), STDOUT_FILENO);
    ::posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    std::string path = program.string(), option = "--describe";
    char* arguments[] = {path.data(), option.data(), nullptr};
    if (const int error =
            ::posix_spawn(&pid_, path.c_str(), &actions, nullptr, arguments, environ)) {
      failure_ = fmt::format("{} does not start: {}", path, std::strerror(error));
      pid_ = -1;
    }
    ::posix_spawn_file_actions_destroy(&actions);
  }
  Inquiry(Inquiry&& other) noexcept
      : name_(std::move(other.name_)),
        reply_(std::move(other.reply_)),
        pid_(std::exchange(other.pid_, -1)),
        text_(std::move(other.text_)),
        failure_(std::move(other.failure_)) {}
  Inquiry& operator=(Inquiry&&) = delete;
  ~Inquiry() { End(true); }

  bool open() const { return pid_ > 0 && reply_.valid(); }
  int fd() const { return reply_.get(); }

  void ReadSome() {
    char buffer[4096];
    const ssize_t count = ::read(reply_.get(), buffer, sizeof buffer);
    if (count > 0) {
      text_.append(buffer, static_cast<std::size_t>(count));
    } else if (count == 0 || errno != EINTR) {
      reply_ = Descriptor();
    }
  }

  engine::Description Finish() {
    const bool answered = !reply_.valid();
    const int status = End(!answered);
    if (failure_.empty() && !answered) {
      failure_ = fmt::format("it did not describe itself within {} s", kPatience.count());
    } else if (failure_.empty() && status != 0) {
      failure_ = "it " + campaign::HowItEnded(status);
    }
    if (!failure_.empty()) {
      return {engine::kProtocolVersion, name_, "", false, failure_, kBuild};
    }
    const auto json = ParseJson(text_, name_);
    const auto description = json ? engine::DescriptionFromJson(*json) : json.error();
    if (!description) {
      return {engine::kProtocolVersion, name_, "", false, description.error().message, kBuild};
    }
    return *description;
  }

 private:
  int End(bool kill) {
    if (pid_ <= 0) {
      return 0;
    }
    if (kill) {
      ::kill(pid_, SIGKILL);
    }
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return status;
  }

  std::string name_;
  Descriptor reply_;
  pid_t pid_ = -1;
  std::string text_;
  std::string failure_;
};

void AwaitAll(std::vector<Inquiry>& inquiries) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (true) {
    std::vector<pollfd> waiting;
    std::vector<Inquiry*> whose;
    for (Inquiry& inquiry : inquiries) {
      if (inquiry.open()) {
        waiting.push_back({inquiry.fd(), POLLIN, 0});
        whose.push_back(&inquiry);
      }
    }
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    if (waiting.empty() || left.count() <= 0) {
      return;
    }
    ::poll(waiting.data(), waiting.size(), static_cast<int>(left.count()));
    for (std::size_t i = 0; i < waiting.size(); ++i) {
      if (waiting[i].revents != 0) {
        whose[i]->ReadSome();
      }
    }
  }
}

/// Names of the engines that the registry needs, in its order, then others found in `folder`.
std::vector<std::string> EngineNames(const fs::path& folder) {
  std::vector<std::string> names;
  const auto add = [&](const std::string& name) {
    const bool hidden = name == conversion::kTestEngine && !TestEnginesAllowed();
    if (!name.empty() && !hidden && std::find(names.begin(), names.end(), name) == names.end()) {
      names.push_back(name);
    }
  };
  for (const conversion::Conversion& conversion : conversion::Registry()) {
    for (const conversion::Route& route : conversion.routes) {
      add(route.engine);
    }
  }
  std::error_code error;
  std::vector<std::string> others;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(kPrefix) && entry.is_regular_file(error) &&
        ::access(entry.path().c_str(), X_OK) == 0) {
      others.push_back(name.substr(std::strlen(kPrefix)));
    }
  }
  std::sort(others.begin(), others.end());
  std::for_each(others.begin(), others.end(), add);
  return names;
}

}  // namespace

fs::path ProgramFolder() {
  std::error_code error;
  return fs::read_symlink("/proc/self/exe", error).parent_path();
}

bool TestEnginesAllowed() {
  const char* value = std::getenv("ASSAY_TEST_ENGINES");
  return value != nullptr && std::string_view(value) == "1";
}

std::vector<engine::Description> InstalledEngines() {
  const fs::path folder = ProgramFolder();
  const std::vector<std::string> names = EngineNames(folder);
  std::vector<Inquiry> inquiries;
  for (const std::string& name : names) {
    if (const fs::path program = folder / (kPrefix + name); fs::exists(program)) {
      inquiries.emplace_back(name, program);
    }
  }
  AwaitAll(inquiries);
  std::vector<engine::Description> engines;
  auto asked = inquiries.begin();
  for (const std::string& name : names) {
    if (fs::exists(folder / (kPrefix + name)) && asked != inquiries.end()) {
      engines.push_back((asked++)->Finish());
    } else {
      engines.push_back({engine::kProtocolVersion, name, "", false,
                         fmt::format("{}{} is not here: it was not built", kPrefix, name), kBuild});
    }
  }
  return engines;
}

}  // namespace assay::cli
