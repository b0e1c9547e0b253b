#include "base/file.h"

#include <gtest/gtest.h>

namespace assay {
namespace {

TEST(Sha256Test, MatchesThePublishedDigestOfAbc) {  // FIPS 180-2, appendix B.1
  EXPECT_EQ(Sha256Of("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(WriteFileAtomicallyTest, ReplacesAFileAndLeavesNothingBeside) {
  const std::filesystem::path folder = std::filesystem::path(::testing::TempDir()) / "assay_file";
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  ASSERT_TRUE(WriteFileAtomically(folder / "a", "one").ok());
  ASSERT_TRUE(WriteFileAtomically(folder / "a", "two").ok());
  EXPECT_EQ(*ReadFile(folder / "a"), "two");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder), {}), 1);
}

TEST(WriteFileAtomicallyTest, SaysWhichPathCouldNotBeWritten) {
  const Status status = WriteFileAtomically("/nonexistent/folder/file", "x");
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, Code::kNotFound);
  EXPECT_NE(status.error().message.find("/nonexistent/folder/file"), std::string::npos);
}

TEST(ReadFileTest, CallsAFolderTheWrongFileAndAMissingOneMissing) {
  EXPECT_EQ(ReadFile("/").error().code, Code::kInvalidArgument);
  EXPECT_EQ(ReadFile("/nonexistent/file").error().code, Code::kNotFound);
}

TEST(MappedFileTest, RefusesADirectory) {
  EXPECT_EQ(MappedFile::Open("/").error().code, Code::kInvalidArgument);
}

}  // namespace
}  // namespace assay
