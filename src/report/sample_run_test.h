// A record for the tests of this room: two arms measured, one crashed.
#pragma once

#include "record/record.h"

namespace assay::report {

inline record::Arm SampleArm(const std::string& conversion, double median) {
  record::Arm arm;
  arm.conversion = conversion;
  arm.engine = "torch";
  arm.engine_version = "2.13.0";
  arm.outcome = record::Outcome::kMeasured;
  arm.stopped = "precision";
  arm.threads = {2, 2};
  arm.precision = {"fp32", "fp32"};
  arm.device = {"cpu", "cpu"};
  arm.load_s = 0.31;
  arm.first_inference_ms = 3 * median;
  arm.peak_rss_bytes = 412'000'000;
  arm.latency_ms = record::Latency{median,
                                   record::Interval{median * 0.995, median * 1.005},
                                   median * 1.01,
                                   median * 0.02,
                                   median * 0.98,
                                   median * 1.05,
                                   {},
                                   {},
                                   180};
  arm.samples_ms = {median, median};
  arm.timed = 180;
  arm.steady = true;
  arm.process_spread = 0.004;
  arm.throughput_per_s = 1000 / median;
  arm.output = record::Output{"pass", "aten-fp64", 3.1e-7, 1e-6, 1.0, 1.0, 1e-5, 3.1e-7};
  arm.repeat = "assay run resnet18 --conversions " + conversion + " --threads 2";
  return arm;
}

inline record::Run SampleRun() {
  record::Run run;
  run.assay_version = "0.1.0";
  run.started = "2026-01-02T03:04:05Z";
  run.command = {"assay", "run", "resnet18"};
  run.machine = {"A CPU of 2 cores", 2, 2, "0-1", {"avx2"}, 8'000'000'000, "Linux 6.1", {}};
  run.model = {"resnet18", "zoo", 11'689'512, 1'814'073'344, 1, {}, "random", "ab12"};
  run.model.inputs = {{"input", {tensor::DType::kFloat32, {1, 3, 224, 224}}}};
  run.baseline = "EAGER";
  record::Arm eager = SampleArm("EAGER", 16.82);
  record::Arm frozen = SampleArm("EXPORT+AOT_INDUCTOR+FREEZING", 9.204);
  frozen.prepare_s = 29.1;
  frozen.speedup = record::Speedup{"EAGER", 1.8275, record::Interval{1.8, 1.86}, true, 30};
  frozen.throughput_ci95 = record::Interval{108, 109};
  frozen.calibration = record::Calibration{
      .source = "files", .folder = "typical", .method = "minmax", .samples = 32};
  record::Arm crashed;
  crashed.conversion = "COMPILE_OPENVINO";
  crashed.engine = "openvino";
  crashed.outcome = record::Outcome::kCrashed;
  crashed.reason = "signal 9 (SIGKILL), say \"why\"";
  crashed.hint = "give it more memory";
  crashed.stage = "load";
  crashed.threads.asked = 2;
  run.arms = {eager, frozen, crashed};
  run.recommendation = record::Recommendation{
      "EXPORT+AOT_INDUCTOR+FREEZING", "the fastest whose output passed", {}, ""};
  return run;
}

}  // namespace assay::report
