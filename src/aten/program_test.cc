#include "aten/program.h"

#include <gmock/gmock.h>

#include <limits>

namespace assay::aten {
namespace {

using ::testing::HasSubstr;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

tensor::Type Float(tensor::Shape shape) { return {tensor::DType::kFloat32, std::move(shape)}; }

/// A program with an argument of every kind.
Program Sample() {
  Program program;
  program.name = "sample";
  program.value_count = 5;
  program.inputs = {{0, "input", Float({1, 3})}};
  program.weights = {{1, "fc.weight", "model.safetensors", Float({3, 3})}};
  program.constants = {{2, {"one", Float({}), std::vector<std::byte>(4, std::byte{0xa7})}}};
  Call call{"aten::test", "Tensor", {}, {3}, {}, "node_0"};
  call.arguments = {Default{},
                    ValueRef{0},
                    ValueRefs{{1, kHole, 2}},
                    true,
                    std::int64_t{1},
                    1.0,
                    std::string("same"),
                    std::vector<std::int64_t>{1, 1},
                    std::vector<double>{0.5, kInfinity},
                    DTypeArg{tensor::DType::kBFloat16},
                    -kInfinity,
                    DeviceArg{},
                    MemoryFormat::kChannelsLast};
  program.calls = {call, {"aten::relu_", "", {ValueRef{3}}, {4}, {3}, "node_1"}};
  program.outputs = {{4, "output", Float({1, 3})}};
  return program;
}

/// The error of reading what `edit` made of the sample.
template <typename Edit>
std::string MessageAfter(Edit edit) {
  Json json = ToJson(Sample());
  edit(json);
  const auto program = ProgramFromJson(json, "program.json");
  return program.ok() ? "read without an error" : program.error().message;
}

TEST(ProgramJsonTest, ReadsBackWhatWasWritten) {
  const Json json = ToJson(Sample());
  const auto parsed = ParseJson(json.dump(1), "text");
  ASSERT_TRUE(parsed.ok());
  const auto program = ProgramFromJson(*parsed, "program.json");
  ASSERT_TRUE(program.ok()) << program.error().message;
  EXPECT_EQ(ToJson(*program).dump(1), json.dump(1));
}

TEST(ProgramJsonTest, KeepsDoublesAndIntegersApart) {
  const auto parsed = ParseJson(ToJson(Sample()).dump(), "text");
  ASSERT_TRUE(parsed.ok());
  const auto program = ProgramFromJson(*parsed, "program.json");
  ASSERT_TRUE(program.ok()) << program.error().message;
  const auto& arguments = program->calls[0].arguments;
  EXPECT_TRUE(std::holds_alternative<std::int64_t>(arguments[4]));
  EXPECT_EQ(std::get<double>(arguments[5]), 1.0);
  EXPECT_EQ(std::get<std::vector<double>>(arguments[8])[1], kInfinity);
  EXPECT_EQ(std::get<double>(arguments[10]), -kInfinity);
  EXPECT_EQ(program->constants[0].tensor.data, std::vector<std::byte>(4, std::byte{0xa7}));
}

TEST(ProgramJsonTest, KeepsHolesDevicesAndMemoryFormats) {
  const auto program = ProgramFromJson(ToJson(Sample()), "program.json");
  ASSERT_TRUE(program.ok()) << program.error().message;
  const auto& arguments = program->calls[0].arguments;
  EXPECT_EQ(std::get<ValueRefs>(arguments[2]).ids, (std::vector<ValueId>{1, kHole, 2}));
  EXPECT_TRUE(std::holds_alternative<DeviceArg>(arguments[11]));
  EXPECT_EQ(std::get<MemoryFormat>(arguments[12]), MemoryFormat::kChannelsLast);
}

TEST(ProgramJsonTest, RefusesWhatIsNoHoleNorId) {
  for (const Json& wrong : {Json(-1), Json("x"), Json(1.5)}) {
    EXPECT_THAT(
        MessageAfter([&](Json& json) { json["calls"][0]["arguments"][2]["values"][1] = wrong; }),
        HasSubstr("names value -2"))
        << wrong;
  }
  EXPECT_THAT(
      MessageAfter([](Json& json) { json["calls"][0]["arguments"][11] = {{"device", "cuda"}}; }),
      HasSubstr("no argument of a known kind"));
  EXPECT_THAT(MessageAfter([](Json& json) {
                json["calls"][0]["arguments"][12] = {{"memory_format", "strided"}};
              }),
              HasSubstr("no argument of a known kind"));
}

TEST(ProgramJsonTest, RefusesAnotherSchema) {
  EXPECT_THAT(MessageAfter([](Json& json) { json["schema"] = "assay.aten/2"; }),
              HasSubstr("'assay.aten/2'"));
}

TEST(ProgramJsonTest, RefusesAMissingKey) {
  EXPECT_THAT(MessageAfter([](Json& json) { json.erase("calls"); }), HasSubstr("program.json"));
}

TEST(ProgramJsonTest, RefusesAnIdOutOfRange) {
  EXPECT_THAT(MessageAfter([](Json& json) { json["calls"][0]["arguments"][1]["value"] = 5; }),
              HasSubstr("names value 5, of 5"));
}

TEST(ProgramJsonTest, RefusesAnIdThatWouldWrapAround) {
  EXPECT_THAT(MessageAfter([](Json& json) {
                json["calls"][0]["arguments"][1]["value"] = std::int64_t{1} << 32;
              }),
              HasSubstr("names value -1"));
}

TEST(ProgramJsonTest, RefusesAHugeValueCount) {
  EXPECT_THAT(MessageAfter([](Json& json) { json["value_count"] = 2147483647; }),
              HasSubstr("value_count is 2147483647"));
}

TEST(ProgramJsonTest, RefusesAValueThatNothingMade) {
  EXPECT_THAT(MessageAfter([](Json& json) { json["calls"][0]["arguments"][1]["value"] = 4; }),
              HasSubstr("which nothing made"));
}

TEST(ProgramJsonTest, RefusesAUseAfterTheLast) {
  EXPECT_THAT(MessageAfter([](Json& json) { json["outputs"][0]["id"] = 3; }),
              HasSubstr("which was freed"));
}

TEST(ProgramJsonTest, RefusesFreeingAWeight) {
  EXPECT_THAT(MessageAfter([](Json& json) { json["calls"][1]["frees"] = {1}; }),
              HasSubstr("frees value 1"));
}

TEST(ProgramJsonTest, RefusesAValueMadeTwice) {
  EXPECT_THAT(MessageAfter([](Json& json) { json["calls"][1]["results"] = {3}; }),
              HasSubstr("exists already"));
}

TEST(ProgramJsonTest, RefusesAnArgumentOfNoKnownKind) {
  EXPECT_THAT(MessageAfter([](Json& json) { json["calls"][0]["arguments"][0] = {{"x", 1}}; }),
              HasSubstr("no argument of a known kind"));
  EXPECT_THAT(
      MessageAfter([](Json& json) { json["calls"][0]["arguments"][9]["dtype"] = "float7"; }),
      HasSubstr("no argument of a known kind"));
}

TEST(ProgramJsonTest, RefusesAFloatAmongIntegers) {
  EXPECT_THAT(MessageAfter([](Json& json) { json["calls"][0]["arguments"][7] = {1, 0.5}; }),
              HasSubstr("a list of integers holds 0.5"));
}

TEST(ProgramJsonTest, RefusesAConstantWithTooFewBytes) {
  EXPECT_THAT(MessageAfter([](Json& json) { json["constants"][0]["hex"] = "00"; }),
              HasSubstr("constant 'one' of shape scalar has 1 bytes"));
}

}  // namespace
}  // namespace assay::aten
