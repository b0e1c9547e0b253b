#include "campaign/outcome.h"

#include <gtest/gtest.h>

#include <csignal>

namespace assay::campaign {
namespace {

// Wait statuses as Linux encodes them: a signal's number, or an exit status shifted by eight.
constexpr int Exited(int status) { return status << 8; }

Death Of(int wait_status, const char* output = "", bool oom_killed = false) {
  return {.worker = "assay-engine-x",
          .verb = "load",
          .wait_status = wait_status,
          .oom_killed = oom_killed,
          .output = output};
}

TEST(OutcomeTest, ACrashNamesTheSignalAndTheLastWords) {
  const Error error = Explain(Of(SIGSEGV, "first\nmalloc(): corrupted top size\n\n"));
  EXPECT_EQ(error.code, Code::kCrashed);
  EXPECT_EQ(error.message,
            "assay-engine-x was killed by signal 11 (SIGSEGV) during load; its last words: "
            "malloc(): corrupted top size");
}

TEST(OutcomeTest, AKillIsOutOfMemoryOnlyWhenTheKernelCountedOne) {
  EXPECT_EQ(Explain(Of(SIGKILL)).code, Code::kCrashed);
  EXPECT_EQ(Explain(Of(SIGKILL, "", true)).code, Code::kOutOfMemory);
  EXPECT_EQ(Explain(Of(SIGSEGV, "", true)).code, Code::kCrashed);
}

TEST(OutcomeTest, AnUncaughtBadAllocIsOutOfMemory) {
  EXPECT_EQ(Explain(Of(SIGABRT, "terminate called after throwing 'std::bad_alloc'\n")).code,
            Code::kOutOfMemory);
}

TEST(OutcomeTest, AnExitWithoutAnswerHasFailed) {
  const Error error = Explain(Of(Exited(3), "ImportError: no torch\n"));
  EXPECT_EQ(OutcomeOf(error.code), record::Outcome::kFailed);
  EXPECT_EQ(error.message,
            "assay-engine-x ended with status 3 during load; its last words: ImportError: no "
            "torch");
}

TEST(OutcomeTest, AnEndIsSaidInWords) {
  EXPECT_EQ(HowItEnded(SIGSEGV), "died of signal 11 (Segmentation fault)");
  EXPECT_EQ(HowItEnded(Exited(3)), "ended with status 3");
}

TEST(OutcomeTest, TheLastLineIsShortAndPrintable) {
  EXPECT_EQ(LastLine("a\n\x1b[31mred\n \n"), " [31mred");
  EXPECT_EQ(LastLine("\n\n"), "");
  EXPECT_LT(LastLine(std::string(5000, 'x')).size(), 400u);
}

}  // namespace
}  // namespace assay::campaign
