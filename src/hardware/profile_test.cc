#include "hardware/profile.h"

#include <gmock/gmock.h>

#include <set>

#include "base/text.h"
#include "hardware/profiles.h"

namespace assay::hardware {
namespace {

using ::testing::HasSubstr;

Json Valid() {
  return *ParseJson(R"({"name": "X", "aliases": [], "family": [], "vendor": "V", "kind": "cpu",
    "class": "data sheet", "sources": {"ds": "a data sheet"},
    "units": {"value": 4, "source": "ds", "confidence": "read"},
    "base_clock_hz": null, "boost_clock_hz": null, "tdp_w": null, "process_nm": null,
    "rates": [{"dtype": "fp32", "unit": "vector", "units": 4, "ops_per_clock": 16, "clock_hz": 1e9,
               "per_s": 64e9, "source": "ds", "confidence": "read"}],
    "memory": [{"level": "DRAM", "capacity_bytes": 8e9, "bytes_per_s": 20e9, "source": "ds",
                "confidence": "read"}]})",
                    "test");
}

TEST(ProfileTest, EveryFileKeepsToTheSchema) {
  ASSERT_GE(ProfileTexts().size(), 38u);
  for (const std::string_view text : ProfileTexts()) {
    const auto json = ParseJson(text, "profile");
    ASSERT_TRUE(json.ok()) << json.error().message;
    const auto profile = ProfileFromJson(*json, "profile");
    EXPECT_TRUE(profile.ok()) << json->value("name", "?") << ": " << profile.error().message;
  }
  EXPECT_EQ(Profiles().size(), ProfileTexts().size());
}

TEST(ProfileTest, EveryPeakIsUnitsTimesWidthTimesClock) {
  std::size_t recomputed = 0;
  for (const Profile& profile : Profiles()) {
    for (const std::string& disagreement : Disagreements(profile)) {
      ADD_FAILURE() << disagreement;
    }
    for (const Rate& rate : profile.rates) {
      recomputed += rate.Recomputed() ? 1 : 0;
    }
  }
  EXPECT_GE(recomputed, 150u);
}

TEST(ProfileTest, FlagsAPeakThatItsCompositionDoesNotGive) {
  Json json = Valid();
  json["rates"][0]["per_s"] = 232e12;
  const auto profile = ProfileFromJson(json, "x.json");
  ASSERT_TRUE(profile.ok());
  ASSERT_EQ(Disagreements(*profile).size(), 1u);
  EXPECT_THAT(Disagreements(*profile)[0], HasSubstr("4 x 16 x 1e+09 Hz is 6.4e+10"));
}

TEST(ProfileTest, TakesNoneOfTheFiguresKnownToBeWrong) {
  const auto peak = [](const char* name, const char* dtype, bool matrix) {
    return *FindProfile(name)->Peak(dtype, matrix);
  };
  EXPECT_NEAR(peak("H100-SXM5", "bf16", true), 989e12, 1e12);
  EXPECT_NEAR(FindProfile("H100-SXM5")->Main().bytes_per_s->value, 3.35e12, 1e10);
  EXPECT_NEAR(peak("A100-SXM", "fp32", false), 19.5e12, 1e11);
  EXPECT_NEAR(peak("V100", "fp16", true), 125e12, 1e12);
  EXPECT_NEAR(peak("T4", "int8", true), 130e12, 1e12);
  EXPECT_NEAR(peak("TPU-v4", "bf16", true), 275e12, 1e12);
  EXPECT_NEAR(peak("TPU-v5p", "bf16", true), 459e12, 1e12);
  EXPECT_NEAR(FindProfile("AmpereOne-192")->Main().bytes_per_s->value, 332.8e9, 1e9);
  EXPECT_NEAR(FindProfile("Jetson-Thor")->Main().bytes_per_s->value, 273e9, 1e9);
}

TEST(ProfileTest, UnverifiedFiguresMakeAnUnverifiedProfile) {
  for (const Profile& profile : Profiles()) {
    bool unverified = profile.Main().bytes_per_s->confidence == "unverified";
    for (const Rate& rate : profile.rates) {
      unverified = unverified || rate.per_s.confidence == "unverified";
    }
    EXPECT_EQ(profile.confidence == "unverified", unverified) << profile.name;
  }
}

TEST(ProfileTest, NamesAndAliasesStandForOneProcessor) {
  std::set<std::string> seen;
  for (const Profile& profile : Profiles()) {
    std::set<std::string> own = {ToLower(profile.name)};
    for (const std::string& alias : profile.aliases) {
      own.insert(ToLower(alias));
      EXPECT_EQ(FindProfile(alias)->name, profile.name) << alias;
    }
    for (const std::string& name : own) {
      EXPECT_TRUE(seen.insert(name).second) << name;
    }
  }
}

TEST(ProfileTest, FindsNamesAsPeopleSpellThem) {
  EXPECT_EQ(FindProfile("intel i7 12700k")->name, "i7-12700K");
  EXPECT_EQ(FindProfile("h100_sxm5")->name, "H100-SXM5");
  EXPECT_EQ(FindProfile("a100")->name, "A100-SXM4-80GB");
}

TEST(ProfileTest, AnswersAmbiguousNamesWithTheChoice) {
  const auto h100 = FindProfile("H100");
  ASSERT_FALSE(h100.ok());
  EXPECT_EQ(h100.error().code, Code::kInvalidArgument);
  EXPECT_EQ(h100.error().hint, "say which: H100-PCIe, H100-SXM5");
  EXPECT_THAT(FindProfile("H100-SXN5").error().message, HasSubstr("did you mean H100-SXM5"));
}

TEST(ProfileTest, RefusesMissingAndNegativeFigures) {
  const auto error = [](Json json) { return ProfileFromJson(json, "x.json").error().message; };
  Json json = Valid();
  ASSERT_TRUE(ProfileFromJson(json, "x.json").ok());
  json["rates"][0]["per_s"] = -1;
  EXPECT_EQ(error(json), "x.json: rates[0].per_s is -1, not above zero");
  json = Valid();
  json["memory"][0].erase("capacity_bytes");
  EXPECT_EQ(error(json), "x.json: memory[0].capacity_bytes is missing");
  json = Valid();
  json["memory"][0]["source"] = "elsewhere";
  EXPECT_THAT(error(json), HasSubstr("'elsewhere' is not among the sources"));
  json = Valid();
  json.erase("tdp_w");
  EXPECT_THAT(error(json), HasSubstr("tdp_w is missing"));
  EXPECT_THAT(error(Json::array()), HasSubstr("no object"));
}

}  // namespace
}  // namespace assay::hardware
