// Every model of the zoo on every processor: no operator passes a peak, nothing is left uncounted.
#include <gtest/gtest.h>

#include "hardware/profiles.h"
#include "predict/breakdown.h"
#include "predict/prediction.h"
#include "zoo/zoo.h"

namespace assay::predict {
namespace {

constexpr double kRounding = 1 + 1e-9;

class PhysicsTest : public ::testing::TestWithParam<std::string> {
 protected:
  static model::Model Outline(std::int64_t batch) {
    auto model = zoo::Outline(*zoo::Find(GetParam()), {.batch_size = batch});
    EXPECT_TRUE(model.ok()) << model.error().message;
    return *std::move(model);
  }
};

void ExpectWithinPeaks(const Prediction& prediction, const hardware::Profile& profile) {
  const hardware::Level* last =
      profile.memory.size() > 1 ? &profile.memory[profile.memory.size() - 2] : nullptr;
  for (const OperatorPrediction& op : prediction.operators) {
    const std::string where = op.name + " in " + prediction.precision + " on " + profile.name;
    const double flops = static_cast<double>(op.flops);
    ASSERT_LE(flops, op.peak_flops_per_s * op.time_s * kRounding) << where;
    ASSERT_LE(op.peak_flops_per_s, prediction.peak_flops_per_s * kRounding) << where;
    ASSERT_LE(static_cast<double>(op.main_bytes),
              profile.Main().bytes_per_s->value * op.time_s * kRounding)
        << where;
    if (last != nullptr && last->bytes_per_s) {
      ASSERT_LE(static_cast<double>(op.cache_bytes),
                last->bytes_per_s->value * op.time_s * kRounding)
          << where;
    }
    ASSERT_LE(op.utilization, kRounding) << where;
  }
  ASSERT_LE(prediction.roofline_s, prediction.latency_s * kRounding) << profile.name;
}

TEST_P(PhysicsTest, NoOperatorPassesAPeakAnywhere) {
  std::size_t predicted = 0;
  for (const std::int64_t batch : {1, 8, 64}) {
    const model::Model model = Outline(batch);
    for (const Precision& precision : Precisions()) {
      for (const EngineKind kind : {EngineKind::kEager, EngineKind::kCompiled}) {
        const Work work = PrepareWork(model.graph, precision, kind);
        for (const hardware::Profile& profile : hardware::Profiles()) {
          const Prediction prediction = Predict(work, profile, batch);
          if (prediction.fits) {
            ExpectWithinPeaks(prediction, profile);
            ++predicted;
          }
        }
      }
    }
  }
  EXPECT_GT(predicted, 500u);
}

// The zoo's tests hold a model's own counts to the published ones.
TEST_P(PhysicsTest, CountsWhatTheModelCounts) {
  const model::Model model = Outline(1);
  const Breakdown breakdown = BreakDown(model.graph, *FindPrecision("fp32"), SortBy::kMacs, 0, 0);
  EXPECT_EQ(breakdown.total.parameters, model.parameters);
  EXPECT_EQ(breakdown.total.macs, model.macs);
  EXPECT_EQ(breakdown.total.parameters, zoo::Find(GetParam())->parameters);
  EXPECT_EQ(breakdown.coverage.understood, breakdown.coverage.nodes);
}

std::vector<std::string> Names() {
  std::vector<std::string> names;
  for (const zoo::Entry& entry : zoo::Entries()) {
    names.push_back(entry.name);
  }
  return names;
}

INSTANTIATE_TEST_SUITE_P(Zoo, PhysicsTest, ::testing::ValuesIn(Names()),
                         [](const auto& each) { return each.param; });

}  // namespace
}  // namespace assay::predict
