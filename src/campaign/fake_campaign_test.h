// For tests: whole campaigns with real processes, in which every arm, preparer and reference is the
// fake engine.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include "campaign/campaign.h"

namespace assay::campaign {

class SaysNothing final : public Progress {
 public:
  void Update(const Stage& stage) override {
    if (on_round && stage.name == "timing") {
      on_round(stage);
    }
  }
  void Say(const std::string& line) override { said.push_back(line); }
  std::function<void(const Stage&)> on_round;
  std::vector<std::string> said;
};

class FakeCampaignTest : public ::testing::Test {
 protected:
  FakeCampaignTest() {
    std::string pattern = ::testing::TempDir() + "campaign-XXXXXX";
    around_.home = ::mkdtemp(pattern.data());
    around_.engines = ASSAY_BUILD_DIR;
    around_.roles = {.golden = "fake", .witness = "fake", .rounding = "", .lowered = {}};
    around_.physical_cores = 1;
    model_.name = "tiny";
    model_.source = "onnx";
    model_.sha256 = "0123";
    model_.graph.values.emplace_back().name = "x";
    model_.graph.values.back().type = {tensor::DType::kFloat32, {1, 8}};
    model_.graph.inputs = {0};
    options_.samples = 60;  // the least look: 12 rounds
    options_.baseline_runs = 60;
    options_.precision_target = 1;
    options_.processes = 1;
    options_.engine_options = {{"default", {{"latency_ns", 10e6}}}, {"arms", Json::object()}};
  }
  ~FakeCampaignTest() override { std::filesystem::remove_all(around_.home); }

  void Add(const std::string& name, const Json& script = Json::object(), bool prepared = false) {
    conversion::Choice choice;
    choice.conversion.name = choice.label = name;
    choice.conversion.device = "CPU";
    choice.conversion.recipe.compiler = "fake";
    choice.route = {.engine = "fake", .preparer = prepared ? "fake" : ""};
    choices_.push_back(choice);
    Json own = {{"latency_ns", 10e6}, {"own_clock", true}};
    own.update(script);
    options_.engine_options["arms"][name] = own;
  }
  Campaign Run() {
    auto campaign = RunCampaign(std::span(&model_, 1), choices_, options_, around_, progress_);
    EXPECT_TRUE(campaign.ok()) << campaign.error().message;
    return campaign.ok() ? *std::move(campaign) : Campaign{};
  }
  void AddBad(const std::string& name, const Json& misbehaviour) {
    Add(name, {{"misbehave", {misbehaviour}}}, misbehaviour.value("stage", "") == "prepare");
  }

  model::Model model_;
  std::vector<conversion::Choice> choices_;
  Options options_;
  Surroundings around_;
  SaysNothing progress_;
};

}  // namespace assay::campaign
