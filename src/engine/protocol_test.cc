#include "engine/protocol.h"

#include <gmock/gmock.h>

namespace assay::engine {
namespace {

using ::testing::ElementsAre;

TEST(ProtocolTest, CarriesADescriptionThroughJson) {
  const Description sent{kProtocolVersion, "torch", "2.13.0", false, "no wheel", "run it", "0123"};
  const auto got = DescriptionFromJson(MakeReply(ToJson(sent)));
  ASSERT_TRUE(got.ok()) << got.error().message;
  EXPECT_EQ(ToJson(*got), ToJson(sent));
}

TEST(ProtocolTest, CarriesAJobThroughJsonBesideItsVerb) {
  const Job sent{.conversion = "ONNX_CPU",
                 .recipe = {{"precision", "fp32"}},
                 .onnx = "/m/model.onnx",
                 .program = "/m/program.json",
                 .module = "/m/module.json",
                 .artifact = "/a",
                 .inputs = "/i.safetensors",
                 .input_sets = 5,
                 .threads = 3,
                 .options = {{"arms", Json::object()}}};
  const Json request = MakeRequest("load", ToJson(sent));
  EXPECT_EQ(request.at("verb"), "load");
  const auto got = JobFromJson(request);
  ASSERT_TRUE(got.ok()) << got.error().message;
  EXPECT_EQ(ToJson(*got), ToJson(sent));
}

TEST(ProtocolTest, CarriesWhatWasLoadedAndPreparedThroughJson) {
  const Loaded loaded{1.5, 2, "bf16", "cpu", {"fell back"}, "", 4};
  const auto got = LoadedFromJson(ToJson(loaded));
  ASSERT_TRUE(got.ok());
  EXPECT_EQ(ToJson(*got), ToJson(loaded));
  const auto prepared = PreparedFromJson(ToJson(Prepared{2.5, {"a", "b"}}));
  ASSERT_TRUE(prepared.ok());
  EXPECT_EQ(prepared->seconds, 2.5);
  EXPECT_THAT(prepared->notes, ElementsAre("a", "b"));
}

TEST(ProtocolTest, CarriesASliceThroughJsonToTheLastBit) {
  const Slice slice{{0.1 + 0.2, 1e9 / 3}, {1, 2, 3, 4, 5'000'000'000, 6}, 21.0, {7.5}};
  const auto got = SliceFromJson(Json::parse(ToJson(slice).dump()));
  ASSERT_TRUE(got.ok());
  EXPECT_THAT(got->samples_ns, ElementsAre(0.1 + 0.2, 1e9 / 3));
  EXPECT_EQ(ToJson(*got), ToJson(slice));
}

TEST(ProtocolTest, CarriesMemoryThroughJson) {
  const auto got = MemoryFromJson(ToJson(Memory{1ull << 40, 4096}));
  ASSERT_TRUE(got.ok());
  EXPECT_EQ(got->peak_rss_bytes, 1ull << 40);
  EXPECT_EQ(got->file_bytes, 4096u);
}

TEST(ProtocolTest, RefusesASliceWithATimeThatIsNone) {
  Json json = ToJson(Slice{{5.0}, {}, 0});
  json["samples_ns"][0] = -5.0;
  EXPECT_EQ(SliceFromJson(json).error().code, Code::kMalformed);
  json["samples_ns"][0] = nullptr;  // how JSON writes NaN
  EXPECT_EQ(SliceFromJson(json).error().code, Code::kMalformed);
}

TEST(ProtocolTest, RefusesAReplyWithMissingOrMistypedFields) {
  EXPECT_EQ(LoadedFromJson(Json::object()).error().code, Code::kMalformed);
  Json json = ToJson(Loaded{1.5, 2, "fp32", "cpu", {}});
  json["threads"] = 1e300;
  EXPECT_EQ(LoadedFromJson(json).error().code, Code::kMalformed);
  json["threads"] = "two";
  EXPECT_EQ(LoadedFromJson(json).error().code, Code::kMalformed);
}

TEST(ProtocolTest, TellsTheKindOfAnErrorAcross) {
  const auto across = [](Code code) {
    const Status got = CheckReply(MakeReply(Error{code, "message", "hint"}));
    EXPECT_EQ(got.error().message, "message");
    EXPECT_EQ(got.error().hint, "hint");
    return got.error().code;
  };
  EXPECT_EQ(across(Code::kUnsupported), Code::kUnsupported);
  EXPECT_EQ(across(Code::kOutOfMemory), Code::kOutOfMemory);
  EXPECT_EQ(across(Code::kNotFound), Code::kInternal);
}

TEST(ProtocolTest, TakesAReplyForWhatItIs) {
  EXPECT_TRUE(CheckReply(MakeReply()).ok());
  EXPECT_EQ(CheckReply(Json::object()).error().code, Code::kMalformed);
  EXPECT_EQ(CheckReply({{"ok", "yes"}}).error().code, Code::kMalformed);
  EXPECT_EQ(CheckReply({{"ok", false}, {"error", 7}}).error().code, Code::kMalformed);
}

}  // namespace
}  // namespace assay::engine
