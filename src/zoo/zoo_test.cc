#include "zoo/zoo.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <set>

#include "base/file.h"
#include "base/json.h"
#include "tensor/safetensors.h"
#include "zoo/architecture.h"

namespace assay::zoo {
namespace {

/// The first bytes of a safetensors file, up to its data.
std::string HeaderOf(const std::vector<tensor::Entry>& entries) {
  const std::uint64_t data = entries.front().offset;
  Json header;
  for (const tensor::Entry& entry : entries) {
    const std::uint64_t begin = entry.offset - data;
    header[entry.name] = {{"dtype", "F32"},
                          {"shape", entry.type.shape},
                          {"data_offsets", {begin, begin + entry.bytes}}};
  }
  const std::uint64_t length = data - sizeof(std::uint64_t);
  std::string text(reinterpret_cast<const char*>(&length), sizeof(length));
  text += header.dump();
  text.resize(data, ' ');
  return text;
}

class ZooTest : public ::testing::Test {
 protected:
  ZooTest() {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    cache_ = std::filesystem::path(::testing::TempDir()) / "assay_zoo" / test->name();
    std::filesystem::remove_all(cache_);
  }
  ~ZooTest() override { std::filesystem::remove_all(cache_); }

  model::Model Built(std::string_view name, const BuildOptions& options = {}) {
    auto model = Build(*Find(name), options, cache_);
    EXPECT_TRUE(model.ok()) << (model.ok() ? "" : model.error().message);
    return model.ok() ? *std::move(model) : model::Model();
  }

  /// The graph beside a weights file of full size that holds a header and takes no other space.
  Result<model::Model> LoadWithoutWeights(
      const Entry& entry, std::int64_t batch_size = 1,
      const std::map<std::string, std::int64_t>& dimensions = {}) {
    const Architecture architecture = BuildArchitecture(entry, batch_size, dimensions);
    const auto entries = tensor::LayOut(architecture.weights);
    std::filesystem::create_directories(cache_);
    ASSAY_TRY(WriteFileAtomically(cache_ / kWeightsFile, HeaderOf(entries)));
    std::filesystem::resize_file(cache_ / kWeightsFile,
                                 entries.back().offset + entries.back().bytes);
    ASSAY_TRY(WriteFileAtomically(cache_ / kGraphFile, architecture.onnx));
    return model::Load(cache_ / kGraphFile, {.known_sha256 = "not read"});
  }

  std::size_t FoldersInCache() const {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(cache_), {}));
  }

  std::filesystem::path cache_;
};

TEST_F(ZooTest, FindsNamesHoweverTheyAreWritten) {
  for (const char* name : {"ResNet-18", "resnet_18", "resnet18", "RESNET 18"}) {
    EXPECT_EQ(Find(name)->name, "resnet18") << name;
  }
  EXPECT_EQ(Find("vit-b-16")->name, "vit_b_16");
  const auto unknown = Find("resnet19");
  EXPECT_EQ(unknown.error().code, Code::kNotFound);
  EXPECT_NE(unknown.error().message.find("did you mean resnet18"), std::string::npos);
}

TEST_F(ZooTest, HasThePublishedParametersAndMultiplyAdds) {
  for (const Entry& entry : Entries()) {
    const auto model = LoadWithoutWeights(entry);  // through ONNX's checker
    ASSERT_TRUE(model.ok()) << model.error().message;
    EXPECT_EQ(model->parameters, entry.parameters) << entry.name;
    const auto published = static_cast<double>(entry.macs);
    const double rounding = entry.macs % 1'000'000 == 0 ? 500'000 : 0;
    const double within = entry.family == "YOLOv8" ? 0.02 : 0.005;  // published to two digits
    EXPECT_NEAR(static_cast<double>(model->macs), published, std::max(within * published, rounding))
        << entry.name;
  }
}

TEST_F(ZooTest, NamesAndShapesWeightsAsTheOriginalsDo) {
  struct Expected {
    const char* model;
    const char* weight;
    tensor::Shape shape;
  };
  const std::vector<Expected> all = {
      {"resnet152", "layer3.35.bn3.running_mean", {1024}},
      {"mobilenet_v3_small", "features.1.block.1.fc1.weight", {8, 16, 1, 1}},
      {"mobilenet_v3_large", "classifier.3.weight", {1000, 1280}},
      {"efficientnet_b0", "features.1.0.block.2.0.weight", {16, 32, 1, 1}},
      {"efficientnet_b1", "features.7.1.block.2.fc2.bias", {1920}},
      {"efficientnet_b2", "features.8.0.weight", {1408, 352, 1, 1}},
      {"convnext_tiny", "features.1.0.layer_scale", {96, 1, 1}},
      {"convnext_base", "features.5.26.block.5.weight", {512, 2048}},
      {"vit_l_32", "encoder.pos_embedding", {1, 50, 1024}},
      {"bert_base", "encoder.layer.11.attention.self.query.weight", {768, 768}},
      {"gpt2", "transformer.h.0.attn.c_attn.weight", {768, 2304}},
      {"yolov8n", "model.22.cv3.2.1.conv.weight", {80, 80, 3, 3}},
      {"yolov8s", "model.4.m.1.cv2.bn.running_var", {64}}};
  for (const Expected& expected : all) {
    const auto weights = BuildArchitecture(*Find(expected.model), 1).weights;
    const auto found = std::ranges::find(weights, expected.weight, &tensor::Declared::name);
    ASSERT_NE(found, weights.end()) << expected.weight;
    EXPECT_EQ(found->type.shape, expected.shape) << expected.weight;
  }
}

TEST_F(ZooTest, FollowsTheBatchSizeInEveryFamily) {
  std::set<std::string> seen;
  for (const Entry& entry : Entries()) {
    if (seen.insert(entry.family).second) {
      const auto one = LoadWithoutWeights(entry);
      const auto three = LoadWithoutWeights(entry, 3);
      ASSERT_TRUE(one.ok() && three.ok()) << entry.name;
      EXPECT_EQ(three->macs, 3 * one->macs) << entry.name;
      EXPECT_EQ(three->parameters, one->parameters) << entry.name;
    }
  }
}

TEST_F(ZooTest, FollowsTheDimensionsThatAModelHas) {
  const auto shape = [](const model::Graph& graph, const std::vector<model::ValueId>& ports,
                        std::string_view name) {
    for (const model::ValueId id : ports) {
      const model::Value& value = graph.values[static_cast<std::size_t>(id)];
      if (value.name == name) {
        return value.type.shape;
      }
    }
    return tensor::Shape();
  };
  const auto bert = LoadWithoutWeights(*Find("bert_base"), 2, {{"seq", 384}});
  ASSERT_TRUE(bert.ok()) << bert.error().message;
  EXPECT_EQ(shape(bert->graph, bert->graph.inputs, "attention_mask"), (tensor::Shape{2, 384}));
  EXPECT_NEAR(static_cast<double>(bert->macs), 2 * 35.333e9, 2e6);
  const auto decode = LoadWithoutWeights(*Find("gpt2_decode"), 1, {{"past", 7}});
  ASSERT_TRUE(decode.ok()) << decode.error().message;
  EXPECT_EQ(shape(decode->graph, decode->graph.inputs, "past.11.value"),
            (tensor::Shape{1, 12, 7, 64}));
  EXPECT_EQ(shape(decode->graph, decode->graph.outputs, "present.11.value"),
            (tensor::Shape{1, 12, 8, 64}));
  EXPECT_EQ(shape(decode->graph, decode->graph.outputs, "logits"), (tensor::Shape{1, 50257}));
}

TEST_F(ZooTest, RefusesDimensionsThatAModelDoesNotHave) {
  const auto message = [&](const char* name, const std::map<std::string, std::int64_t>& asked) {
    const auto model = Build(*Find(name), {.dimensions = asked}, cache_);
    EXPECT_EQ(model.error().code, Code::kInvalidArgument);
    return model.error().message;
  };
  EXPECT_EQ(message("bert_base", {{"sek", 8}}),
            "bert_base has no dimension 'sek' (did you mean seq?)");
  EXPECT_EQ(message("bert_base", {{"seq", 513}}),
            "--dim seq=513 is not between 1 and 512, which bert_base was made for");
  EXPECT_EQ(message("resnet18", {{"seq", 1}}), "resnet18 has no dimension 'seq'");
}

TEST_F(ZooTest, NamesInputsOutputsAndWeights) {
  const model::Model model = Built("resnet18", {.batch_size = 4});
  const model::Graph& graph = model.graph;
  ASSERT_EQ(graph.inputs.size(), 1u);
  ASSERT_EQ(graph.outputs.size(), 1u);
  const model::Value& input = graph.values[static_cast<std::size_t>(graph.inputs[0])];
  const model::Value& output = graph.values[static_cast<std::size_t>(graph.outputs[0])];
  EXPECT_EQ(input.name, "input");
  EXPECT_EQ(input.type.shape, (tensor::Shape{4, 3, 224, 224}));
  EXPECT_EQ(output.name, "output");
  EXPECT_EQ(output.type.shape, (tensor::Shape{4, 1000}));
  std::set<std::string> names;
  for (const model::Value& value : graph.values) {
    if (value.weight) {
      names.insert(value.weight->tensor_name);
      EXPECT_EQ(value.weight->file, "model.safetensors");
    }
  }
  EXPECT_TRUE(names.contains("layer1.0.conv1.weight"));
  EXPECT_TRUE(names.contains("layer4.0.downsample.1.running_var"));
  EXPECT_EQ(model.source, "zoo");
  EXPECT_EQ(model.weights, "random");
  EXPECT_EQ(model.macs, std::uint64_t{4} * 1814073344);
}

TEST_F(ZooTest, IsBuiltOnceAndHashedAsAnyOtherModel) {
  const model::Model first = Built("simplecnn");
  const auto written = std::filesystem::last_write_time(first.folder / "model.safetensors");
  const model::Model second = Built("simplecnn");
  EXPECT_EQ(second.sha256, first.sha256);
  EXPECT_EQ(std::filesystem::last_write_time(first.folder / "model.safetensors"), written);
  EXPECT_EQ(FoldersInCache(), 1u);
  EXPECT_EQ(model::Load(first.onnx)->sha256, first.sha256);
}

TEST_F(ZooTest, DiffersBySeedAndBatchSize) {
  const model::Model first = Built("simplecnn");
  EXPECT_NE(Built("simplecnn", {.seed = 1}).sha256, first.sha256);
  EXPECT_NE(Built("simplecnn", {.batch_size = 2}).sha256, first.sha256);
  EXPECT_EQ(FoldersInCache(), 3u);
}

TEST_F(ZooTest, IsBuiltAgainWhenTheCacheIsDamaged) {
  const model::Model first = Built("simplecnn");
  std::filesystem::resize_file(first.folder / "model.safetensors", 1000);
  EXPECT_EQ(Built("simplecnn").sha256, first.sha256);
  EXPECT_TRUE(tensor::SafetensorsFile::Open(first.folder / "model.safetensors").ok());
}

TEST_F(ZooTest, MayBeBuiltByTwoProcessesAtOnce) {
  constexpr int kProcesses = 4;
  for (int i = 0; i < kProcesses; ++i) {
    if (::fork() == 0) {
      ::_exit(Build(*Find("simplecnn"), {}, cache_).ok() ? 0 : 1);
    }
  }
  for (int i = 0; i < kProcesses; ++i) {
    int status = 1;
    ASSERT_GT(::wait(&status), 0);
    EXPECT_EQ(status, 0);
  }
  EXPECT_EQ(FoldersInCache(), 1u);
}

TEST_F(ZooTest, RefusesBatchSizesThatMakeNoSense) {
  EXPECT_EQ(Build(*Find("simplecnn"), {.batch_size = 0}, cache_).error().code,
            Code::kInvalidArgument);
}

TEST_F(ZooTest, SaysWhereItCouldNotWrite) {
  const auto model = Build(*Find("simplecnn"), {}, "/proc/none");
  ASSERT_FALSE(model.ok());
  EXPECT_EQ(model.error().code, Code::kIo);
  EXPECT_NE(model.error().message.find("/proc/none"), std::string::npos);
}

}  // namespace
}  // namespace assay::zoo
