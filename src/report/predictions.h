// Predictions as text, JSON (schema assay.analyze/1), CSV, Markdown and an HTML page.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "predict/prediction.h"
#include "report/report.h"

namespace assay::report {

/// A limit that was asked for, against one prediction.
struct Gate {
  std::string what;  // "latency"
  std::string text;  // "latency 3.10 ms, at most 5.00 ms on X in fp32 at batch 1: 38 % to spare"
  bool passed = true;
};

/// One model with all that was asked of it.
struct Analysis {
  std::string model;
  std::uint64_t parameters = 0, macs = 0;  // multiply-adds at the first batch size asked
  predict::Coverage coverage;
  std::vector<predict::Prediction> predictions;
  std::vector<predict::MemoryUse> memory;            // of each prediction
  std::vector<std::vector<std::string>> step_names;  // of each prediction: its groups' names
  std::vector<std::string> notes;                    // what the reader must know of the figures
  std::vector<Gate> gates;
};

/// In JSON one analysis is an object of the schema, several are a list.
std::string RenderAnalyses(const std::vector<Analysis>& analyses, Format format,
                           const Style& style);
/// A page that needs no network: the table, a roofline and a memory timeline.
std::string Html(const std::vector<Analysis>& analyses);

/// "3.10 ms", "12.4 us", as people read times that are predicted: three digits.
std::string Duration(double seconds);
std::string Joules(const std::optional<predict::Energy>& energy);

}  // namespace assay::report
