// The code that goes with a kept artifact: the few lines that run it as assay ran it. Made from the
// files in templates/, which are compiled in. Pure: who writes them is cli/keep.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "record/record.h"

namespace assay::report {

struct TakeHome {
  struct File {
    std::string name;  // relative to the folder: "run.py"
    std::string content;
  };
  std::vector<File> files;
  bool needs_model = false;    // model.onnx and its weights beside them
  bool needs_program = false;  // program.json, the ATen program, and its weights
  bool needs_module = false;   // module.json and the weights of a Python model
  std::string artifact;        // what of the arm's artifact: "", "." for all, or a folder in it ...
  std::string artifact_name;   // ... and its name beside the files
  std::string how;             // the command that runs it: "python run.py"
};

/// What to take home of `arm` of a run of `model`.
/// Errors  kUnsupported for an engine that has no such code (the fake one).
Result<TakeHome> MakeTakeHome(const record::Arm& arm, const record::ModelFacts& model);

}  // namespace assay::report
