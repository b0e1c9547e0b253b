#include "engine/charges.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <thread>

namespace assay::engine {
namespace {

TEST(ChargesTest, AreDifferencesOfTheKernelsCounters) {
  const ChargesReading before{{1, 2, 3, 4, 5000, 0}, {{10, 100}, {11, 50}}};
  const ChargesReading after{{2, 4, 6, 8, 15000, 0}, {{10, 10'100}, {11, 50}, {12, 9000}}};
  const Charges charges = Between(before, after);
  EXPECT_EQ(charges.voluntary_switches, 1);
  EXPECT_EQ(charges.involuntary_switches, 2);
  EXPECT_EQ(charges.minor_faults, 3);
  EXPECT_EQ(charges.major_faults, 4);
  EXPECT_EQ(charges.cpu_ns, 10'000);
  EXPECT_EQ(charges.threads_active, 2);  // 11 slept, 12 is new
}

TEST(ChargesTest, DoNotCountHousekeepingAsAThread) {
  const ChargesReading before{{}, {{10, 0}, {11, 0}, {12, 0}}};
  const ChargesReading after{{}, {{10, 1'000'000}, {11, 10'000}, {12, 9'999}}};
  EXPECT_EQ(Between(before, after).threads_active, 2);
}

TEST(ChargesTest, FindTheThreadsThatWork) {
  std::atomic<bool> stop = false;
  std::atomic<int> working = 0;
  const auto work = [&] {
    ++working;
    while (!stop) {
    }
  };
  const auto sleep = [&] { stop.wait(false); };
  std::thread([] {}).join();  // a sanitizer's own thread begins with the first
  const int threads_before = CountThreads();
  std::thread busy1(work), busy2(work), idle(sleep);
  EXPECT_EQ(CountThreads(), threads_before + 3);
  while (working < 2) {
    std::this_thread::yield();
  }
  const ChargesReading before = ReadChargesNow();
  ChargesReading after = before;
  // Until all three have had their share, and what the sleeper took to fall asleep is nothing.
  while (Between(before, after).cpu_ns < 200'000'000) {
    after = ReadChargesNow();
  }
  while (Between(before, after).threads_active < 3) {
    after = ReadChargesNow();
  }
  stop = true;
  stop.notify_all();
  busy1.join();
  busy2.join();
  idle.join();
  EXPECT_EQ(Between(before, after).threads_active, 3);  // this one and two; not the sleeper
}

TEST(ChargesTest, CountPageFaults) {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const std::size_t size = 64 * page;
  auto* data = static_cast<volatile char*>(
      ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  ASSERT_NE(data, MAP_FAILED);
  ASSERT_EQ(::madvise(const_cast<char*>(data), size, MADV_NOHUGEPAGE), 0);
  const ChargesReading before = ReadChargesNow();
  for (std::size_t i = 0; i < size; i += page) {
    data[i] = 1;
  }
  EXPECT_GE(Between(before, ReadChargesNow()).minor_faults, 64);
  ::munmap(const_cast<char*>(data), size);
}

}  // namespace
}  // namespace assay::engine
