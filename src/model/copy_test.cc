#include "model/copy.h"

#include <cstring>

#include "base/file.h"
#include "model/testing.h"
#include "onnx/onnx-ml.pb.h"
#include "tensor/checkpoint.h"

namespace assay::model {
namespace {

using tensor::DType;

// A convolution of one channel, a linear layer written as MatMul and Add, a Resize, a Clip, a
// Reshape: w, c, m and a are weights, the others constants.
constexpr char kGraph[] =
    "agraph (float[1,1,2,2] x) => (float[1,3] y) "
    "<float[1,1,1,1] w = {2}, float[1] c = {1}, float[4,3] m = {1,2,3,4,5,6,7,8,9,10,11,12}, "
    "float[3] a = {1,2,3}, float[4] scales = {1,1,1,1}, float low = {0}, float[1] half = {0.5}, "
    "int64[2] shape = {1,4}> "
    "{ h = Conv(x, w, c) r = Resize(h, , scales) k = Clip(r, low) q = Mul(k, half) "
    "f = Reshape(q, shape) l = MatMul(f, m) y = Add(l, a) }";

class CopyTest : public FolderTest {
 protected:
  std::filesystem::path Out() {
    std::filesystem::create_directories(folder_ / "out");
    return folder_ / "out";
  }

  /// A checkpoint of float32 tensors, each element its position.
  void WriteWeights(const std::vector<tensor::Declared>& declared) {
    std::vector<tensor::Tensor> tensors;
    for (const tensor::Declared& one : declared) {
      tensor::Tensor made{one.name, one.type, {}};
      for (std::uint64_t i = 0; i < *tensor::ElementCount(one.type.shape); ++i) {
        const auto value = static_cast<float>(i);
        const auto* bytes = reinterpret_cast<const std::byte*>(&value);
        made.data.insert(made.data.end(), bytes, bytes + tensor::SizeOf(one.type.dtype));
      }
      tensors.push_back(std::move(made));
    }
    ASSERT_TRUE(tensor::WriteSafetensors(folder_ / "w.safetensors", tensors).ok());
  }
  static std::vector<tensor::Declared> Good() {
    return {{"w", {DType::kFloat32, {1, 1, 1, 1}}},
            {"c", {DType::kFloat32, {1}}},
            {"m", {DType::kFloat32, {4, 3}}},
            {"a", {DType::kFloat32, {3}}}};
  }
  Result<Model> WithWeights(const std::filesystem::path& onnx) {
    return LoadWithWeights(onnx, {}, folder_ / "w.safetensors", folder_ / "cache");
  }

  static std::vector<float> Read(const std::filesystem::path& folder, const std::string& name) {
    const auto file = tensor::Checkpoint::Open(folder / "model.safetensors");
    const tensor::Stored* stored = file->Find(name);
    EXPECT_NE(stored, nullptr) << name;
    std::vector<float> values(stored == nullptr ? 0 : stored->bytes.size() / sizeof(float));
    if (stored != nullptr) {
      std::memcpy(values.data(), stored->bytes.data(), stored->bytes.size());
    }
    return values;
  }
};

TEST_F(CopyTest, MovesWeightsOutOfTheGraphAndLeavesConstants) {
  const auto onnx = Write(kGraph);
  ASSERT_TRUE(WriteCopy(onnx, Out()).ok());
  const auto copy = Load(Out() / "model.onnx");
  ASSERT_TRUE(copy.ok()) << copy.error().message;
  for (const char* weight : {"w", "c", "m", "a"}) {
    EXPECT_EQ(ValueOf(copy->graph, weight).weight->file, "model.safetensors") << weight;
  }
  for (const char* constant : {"scales", "low", "half", "shape"}) {
    EXPECT_TRUE(ValueOf(copy->graph, constant).constant.has_value()) << constant;
  }
  EXPECT_EQ(Read(Out(), "a"), (std::vector<float>{1, 2, 3}));
  EXPECT_EQ(copy->parameters, Load(onnx)->parameters);
  EXPECT_EQ(copy->macs, Load(onnx)->macs);
}

TEST_F(CopyTest, MovesWhateverIsLarge) {
  const auto onnx =
      Write("agraph (float[1] x) => (float[1] y) { y = Relu(x) }", [](onnx::ModelProto& model) {
        onnx::TensorProto& table = *model.mutable_graph()->add_initializer();
        table.set_name("ids");
        table.set_data_type(onnx::TensorProto::INT64);
        table.add_dims(128);
        table.set_raw_data(std::string(1024, '\1'));
      });
  ASSERT_TRUE(WriteCopy(onnx, Out()).ok());
  EXPECT_EQ(Read(Out(), "ids").size(), 256u);
}

TEST_F(CopyTest, KeepsTheNamesAndBytesOfExternalWeights) {
  std::vector<tensor::Tensor> tensors;
  tensors.push_back({"layer.weight", {DType::kFloat32, {1}}, std::vector<std::byte>(4)});
  tensors[0].data[3] = std::byte{0x40};  // 2.0
  ASSERT_TRUE(tensor::WriteSafetensors(folder_ / "own.safetensors", tensors).ok());
  const auto offset =
      tensor::SafetensorsFile::Open(folder_ / "own.safetensors")->entries()[0].offset;
  const auto onnx =
      Write("agraph (float[1] x) => (float[1] y) <float[1] v = {0}> { y = Add(x, v) }",
            [&](onnx::ModelProto& model) {
              auto& v = *model.mutable_graph()->mutable_initializer(0);
              v.clear_float_data();
              v.clear_raw_data();
              v.set_data_location(onnx::TensorProto::EXTERNAL);
              for (const auto& [key, value] :
                   {std::pair<std::string, std::string>{"location", "own.safetensors"},
                    {"offset", std::to_string(offset)}}) {
                auto& entry = *v.add_external_data();
                entry.set_key(key);
                entry.set_value(value);
              }
            });
  ASSERT_TRUE(WriteCopy(onnx, Out()).ok());
  EXPECT_EQ(Read(Out(), "layer.weight"), std::vector<float>{2});
  EXPECT_EQ(ValueOf(Load(Out() / "model.onnx")->graph, "v").weight->tensor_name, "layer.weight");
}

TEST_F(CopyTest, ReplacesTheWeightsOfAFile) {
  const auto onnx = Write(kGraph);
  WriteWeights(Good());
  const auto model = WithWeights(onnx);
  ASSERT_TRUE(model.ok()) << model.error().message;
  EXPECT_EQ(model->name, "m");
  EXPECT_EQ(model->weights, "file");
  EXPECT_EQ(Read(model->folder, "a"), (std::vector<float>{0, 1, 2}));
  EXPECT_EQ(Read(model->folder, "m")[11], 11);
  EXPECT_NE(model->sha256, Load(onnx)->sha256);
  EXPECT_TRUE(ValueOf(model->graph, "half").constant.has_value());
}

TEST_F(CopyTest, TakesBackTheWeightsThatItWrote) {
  const auto onnx = Write(kGraph);
  ASSERT_TRUE(WriteCopy(onnx, Out()).ok());
  const auto again = LoadWithWeights(onnx, {}, Out() / "model.safetensors", folder_ / "cache");
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_EQ(again->sha256, Load(Out() / "model.onnx")->sha256);
}

TEST_F(CopyTest, ReplacesAConstantThatTheCheckpointHas) {
  const auto onnx = Write(kGraph);
  auto declared = Good();
  declared.push_back({"half", {DType::kFloat32, {1}}});
  WriteWeights(declared);
  const auto model = WithWeights(onnx);
  ASSERT_TRUE(model.ok()) << model.error().message;
  EXPECT_EQ(Read(model->folder, "half"), std::vector<float>{0});
}

TEST_F(CopyTest, NamesWhatDoesNotFitAndLeavesNothing) {
  const auto onnx = Write(kGraph);
  auto declared = Good();
  declared[1].name = "cc";
  declared[2].type.shape = {3, 4};
  WriteWeights(declared);
  const auto model = WithWeights(onnx);
  ExpectError(model, Code::kInvalidArgument, "missing: c; other type");
  ExpectError(model, Code::kInvalidArgument, "m is float32 3x4 instead of float32 4x3");
  ExpectError(model, Code::kInvalidArgument, "unexpected: cc");
  EXPECT_TRUE(std::filesystem::is_empty(folder_ / "cache"));
}

TEST_F(CopyTest, MakesACopyOnceForTheSameContent) {
  const auto onnx = Write(kGraph);
  WriteWeights(Good());
  const auto first = WithWeights(onnx);
  const auto written = std::filesystem::last_write_time(first->onnx);
  const auto second = WithWeights(onnx);
  EXPECT_EQ(second->folder, first->folder);
  EXPECT_EQ(std::filesystem::last_write_time(second->onnx), written);
  auto other = Good();
  other[3].type.dtype = DType::kFloat16;  // other bytes
  WriteWeights(other);
  EXPECT_NE(WithWeights(onnx)->folder, first->folder);
}

TEST_F(CopyTest, MakesADamagedCopyAgain) {
  const auto onnx = Write(kGraph);
  WriteWeights(Good());
  const auto first = WithWeights(onnx);
  ASSERT_TRUE(WriteFileAtomically(first->folder / "model.safetensors", "cut").ok());
  EXPECT_EQ(WithWeights(onnx)->sha256, first->sha256);
}

TEST_F(CopyTest, LoadsALargeFileFromACopyWhoseWeightsAreMapped) {
  const auto onnx = Write(kGraph);
  const auto model = LoadMapped(onnx, {}, folder_ / "cache", 100);
  ASSERT_TRUE(model.ok()) << model.error().message;
  EXPECT_EQ(model->name, "m");
  EXPECT_EQ(model->folder.parent_path(), folder_ / "cache");
  EXPECT_EQ(ValueOf(model->graph, "m").weight->file, "model.safetensors");
  EXPECT_EQ(LoadMapped(onnx, {}, folder_ / "cache", 100)->sha256, model->sha256);
  const auto small = LoadMapped(onnx, {}, folder_ / "cache");
  EXPECT_EQ(small->onnx, onnx);
}

TEST_F(CopyTest, LoadsWeightsThatLieInAFileOfAnotherKindFromACopy) {
  const auto own = folder_ / "own";
  std::filesystem::create_directories(own);
  ASSERT_TRUE(WriteCopy(Write(kGraph), own).ok());
  std::filesystem::rename(own / "model.safetensors", own / "model.safetensor0");
  std::string graph = *ReadFile(own / "model.onnx");
  const std::string before = "model.safetensors";
  for (std::size_t at; (at = graph.find(before)) != std::string::npos;) {
    graph.replace(at, before.size(), "model.safetensor0");  // what lies there is bytes to readers
  }
  ASSERT_TRUE(WriteFileAtomically(own / "model.onnx", graph).ok());
  const auto model = LoadMapped(own / "model.onnx", {}, folder_ / "cache");
  ASSERT_TRUE(model.ok()) << model.error().message;
  EXPECT_EQ(model->folder.parent_path(), folder_ / "cache");
  EXPECT_EQ(ValueOf(model->graph, "m").weight->file, "model.safetensors");
  EXPECT_EQ(LoadMapped(own / "model.onnx", {}, folder_ / "cache")->sha256, model->sha256);
}

TEST_F(CopyTest, LoadsDataBehindLinksFromACopyThatEveryRuntimeReads) {
  for (const std::string type : {"float", "int4"}) {  // no safetensors file holds the second
    const auto own = folder_ / type;
    std::filesystem::create_directories(own);
    ASSERT_TRUE(WriteFileAtomically(folder_ / ("blob" + type), std::string(8, 'a')).ok());
    std::filesystem::create_symlink(folder_ / ("blob" + type), own / "w.safetensor0");
    const auto onnx =
        Write("agraph (float[2] x) => (float[2] y) { y = Relu(x) }", [&](onnx::ModelProto& proto) {
          onnx::TensorProto& w = *proto.mutable_graph()->add_initializer();
          w.set_name("w");
          w.set_data_type(type == "int4" ? onnx::TensorProto::INT4 : onnx::TensorProto::FLOAT);
          w.add_dims(type == "int4" ? 16 : 2);
          w.set_data_location(onnx::TensorProto::EXTERNAL);
          auto& place = *w.add_external_data();
          place.set_key("location");
          place.set_value("w.safetensor0");
        });
    std::filesystem::rename(onnx, own / "m.onnx");
    const auto model = LoadMapped(own / "m.onnx", {}, folder_ / "cache");
    ASSERT_TRUE(model.ok()) << type << ": " << model.error().message;
    EXPECT_EQ(model->folder.parent_path(), folder_ / "cache");
    for (const auto& entry : std::filesystem::directory_iterator(model->folder)) {
      EXPECT_TRUE(entry.is_regular_file() && !entry.is_symlink()) << entry.path();
    }
    EXPECT_EQ(LoadMapped(own / "m.onnx", {}, folder_ / "cache")->sha256, model->sha256);
  }
}

TEST_F(CopyTest, LeavesNoCopyOfALargeFileThatIsRefused) {
  const auto onnx = Write("agraph (float[2] x) => (float[3] y) { y = Relu(z) }");
  ExpectError(LoadMapped(onnx, {}, folder_ / "cache", 10), Code::kMalformed, "sorted");
  EXPECT_TRUE(std::filesystem::is_empty(folder_ / "cache"));
}

}  // namespace
}  // namespace assay::model
