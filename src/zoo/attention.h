// Attention over several heads, as the transformers of the zoo write it.
// Source  Vaswani et al., arXiv:1706.03762, section 3.2.
#pragma once

#include <string>

#include "zoo/graph_builder.h"

namespace assay::zoo {

enum class HeadOrder { kPlain, kTransposed };

/// N x S x E by heads: N x H x S x D, or N x H x D x S when transposed, as keys are multiplied.
/// Nodes NAME.heads (Reshape), NAME (Transpose).
Tensor SplitHeads(GraphBuilder& net, const std::string& name, const Tensor& x, std::int64_t heads,
                  HeadOrder order = HeadOrder::kPlain);

/// Softmax(queries keys / sqrt(D) + mask) values, heads joined again: N x S x E.
/// Nodes NAME.scores (MatMul), NAME.scaled (Mul by D^-0.5), NAME.masked (Add, when there is a
/// mask), NAME.weights (Softmax), NAME.context (MatMul), NAME.merged (Transpose), NAME.joined
/// (Reshape).
///
/// keys  transposed: N x H x D x T
/// mask  broadcasts to the scores, N x H x S x T
Tensor Attend(GraphBuilder& net, const std::string& name, const Tensor& queries, const Tensor& keys,
              const Tensor& values, const Tensor* mask = nullptr);

}  // namespace assay::zoo
