// A model on disk, checked and typed: model.onnx (graph) beside model.safetensors (weights).
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "model/graph.h"

namespace assay::model {

/// What a model was made of whose batch is another than its file's (batch.h).
struct Original {
  std::filesystem::path onnx;
  std::int64_t batch = 1;                               // the file's
  std::map<std::string, std::int64_t> dimensions = {};  // that it was loaded with
};

/// What was captured of a PyTorch module of the user's (src/engines/pytorch/capture.py), in one
/// folder with its weights. The module itself is the model; what torch.export and torch.onnx made
/// of it are two forms that others run, if they came to be.
struct Module {
  std::filesystem::path file;       // module.json: how the Python engine makes the module again
  std::filesystem::path program;    // torch.export's calls; its weights beside it
  std::optional<Error> no_program;  // why there is no such program
  std::optional<Error> no_onnx;     // why Model::onnx is not there
  std::map<std::string, std::filesystem::path> given_inputs;  // .npy, of inputs that are no floats
  std::vector<std::string> made_float32;  // other types of floats that its weights came in
  std::vector<std::string> not_counted;   // operators that Model::macs leaves out
  bool fast_path_differs = false;  // PyTorch's fast path for attention, which eager inference
                                   // takes, computes something else than the module's own code
};

struct Model {
  std::string name;              // "resnet18", the file's stem, the callable's name
  std::string source;            // "zoo", "onnx" or "python"
  std::string weights;           // "random", "file", or "module": what the callable gave it
  std::filesystem::path folder;  // holds the graph and its external files; readers go nowhere else
  std::filesystem::path onnx;    // the graph, inside `folder`
  std::string sha256;            // of the graph and every weight byte
  std::uint64_t parameters = 0;  // elements of floating-point initializers that are no buffers
                                 // (batch norm's running statistics do not count)
  std::uint64_t macs = 0;        // multiply-adds of convolutions and matrix products, one inference
                                 // of the whole batch
  std::string precision = "fp32";  // class of its numbers: see PrecisionOf
  std::optional<Original> original = {};
  std::optional<Module> module = {};  // set for a Python model
  Graph graph;                        // of a Python model without ONNX file: its inputs and outputs
};

struct LoadOptions {
  std::map<std::string, std::int64_t> dimensions = {};  // --dim NAME=N
  std::map<std::string, tensor::Shape> shapes = {};  // --input-shape NAME=..., "": the only input
  std::string known_sha256 = {};  // of files that only assay writes; spares reading every weight
};

/// Reads, checks (ONNX's own checker), infers shapes (ONNX's own inference and constant folding).
/// Errors  kNotFound; kMalformed (truncated, lying external data, links or paths outside the
///         folder, shapes that overflow); kInvalidArgument (a dimension that needs --dim);
///         kUnsupported (control flow, unknown domains: named with the node).
Result<Model> Load(const std::filesystem::path& onnx, const LoadOptions& options = {});

/// The graph alone, of a file's bytes that assay has just written itself: no checker, no weights,
/// no sha256, no files. What analysis needs of a model that nobody will run. Errors  kMalformed;
/// those of shape inference.
Result<Model> Outline(std::string_view onnx, const std::string& name);

}  // namespace assay::model
