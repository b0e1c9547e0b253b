#include "hardware/environment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace assay::hardware {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

Machine TwoCoresWithHyperthreads() {
  Machine machine;
  machine.usable_cores = 2;
  machine.cpus = {4, 2, 5, 3};  // cores {4, 5} and {2, 3}
  return machine;
}

TEST(EnvironmentTest, NamesTheCountInEveryVariable) {
  EXPECT_THAT(EnvironmentForThreads(TwoCoresWithHyperthreads(), 2).variables,
              ElementsAre(Pair("OMP_NUM_THREADS", "2"), Pair("MKL_NUM_THREADS", "2"),
                          Pair("OPENBLAS_NUM_THREADS", "2")));
}

TEST(EnvironmentTest, PinsToOneCpuPerCoreFirst) {
  EXPECT_THAT(EnvironmentForThreads(TwoCoresWithHyperthreads(), 1).cpus, ElementsAre(4));
  EXPECT_THAT(EnvironmentForThreads(TwoCoresWithHyperthreads(), 2).cpus, ElementsAre(2, 4));
}

TEST(EnvironmentTest, TakesHyperthreadsForMoreThreadsThanCores) {
  EXPECT_THAT(EnvironmentForThreads(TwoCoresWithHyperthreads(), 3).cpus, ElementsAre(2, 4, 5));
}

TEST(EnvironmentTest, SharesAllCpusAmongMoreThreadsThanThese) {
  const ThreadEnvironment many = EnvironmentForThreads(TwoCoresWithHyperthreads(), 64);
  EXPECT_THAT(many.cpus, ElementsAre(2, 3, 4, 5));
  EXPECT_EQ(many.variables.front().second, "64");
}

TEST(EnvironmentTest, TakesFewerThanOneThreadAsOne) {
  EXPECT_THAT(EnvironmentForThreads(TwoCoresWithHyperthreads(), 0).cpus, ElementsAre(4));
  EXPECT_EQ(EnvironmentForThreads(TwoCoresWithHyperthreads(), -3).variables.front().second, "1");
  EXPECT_THAT(EnvironmentForThreads(Machine{}, 2).cpus, IsEmpty());
}

}  // namespace
}  // namespace assay::hardware
