// The engines that the conformance suite runs over. To add one: a line in engine_cases.cc.
#pragma once

#include <filesystem>
#include <ostream>
#include <string>
#include <vector>

#include "engine/protocol.h"

namespace assay::engine {

struct EngineCase {
  std::string engine;  // the program assay-engine-NAME
  std::string label;   // of the case, letters and digits: one engine may have several recipes
  Json recipe;
  std::string preparer = "";  // the engine that makes the artifact it loads; "": it loads none
  bool runs_model = true;     // false for the fake engine, which looks at no model
  int helpers = 0;            // threads besides those asked for, which hand inferences over
  int cycles = 20;            // of fresh processes, each with an artifact of its own
};

/// The cases whose engines are part of this build: those that take seconds, or (built with
/// ASSAY_COMPILED_CASES) those for which PyTorch compiles, which takes minutes.
std::vector<EngineCase> PresentCases();

/// Folder of what make_model.py wrote.
std::filesystem::path Fixture();

void PrintTo(const EngineCase& c, std::ostream* out);  // for GoogleTest's messages

}  // namespace assay::engine
