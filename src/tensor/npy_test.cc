#include "tensor/npy.h"

#include <gtest/gtest.h>

#include <cstring>

#include "base/file.h"

namespace assay::tensor {
namespace {

constexpr char kHeader[] = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }\n";

class NpyTest : public ::testing::Test {
 protected:
  NpyTest() {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    path_ = std::filesystem::path(::testing::TempDir()) / (std::string(test->name()) + ".npy");
  }
  ~NpyTest() override { std::filesystem::remove(path_); }

  static std::string File(const std::string& header, const std::string& data, char version = 1) {
    std::string file = std::string("\x93NUMPY") + version + '\0';
    for (int i = 0; i < (version == 1 ? 2 : 4); ++i) {
      file += static_cast<char>((header.size() >> (8 * i)) & 0xff);
    }
    return file + header + data;
  }

  Result<Tensor> Read(const std::string& file) {
    EXPECT_TRUE(WriteFileAtomically(path_, file).ok());
    return ReadNpy(path_);
  }

  void ExpectRefused(const std::string& file, Code code, const std::string& part) {
    const auto read = Read(file);
    ASSERT_FALSE(read.ok()) << part;
    EXPECT_EQ(read.error().code, code) << read.error().message;
    EXPECT_NE(read.error().message.find(part), std::string::npos) << read.error().message;
    EXPECT_NE(read.error().message.find(path_.string()), std::string::npos);
    EXPECT_EQ(read.error().message.find('\n'), std::string::npos);
  }
  void ExpectNoHeader(const std::string& header) {
    ExpectRefused(File(header, std::string(24, 'x')), Code::kMalformed, "numpy does not write");
  }

  std::filesystem::path path_;
};

TEST_F(NpyTest, ReadsVersionsOneToThree) {
  for (const char version : {'\1', '\2', '\3'}) {
    const auto read = Read(File(kHeader, std::string(24, 'x'), version));
    ASSERT_TRUE(read.ok()) << read.error().message;
    EXPECT_EQ(read->type, (Type{DType::kFloat32, {2, 3}}));
    EXPECT_EQ(read->data, std::vector<std::byte>(24, std::byte{'x'}));
  }
}

TEST_F(NpyTest, ReadsScalarsVectorsAndKeysInAnyOrder) {
  const auto scalar = Read(File(R"({"shape":(),"fortran_order":False,"descr":"<i8"})", "12345678"));
  ASSERT_TRUE(scalar.ok()) << scalar.error().message;
  EXPECT_EQ(scalar->type, (Type{DType::kInt64, {}}));
  const auto vector =
      Read(File("{'descr': '|b1', 'fortran_order': True, 'shape': (3,), }", {"\0\1\1", 3}));
  ASSERT_TRUE(vector.ok()) << vector.error().message;
  EXPECT_EQ(vector->type, (Type{DType::kBool, {3}}));
}

TEST_F(NpyTest, RearrangesFortranOrder) {
  // [[1, 3, 5], [2, 4, 6]]: the first index runs fastest in the file
  const auto read =
      Read(File("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3), }", "123456"));
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(read->data.data()), 6), "135246");
}

TEST_F(NpyTest, RefusesFilesCutAnywhere) {
  const std::string whole = File(kHeader, std::string(24, 'x'));
  for (std::size_t length = 0; length < whole.size(); ++length) {
    EXPECT_FALSE(Read(whole.substr(0, length)).ok()) << length;
  }
  ExpectRefused(whole + "y", Code::kMalformed, "holds 25 bytes of data, but float32 of 2x3");
}

TEST_F(NpyTest, SurvivesEveryChangeOfOneByte) {
  const std::string whole = File(kHeader, std::string(24, 'x'));
  for (std::size_t i = 0; i < whole.size() - 24; ++i) {
    for (const char c : {'\0', '(', '9', '\'', '-', '\xff'}) {
      std::string changed = whole;
      changed[i] = c;
      const auto read = Read(changed);
      EXPECT_TRUE(!read.ok() || read->data.size() == 24) << i << " " << c;
    }
  }
}

TEST_F(NpyTest, RefusesLyingHeaders) {
  ExpectRefused("PK\3\4", Code::kMalformed, "is no .npy file");
  ExpectRefused(File(kHeader, "", '\4'), Code::kMalformed, "unknown version 4.0");
  std::string longer = File(kHeader, "");
  longer[9] = '\x7f';
  ExpectRefused(longer, Code::kMalformed, "claims a header of");
  ExpectRefused(
      File("{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296)}", "xxxx"),
      Code::kMalformed, "too many elements");
  ExpectRefused(File("{'descr': '|b1', 'fortran_order': False, 'shape': (2,)}", "\1\2"),
                Code::kMalformed, "neither 0 nor 1");
}

TEST_F(NpyTest, RefusesHeadersThatNumpyDoesNotWrite) {
  ExpectNoHeader("");
  ExpectNoHeader("{}");
  ExpectNoHeader("{'descr': '<f4', 'fortran_order': False}");
  ExpectNoHeader("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)");
  ExpectNoHeader("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)} 1");
  ExpectNoHeader("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), 'more': 1}");
  ExpectNoHeader("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)}");
  ExpectNoHeader("{'descr': '<f4', 'fortran_order': 0, 'shape': (2, 3)}");
  ExpectNoHeader("{'descr': '<f4', 'fortran_order': False, 'shape': 6}");
  ExpectNoHeader("{'descr': '<f4', 'fortran_order': False, 'shape': (6)}");
  ExpectNoHeader("{'descr': '<f4', 'fortran_order': False, 'shape': (-2, -3)}");
  ExpectNoHeader("{'descr': '<f4', 'fortran_order': False, 'shape': (2 3)}");
  ExpectNoHeader("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}");
  std::string many = "{'descr': '<f4', 'fortran_order': False, 'shape': (";
  for (int i = 0; i < 65; ++i) {
    many += "1,";
  }
  ExpectNoHeader(many + ")}");
}

TEST_F(NpyTest, NamesTypesThatItCannotUse) {
  for (const std::string& type : std::vector<std::string>{">f4", "|O", "<U3", "<c8", "<M8[ns]"}) {
    ExpectRefused(File("{'descr': '" + type + "', 'fortran_order': False, 'shape': (2,)}", "x"),
                  Code::kInvalidArgument, "elements of the type '" + type + "'");
  }
  ExpectRefused(
      File("{'descr': [('a', '<f4'), ('b', '<i8')], 'fortran_order': False, 'shape': (2,)}", "x"),
      Code::kInvalidArgument, "holds structures");
}

}  // namespace
}  // namespace assay::tensor
