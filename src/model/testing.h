// Writes small ONNX files from ONNX's own textual form, for this room's tests.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <string>

#include "base/file.h"
#include "model/model.h"
#include "onnx/defs/parser.h"

namespace assay::model {

/// A test with an empty folder of its own.
class FolderTest : public ::testing::Test {
 protected:
  FolderTest() {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    folder_ = std::filesystem::path(::testing::TempDir()) / "assay_model" /
              (std::string(test->test_suite_name()) + "." + test->name());
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  ~FolderTest() override { std::filesystem::remove_all(folder_); }

  /// `graph` as "agraph (float[2,3] x) => (float[2,3] y) { y = Relu(x) }"; opset 20.
  std::filesystem::path Write(const std::string& graph,
                              const std::function<void(onnx::ModelProto&)>& change = {}) {
    onnx::ModelProto proto;
    const std::string text = "<ir_version: 9, opset_import: [\"\" : 20]> " + graph;
    const auto status = onnx::OnnxParser::Parse(proto, text.c_str());
    EXPECT_TRUE(status.IsOK()) << status.ErrorMessage();
    if (change) {
      change(proto);
    }
    EXPECT_TRUE(WriteFileAtomically(folder_ / "m.onnx", proto.SerializeAsString()).ok());
    return folder_ / "m.onnx";
  }

  Result<Model> LoadText(const std::string& graph, const LoadOptions& options = {}) {
    return Load(Write(graph), options);
  }

  static void ExpectError(const Result<Model>& model, Code code, const std::string& part) {
    ASSERT_FALSE(model.ok());
    EXPECT_EQ(model.error().code, code) << model.error().message;
    EXPECT_NE(model.error().message.find(part), std::string::npos) << model.error().message;
    EXPECT_EQ(model.error().message.find('\n'), std::string::npos);
  }

  std::filesystem::path folder_;
};

/// The value of that name, which must exist.
inline const Value& ValueOf(const Graph& graph, const std::string& name) {
  for (const Value& value : graph.values) {
    if (value.name == name) {
      return value;
    }
  }
  ADD_FAILURE() << "no value " << name;
  return graph.values.front();
}

}  // namespace assay::model
