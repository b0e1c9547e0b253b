#include "model/captured.h"

#include <gmock/gmock.h>

#include "base/json.h"
#include "model/testing.h"

namespace assay::model {
namespace {

using ::testing::HasSubstr;

class CapturedTest : public FolderTest {
 protected:
  /// A module with one input and one output, captured whole.
  Json Facts() {
    return {{"schema", "assay.module/1"},
            {"name", "build"},
            {"weights", "module"},
            {"sha256", std::string(64, 'a')},
            {"no_program", ""},
            {"no_onnx", ""},
            {"parameters", 6},
            {"macs", 12},
            {"not_counted", Json::array()},
            {"fast_path_differs", false},
            {"arguments",
             {{{"name", "x"}, {"keyword", false}, {"dtype", "float32"}, {"shape", {2, 3}}}}},
            {"outputs", {{{"name", "output"}, {"dtype", "float32"}, {"shape", {2, 3}}}}},
            {"given_inputs", Json::object()},
            {"made_float32", Json::array()},
            {"sources", {{"/net.py", "0123"}}}};
  }

  Result<Model> LoadWith(const Json& facts) {
    EXPECT_TRUE(WriteFileAtomically(folder_ / kModuleFile, facts.dump()).ok());
    return LoadCaptured(folder_);
  }

  void WriteGraph(const std::string& graph) {
    std::filesystem::rename(Write(graph), folder_ / "model.onnx");
  }
};

TEST_F(CapturedTest, TakesTheGraphOfTheOnnxFile) {
  WriteGraph("agraph (float[2,3] x) => (float[2,3] output) { output = Relu(x) }");
  const auto model = LoadWith(Facts());
  ASSERT_TRUE(model.ok()) << model.error().message;
  EXPECT_EQ(model->name, "build");
  EXPECT_EQ(model->source, "python");
  EXPECT_EQ(model->graph.nodes.size(), 1u);
  EXPECT_EQ(model->parameters, 6u);
  ASSERT_TRUE(model->module.has_value());
  EXPECT_FALSE(model->module->no_onnx.has_value());
  EXPECT_FALSE(model->module->no_program.has_value());
  EXPECT_EQ(model->module->file.parent_path(), model->onnx.parent_path());
}

TEST_F(CapturedTest, HasInputsAndOutputsWithoutAnyExport) {
  Json facts = Facts();
  facts["no_program"] = facts["no_onnx"] = "torch.export cannot capture it at net.py:3";
  facts["given_inputs"] = {{"x", "input_0.npy"}};
  const auto model = LoadWith(facts);
  ASSERT_TRUE(model.ok()) << model.error().message;
  EXPECT_EQ(model->graph.inputs.size(), 1u);
  EXPECT_EQ(model->graph.outputs.size(), 1u);
  EXPECT_EQ(model->macs, 12u);
  EXPECT_EQ(model->module->no_program->code, Code::kUnsupported);
  EXPECT_THAT(model->module->no_onnx->message, HasSubstr("net.py:3"));
  EXPECT_THAT(model->module->no_onnx->hint, HasSubstr("EAGER@pytorch"));
  EXPECT_EQ(model->module->given_inputs.at("x").filename(), "input_0.npy");
}

TEST_F(CapturedTest, AnOnnxFileWithOtherInputsDoesNotCount) {
  WriteGraph("agraph (float[2,4] x) => (float[2,4] output) { output = Relu(x) }");
  const auto model = LoadWith(Facts());
  ASSERT_TRUE(model.ok()) << model.error().message;
  EXPECT_THAT(model->module->no_onnx->message,
              HasSubstr("its input 'x' is float32 2x4, the module's 'x' float32 2x3"));
  EXPECT_TRUE(model->graph.nodes.empty());
}

TEST_F(CapturedTest, AnOnnxFileThatCannotBeReadDoesNotCount) {
  ASSERT_TRUE(WriteFileAtomically(folder_ / "model.onnx", "no graph").ok());
  const auto model = LoadWith(Facts());
  ASSERT_TRUE(model.ok()) << model.error().message;
  EXPECT_TRUE(model->module->no_onnx.has_value());
}

TEST_F(CapturedTest, RefusesWhatItDidNotWrite) {
  EXPECT_EQ(LoadCaptured(folder_).error().code, Code::kNotFound);
  Json facts = Facts();
  facts["schema"] = "assay.module/2";
  EXPECT_EQ(LoadWith(facts).error().code, Code::kMalformed);
  facts = Facts();
  facts["outputs"][0]["dtype"] = "complex64";
  EXPECT_THAT(LoadWith(facts).error().message, HasSubstr("'output'"));
  facts = Facts();
  facts.erase("macs");
  EXPECT_EQ(LoadWith(facts).error().code, Code::kMalformed);
}

TEST_F(CapturedTest, TellsTheSourcesThatItWasMadeOf) {
  ASSERT_TRUE(LoadWith(Facts()).ok());
  EXPECT_EQ(SourcesOf(folder_)->at("/net.py"), "0123");
}

}  // namespace
}  // namespace assay::model
