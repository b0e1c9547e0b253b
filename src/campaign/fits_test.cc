#include "campaign/fits.h"

#include <gtest/gtest.h>

namespace assay::campaign {
namespace {

model::Graph Doubles(const tensor::Shape& in, const tensor::Shape& out) {
  model::Graph graph;
  graph.values.resize(2);
  graph.values[0].name = "x";
  graph.values[0].type = {tensor::DType::kFloat32, in};
  graph.values[1].name = "y";
  graph.values[1].type = {tensor::DType::kFloat32, out};
  graph.inputs = {0};
  graph.outputs = {1};
  return graph;
}

TEST(FitsTest, CountsEverySetOfInputsAndOutputs) {
  const Footprint needs = FootprintOf(Doubles({10, 100}, {10, 5}));
  EXPECT_EQ(needs.drawing, 4u * 4000 + 8 * 1000);
  EXPECT_EQ(needs.held, 3u * 4 * 50 * 8);
  EXPECT_EQ(needs.worker, 4u * 4000 + 200);
}

TEST(FitsTest, TakesWhatJustFitsAndRefusesTheNextByte) {
  const model::Graph graph = Doubles({10, 100}, {10, 5});
  EXPECT_TRUE(CheckFits(graph, 24'000, 16'200, true, 0).ok());
  EXPECT_FALSE(CheckFits(graph, 23'999, 16'200, true, 0).ok());
  EXPECT_FALSE(CheckFits(graph, 24'000, 16'199, true, 0).ok());
  EXPECT_TRUE(CheckFits(graph, 0, 0, false, 0).ok());  // nothing is known
}

TEST(FitsTest, SaysTheNumberAskedForTheSizeAndWhatThereIs) {
  const Status status = CheckFits(Doubles({65536, 3, 224, 224}, {65536, 1000}), 8'000'000'000,
                                  2'000'000'000, true, 65536);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, Code::kInvalidArgument);
  EXPECT_EQ(status.error().message,
            "--batch-size 65536: input 'x' is 65536x3x224x224 (39.5 GB); 4 sets of inputs, with "
            "outputs, take 158 GB, and 2.0 GB are what --memory lets a worker have");
}

TEST(FitsTest, RefusesSizesWhoseProductOverflows) {
  const tensor::Shape huge = {1'000'000'000, 1'000'000'000, 1'000'000'000};
  EXPECT_FALSE(CheckFits(Doubles(huge, {1}), 1u << 30, 0, false, 0).ok());
  EXPECT_FALSE(CheckFits(Doubles({1}, huge), 1u << 30, 0, false, 0).ok());
  model::Graph open = Doubles({1}, huge);
  open.values[1].open = "float32 ?";
  EXPECT_TRUE(CheckFits(open, 1u << 30, 0, false, 0).ok());
}

}  // namespace
}  // namespace assay::campaign
