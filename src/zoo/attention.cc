#include "zoo/attention.h"

#include <cmath>

namespace assay::zoo {

Tensor SplitHeads(GraphBuilder& net, const std::string& name, const Tensor& x, std::int64_t heads,
                  HeadOrder order) {
  const Tensor split =
      net.Reshape(name + ".heads", x, {x.shape[0], x.shape[1], heads, x.shape[2] / heads});
  return order == HeadOrder::kPlain ? net.Transpose(name, split, {0, 2, 1, 3})
                                    : net.Transpose(name, split, {0, 2, 3, 1});
}

Tensor Attend(GraphBuilder& net, const std::string& name, const Tensor& queries, const Tensor& keys,
              const Tensor& values, const Tensor* mask) {
  const auto& [batch, heads, tokens, width] =
      std::array{queries.shape[0], queries.shape[1], queries.shape[2], queries.shape[3]};
  const Tensor scores = net.MatMul(name + ".scores", queries, keys);
  Tensor scaled = net.Scale(name + ".scaled", scores, 1 / std::sqrt(static_cast<double>(width)));
  if (mask != nullptr) {
    scaled = net.Add(name + ".masked", scaled, *mask);
  }
  const Tensor weights = net.Softmax(name + ".weights", scaled);
  const Tensor context = net.MatMul(name + ".context", weights, values);
  const Tensor merged = net.Transpose(name + ".merged", context, {0, 2, 1, 3});
  return net.Reshape(name + ".joined", merged, {batch, tokens, heads * width});
}

}  // namespace assay::zoo
