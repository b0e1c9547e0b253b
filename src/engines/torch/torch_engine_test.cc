#include "engines/torch/torch_engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <random>

#include "base/file.h"
#include "conversion/recipe.h"
#include "engines/torch/constant_calls.h"
#include "tensor/safetensors.h"

namespace assay::engine_torch {
namespace {

using aten::Call;
using aten::Default;
using aten::Program;
using aten::ValueId;
using aten::ValueRef;
using aten::ValueRefs;
using tensor::DType;
using tensor::Tensor;
using testing::HasSubstr;

using Ints = std::vector<std::int64_t>;

Tensor Uniform(std::string name, tensor::Shape shape, float low, std::uint32_t seed) {
  const auto count = tensor::ElementCount(shape);
  std::mt19937 bits(seed);
  Tensor tensor{std::move(name), {DType::kFloat32, std::move(shape)}, {}};
  tensor.data.resize(*count * sizeof(float));
  for (std::size_t i = 0; i < *count; ++i) {
    const float value = low + static_cast<float>(bits() >> 8) * 0x1p-24F;
    std::memcpy(tensor.data.data() + i * sizeof value, &value, sizeof value);
  }
  return tensor;
}

std::vector<Tensor> Weights() {
  return {Uniform("conv.weight", {8, 3, 3, 3}, -0.5F, 1),
          Uniform("conv.bias", {8}, -0.5F, 2),
          Uniform("bn.weight", {8}, 0.5F, 3),
          Uniform("bn.bias", {8}, -0.5F, 4),
          Uniform("bn.running_mean", {8}, -0.5F, 5),
          Uniform("bn.running_var", {8}, 0.5F, 6),
          Uniform("fc.weight", {10, 1024}, -0.5F, 7),
          Uniform("fc.bias", {10}, -0.5F, 8)};
}

/// Convolution, batch norm, ReLU in place, pooling, concatenation, linear; the module in
/// replay_reference.py is the same by hand.
Program SmallNetwork() {
  Program program;
  program.name = "small";
  program.inputs = {{0, "x", {DType::kFloat32, {1, 3, 16, 16}}}};
  aten::ValueId id = 1;
  for (const Tensor& weight : Weights()) {
    program.weights.push_back({id++, weight.name, "model.safetensors", weight.type});
  }
  const auto value = [](aten::ValueId v) { return ValueRef{v}; };
  program.calls = {
      {"aten::conv2d", "", {value(0), value(1), value(2), Ints{1, 1}, Ints{1, 1}}, {9}, {}, "c"},
      {"aten::batch_norm",
       "",
       {value(9), value(3), value(4), value(5), value(6), false, 0.1, 1e-5, true},
       {10},
       {9},
       "b"},
      {"aten::relu_", "", {value(10)}, {11}, {10}, "r"},
      {"aten::max_pool2d", "", {value(11), Ints{2, 2}, Ints{2, 2}}, {12}, {11}, "p"},
      {"aten::cat", "", {ValueRefs{{12, 12}}, std::int64_t{1}}, {13}, {12}, "j"},
      {"aten::flatten", "using_ints", {value(13), std::int64_t{1}}, {14}, {13}, "f"},
      {"aten::linear", "", {value(14), value(7), value(8)}, {15}, {14}, "l"},
  };
  program.outputs = {{15, "y", {DType::kFloat32, {1, 10}}}};
  program.value_count = 16;
  return program;
}

std::vector<float> Floats(const Tensor& tensor) {
  std::vector<float> values(tensor.data.size() / sizeof(float));
  std::memcpy(values.data(), tensor.data.data(), tensor.data.size());
  return values;
}

std::vector<double> Doubles(const Tensor& tensor) {
  std::vector<double> values(tensor.data.size() / sizeof(double));
  std::memcpy(values.data(), tensor.data.data(), tensor.data.size());
  return values;
}

double LargestError(const std::vector<float>& values, const std::vector<double>& golden) {
  double largest = 0;
  for (std::size_t i = 0; i < golden.size(); ++i) {
    largest = std::max(largest, std::abs(static_cast<double>(values[i]) - golden[i]));
  }
  return largest;
}

class TorchEngineTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "assay-torch-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    ASSERT_TRUE(tensor::WriteSafetensors(folder_ / "model.safetensors", Weights()).ok());
    const std::vector<Tensor> inputs = {Uniform("x.0", {1, 3, 16, 16}, -0.5F, 9),
                                        Uniform("x.1", {1, 3, 16, 16}, -0.5F, 10)};
    ASSERT_TRUE(tensor::WriteSafetensors(folder_ / "inputs.safetensors", inputs).ok());
    Write(SmallNetwork());
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void Write(const Program& program) {
    ASSERT_TRUE(WriteFileAtomically(folder_ / "program.json", ToJson(program).dump()).ok());
  }

  engine::Job JobFor(const std::string& compiler, const std::string& precision) const {
    engine::Job job;
    job.conversion = "EAGER";
    job.recipe =
        conversion::ToJson({.capture = "none", .compiler = compiler, .precision = precision});
    job.onnx = (folder_ / "model.onnx").string();
    job.program = (folder_ / "program.json").string();
    job.artifact = (folder_ / "artifact").string();
    job.inputs = (folder_ / "inputs.safetensors").string();
    job.input_sets = 2;
    job.threads = 2;
    return job;
  }

  Result<engine::Loaded> Load(const engine::Job& job) {
    ASSAY_ASSIGN(const auto inputs, tensor::SafetensorsFile::Open(job.inputs));
    return engine_.Load(job, inputs);
  }

  /// The output of set `set`, which must succeed.
  Tensor Run(int set) {
    const Status status = engine_.Infer(set);
    EXPECT_TRUE(status.ok()) << status.error().message;
    auto outputs = engine_.Outputs();
    EXPECT_TRUE(outputs.ok());
    return outputs->at(0);
  }

  std::string LoadError(const engine::Job& job) {
    const auto loaded = Load(job);
    return loaded.ok() ? "" : loaded.error().message;
  }

  /// Runs the Python module of replay_reference.py on the same files.
  void RunReference(const std::string& what) const {
    const std::string command = std::string(ASSAY_PYTHON) + " " + ASSAY_SOURCE_DIR +
                                "/src/engines/torch/replay_reference.py " + what + " " +
                                folder_.string();
    ASSERT_EQ(std::system(command.c_str()), 0) << command;
  }

  std::filesystem::path folder_;
  TorchEngine engine_;
};

TEST_F(TorchEngineTest, ReplayEqualsThePythonModuleToTheBit) {
  RunReference("eager");
  const auto reference = tensor::SafetensorsFile::Open(folder_ / "reference.safetensors");
  ASSERT_TRUE(reference.ok());
  ASSERT_TRUE(Load(JobFor("eager", "fp32")).ok());
  for (int set = 0; set < 2; ++set) {
    const Tensor expected = reference->Read(*reference->Find("y." + std::to_string(set)));
    EXPECT_EQ(Run(set).data, expected.data) << "set " << set;
  }
}

TEST_F(TorchEngineTest, AsItIsKeepsTheTypesOfTheProgram) {
  Program program = SmallNetwork();
  program.calls = {
      {"aten::to", "dtype", {ValueRef{0}, aten::DTypeArg{DType::kFloat16}}, {9}, {}, "h"},
      {"aten::mul", "Tensor", {ValueRef{9}, ValueRef{9}}, {10}, {9}, "m"}};
  program.outputs = {{10, "y", {DType::kFloat16, {1, 3, 16, 16}}}};
  program.value_count = 11;
  Write(program);
  engine::Job job = JobFor("eager", "fp16");
  job.recipe["as_is"] = true;
  const auto loaded = Load(job);
  ASSERT_TRUE(loaded.ok()) << loaded.error().message;
  EXPECT_EQ(loaded->precision, "fp16");
  const Tensor input = Uniform("x.0", {1, 3, 16, 16}, -0.5F, 9);
  const std::vector<float> x = Floats(input), y = Floats(Run(0));
  const auto half = static_cast<_Float16>(x[0]);
  EXPECT_EQ(y[0], static_cast<float>(static_cast<_Float16>(half * half)));
  job.recipe["precision"] = "fp32";
  job.recipe["as_is"] = false;
  ASSERT_TRUE(Load(job).ok());
  EXPECT_EQ(Floats(Run(0))[0], x[0] * x[0]);
}

TEST_F(TorchEngineTest, SaysWhatItObtained) {
  const auto loaded = Load(JobFor("eager", "fp32"));
  ASSERT_TRUE(loaded.ok());
  EXPECT_EQ(loaded->threads, 2);
  EXPECT_EQ(loaded->precision, "fp32");
  EXPECT_EQ(loaded->device, "cpu");
}

TEST_F(TorchEngineTest, AnInferenceLeavesWeightsAndInputsAsTheyWere) {
  ASSERT_TRUE(Load(JobFor("eager", "fp32")).ok());
  const Tensor first = Run(0);
  EXPECT_NE(Run(1).data, first.data);
  EXPECT_EQ(Run(0).data, first.data);
}

/// y = x * (3 c + (2 c + c)), where the first sum is written over 3 c.
Program OfConstants() {
  Tensor c = Uniform("c", {16}, -0.5F, 3);
  Program program;
  program.name = "constants";
  program.inputs = {{0, "x", {DType::kFloat32, {1, 3, 16, 16}}}};
  program.constants = {{1, std::move(c)}};
  const auto call = [&](const char* op, const char* overload, std::vector<aten::Argument> arguments,
                        ValueId result, std::vector<ValueId> frees) {
    program.calls.push_back({op, overload, std::move(arguments), {result}, std::move(frees), op});
  };
  call("aten::mul", "Scalar", {ValueRef{1}, 2.0}, 2, {});
  call("aten::add", "Tensor", {ValueRef{2}, ValueRef{1}}, 3, {2});
  call("aten::mul", "Scalar", {ValueRef{1}, 3.0}, 4, {});
  call("aten::add_", "Tensor", {ValueRef{4}, ValueRef{3}}, 5, {3, 4});
  call("aten::mul", "Tensor", {ValueRef{0}, ValueRef{5}}, 6, {5});
  program.outputs = {{6, "y", {DType::kFloat32, {1, 3, 16, 16}}}};
  program.value_count = 7;
  return program;
}

TEST_F(TorchEngineTest, MakesWhatDependsOnConstantsOnceButNotWhatIsWrittenTo) {
  Write(OfConstants());
  ASSERT_TRUE(Load(JobFor("eager", "fp32")).ok());
  const Tensor first = Run(0);
  EXPECT_EQ(Run(0).data, first.data);
  const auto inputs = tensor::SafetensorsFile::Open(folder_ / "inputs.safetensors");
  const Tensor x = inputs->Read(*inputs->Find("x.0"));
  const Tensor c = Uniform("c", {16}, -0.5F, 3);
  const auto number = [](const Tensor& tensor, std::size_t i) {
    float value = 0;
    std::memcpy(&value, tensor.data.data() + i * sizeof value, sizeof value);
    return value;
  };
  for (std::size_t i = 0; i < 768; ++i) {
    EXPECT_NEAR(number(first, i), 6 * number(c, i % 16) * number(x, i), 1e-6);
  }
}

TEST_F(TorchEngineTest, ConstantCallsReadNoInputAndWriteNothing) {
  std::vector<ResolvedCall> calls;
  const Program program = OfConstants();
  for (const aten::Call& call : program.calls) {
    auto resolved = Resolve(call, at::kFloat);
    ASSERT_TRUE(resolved.ok());
    calls.push_back(*std::move(resolved));
  }
  EXPECT_EQ(ConstantCalls(calls, {false, true, false, false, false, false, false}),
            (std::vector<bool>{true, true, false, false, false}));
}

TEST_F(TorchEngineTest, GoldenInFp64IsCloserThanFp32AndBf16IsFurther) {
  ASSERT_TRUE(Load(JobFor("eager", "fp64")).ok());
  const Tensor golden = Run(0);
  ASSERT_EQ(golden.type.dtype, DType::kFloat64);
  ASSERT_TRUE(Load(JobFor("eager", "fp32")).ok());
  const double fp32 = LargestError(Floats(Run(0)), Doubles(golden));
  ASSERT_TRUE(Load(JobFor("eager", "bf16")).ok());
  const Tensor reduced = Run(0);
  ASSERT_EQ(reduced.type.dtype, DType::kFloat32);
  const double bf16 = LargestError(Floats(reduced), Doubles(golden));
  EXPECT_GT(fp32, 0);
  EXPECT_LT(fp32, 1e-4);
  EXPECT_GT(bf16, 10 * fp32);
  EXPECT_LT(bf16, 1);
}

TEST_F(TorchEngineTest, RunsAPackageOfAotInductor) {
  RunReference("package");
  auto job = JobFor("aot_inductor", "fp32");
  const auto loaded = Load(job);
  ASSERT_TRUE(loaded.ok()) << loaded.error().message;
  const Tensor compiled = Run(0);
  ASSERT_TRUE(Load(JobFor("eager", "fp64")).ok());
  EXPECT_LT(LargestError(Floats(compiled), Doubles(Run(0))), 1e-4);

  job.threads = 1;
  EXPECT_THAT(LoadError(job), HasSubstr("for 2 threads"));
}

TEST_F(TorchEngineTest, NamesAMissingPackage) {
  EXPECT_THAT(LoadError(JobFor("aot_inductor", "fp32")), HasSubstr("artifact.json"));
}

TEST_F(TorchEngineTest, NamesAnOperatorThatPyTorchLacks) {
  Program program = SmallNetwork();
  program.calls[2].op = "aten::relu_but_better";
  Write(program);
  const auto loaded = Load(JobFor("eager", "fp32"));
  ASSERT_FALSE(loaded.ok());
  EXPECT_EQ(loaded.error().code, Code::kUnsupported);
  EXPECT_THAT(loaded.error().message, HasSubstr("aten::relu_but_better (node 'r')"));
}

TEST_F(TorchEngineTest, NamesAnArgumentThatDoesNotFitTheSchema) {
  Program program = SmallNetwork();
  program.calls[3].arguments[1] = std::string("two");
  Write(program);
  EXPECT_THAT(LoadError(JobFor("eager", "fp32")),
              HasSubstr("aten::max_pool2d (node 'p'): parameter 'kernel_size' is int[]"));
}

TEST_F(TorchEngineTest, NamesTheCallThatFailsWhileRunning) {
  Program program = SmallNetwork();
  program.calls[5].arguments[1] = std::int64_t{7};
  Write(program);
  ASSERT_TRUE(Load(JobFor("eager", "fp32")).ok());
  const Status status = engine_.Infer(0);
  ASSERT_FALSE(status.ok());
  EXPECT_THAT(status.error().message, HasSubstr("aten::flatten.using_ints (node 'f'): Dimension"));
}

TEST_F(TorchEngineTest, RefusesInputsOfAnotherShape) {
  Program program = SmallNetwork();
  program.inputs[0].type.shape = {1, 3, 16, 17};
  Write(program);
  EXPECT_THAT(LoadError(JobFor("eager", "fp32")),
              HasSubstr("input 'x.0' is float32 1x3x16x16, the model takes float32 1x3x16x17"));
}

TEST_F(TorchEngineTest, RefusesWeightsOfAnotherShape) {
  Program program = SmallNetwork();
  program.weights[0].type.shape = {8, 3, 3, 4};
  Write(program);
  EXPECT_THAT(LoadError(JobFor("eager", "fp32")), HasSubstr("no tensor 'conv.weight'"));
}

TEST_F(TorchEngineTest, RefusesACompilerOfAnotherEngine) {
  EXPECT_THAT(LoadError(JobFor("openvino", "fp32")), HasSubstr("'openvino'"));
}

}  // namespace
}  // namespace assay::engine_torch
