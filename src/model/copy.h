// Copies of an ONNX file whose weights lie in model.safetensors beside it: for export, and to put
// the weights of a checkpoint into a user's own file.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "base/result.h"
#include "model/model.h"
#include "tensor/checkpoint.h"

namespace assay::model {

/// Writes `onnx`, which Load accepts, into `folder` as model.onnx and model.safetensors. Weights go
/// to the latter under the initializers' names (or those that a safetensors file has given them so
/// far), as does all that is large or was external; small
/// constants (shapes, scales, limits) stay in the graph, where tools read them as they infer
/// shapes.
///
/// weights  replaces the initializers by name, strictly: every weight must be there, in its shape.
///          Integers and constants are replaced where it has them. Null: the file's own.
/// Errors  kInvalidArgument when `weights` do not fit; kIo.
Status WriteCopy(const std::filesystem::path& onnx, const std::filesystem::path& folder,
                 const tensor::Checkpoint* weights = nullptr,
                 const std::filesystem::path& weights_file = {});

inline constexpr char kGraphFile[] = "model.onnx";  // of a copy

/// Loads the copy NAME-KEY in `cache`; `write` makes it, in a folder that becomes the copy if that
/// ends well, when it is not there or is damaged. Errors  those of Load and of `write`; kIo.
Result<Model> LoadCopy(const std::filesystem::path& cache, const std::string& name,
                       const std::string& key, const LoadOptions& options,
                       const std::function<Status(const std::filesystem::path&)>& write);

/// Loads `onnx` with the weights in `weights_file`: a copy in `cache`, made once for the content of
/// both.
/// Errors  those of Load, Checkpoint::Open and WriteCopy.
Result<Model> LoadWithWeights(const std::filesystem::path& onnx, const LoadOptions& options,
                              const std::filesystem::path& weights_file,
                              const std::filesystem::path& cache);

/// Larger files have weights inside, which a copy beside the graph spares everyone to hold.
inline constexpr std::uint64_t kMostInlineBytes = 16'000'000;

/// Loads `onnx`, or a copy in `cache` whose weights lie in model.safetensors and are mapped, made
/// once for its content: of a file of more than `most_inline_bytes`, and of one whose external data
/// are not safetensors, as torch.onnx writes them, or behind links. Errors  those of Load and
/// WriteCopy.
Result<Model> LoadMapped(const std::filesystem::path& onnx, const LoadOptions& options,
                         const std::filesystem::path& cache,
                         std::uint64_t most_inline_bytes = kMostInlineBytes);

}  // namespace assay::model
