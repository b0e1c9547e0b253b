#include "model/copy.h"

#include <fmt/format.h>

#include <algorithm>
#include <climits>
#include <map>
#include <set>
#include <string>
#include <system_error>
#include <vector>

#include "base/file.h"
#include "base/pending_folder.h"
#include "model/external.h"
#include "model/linked.h"
#include "model/proto.h"
#include "onnx/onnx-ml.pb.h"
#include "tensor/fit.h"

namespace assay::model {
namespace {

namespace fs = std::filesystem;

constexpr char kWeightsFile[] = "model.safetensors";

/// Smaller constants stay in the graph. Source  onnx.external_data_helper, size_threshold
constexpr std::uint64_t kLeastExternalBytes = 1024;

/// Changes whenever the same file and checkpoint would give another copy.
constexpr char kRecipe[] = "copy/1";

struct Initializer {
  ::onnx::TensorProto* proto;
  std::string name;  // of the tensor, which a safetensors file beside the graph may say otherwise
  tensor::Type type;
  bool weight = false;  // what training makes
  std::uint64_t bytes = 0;

  bool external() const { return proto->data_location() == ::onnx::TensorProto::EXTERNAL; }
  bool moves() const { return weight || external() || bytes >= kLeastExternalBytes; }
};

/// Sorts initializers into weights and constants of formulas, by what reads them.
class Sorter {
 public:
  explicit Sorter(const ::onnx::GraphProto& graph) {
    for (const ::onnx::NodeProto& node : graph.node()) {
      for (const std::string& input : node.input()) {
        readers_[input].insert(node.op_type());
      }
    }
  }

  bool IsWeight(const std::string& name, const tensor::Type& type) const {
    // Floating-point inputs that say how large an output is.
    static const std::set<std::string> kSizes = {"Resize", "Upsample", "Range"};
    // A layer of one channel has weights of one element; elsewhere that is a number of a formula.
    static const std::set<std::string> kLayers = {"Conv",
                                                  "ConvTranspose",
                                                  "Gemm",
                                                  "BatchNormalization",
                                                  "InstanceNormalization",
                                                  "PRelu",
                                                  "LayerNormalization",
                                                  "GroupNormalization"};
    const std::uint64_t elements = *tensor::ElementCount(type.shape);
    const auto readers = readers_.find(name);
    if (!tensor::IsFloat(type.dtype) || elements == 0 || readers == readers_.end()) {
      return false;
    }
    const auto among = [&](const std::set<std::string>& ops) {
      return std::any_of(readers->second.begin(), readers->second.end(),
                         [&](const std::string& op) { return ops.contains(op); });
    };
    return elements == 1 ? among(kLayers) : !among(kSizes);
  }

 private:
  std::map<std::string, std::set<std::string>> readers_;  // by initializer: operators
};

/// All but those that no safetensors file can hold, which stay where they are.
Result<std::vector<Initializer>> InitializersOf(::onnx::GraphProto& graph, ExternalFiles& files) {
  const Sorter sorter(graph);
  std::set<std::string> taken;
  std::vector<Initializer> initializers;
  std::vector<::onnx::TensorProto*> protos;
  ListInitializers(graph, protos);
  for (::onnx::TensorProto* const pointer : protos) {
    ::onnx::TensorProto& proto = *pointer;
    Initializer one{&proto, proto.name(), {}};
    Result<tensor::Type> type = TypeOf(proto);
    if (const bool holds = type.ok() && type->dtype != tensor::DType::kString;
        !holds && !one.external()) {
      continue;
    }
    ASSAY_ASSIGN(one.type, std::move(type));
    if (one.external()) {
      ASSAY_ASSIGN(const Weight weight, files.Resolve(proto, one.type));
      one.name = taken.contains(weight.tensor_name) ? proto.name() : weight.tensor_name;
    }
    taken.insert(one.name);
    one.bytes = *tensor::ElementCount(one.type.shape) * tensor::SizeOf(one.type.dtype);
    one.weight = sorter.IsWeight(proto.name(), one.type);
    initializers.push_back(std::move(one));
  }
  return initializers;
}

void PointTo(const tensor::Entry& entry, ::onnx::TensorProto& proto) {
  ::onnx::TensorProto pointer;
  pointer.set_name(proto.name());
  pointer.set_data_type(proto.data_type());
  *pointer.mutable_dims() = proto.dims();
  pointer.set_data_location(::onnx::TensorProto::EXTERNAL);
  const auto add = [&](const char* key, const std::string& value) {
    ::onnx::StringStringEntryProto& pair = *pointer.add_external_data();
    pair.set_key(key);
    pair.set_value(value);
  };
  add("location", kWeightsFile);
  add("offset", std::to_string(entry.offset));
  add("length", std::to_string(entry.bytes));
  proto = std::move(pointer);
}

/// The bytes that `one` has in its own file.
Status FeedOwn(const Initializer& one, ExternalFiles& files, const tensor::Sink& sink) {
  if (one.external()) {
    ASSAY_ASSIGN(const auto bytes, files.Bytes(*one.proto, one.type));
    return sink(bytes);
  }
  ASSAY_ASSIGN(const tensor::Tensor read, ReadTensor(*one.proto));
  return sink(read.data);
}

using Replacements = std::map<std::string, tensor::Parts>;  // by the tensor's name

Result<Replacements> Replace(const std::vector<Initializer>& initializers,
                             const tensor::Checkpoint& weights, const fs::path& file,
                             const fs::path& onnx) {
  std::vector<tensor::Declared> wanted;
  for (const Initializer& one : initializers) {
    if (one.weight || weights.Find(one.name) != nullptr) {
      wanted.push_back({one.name, one.type});
    }
  }
  ASSAY_ASSIGN(
      std::vector<tensor::Parts> parts,
      tensor::Fit(weights, wanted,
                  {.file = file.string(),
                   .model = onnx.string(),
                   .hint = "names and shapes must be those of the file's initializers "
                           "(assay export FILE DIR writes them as DIR/model.safetensors)"}));
  Replacements replacements;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    replacements[wanted[i].name] = std::move(parts[i]);
  }
  return replacements;
}

Result<std::string> KeyOfFile(const fs::path& onnx) {
  ASSAY_ASSIGN(const MappedFile file, MappedFile::Open(onnx));
  Sha256 hash;
  hash.Update(fmt::format("{} inline ", kRecipe));
  hash.Update(file.bytes());
  return hash.Finish().substr(0, 16);
}

/// Whether weights lie beside the graph in a file that is not safetensors.
bool HasForeignWeights(const Graph& graph) {
  return std::ranges::any_of(graph.values, [](const Value& value) {
    return value.weight && !value.weight->file.empty() &&
           fs::path(value.weight->file).extension() != ".safetensors";
  });
}

/// Whether all that lies in external files can lie in a safetensors file.
bool MovesAll(const fs::path& onnx, ::onnx::GraphProto& graph) {
  ExternalFiles files(onnx.parent_path());
  return InitializersOf(graph, files).ok();
}

/// The graph and the files that it names, as they are.
Status CopyFiles(const fs::path& onnx, ::onnx::GraphProto& graph, const fs::path& folder) {
  std::vector<::onnx::TensorProto*> initializers;
  ListInitializers(graph, initializers);
  std::set<fs::path> files;
  for (const ::onnx::TensorProto* one : initializers) {
    if (one->data_location() == ::onnx::TensorProto::EXTERNAL) {
      files.insert(LocationOf(*one));
    }
  }
  std::error_code error;
  fs::copy_file(onnx, folder / kGraphFile, error);
  for (auto file = files.begin(); !error && file != files.end(); ++file) {
    fs::create_directories((folder / *file).parent_path(), error);
    fs::copy_file(onnx.parent_path() / *file, folder / *file, fs::copy_options::skip_existing,
                  error);
  }
  if (error) {
    return Error{Code::kIo,
                 fmt::format("cannot copy {} and its data to {}: {}", onnx.string(),
                             folder.string(), error.message()),
                 ""};
  }
  return {};
}

}  // namespace

Status WriteCopy(const fs::path& onnx, const fs::path& folder, const tensor::Checkpoint* weights,
                 const fs::path& weights_file) {
  ::onnx::ModelProto proto;
  ASSAY_TRY(ParseModel(onnx, proto));
  ExternalFiles files(onnx.parent_path());
  ASSAY_ASSIGN(std::vector<Initializer> all, InitializersOf(*proto.mutable_graph(), files));
  Replacements replacements;
  if (weights != nullptr) {
    ASSAY_ASSIGN(replacements, Replace(all, *weights, weights_file, onnx));
  }
  std::erase_if(all, [&](const Initializer& one) {
    return !one.moves() && !replacements.contains(one.name);
  });
  // Wide elements first, as safetensors' own writer does: each is aligned to its size then.
  std::stable_sort(all.begin(), all.end(), [](const Initializer& a, const Initializer& b) {
    return tensor::SizeOf(a.type.dtype) > tensor::SizeOf(b.type.dtype);
  });
  std::vector<tensor::Declared> declared;
  for (const Initializer& one : all) {
    declared.push_back({one.name, one.type});
  }
  ASSAY_TRY(tensor::WriteSafetensors(
      folder / kWeightsFile, declared, [&](std::size_t i, const tensor::Sink& sink) {
        const auto replaced = replacements.find(declared[i].name);
        return replaced == replacements.end()
                   ? FeedOwn(all[i], files, sink)
                   : tensor::Feed(replaced->second, all[i].type.dtype, sink);
      }));
  const std::vector<tensor::Entry> entries = tensor::LayOut(declared);
  for (std::size_t i = 0; i < all.size(); ++i) {
    PointTo(entries[i], *all[i].proto);
  }
  return WriteFileAtomically(folder / kGraphFile, proto.SerializeAsString());
}

Result<Model> LoadCopy(const fs::path& cache, const std::string& name, const std::string& key,
                       const LoadOptions& options,
                       const std::function<Status(const fs::path&)>& write) {
  const fs::path place = cache / fmt::format("{}-{}", name, key);
  const auto load = [&]() -> Result<Model> {
    ASSAY_ASSIGN(Model model, Load(place / kGraphFile, options));
    model.name = name;
    return model;
  };
  std::error_code error;
  if (fs::exists(place, error)) {
    if (Result<Model> found = load()) {
      return found;
    }
    fs::remove_all(place, error);  // damaged: make it again
  }
  ASSAY_ASSIGN(PendingFolder pending, PendingFolder::Make(cache));
  ASSAY_TRY(write(pending.path()));
  ASSAY_TRY(pending.MoveTo(place));
  return load();
}

Result<Model> LoadWithWeights(const fs::path& onnx, const LoadOptions& options,
                              const fs::path& weights_file, const fs::path& cache) {
  ASSAY_ASSIGN(const Model own, Load(onnx, options));
  ASSAY_ASSIGN(const tensor::Checkpoint weights, tensor::Checkpoint::Open(weights_file));
  const std::string key =
      Sha256Of(fmt::format("{} {} {}", kRecipe, own.sha256, weights.Sha256Sum())).substr(0, 16);
  return LoadCopy(cache, own.name, key, options, [&](const fs::path& folder) {
    return WriteCopy(onnx, folder, &weights, weights_file);
  });
}

Result<Model> LoadMapped(const fs::path& onnx, const LoadOptions& options, const fs::path& cache,
                         std::uint64_t most_inline_bytes) {
  std::error_code error;
  const std::uintmax_t bytes = fs::file_size(onnx, error);
  if (error || bytes <= most_inline_bytes || bytes > INT_MAX) {
    ::onnx::ModelProto proto;
    ASSAY_ASSIGN(Model own, LoadInto(proto, onnx, options));
    ::onnx::GraphProto& graph = *proto.mutable_graph();
    const bool links = HasLinks(graph, onnx);
    if (!links && !HasForeignWeights(own.graph)) {
      return own;
    }
    const bool moves = MovesAll(onnx, graph);
    if (!links && !moves) {
      return own;
    }
    const std::string key = Sha256Of(fmt::format("{} {}", kRecipe, own.sha256)).substr(0, 16);
    const LoadOptions known = {
        .dimensions = options.dimensions, .shapes = options.shapes, .known_sha256 = own.sha256};
    return LoadCopy(cache, own.name, key, known, [&](const fs::path& folder) {
      return moves ? WriteCopy(onnx, folder) : CopyFiles(onnx, graph, folder);
    });
  }
  ASSAY_ASSIGN(const std::string key, KeyOfFile(onnx));
  return LoadCopy(cache, onnx.stem().string(), key, options, [&](const fs::path& folder) -> Status {
    ASSAY_TRY(Load(onnx, options));
    return WriteCopy(onnx, folder);
  });
}

}  // namespace assay::model
