#include <fmt/format.h>

#include "base/text.h"
#include "model/count.h"
#include "model/external.h"
#include "model/index.h"
#include "model/linked.h"
#include "model/model.h"
#include "model/precision.h"
#include "model/proto.h"
#include "onnx/inliner/inliner.h"
#include "onnx/onnx-ml.pb.h"

namespace assay::model {
namespace {

Status HashWeights(const ::onnx::GraphProto& graph, ExternalFiles& files, Sha256& hash) {
  for (const ::onnx::TensorProto& initializer : graph.initializer()) {
    if (initializer.data_location() == ::onnx::TensorProto::EXTERNAL) {
      ASSAY_ASSIGN(const auto bytes, files.Bytes(initializer));
      hash.Update(bytes);
    }
  }
  for (const ::onnx::NodeProto& node : graph.node()) {
    for (const ::onnx::AttributeProto& attribute : node.attribute()) {
      ASSAY_TRY(HashWeights(attribute.g(), files, hash));
    }
  }
  return {};
}

/// Of the graph's file, then of the bytes of each external initializer in the graph's order: the
/// same whatever file they lie in.
Result<std::string> HashOf(const std::filesystem::path& path, const ::onnx::ModelProto& proto,
                           ExternalFiles& files) {
  Sha256 hash;
  ASSAY_ASSIGN(const MappedFile graph, MappedFile::Open(path));
  hash.Update(graph.bytes());
  ASSAY_TRY(HashWeights(proto.graph(), files, hash));
  return hash.Finish();
}

/// What readers need not know of: functions of the file's own, nodes in any order.
Status Straighten(::onnx::ModelProto& proto, const std::filesystem::path& path) {
  if (proto.functions_size() > 0) {
    ASSAY_TRY(CatchOnnx(path.string(), [&]() -> Status {
      ::onnx::inliner::InlineLocalFunctions(proto);
      return {};
    }));
  }
  SortNodes(*proto.mutable_graph());
  return {};
}

Model FromGraph(const std::string& name, Graph graph) {
  Model model;
  model.name = name;
  model.graph = std::move(graph);
  model.parameters = CountParameters(model.graph);
  model.macs = CountMacs(model.graph);
  model.precision = PrecisionOf(model.graph);
  return model;
}

}  // namespace

Result<Model> Outline(std::string_view onnx, const std::string& name) {
  ::onnx::ModelProto proto;
  if (!proto.ParseFromArray(onnx.data(), static_cast<int>(onnx.size()))) {
    return Error{Code::kMalformed, fmt::format("the graph of '{}' is no ONNX", name), ""};
  }
  ExternalFiles absent = ExternalFiles::Absent();
  ASSAY_ASSIGN(Graph graph, IndexModel(proto, absent, {}));
  return FromGraph(name, std::move(graph));
}

Result<Model> Load(const std::filesystem::path& onnx, const LoadOptions& options) {
  ::onnx::ModelProto proto;
  return LoadInto(proto, onnx, options);
}

Result<Model> LoadInto(::onnx::ModelProto& proto, const std::filesystem::path& onnx,
                       const LoadOptions& options) {
  const std::filesystem::path path = std::filesystem::absolute(onnx).lexically_normal();
  ASSAY_TRY(ParseModel(path, proto));
  ASSAY_TRY(Straighten(proto, path));
  ASSAY_TRY(CheckAsideLinks(*proto.mutable_graph(), path, [&] { return CheckModel(proto, path); }));
  ExternalFiles files(path.parent_path());
  Result<Graph> graph = IndexModel(proto, files, options.dimensions, options.shapes);
  if (!graph) {
    Error error = std::move(graph).error();
    error.message = fmt::format("{}: {}", onnx.string(), OneLine(error.message));
    return error;
  }
  Model model = FromGraph(path.stem().string(), *std::move(graph));
  model.source = "onnx";
  model.weights = "file";
  model.folder = path.parent_path();
  model.onnx = path;
  if (options.known_sha256.empty()) {
    ASSAY_ASSIGN(model.sha256, HashOf(path, proto, files));
  } else {
    model.sha256 = options.known_sha256;
  }
  return model;
}

}  // namespace assay::model
