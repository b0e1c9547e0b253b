// A network small enough to follow by hand: two convolutions and a linear layer.
#include "zoo/architecture.h"

namespace assay::zoo {

Tensor SimpleCnn(GraphBuilder& net, const Tensor& input) {
  Tensor x = net.Conv2d("conv1", input, {.out = 16, .kernel = 3, .padding = 1, .bias = true});
  x = net.Relu("relu1", x);
  x = net.MaxPool2d("pool1", x, {.kernel = 2, .stride = 2});
  x = net.Conv2d("conv2", x, {.out = 32, .kernel = 3, .padding = 1, .bias = true});
  x = net.Relu("relu2", x);
  x = net.MaxPool2d("pool2", x, {.kernel = 2, .stride = 2});
  x = net.Flatten("flatten", x);
  return net.Linear("fc", x, 10);
}

}  // namespace assay::zoo
