// External data: where an initializer's bytes lie in the files beside the graph. Internal.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "model/graph.h"
#include "tensor/safetensors.h"

namespace onnx {
class GraphProto;
class TensorProto;
}  // namespace onnx

namespace assay::model {

/// Adds those of the graph and of the graphs inside its nodes.
void ListInitializers(onnx::GraphProto& graph, std::vector<onnx::TensorProto*>& initializers);

/// Of the file, from the folder of the graph. "" for data inside the graph.
std::string LocationOf(const onnx::TensorProto& proto);

/// Resolves initializers against the files of one folder; each file is opened once. Locations are
/// expected to have passed ONNX's checker (inside the folder), or to be links that may be followed
/// (linked.h).
class ExternalFiles {
 public:
  explicit ExternalFiles(std::filesystem::path folder) : folder_(std::move(folder)) {}
  /// For a graph whose weights are not there: nothing is looked up, Bytes finds nothing.
  static ExternalFiles Absent() { return ExternalFiles(std::nullopt); }

  /// The weight that `proto` points to; its name is the safetensors file's where it is one, else
  /// the initializer's. Errors  kMalformed when offset or length lie, or contradict the safetensors
  /// header.
  Result<Weight> Resolve(const onnx::TensorProto& proto, const tensor::Type& type);

  /// The bytes that `proto` points to, in a mapping that lives as long as this object.
  Result<std::span<const std::byte>> Bytes(const onnx::TensorProto& proto,
                                           const tensor::Type& type);
  /// The same of any type: as many as the graph says, to the file's end where it does not.
  Result<std::span<const std::byte>> Bytes(const onnx::TensorProto& proto);

 private:
  struct File {
    MappedFile content;
    std::optional<tensor::SafetensorsFile> safetensors;  // nothing for other formats
  };
  struct Range {
    const File* file;
    std::uint64_t offset;
    std::uint64_t bytes;
  };
  explicit ExternalFiles(std::nullopt_t) : absent_(true) {}
  Result<Range> Locate(const onnx::TensorProto& proto, const tensor::Type& type);
  /// `bytes` unless the graph says a length.
  Result<Range> Locate(const onnx::TensorProto& proto, std::optional<std::uint64_t> bytes);
  Result<const File*> Open(const std::string& location);

  bool absent_ = false;
  std::filesystem::path folder_;
  std::map<std::string, File> files_;
};

}  // namespace assay::model
