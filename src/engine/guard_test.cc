#include "engine/guard.h"

#include <gtest/gtest.h>

#include <stdexcept>

namespace assay::engine {
namespace {

Result<int> Throwing(const std::string& message) { throw std::runtime_error(message); }

TEST(GuardTest, LetsValuesAndErrorsThrough) {
  EXPECT_EQ(*Guard([]() -> Result<int> { return 7; }), 7);
  EXPECT_EQ(Guard([]() -> Result<int> { return Error{Code::kUnsupported, "no", ""}; }).error().code,
            Code::kUnsupported);
}

TEST(GuardTest, TurnsWhatARuntimeThrowsIntoAnError) {
  const auto got = Guard([] { return Throwing("Check 'a' failed at b.cpp:7:\n  not this\n\n"); });
  EXPECT_EQ(got.error().code, Code::kInternal);
  EXPECT_EQ(got.error().message, "Check 'a' failed at b.cpp:7: not this");
  EXPECT_EQ(Guard([]() -> Status { throw 7; }).error().code, Code::kInternal);
}

TEST(GuardTest, KnowsWhenMemoryWasRefused) {
  EXPECT_EQ(Guard([]() -> Status { throw std::bad_alloc(); }).error().code, Code::kOutOfMemory);
  for (const char* message :
       {"bfc_arena.cc:376 Failed to allocate memory for requested buffer of size 4096",
        "[enforce fail at alloc_cpu.cpp:130] DefaultCPUAllocator: can't allocate memory: you tried",
        "Exception from src/core.cpp: std::bad_alloc"}) {
    EXPECT_EQ(Guard([&] { return Throwing(message); }).error().code, Code::kOutOfMemory) << message;
    EXPECT_EQ(Guard([&]() -> Status { return Error{Code::kIo, message, ""}; }).error().code,
              Code::kOutOfMemory);
  }
  EXPECT_EQ(Guard([] { return Throwing("memory format not supported"); }).error().code,
            Code::kInternal);
}

TEST(GuardTest, BoundsALongMessage) {
  EXPECT_LT(Guard([] { return Throwing(std::string(1 << 20, 'x')); }).error().message.size(),
            1000u);
}

}  // namespace
}  // namespace assay::engine
