#include "engine/memory.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cstring>

namespace assay::engine {
namespace {

TEST(MemoryTest, ReadsPeakAndFilePagesOutOfTheKernelsText) {
  const Result<Memory> memory =
      ParseStatus("Name:\tx\nVmPeak:\t  9000 kB\nVmHWM:\t    5124 kB\nRssFile:\t\t 12 kB\n");
  ASSERT_TRUE(memory.ok());
  EXPECT_EQ(memory->peak_rss_bytes, 5124u * 1024);
  EXPECT_EQ(memory->file_bytes, 12u * 1024);
}

TEST(MemoryTest, RefusesATextWithoutThem) {
  EXPECT_EQ(ParseStatus("Name:\tx\nVmHWM:\t 5124 kB\n").error().code, Code::kMalformed);
  EXPECT_EQ(ParseStatus("\nVmHWM:\nRssFile:\t 1 kB\n").error().code, Code::kMalformed);
}

TEST(MemoryTest, ForgetsThePeakWhenToldTo) {
  constexpr std::size_t kBytes = 64u << 20;
  void* data = ::mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(data, MAP_FAILED);
  std::memset(data, 1, kBytes);
  ::munmap(data, kBytes);
  const Result<Memory> before = ReadMemory();
  ASSERT_TRUE(before.ok());
  const Status reset = ResetPeak();
  ASSERT_TRUE(reset.ok()) << reset.error().message;
  EXPECT_LT(ReadMemory()->peak_rss_bytes + kBytes / 2, before->peak_rss_bytes);
}

}  // namespace
}  // namespace assay::engine
