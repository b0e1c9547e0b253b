#include "report/take_home.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>

#include "report/sample_run_test.h"

namespace assay::report {
namespace {

using ::testing::HasSubstr;

record::Arm ArmOn(const std::string& conversion, const std::string& engine) {
  record::Arm arm = SampleArm(conversion, 5);
  arm.engine = engine;
  return arm;
}

TEST(TakeHomeTest, FillsEveryMarkOfEveryTemplate) {
  const std::pair<const char*, const char*> arms[] = {{"ONNX_CPU", "onnxruntime"},
                                                      {"COMPILE_OPENVINO", "openvino"},
                                                      {"EXPORT+AOT_INDUCTOR+FREEZING", "torch"},
                                                      {"EAGER", "torch"},
                                                      {"COMPILE_INDUCTOR_DEFAULT", "pytorch"}};
  for (const auto& [conversion, engine] : arms) {
    const auto home = MakeTakeHome(ArmOn(conversion, engine), SampleRun().model);
    ASSERT_TRUE(home.ok()) << conversion;
    for (const TakeHome::File& file : home->files) {
      EXPECT_FALSE(std::regex_search(file.content, std::regex("@[A-Z_]+@")))
          << conversion << " " << file.name;
    }
    EXPECT_FALSE(home->how.empty());
  }
}

TEST(TakeHomeTest, RefusesRecipesThatItsCodeDoesNotFollow) {
  for (const char* conversion : {"BF16+EAGER", "OPTIMUM_QUANTO_WI8@pytorch", "EXPORT+EAGER"}) {
    const auto home = MakeTakeHome(ArmOn(conversion, "pytorch"), SampleRun().model);
    ASSERT_FALSE(home.ok()) << conversion;
    EXPECT_EQ(home.error().code, Code::kUnsupported);
    EXPECT_THAT(home.error().message, HasSubstr(conversion));
  }
}

TEST(TakeHomeTest, RunsWithTheThreadsAndInputsThatWereMeasured) {
  const auto home = MakeTakeHome(ArmOn("ONNX_CPU", "onnxruntime"), SampleRun().model);
  ASSERT_TRUE(home.ok());
  EXPECT_THAT(home->files[0].content, HasSubstr("intra_op_num_threads = 2\n"));
  EXPECT_THAT(home->files[0].content,
              HasSubstr("INPUTS = {\"input\": ((1, 3, 224, 224), \"float32\")}"));
}

TEST(TakeHomeTest, RunsSeveralRequestsAtATimeWhereThatWasMeasured) {
  record::Arm arm = ArmOn("COMPILE_OPENVINO+THROUGHPUT", "openvino");
  arm.metric = record::kThroughput;
  const auto home = MakeTakeHome(arm, SampleRun().model);
  ASSERT_TRUE(home.ok());
  EXPECT_THAT(home->files[0].content, HasSubstr("\"PERFORMANCE_HINT\": \"THROUGHPUT\""));
  EXPECT_THAT(home->files[0].content, HasSubstr("AsyncInferQueue"));
}

TEST(TakeHomeTest, AsksOpenVinoForThePrecisionThatWasMeasured) {
  record::Arm arm = ArmOn("COMPILE_OPENVINO", "openvino");
  const auto text = [&](const std::string& asked) {
    arm.precision.asked = asked;
    return MakeTakeHome(arm, SampleRun().model)->files[0].content;
  };
  EXPECT_THAT(text("fp32"), HasSubstr("\"INFERENCE_PRECISION_HINT\": \"f32\""));
  EXPECT_THAT(text("int8-qdq"), HasSubstr("\"INFERENCE_PRECISION_HINT\": \"f32\""));
  EXPECT_THAT(text("fp16"), HasSubstr("\"INFERENCE_PRECISION_HINT\": \"f16\""));
}

TEST(TakeHomeTest, CompilesOnlyWhatWasCompiled) {
  const auto eager = MakeTakeHome(ArmOn("EAGER", "torch"), SampleRun().model);
  const auto inductor =
      MakeTakeHome(ArmOn("COMPILE_INDUCTOR_DEFAULT", "pytorch"), SampleRun().model);
  EXPECT_THAT(eager->files[0].content, HasSubstr("COMPILE = False"));
  EXPECT_THAT(inductor->files[0].content, HasSubstr("COMPILE = True"));
}

TEST(TakeHomeTest, APythonModelIsTakenAsItself) {
  record::ModelFacts model = SampleRun().model;
  model.source = "python";
  const auto own = MakeTakeHome(ArmOn("EAGER@pytorch", "pytorch"), model);
  ASSERT_TRUE(own.ok());
  EXPECT_TRUE(own->needs_module);
  EXPECT_FALSE(own->needs_program || own->needs_model);
  EXPECT_THAT(own->files[0].content, HasSubstr("user_module.load(FOLDER)"));
  EXPECT_FALSE(std::regex_search(own->files[0].content, std::regex("@[A-Z_]+@")));
  const auto replayed = MakeTakeHome(ArmOn("EAGER", "torch"), model);
  EXPECT_TRUE(replayed->needs_program);
  EXPECT_FALSE(replayed->needs_module);
}

TEST(TakeHomeTest, HasNothingForTheTestEngine) {
  EXPECT_EQ(MakeTakeHome(ArmOn("EAGER", "fake"), SampleRun().model).error().code,
            Code::kUnsupported);
}

}  // namespace
}  // namespace assay::report
