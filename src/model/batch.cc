#include "model/batch.h"

#include <fmt/format.h>

#include <cstring>
#include <set>
#include <unordered_map>
#include <vector>

#include "base/file.h"
#include "model/copy.h"
#include "model/proto.h"
#include "onnx/onnx-ml.pb.h"

namespace assay::model {
namespace {

namespace fs = std::filesystem;

/// Changes whenever the same file and batch would give another copy.
constexpr char kRecipe[] = "batch/1";

Error Cannot(std::int64_t batch, const std::string& why) {
  return {Code::kUnsupported, fmt::format("its batch cannot be changed to {}: {}", batch, why), ""};
}

class Rewriter {
 public:
  Rewriter(::onnx::GraphProto& proto, const Graph& graph, std::int64_t batch)
      : proto_(proto), batch_(batch) {
    for (const Value& value : graph.values) {
      values_[value.name] = &value;
    }
    for (const ::onnx::TensorProto& initializer : proto.initializer()) {
      initializers_.insert(initializer.name());
    }
  }

  Status Run() {
    ASSAY_TRY(ChangeInputs());
    for (::onnx::NodeProto& node : *proto_.mutable_node()) {
      bool follows = false;  // whether it depends on an input
      for (const std::string& input : node.input()) {
        follows = follows || live_.contains(input);
      }
      ChangeSize(node);
      for (const std::string& output : node.output()) {
        if (follows) {
          live_.insert(output);
        }
      }
    }
    for (::onnx::ValueInfoProto& output : *proto_.mutable_output()) {
      ChangeFirst(output);
    }
    proto_.clear_value_info();
    return {};
  }

 private:
  Status ChangeInputs() {
    for (::onnx::ValueInfoProto& input : *proto_.mutable_input()) {
      if (initializers_.contains(input.name())) {
        continue;  // an initializer's default
      }
      const auto& shape = input.type().tensor_type().shape();
      const std::int64_t first = shape.dim_size() > 0 ? shape.dim(0).dim_value() : 0;
      if (first < 1 || (old_ != 0 && first != old_)) {
        return Cannot(batch_, fmt::format("input '{}' does not begin with the batch that the file "
                                          "fixes for all",
                                          input.name()));
      }
      old_ = first;
      ChangeFirst(input);
      live_.insert(input.name());
    }
    return old_ == 0 ? Status(Cannot(batch_, "it has no inputs")) : Status();
  }

  void ChangeFirst(::onnx::ValueInfoProto& value) const {
    auto* shape = value.mutable_type()->mutable_tensor_type()->mutable_shape();
    if (shape->dim_size() > 0 && shape->dim(0).dim_value() == old_) {
      shape->mutable_dim(0)->set_dim_value(batch_);
    }
  }

  /// The constant sizes that a Reshape of something from the inputs, or an Expand, is given.
  void ChangeSize(::onnx::NodeProto& node) {
    const bool expands = node.op_type() == "Expand";
    if (node.input_size() < 2 || live_.contains(node.input(1)) ||
        !(expands || (node.op_type() == "Reshape" && live_.contains(node.input(0))))) {
      return;
    }
    const auto size = values_.find(node.input(1));
    if (size == values_.end() || !size->second->constant ||
        size->second->type.dtype != tensor::DType::kInt64) {
      return;
    }
    const tensor::Tensor& constant = *size->second->constant;
    std::int64_t first = 0;
    if (constant.data.size() < sizeof first) {
      return;
    }
    std::memcpy(&first, constant.data.data(), sizeof first);
    if (first == old_) {
      node.set_input(1, AddSize(constant));
    }
  }

  /// An initializer like `size` with the new batch in front.
  std::string AddSize(const tensor::Tensor& size) {
    std::vector<std::byte> data = size.data;
    std::memcpy(data.data(), &batch_, sizeof batch_);
    std::string name;
    do {
      name = fmt::format("batch_size_{}", made_++);
    } while (values_.contains(name) || initializers_.contains(name));
    ::onnx::TensorProto& proto = *proto_.add_initializer();
    proto.set_name(name);
    proto.set_data_type(::onnx::TensorProto::INT64);
    proto.mutable_dims()->Add(size.type.shape.begin(), size.type.shape.end());
    proto.set_raw_data(data.data(), data.size());
    return name;
  }

  ::onnx::GraphProto& proto_;
  std::int64_t batch_, old_ = 0;
  int made_ = 0;
  std::unordered_map<std::string, const Value*> values_;
  std::set<std::string> initializers_, live_;
};

/// Whether every output of `made` is that of `own` but for the batch.
Status Confirm(const Model& own, const Model& made, std::int64_t batch) {
  for (std::size_t i = 0; i < own.graph.outputs.size(); ++i) {
    const Value& before = own.graph.values[static_cast<std::size_t>(own.graph.outputs[i])];
    const Value& after = made.graph.values[static_cast<std::size_t>(made.graph.outputs[i])];
    if (!before.Typed() || !after.Typed()) {
      return Cannot(batch, fmt::format("the shape of output '{}' is not known", before.name));
    }
    tensor::Type wanted = before.type;
    if (wanted.shape.empty() || wanted.shape.front() != BatchOf(own.graph)) {
      return Cannot(batch, fmt::format("output '{}' is {}, which does not begin with it",
                                       before.name, tensor::ToString(before.type.shape)));
    }
    wanted.shape.front() = batch;
    if (after.type != wanted) {
      return Cannot(
          batch, fmt::format("output '{}' would become {}, not {}", before.name,
                             tensor::ToString(after.type.shape), tensor::ToString(wanted.shape)));
    }
  }
  return {};
}

Status Write(const Model& own, const LoadOptions& options, std::int64_t batch,
             const fs::path& folder) {
  ASSAY_TRY(WriteCopy(own.onnx, folder));
  ::onnx::ModelProto proto;
  ASSAY_TRY(ParseModel(folder / kGraphFile, proto));
  ASSAY_TRY(Rewriter(*proto.mutable_graph(), own.graph, batch).Run());
  ASSAY_TRY(WriteFileAtomically(folder / kGraphFile, proto.SerializeAsString()));
  const Result<Model> made = Load(folder / kGraphFile, options);
  if (!made) {
    return made.error().code == Code::kUnsupported ? made.error()
                                                   : Cannot(batch, made.error().message);
  }
  return Confirm(own, *made, batch);
}

}  // namespace

Result<Model> LoadWithBatch(const Model& own, const LoadOptions& options, std::int64_t batch,
                            const fs::path& cache) {
  std::string description = fmt::format("{} {} {}", kRecipe, own.sha256, batch);
  for (const auto& [name, size] : options.dimensions) {
    description += fmt::format(" {}={}", name, size);
  }
  const std::string key = fmt::format("b{}-{}", batch, Sha256Of(description).substr(0, 16));
  ASSAY_ASSIGN(Model made, LoadCopy(cache, own.name, key, options, [&](const fs::path& folder) {
                 return Write(own, options, batch, folder);
               }));
  made.original =
      Original{.onnx = own.onnx, .batch = BatchOf(own.graph), .dimensions = options.dimensions};
  return made;
}

}  // namespace assay::model
