#include "engine/flight.h"

#include <gmock/gmock.h>

#include <thread>

namespace assay::engine {
namespace {

using ::testing::Each;
using ::testing::Gt;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(FlightTest, HandsOutEachPlaceOnceUntilItIsFreeAgain) {
  Flight flight(2);
  EXPECT_EQ(*flight.Begin(), 0);
  EXPECT_EQ(*flight.Begin(), 1);
  EXPECT_EQ(flight.InFlight(), 2);
  flight.End(0, "");
  EXPECT_EQ(flight.InFlight(), 1);
  EXPECT_EQ(*flight.Begin(), 0);
}

TEST(FlightTest, WaitsForAPlaceThatAnotherThreadGivesBack) {
  Flight flight(1);
  for (int i = 0; i < 100; ++i) {
    const auto place = flight.Begin();
    ASSERT_TRUE(place.ok());
    std::thread([&flight, place] { flight.End(*place, ""); }).detach();
  }
  ASSERT_TRUE(flight.Settle(0).ok());
  EXPECT_EQ(flight.InFlight(), 0);
  EXPECT_THAT(flight.TakeLatencies(), SizeIs(100));
}

TEST(FlightTest, KnowsHowLongEachTookAndForgetsItOnceTold) {
  Flight flight(2);
  ASSERT_TRUE(flight.Begin().ok() && flight.Begin().ok());
  flight.End(1, "");
  flight.End(0, "");
  const auto latencies = flight.TakeLatencies();
  EXPECT_THAT(latencies, SizeIs(2));
  EXPECT_THAT(latencies, Each(Gt(0)));
  EXPECT_THAT(flight.TakeLatencies(), IsEmpty());
}

TEST(FlightTest, TellsTheFirstFailureOnceAndGoesOn) {
  Flight flight(2);
  ASSERT_TRUE(flight.Begin().ok() && flight.Begin().ok());
  flight.End(0, "kernel failed");
  flight.End(1, "and so did this");
  const Status settled = flight.Settle(0);
  ASSERT_FALSE(settled.ok());
  EXPECT_THAT(settled.error().message, HasSubstr("kernel failed"));
  EXPECT_THAT(flight.TakeLatencies(), IsEmpty());
  EXPECT_TRUE(flight.Begin().ok());
}

}  // namespace
}  // namespace assay::engine
