// ResNet as in torchvision's models/resnet.py: "v1.5", the stride of a bottleneck is in its 3x3.
// Source  He, Zhang, Ren, Sun, arXiv:1512.03385, table 1.
#include <fmt/format.h>

#include "zoo/architecture.h"

namespace assay::zoo {
namespace {

Tensor Downsample(GraphBuilder& net, const std::string& name, const Tensor& x, std::int64_t out,
                  std::int64_t stride) {
  const Tensor y = net.Conv2d(name + ".0", x, {.out = out, .stride = stride});
  return net.BatchNorm2d(name + ".1", y);
}

Tensor BasicBranch(GraphBuilder& net, const std::string& name, const Tensor& x, std::int64_t width,
                   std::int64_t stride) {
  Tensor y =
      net.Conv2d(name + ".conv1", x, {.out = width, .kernel = 3, .stride = stride, .padding = 1});
  y = net.BatchNorm2d(name + ".bn1", y);
  y = net.Relu(name + ".relu1", y);
  y = net.Conv2d(name + ".conv2", y, {.out = width, .kernel = 3, .padding = 1});
  return net.BatchNorm2d(name + ".bn2", y, kBranchEnd);
}

Tensor BottleneckBranch(GraphBuilder& net, const std::string& name, const Tensor& x,
                        std::int64_t width, std::int64_t stride) {
  Tensor y = net.Conv2d(name + ".conv1", x, {.out = width});
  y = net.BatchNorm2d(name + ".bn1", y);
  y = net.Relu(name + ".relu1", y);
  y = net.Conv2d(name + ".conv2", y, {.out = width, .kernel = 3, .stride = stride, .padding = 1});
  y = net.BatchNorm2d(name + ".bn2", y);
  y = net.Relu(name + ".relu2", y);
  y = net.Conv2d(name + ".conv3", y, {.out = 4 * width});
  return net.BatchNorm2d(name + ".bn3", y, kBranchEnd);
}

Tensor Block(GraphBuilder& net, const std::string& name, const Tensor& x, std::int64_t width,
             std::int64_t stride, bool bottleneck) {
  const Tensor branch = bottleneck ? BottleneckBranch(net, name, x, width, stride)
                                   : BasicBranch(net, name, x, width, stride);
  const bool same = x.shape == branch.shape;
  const Tensor shortcut =
      same ? x : Downsample(net, name + ".downsample", x, branch.shape[1], stride);
  const Tensor sum = net.Add(name + ".add", branch, shortcut);
  Tensor y = net.Relu(name + ".relu", sum);
  if (same) {  // what was positive before little was added to it is hardly clipped
    y.moments = sum.moments;
  }
  return y;
}

}  // namespace

Tensor ResNet(GraphBuilder& net, const Tensor& input, const ResNetOptions& options) {
  Tensor x = net.Conv2d("conv1", input, {.out = 64, .kernel = 7, .stride = 2, .padding = 3});
  x = net.BatchNorm2d("bn1", x);
  x = net.Relu("relu", x);
  x = net.MaxPool2d("maxpool", x, {.kernel = 3, .stride = 2, .padding = 1});
  for (std::size_t stage = 0; stage < options.blocks.size(); ++stage) {
    for (int block = 0; block < options.blocks[stage]; ++block) {
      const std::string name = fmt::format("layer{}.{}", stage + 1, block);
      const std::int64_t stride = stage > 0 && block == 0 ? 2 : 1;
      x = Block(net, name, x, std::int64_t{64} << stage, stride, options.bottleneck);
    }
  }
  x = net.GlobalAveragePool("avgpool", x);
  x = net.Flatten("flatten", x);
  return net.Linear("fc", x, 1000);
}

}  // namespace assay::zoo
