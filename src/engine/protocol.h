// The protocol between the CLI and a worker (assay-engine-NAME): one reply for each request, as
// framed JSON over one inherited stream socket, never over stdout. Both sides use these values.
//
// A frame is a 4-byte little-endian length and that many bytes of UTF-8 JSON, 16 MiB at most.
// A request is {"verb": NAME, ...}; a reply {"ok": true, ...} or
// {"ok": false, "error": {"kind": "unsupported|failed|out_of_memory", "message", "hint"}}.
// Everything lies flat beside "verb" or "ok": a Job's fields beside "verb": "load", a Slice's
// beside "ok". The verbs are describe, examine, prepare, load, infer, outputs, memory and close. A worker is
// started as `assay-engine-NAME --protocol-fd N` and ends after `close` or end of file. Tensors
// travel as safetensors files; the set k of input "x" is the tensor "x.k" there.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace assay::engine {

inline constexpr int kProtocolVersion = 1;
inline constexpr std::uint32_t kMaxFrameBytes = 16u << 20;
inline constexpr int kMaxSamples = 500'000;  // of one slice; its reply stays below kMaxFrameBytes

/// describe: what the engine is and whether it can run here. Must not need a model.
struct Description {
  int protocol = kProtocolVersion;
  std::string engine;   // "onnxruntime"
  std::string version;  // of the runtime: "1.32.0"
  bool available = true;
  std::string reason;  // why not; the hint names the command that adds it
  std::string hint;
  std::string code = {};  // digest of the engine's own program: another may prepare otherwise
};

/// What prepare and load are told. Paths are absolute.
struct Job {
  std::string conversion;  // for messages: "ONNX_CPU"
  Json recipe;             // conversion::ToJson(Recipe)
  std::string onnx;        // model.onnx, external weights beside it
  std::string program;     // the ATen program's JSON; weights beside `onnx`
  std::string module;      // module.json of a Python model, which the pytorch engine runs; else ""
  std::string artifact;    // folder: prepare fills it, load reads it; "" without preparation
  std::string inputs;      // safetensors: "NAME.K" for every input and set
  int input_sets = 4;
  int threads = 1;
  Json options = Json::object();  // engine's own: the fake engine's script
};

/// The ONNX file to run: the one that a prepare left in the artifact ("model.onnx"), else the
/// model's own.
std::string GraphOf(const Job& job);

/// examine {onnx}: whether the runtime can read that file. Needs no inputs.

/// prepare: export, compile, pack into job.artifact. In a worker of its own.
struct Prepared {
  double seconds = 0;
  std::vector<std::string> notes;
  std::string doubt =
      {};  // why what it left is not what was asked for: nothing of it was quantised
};

/// load: everything up to the first inference, with job.artifact when there is one.
struct Loaded {
  double seconds = 0;
  int threads = 0;                 // what the runtime says it uses
  std::string precision;           // what it says it computes in: "fp32"
  std::string device;              // "cpu"
  std::vector<std::string> notes;  // fallbacks, graph breaks, settings that did not hold
  std::string doubt = {};          // why what runs is not what was asked for: all of it fell back
  int places = 1;                  // inferences that it runs at a time
};

/// What the kernel charged to the worker during a slice.
struct Charges {
  std::int64_t voluntary_switches = 0;
  std::int64_t involuntary_switches = 0;
  std::int64_t minor_faults = 0;
  std::int64_t major_faults = 0;
  std::int64_t cpu_ns = 0;  // user and system, all threads
  int threads_active = 0;   // threads that used CPU time in the slice
};

/// infer {discard, count, batch}: `discard` untimed inferences, then `count` samples (at most
/// kMaxSamples), each of `batch` inferences and divided by it. Input sets rotate throughout.
/// With several places: the discarded ones take them, a sample lasts until `batch` are completed.
struct Slice {
  std::vector<double> samples_ns;  // per inference
  Charges charges;
  double clock_floor_ns = 0;              // median of two clock readings around nothing
  std::vector<double> latencies_ns = {};  // with several places: of each that ended meanwhile
};

/// outputs {path}: one inference per input set, outputs written as safetensors "NAME.K".
/// memory {reset}: peak resident memory so far, then the peak is reset when asked.
struct Memory {
  std::uint64_t peak_rss_bytes = 0;  // VmHWM
  std::uint64_t file_bytes = 0;      // RssFile now
};

Json ToJson(const Description& v);
Json ToJson(const Job& v);
Json ToJson(const Prepared& v);
Json ToJson(const Loaded& v);
Json ToJson(const Slice& v);
Json ToJson(const Memory& v);
Result<Description> DescriptionFromJson(const Json& json);
Result<Job> JobFromJson(const Json& json);
Result<Prepared> PreparedFromJson(const Json& json);
Result<Loaded> LoadedFromJson(const Json& json);
Result<Slice> SliceFromJson(const Json& json);
Result<Memory> MemoryFromJson(const Json& json);

/// {"verb": verb} with `arguments` (an object) beside it.
Json MakeRequest(std::string_view verb, Json arguments = Json::object());
/// {"ok": true} with `body` (an object) beside it.
Json MakeReply(Json body = Json::object());
Json MakeReply(const Error& error);
/// The error that a reply carries, if any: kUnsupported, kOutOfMemory, or kInternal for "failed".
/// Errors besides  kMalformed when it is no reply at all.
Status CheckReply(const Json& reply);

/// Writes one frame, all of it. Errors  kIo; kCrashed when the other side is gone.
Status WriteFrame(int fd, const Json& message);
/// Reads one frame, blocking. Errors  kCrashed at end of file; kMalformed for anything that is no
/// frame (too long, not JSON, not an object).
Result<Json> ReadFrame(int fd);

/// Takes bytes as they come and gives whole frames; for a reader that polls.
class FrameParser {
 public:
  void Feed(const char* bytes, std::size_t count);
  /// The next whole frame, null JSON when more bytes are needed. Errors  kMalformed.
  Result<Json> Next();

 private:
  std::string buffer_;
};

}  // namespace assay::engine
