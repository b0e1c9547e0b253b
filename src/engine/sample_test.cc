#include "engine/sample.h"

#include <gmock/gmock.h>

#include <vector>

namespace assay::engine {
namespace {

using ::testing::ElementsAre;

/// A clock that moves only when told to.
struct ScriptedClock {
  std::int64_t operator()() const {
    ++*readings;
    return *now;
  }
  std::int64_t* now;
  int* readings;
};

class SampleTest : public ::testing::Test {
 protected:
  std::int64_t now_ = 1'000'000;
  int readings_ = 0;
  ScriptedClock clock_{&now_, &readings_};
  std::vector<int> sets_;
};

TEST_F(SampleTest, IsTheTimeOfTheInferenceAlone) {
  Rotation rotation(4);
  const auto infer = [&](int set) -> Status {
    EXPECT_EQ(readings_, 1) << "one reading before, none in between";
    sets_.push_back(set);
    now_ += 700;
    return {};
  };
  EXPECT_EQ(*TimeSample(clock_, infer, rotation, 1), 700);
  EXPECT_EQ(readings_, 2);
  EXPECT_THAT(sets_, ElementsAre(0));
}

TEST_F(SampleTest, DividesABatchByItsInferences) {
  Rotation rotation(3);
  const auto infer = [&](int set) -> Status {
    sets_.push_back(set);
    now_ += 10 + set;
    return {};
  };
  EXPECT_EQ(*TimeSample(clock_, infer, rotation, 5), (10 + 11 + 12 + 10 + 11) / 5.0);
  EXPECT_THAT(sets_, ElementsAre(0, 1, 2, 0, 1));
}

TEST_F(SampleTest, OfSeveralAtATimeLastsUntilAsManyAreInFlightAsBefore) {
  Rotation rotation(3);
  const auto infer = [&](int set) -> Status {
    sets_.push_back(set);
    now_ += 100;
    return {};
  };
  const auto settle = [&]() -> Status {
    EXPECT_EQ(readings_, 1);
    EXPECT_THAT(sets_, ElementsAre(0, 1, 2, 0)) << "after all have been started";
    now_ += 600;
    return {};
  };
  EXPECT_EQ(*TimeCompletions(clock_, infer, settle, rotation, 4), 1000 / 4);
  EXPECT_EQ(readings_, 2);
  const auto fails = []() -> Status { return Error{Code::kInternal, "kernel failed", ""}; };
  EXPECT_FALSE(TimeCompletions(clock_, infer, fails, rotation, 1).ok());
}

TEST_F(SampleTest, GoesOnRotatingFromSampleToSample) {
  Rotation rotation(3);
  const auto infer = [&](int set) -> Status {
    sets_.push_back(set);
    return {};
  };
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(TimeSample(clock_, infer, rotation, 2).ok());
  }
  EXPECT_THAT(sets_, ElementsAre(0, 1, 2, 0, 1, 2));
}

TEST_F(SampleTest, EndsABatchAtTheFirstError) {
  Rotation rotation(4);
  const auto infer = [&](int set) -> Status {
    sets_.push_back(set);
    if (set == 1) {
      return Error{Code::kInternal, "the runtime gave up", ""};
    }
    return {};
  };
  const Result<double> sample = TimeSample(clock_, infer, rotation, 4);
  EXPECT_EQ(sample.error().message, "the runtime gave up");
  EXPECT_THAT(sets_, ElementsAre(0, 1));
}

TEST(ClockFloorTest, IsTheMedianOfReadingsAroundNothing) {
  std::int64_t now = 0, reading = 0;
  const auto clock = [&] { return now += ++reading % 10 == 0 ? 5000 : 20; };
  EXPECT_EQ(ClockFloor(clock), 20);
}

TEST(MonotonicClockTest, DoesNotGoBack) {
  const MonotonicClock clock;
  const std::int64_t first = clock();
  EXPECT_GE(clock(), first);
}

}  // namespace
}  // namespace assay::engine
