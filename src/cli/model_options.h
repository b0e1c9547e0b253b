// What every verb that takes MODEL accepts, and how it becomes a model on disk.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/pending_folder.h"
#include "base/result.h"
#include "cli/terminal.h"
#include "model/model.h"
#include "zoo/zoo.h"

namespace assay::cli {

/// Takes a line for the story on stderr.
using Tell = std::function<void(const std::string&)>;

struct ModelOptions {
  std::string model;
  std::optional<std::int64_t> batch_size;  // none: 1; what an ONNX file has
  std::string weights;
  std::vector<std::string> dimensions;    // "NAME=N"
  std::vector<std::string> input_shapes;  // "1x3x224x224", "NAME=1x3x224x224"
  std::uint64_t seed = 0;
  double stage_timeout_s = 1800;  // of the capture of a Python module
  /// Whether an ONNX file that fixes another batch may be changed to this one: for those who verify
  /// the outputs (model/batch.h).
  bool changes_batch = false;
  /// Lives as long as the options, so that the model may be read.
  mutable std::shared_ptr<PendingFolder> scratch = {};

  void AddTo(CLI::App& verb);

  /// Builds the model of the zoo, reads the ONNX file, or captures the Python module. What that
  /// writes lies in HomeDirectory(), or where that cannot be written in `scratch`.
  /// Errors  kNotFound, kInvalidArgument, kMalformed, kUnsupported naming what was given.
  Result<model::Model> Load(const Tell& tell = Say) const;

  /// The same for those who never run it: a model of the zoo is its graph alone, nothing is written
  /// (unless --weights asks for a file to be fitted). Errors  as Load.
  Result<model::Model> Outline() const;

  /// What the zoo is asked for. Errors  kInvalidArgument for shapes that the model cannot have.
  Result<zoo::BuildOptions> ForZoo(const zoo::Entry& entry) const;
  Result<model::Model> LoadIn(const std::filesystem::path& home, const Tell& tell) const;
  Result<model::Model> LoadFile(const std::filesystem::path& home, const Tell& tell) const;

  /// What says which model this is, as arguments, MODEL first; not the seed nor the batch size.
  std::vector<std::string> Arguments() const;
};

}  // namespace assay::cli
