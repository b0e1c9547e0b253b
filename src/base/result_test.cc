#include "base/result.h"

#include <gtest/gtest.h>

namespace assay {
namespace {

Result<int> Half(int n) {
  if (n % 2 != 0) {
    return Error{Code::kInvalidArgument, "odd", ""};
  }
  return n / 2;
}

Result<int> Quarter(int n) {
  ASSAY_ASSIGN(const int half, Half(n));
  ASSAY_TRY(Half(half));
  return half / 2;
}

TEST(ResultTest, CarriesTheFirstErrorOutOfNestedCalls) {
  EXPECT_EQ(*Quarter(8), 2);
  EXPECT_EQ(Quarter(6).error().message, "odd");
}

}  // namespace
}  // namespace assay
