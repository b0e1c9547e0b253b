#include "campaign/journal.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <string_view>
#include <system_error>

#include "campaign/journal_lines.h"
#include "campaign/preparation.h"

namespace assay::campaign {
namespace {

constexpr const char* kFile = "journal.jsonl";
constexpr const char* kSameCommand =
    "--resume goes on with the very command that was interrupted; without it all is measured anew";

Error CannotWrite(const std::filesystem::path& path) {
  return {Code::kIo, fmt::format("cannot write {}: {}", path.string(), std::strerror(errno)),
          "set ASSAY_HOME to a folder that can be written and has room"};
}

/// The first detail in which the two differ, in words; "" when they agree.
std::string Difference(const Json& before, const Json& now) {
  for (const auto& [name, value] : now.items()) {
    const Json other = before.value(name, Json(nullptr));
    if (other != value) {
      return fmt::format("{} {}, now it is {}", name, other.dump(), value.dump());
    }
  }
  return "";
}

/// Those behind the first `count`.
std::vector<double> After(const std::vector<double>& all, std::size_t count) {
  return {all.begin() + static_cast<std::ptrdiff_t>(count), all.end()};
}

/// Applies one line; false when it is none, because writing it was cut off.
bool Apply(const std::string& line, const std::filesystem::path& outputs, Journal::State& state) {
  const auto read = [&] {
    const Json json = Json::parse(line);
    json.at("seconds").get_to(state.seconds);
    Measurements& seen = state.seen;
    json.at("timing_s").get_to(seen.timing_s);
    json.at("clock_floor_ns").get_to(seen.clock_floor_ns);
    json.at("notes").get_to(seen.notes);
    state.course = CourseFromJson(json.at("course"));
    for (const Json& one : json.at("arms")) {
      ArmLog& log = seen.arms.at(one.at("arm").get<std::size_t>());
      ReadInto(one.at("log"), outputs, log);
      const auto samples = one.at("samples").get<std::vector<double>>();
      log.samples_ns.insert(log.samples_ns.end(), samples.begin(), samples.end());
      const auto latencies = one.value("latencies", std::vector<double>());
      log.latencies_ns.insert(log.latencies_ns.end(), latencies.begin(), latencies.end());
    }
    seen.sessions.resize(json.at("sessions").get<std::size_t>());
    if (!seen.sessions.empty()) {
      seen.sessions.back() = SessionFromJson(json.at("session"));
    }
    return true;
  };
  const Result<bool> applied = FromJson("journal", read);
  return applied.ok();
}

}  // namespace

Result<Journal> Journal::Open(const std::filesystem::path& home, const Identity& identity,
                              bool resume, const std::string& started) {
  Journal journal;
  journal.folder_ = home / "journals" / CacheKey(identity.model, identity.arms);
  journal.found_.started = started;
  journal.found_.seen.arms.resize(identity.arms.size());
  journal.kept_.resize(identity.arms.size());
  journal.samples_.resize(identity.arms.size());
  journal.latencies_.resize(identity.arms.size());
  std::error_code ignored;  // opening the folder says it
  std::filesystem::create_directories(journal.outputs(), ignored);
  journal.lock_ = Descriptor(::open(journal.folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!journal.lock_.valid()) {
    return CannotWrite(journal.folder_);
  }
  if (::flock(journal.lock_.get(), LOCK_EX | LOCK_NB) != 0) {
    if (!resume) {
      return journal;
    }
    return Error{
        Code::kInvalidArgument,
        fmt::format("another run of {} with these conversions is under way", identity.model),
        "--resume goes on with one that was interrupted"};
  }
  if (resume) {
    ASSAY_TRY(journal.Read(identity));
  }
  ASSAY_TRY(journal.found_.continues ? Status() : journal.Begin(identity, started));
  const std::filesystem::path path = journal.folder_ / kFile;
  journal.file_ = Descriptor(::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
  if (!journal.file_.valid()) {
    return CannotWrite(path);
  }
  return journal;
}

Status Journal::Begin(const Identity& identity, const std::string& started) {
  std::error_code ignored;
  std::filesystem::remove_all(outputs(), ignored);
  std::filesystem::create_directories(outputs(), ignored);
  const Json first = {
      {"schema", kJournalSchema}, {"started", started}, {"identity", identity.details}};
  return WriteFileAtomically(folder_ / kFile, first.dump() + "\n");
}

/// What is there, if anything, into found_.
Status Journal::Read(const Identity& identity) {
  const std::filesystem::path path = folder_ / kFile;
  std::ifstream file(path);
  std::string line;
  if (!std::getline(file, line)) {
    return {};
  }
  ASSAY_ASSIGN(const Json first, ParseJson(line, path.string()));
  if (first.value("schema", "") != kJournalSchema) {
    return Error{
        Code::kInvalidArgument,
        fmt::format("the interrupted run of {} is of another version of assay", identity.model),
        kSameCommand};
  }
  if (const std::string other = Difference(first.value("identity", Json()), identity.details);
      !other.empty()) {
    return Error{Code::kInvalidArgument,
                 fmt::format("the interrupted run of {} had {}", identity.model, other),
                 kSameCommand};
  }
  std::uintmax_t good = line.size() + 1;
  for (State next = found_; std::getline(file, line) && !file.eof(); found_ = next) {
    if (!Apply(line, outputs(), next)) {
      break;
    }
    good += line.size() + 1;
  }
  found_.started = first.value("started", found_.started);
  found_.continues = true;
  for (std::size_t arm = 0; arm < kept_.size(); ++arm) {
    kept_[arm] = ToJson(found_.seen.arms[arm]);
    samples_[arm] = found_.seen.arms[arm].samples_ns.size();
    latencies_[arm] = found_.seen.arms[arm].latencies_ns.size();
  }
  std::error_code error;  // a line that was cut off is in the way of the next one
  std::filesystem::resize_file(path, good, error);
  return error ? CannotWrite(path) : Status();
}

Status Journal::Keep(const Measurements& seen, const Course& course, double seconds) {
  if (!writes()) {
    return {};
  }
  Json arms = Json::array();
  for (std::size_t arm = 0; arm < seen.arms.size(); ++arm) {
    const ArmLog& log = seen.arms[arm];
    Json json = ToJson(log);
    if (json == kept_[arm]) {
      continue;
    }
    arms.push_back({{"arm", arm},
                    {"log", json},
                    {"samples", After(log.samples_ns, samples_[arm])},
                    {"latencies", After(log.latencies_ns, latencies_[arm])}});
    kept_[arm] = std::move(json);
    samples_[arm] = log.samples_ns.size();
    latencies_[arm] = log.latencies_ns.size();
  }
  return Append({{"seconds", seconds},
                 {"timing_s", seen.timing_s},
                 {"clock_floor_ns", seen.clock_floor_ns},
                 {"notes", seen.notes},
                 {"course", ToJson(course)},
                 {"sessions", seen.sessions.size()},
                 {"session", seen.sessions.empty() ? Json(nullptr) : ToJson(seen.sessions.back())},
                 {"arms", arms}});
}

Status Journal::Append(const Json& line) {
  const std::string text = line.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  std::string_view left = text;
  while (!left.empty()) {
    const ssize_t count = ::write(file_.get(), left.data(), left.size());
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count < 0) {
      const Error error = CannotWrite(folder_ / kFile);
      file_ = Descriptor();
      return error;
    }
    left.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

void Journal::Remove() {
  if (writes()) {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
}

}  // namespace assay::campaign
