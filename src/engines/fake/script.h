// The fake engine's script: how long it takes, what it claims, and where and how it misbehaves. It
// is a job's `options`, or the environment's ASSAY_FAKE when a job brings none (and for describe,
// which has no job):
//
//   {"arms": {"ONNX_CPU": SCRIPT, ...}, "default": SCRIPT}     chosen by job.conversion
//
// A SCRIPT's keys are the members below by their names; each may be left out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace assay::engine::fake {

enum class Stage { kDescribe, kPrepare, kLoad, kInfer, kOutputs };

enum class How {
  kSegv,         // "segv": ends by SIGSEGV
  kAbort,        // "abort": ends by SIGABRT
  kKill,         // "kill": ends by SIGKILL
  kExit,         // "exit": ends with `status`
  kHang,         // "hang": for ever; SIGTERM ends it
  kHangHard,     // "hang_hard": for ever; ignores SIGTERM, SIGINT and SIGHUP
  kDelay,        // "delay": sleeps `milliseconds`
  kPrint,        // "print": `bytes` to stdout and as many to stderr
  kEat,          // "eat_memory": until RLIMIT_DATA refuses, or `bytes` (then as if refused)
  kThrow,        // "throw": a std::runtime_error of `reason`
  kFail,         // "fail": the error `reason`
  kUnsupported,  // "unsupported": the error `reason`, as unsupported
  kGarbage,      // "lie_garbage": text on the protocol's descriptor
  kNoJson,       // "lie_no_json": a frame that holds no JSON
  kWrongReply,   // "lie_reply": a frame of another verb with wrong types
  kHugeFrame,    // "lie_huge": announces a frame of 4 GiB and writes `bytes` of it
  kGrandchild,   // "grandchild": starts a process that sleeps for an hour, goes on
};

struct Misbehaviour {
  Stage stage = Stage::kInfer;
  How how = How::kFail;
  std::int64_t after = 0;  // calls of the stage that go well before; then each one misbehaves
  int status = 1;
  int milliseconds = 0;
  std::int64_t bytes = 1 << 20;
  std::string reason = "scripted";
};

struct Script {
  double latency_ns = 0;           // of an inference, spun away; 0: an inference does nothing
  double noise = 0;                // sd of ln(latency), drawn anew for each inference
  double drift = 0;                // relative change of latency per 1000 inferences
  double process_sd = 0;           // sd of ln(latency) between processes
  std::vector<double> factors;     // of latency, for process 0, 1, ...; instead of process_sd
  int warmup_inferences = 0;       // the first ones take ...
  double warmup_factor = 1;        // ... as many times as long
  std::uint64_t seed = 0;          // of noise and process_sd
  std::optional<int> process;      // which process of the arm this is; unset: drawn from the pid
  bool own_clock = false;          // latencies are not spun away: its own clock says that they were
  int places = 4;                  // of a recipe for throughput; each takes the latency
  std::optional<int> threads;      // claimed instead of those asked for
  std::string precision, device;   // claimed instead of those asked for, when not ""
  std::vector<std::string> notes;  // claimed at load
  std::string output = "right";    // "right", "wrong", "nan", "constant" (the same for all inputs)
  double output_error = 0;         // relative error of the output, as a lesser precision has it
  std::vector<Misbehaviour> misbehave;
};

/// Errors  kMalformed, kInvalidArgument for keys and names that are none of a script's.
Result<Script> ParseScript(const Json& json);

/// The script for `conversion` out of `options`, or out of ASSAY_FAKE when `options` is empty.
Result<Script> ChooseScript(const Json& options, const std::string& conversion);

}  // namespace assay::engine::fake
