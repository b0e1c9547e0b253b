#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "base/text.h"
#include "conversion/conversion.h"
#include "conversion/parts.h"

namespace assay::conversion {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> Engines(const Conversion& c) {
  std::vector<std::string> engines;
  for (const Route& route : c.routes) {
    engines.push_back(route.engine + "<" + route.preparer);
  }
  return engines;
}

TEST(RegistryTest, HoldsEachNameOnceAndIsWholeInEveryField) {
  std::set<std::string> names;
  for (const Conversion& c : Registry()) {
    EXPECT_TRUE(names.insert(ToUpper(c.name)).second) << c.name;
    EXPECT_FALSE(c.description.empty()) << c.name;
    EXPECT_FALSE(c.steps.empty()) << c.name;
    EXPECT_FALSE(c.routes.empty()) << c.name;
    EXPECT_FALSE(c.recipe.compiler.empty()) << c.name;
    EXPECT_FALSE(c.weights.empty() || c.activations.empty() || c.device.empty()) << c.name;
    EXPECT_EQ(c.why.empty(), c.standing != Standing::kExplained) << c.name;
  }
}

TEST(RegistryTest, NumbersTheKnownNamesFrom0To93AndTheAdditionsFrom1000) {
  ASSERT_GT(Registry().size(), 94u);
  for (std::size_t i = 0; i < Registry().size(); ++i) {
    const int expected = static_cast<int>(i < 94 ? i : kFirstAddition + i - 94);
    EXPECT_EQ(Registry()[i].id, expected) << Registry()[i].name;
  }
}

TEST(RegistryTest, KnowsTheNumbersThatUsersKnow) {
  const std::pair<int, const char*> known[] = {
      {0, "EAGER"},
      {2, "ONNX_CPU"},
      {4, "ONNX+DYNAMO_EXPORT"},
      {6, "COMPILE_INDUCTOR_DEFAULT"},
      {12, "COMPILE_TVM"},
      {16, "EXPORT+AI8WI8_STATIC_QUANTIZED+RUN_DECOMPOSITION"},
      {17, "EXPORT+AOT_INDUCTOR"},
      {22, "EXPORT+COMPILE_INDUCTOR_DEFAULT_EAGER_FALLBACK"},
      {27, "NATIVE_FAKE_QUANTIZED_AI8WI8_STATIC"},
      {30, "COMPILE_OPENVINO"},
      {32, "TORCH_SCRIPT"},
      {41, "OPTIMUM_QUANTO_Wf8E5M2"},
      {42, "OPTIMIM_QUANTO_Wf8E5M2+COMPILE_CUDAGRAPHS"},
      {43, "FP16+EAGER"},
      {49, "TORCHAO_QUANT_I4_WEIGHT_ONLY"},
      {50, "FP16+COMPILE_CUDAGRAPHS"},
      {59, "FP16+COMPILE_OPENVINO"},
      {69, "FP16+EXPORT+COMPILE_OPENVINO"},
      {71, "FP16+TORCH_SCRIPT"},
      {72, "BF16+COMPILE_CUDAGRAPHS"},
      {81, "BF16+COMPILE_OPENVINO"},
      {93, "BF16+TORCH_SCRIPT"},
      {1000, "EXPORT+AOT_INDUCTOR+FREEZING"},
      {1017, "AUTOCAST_BF16+COMPILE_INDUCTOR_DEFAULT"},
  };
  for (const auto& [id, name] : known) {
    ASSERT_NE(Find(name), nullptr) << name;
    EXPECT_EQ(Find(name)->id, id) << name;
    EXPECT_EQ(Find(std::to_string(id)), Find(name)) << name;
  }
}

TEST(RegistryTest, UsesEveryPartOfTheGrammar) {
  std::set<std::string> used;
  for (const Conversion& c : Registry()) {
    for (const std::string& part : Split(c.name, '+')) {
      used.insert(part);
    }
  }
  for (const Part& part : Parts()) {
    EXPECT_EQ(used.count(part.name), 1u) << part.name;
  }
}

TEST(RegistryTest, ComposesRecipesFromTheParts) {
  EXPECT_EQ(Find("EAGER")->recipe, (Recipe{.compiler = "eager"}));
  EXPECT_EQ(Find("FP16+EXPORT+COMPILE_INDUCTOR_REDUCE_OVERHEAD")->recipe,
            (Recipe{.capture = "export",
                    .compiler = "inductor",
                    .mode = "reduce-overhead",
                    .fullgraph = true,
                    .precision = "fp16"}));
  EXPECT_EQ(Find("COMPILE_INDUCTOR_EAGER_FALLBACK")->recipe,
            (Recipe{.compiler = "inductor", .eager_fallback = true}));
  EXPECT_EQ(Find("EXPORT+AI8WI8_STATIC_QUANTIZED+RUN_DECOMPOSITION")->recipe,
            (Recipe{.capture = "export",
                    .compiler = "eager",
                    .quantisation = "pt2e_integer",
                    .weights = "int8",
                    .activations = "int8",
                    .decompose = true}));
  EXPECT_EQ(Find("BF16+JIT_TRACE")->recipe,
            (Recipe{.capture = "trace", .compiler = "torchscript", .precision = "bf16"}));
  EXPECT_EQ(Find("COMPILE_INDUCTOR_MAX_AUTOTUNE+TORCHAO_QUANT_I4_WEIGHT_ONLY")->recipe,
            (Recipe{.compiler = "inductor",
                    .mode = "max-autotune",
                    .fullgraph = true,
                    .precision = "bf16",
                    .quantisation = "torchao_int4",
                    .weights = "int4"}));
  EXPECT_EQ(Find("ONNX+DYNAMO_EXPORT")->recipe,
            (Recipe{.capture = "dynamo_onnx", .compiler = "onnxruntime"}));
  EXPECT_EQ(Find("AUTOCAST_BF16+EAGER")->recipe,
            (Recipe{.compiler = "eager", .precision = "bf16", .autocast = true}));
  EXPECT_EQ(Find("TORCH_SCRIPT+ONEDNN_GRAPH")->recipe,
            (Recipe{.capture = "script", .compiler = "torchscript", .onednn_graph = true}));
  EXPECT_EQ(Find("COMPILE_OPENVINO+THROUGHPUT")->recipe,
            (Recipe{.compiler = "openvino", .streams = "throughput"}));
}

TEST(RegistryTest, SaysWhatWeightsAndActivationsAreIn) {
  const auto numbers = [](const char* name) {
    return Find(name)->weights + " " + Find(name)->activations;
  };
  EXPECT_EQ(numbers("EAGER"), "fp32 fp32");
  EXPECT_EQ(numbers("BF16+EAGER"), "bf16 bf16");
  EXPECT_EQ(numbers("AUTOCAST_BF16+EAGER"), "fp32 bf16");
  EXPECT_EQ(numbers("OPTIMUM_QUANTO_AI8WI4"), "int4 int8");
  EXPECT_EQ(numbers("OPTIMUM_QUANTO_Wf8E4M3N"), "float8_e4m3fn fp32");
  EXPECT_EQ(numbers("TORCHAO_QUANT_I4_WEIGHT_ONLY"), "int4 bf16");
  EXPECT_EQ(numbers("COMPILE_INDUCTOR_MAX_AUTOTUNE+TORCHAO_AUTOQUANT_DEFAULT"),
            "int8 or int4 fp32");
}

TEST(RegistryTest, RoutesEachToTheEngineOfItsCompiler) {
  EXPECT_THAT(Engines(*Find("EAGER")), ElementsAre("torch<", "pytorch<"));
  EXPECT_THAT(Engines(*Find("BF16+EAGER")), ElementsAre("pytorch<"));
  EXPECT_THAT(Engines(*Find("EXPORT+EAGER")), ElementsAre("pytorch<pytorch"));
  EXPECT_THAT(Engines(*Find("OPTIMUM_QUANTO_WI8")), ElementsAre("pytorch<pytorch"));
  EXPECT_THAT(Engines(*Find("JIT_TRACE")), ElementsAre("pytorch<pytorch"));
  EXPECT_THAT(Engines(*Find("COMPILE_INDUCTOR_DEFAULT")), ElementsAre("pytorch<pytorch"));
  EXPECT_THAT(Engines(*Find("EXPORT+AOT_INDUCTOR+FREEZING")), ElementsAre("torch<pytorch"));
  EXPECT_THAT(Engines(*Find("ONNX_CPU")), ElementsAre("onnxruntime<"));
  EXPECT_THAT(Engines(*Find("COMPILE_OPENVINO")), ElementsAre("openvino<openvino"));
  EXPECT_THAT(Engines(*Find("ONNX+DYNAMO_EXPORT")), ElementsAre("onnxruntime<pytorch"));
  EXPECT_THAT(Engines(*Find("INT8_STATIC+COMPILE_OPENVINO")), ElementsAre("openvino<pytorch"));
}

TEST(RegistryTest, SaysHowEachStands) {
  std::vector<std::string> explained, cuda;
  for (const Conversion& c : Registry()) {
    (c.standing == Standing::kExplained ? explained : cuda)
        .push_back(c.standing == Standing::kRuns ? "" : std::to_string(c.id));
  }
  std::erase(cuda, "");
  EXPECT_EQ(Join(cuda, " "), "3 5 18 28 29 42 47 50 58 60 68 72 80 82 90");
  EXPECT_EQ(Join(explained, " "),
            "10 11 12 23 24 25 45 46 55 56 57 65 66 67 77 78 79 87 88 89 1001");
}

TEST(RegistryTest, DescribesTheStepsInOneSentence) {
  EXPECT_EQ(Find("EXPORT+AOT_INDUCTOR+FREEZING")->description,
            "torch.export with static shapes, then compiled ahead of time by Inductor into a "
            "package that needs no Python, with the weights frozen in");
}

TEST(RegistryTest, KnowsTheNearestByName) {
  const auto nearest = [](const char* name) { return Find(name)->alternatives.front(); };
  EXPECT_EQ(nearest("ONNX_GPU"), "ONNX_CPU");
  EXPECT_EQ(nearest("BF16+EXPORT+COMPILE_CUDAGRAPHS"), "BF16+EXPORT+COMPILE_INDUCTOR_DEFAULT");
  EXPECT_EQ(nearest("OPTIMIM_QUANTO_Wf8E5M2+COMPILE_CUDAGRAPHS"), "OPTIMUM_QUANTO_Wf8E5M2");
  EXPECT_EQ(nearest("FP16+EXPORT+COMPILE_ONNXRT"), "ONNX_CPU");
  EXPECT_EQ(nearest("COMPILE_OPENVINO+THROUGHPUT"), "COMPILE_OPENVINO");
  EXPECT_THAT(Find("EAGER")->alternatives, IsEmpty());
}

TEST(FindTest, IgnoresCaseAndKnowsTheSpellingThatWasMeant) {
  EXPECT_EQ(Find("optimum_quanto_wf8e4m3n")->id, 39);
  EXPECT_EQ(Find("OPTIMUM_QUANTO_Wf8E5M2+COMPILE_CUDAGRAPHS")->id, 42);
  for (const char* none : {"", "94", "-1", "6x", "EAGER+EAGER", "99999999999999999999"}) {
    EXPECT_EQ(Find(none), nullptr) << none;
  }
}

}  // namespace
}  // namespace assay::conversion
