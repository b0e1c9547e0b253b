// The journal of a campaign: what it has measured so far, written as it goes, so that a campaign
// that was killed or interrupted goes on where it stood. A folder below home/journals for each
// model and list of arms: journal.jsonl and the outputs of arms.
//
// The first line is {"schema", "started", "identity"}; each further one what changed since: of the
// arms that changed, all but the samples written before. A line that was cut off is passed over.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/json.h"
#include "base/result.h"
#include "campaign/measurements.h"
#include "campaign/rounds.h"

namespace assay::campaign {

inline constexpr const char* kJournalSchema = "assay.journal/1";

/// What makes a campaign the same campaign.
struct Identity {
  std::string model;              // its name,
  std::vector<std::string> arms;  // and the arms' labels: which journal it is
  Json details = Json::object();  // all else that must agree, by its name in words
};

class Journal {
 public:
  struct State {
    std::string started;     // record::Run::started of the first of its processes
    double seconds = 0;      // that earlier processes spent
    bool continues = false;  // something was found to go on from
    Measurements seen;
    Course course;
  };

  /// Takes the journal of this campaign: with `resume` to go on from it where there is one, else to
  /// begin it anew. Without resume, and while another run holds it, nothing is written.
  /// started  of this process
  /// Errors  kInvalidArgument when there is one of other details, naming the first that differs, or
  ///         when another run holds it; kIo; kMalformed.
  static Result<Journal> Open(const std::filesystem::path& home, const Identity& identity,
                              bool resume, const std::string& started);

  bool writes() const { return file_.valid(); }
  const State& found() const { return found_; }
  std::filesystem::path outputs() const { return folder_ / "outputs"; }

  /// Appends what changed since it was last called. seconds  spent in all
  /// Errors  kIo, once: then nothing more is written.
  Status Keep(const Measurements& seen, const Course& course, double seconds);

  void Remove();  // the campaign has come to its end

 private:
  Status Read(const Identity& identity);
  Status Begin(const Identity& identity, const std::string& started);
  Status Append(const Json& line);

  std::filesystem::path folder_;
  Descriptor lock_, file_;
  State found_;
  std::vector<Json> kept_;              // of each arm: what was written of it last,
  std::vector<std::size_t> samples_;    // and how many samples,
  std::vector<std::size_t> latencies_;  // and latencies beside them
};

}  // namespace assay::campaign
