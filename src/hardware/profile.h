// What a processor can do at most: a profile of data/hardware, or a user's own file of that form
// (docs/predicting.md). Values only; no prediction is made here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace assay::hardware {

/// A number with where it comes from.
struct Figure {
  double value = 0;        // in the unit that its name says
  std::string source;      // key of Profile::sources
  std::string confidence;  // "read": in the source; "recalled": known to be there, not read again;
                           // "derived": computed; "measured here"; "unverified"
};

/// A peak rate: operations a second (2 per multiply-add) on numbers of one type.
struct Rate {
  std::string dtype;    // "fp32", "bf16", "int8"
  bool matrix = false;  // of matrix units, else of vector units
  Figure per_s;
  std::optional<double> units;  // of its composition; nothing where the vendor publishes none
  double ops_per_clock = 0;     // of one unit
  double clock_hz = 0;
  /// units x operations x clock; nothing without a composition.
  std::optional<double> Recomputed() const;
};

/// A level of the memory, the nearest to the units first, DRAM (or the host's, "host") last.
struct Level {
  std::string name;
  std::optional<double> capacity_bytes;  // nothing for a host's memory
  std::optional<Figure> bytes_per_s;     // nothing where none is published: the level is not used
};

struct Profile {
  std::string name, vendor;
  std::string kind;        // "cpu", "gpu", "tpu", "npu", "dsp"
  std::string confidence;  // "data sheet", "unverified", "measured here"
  std::vector<std::string> aliases;
  std::vector<std::string> families;  // names that stand for several processors
  std::vector<std::pair<std::string, std::string>> sources;
  std::optional<Figure> units;  // cores or multiprocessors
  std::optional<Figure> base_clock_hz, boost_clock_hz, tdp_w, process_nm;
  std::vector<Rate> rates;
  std::vector<Level> memory;

  const Level& Main() const { return memory.back(); }
  /// Sum of the rates of that type and kind of unit; nothing when there is none.
  std::optional<double> Peak(std::string_view dtype, bool matrix) const;
  std::vector<std::string> Dtypes() const;  // each once
  const std::string& SourceOf(const Figure& figure) const;
};

/// What `cores` of its units reach: rates and private caches in proportion, memory as it is.
Profile OnCores(Profile profile, double cores);

/// Peaks that their composition does not give within `tolerance`, each as a sentence.
std::vector<std::string> Disagreements(const Profile& profile, double tolerance = 0.03);

/// what  names the file in errors
/// Errors  kMalformed: a figure that is missing, no number, not above zero, or names no source.
Result<Profile> ProfileFromJson(const Json& json, std::string_view what);

}  // namespace assay::hardware
