#include "engines/fake/script.h"

#include <gmock/gmock.h>

#include <cstdlib>

namespace assay::engine::fake {
namespace {

using ::testing::HasSubstr;

Json Read(const char* text) { return Json::parse(text); }

TEST(ScriptTest, IsChosenByConversionElseTheDefault) {
  const Json options =
      Read(R"({"arms": {"EAGER": {"latency_ns": 5}}, "default": {"latency_ns": 7}})");
  EXPECT_EQ(ChooseScript(options, "EAGER")->latency_ns, 5);
  EXPECT_EQ(ChooseScript(options, "ONNX_CPU")->latency_ns, 7);
  EXPECT_EQ(ChooseScript(Read(R"({"arms": {}})"), "EAGER")->latency_ns, 0);
}

TEST(ScriptTest, ComesFromTheEnvironmentWhenAJobBringsNone) {
  ::setenv("ASSAY_FAKE", R"({"default": {"latency_ns": 9}})", 1);
  EXPECT_EQ(ChooseScript(Json::object(), "EAGER")->latency_ns, 9);
  EXPECT_EQ(ChooseScript(Read(R"({"default": {}})"), "EAGER")->latency_ns, 0);
  ::setenv("ASSAY_FAKE", "{", 1);
  EXPECT_EQ(ChooseScript(Json::object(), "EAGER").error().code, Code::kMalformed);
  ::unsetenv("ASSAY_FAKE");
}

TEST(ScriptTest, TakesEveryKey) {
  const auto script = ParseScript(Read(R"({
      "latency_ns": 1e6, "noise": 0.1, "drift": 0.2, "process_sd": 0.3, "factors": [1, 1.5],
      "warmup_inferences": 4, "warmup_factor": 3, "seed": 6, "process": 2, "threads": 8,
      "precision": "bf16", "device": "gpu", "notes": ["n"], "output": "nan", "output_error": 1e-3,
      "misbehave": [{"stage": "load", "how": "exit", "after": 2, "status": 9},
                    {"how": "eat_memory", "bytes": 4096}]})"));
  ASSERT_TRUE(script.ok()) << script.error().message;
  EXPECT_EQ(script->factors[1], 1.5);
  EXPECT_EQ(script->threads, 8);
  ASSERT_EQ(script->misbehave.size(), 2u);
  EXPECT_EQ(script->misbehave[0].stage, Stage::kLoad);
  EXPECT_EQ(script->misbehave[0].status, 9);
  EXPECT_EQ(script->misbehave[1].stage, Stage::kInfer);
  EXPECT_EQ(script->misbehave[1].how, How::kEat);
}

TEST(ScriptTest, RefusesMisspeltKeysAndNames) {
  EXPECT_THAT(ParseScript(Read(R"({"latency": 5})")).error().message, HasSubstr("latency_ns"));
  EXPECT_THAT(ParseScript(Read(R"({"output": "nans"})")).error().message, HasSubstr("nan"));
  EXPECT_THAT(ParseScript(Read(R"({"misbehave": [{"how": "hangs"}]})")).error().message,
              HasSubstr("hang"));
  EXPECT_THAT(
      ParseScript(Read(R"({"misbehave": [{"how": "hang", "stage": "loads"}]})")).error().message,
      HasSubstr("load"));
  EXPECT_EQ(ParseScript(Read(R"({"latency_ns": "soon"})")).error().code, Code::kMalformed);
}

}  // namespace
}  // namespace assay::engine::fake
