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
  bool prepares = false;   // loads an artifact that its own `prepare` makes
  bool runs_model = true;  // false for the fake engine, which looks at no model
  int cycles = 20;         // of fresh processes
};

/// The cases whose engine is part of this build.
std::vector<EngineCase> PresentCases();

/// Folder of what make_model.py wrote.
std::filesystem::path Fixture();

void PrintTo(const EngineCase& c, std::ostream* out);  // for GoogleTest's messages

}  // namespace assay::engine
