// Vision transformer as in torchvision's models/vision_transformer.py.
// Source  Dosovitskiy et al., arXiv:2010.11929, section 3.1 and table 1.
//
// Tokens stay N x S x E throughout. Attention (module NAME = ...self_attention) is written as
//   NAME.in_proj       linear to N x S x 3E (see graph_builder.h)
//   NAME.split         Split over the last axis: queries, keys, values
//   NAME.{q,k,v}.heads Reshape to N x S x H x D, then NAME.{q,k,v} Transpose:
//                      q and v perm=[0,2,1,3] to N x H x S x D, k perm=[0,2,3,1] to N x H x D x S
//   NAME.scores        MatMul(q, k), NAME.scaled Mul by the Constant D^-0.5
//   NAME.weights       Softmax over the last axis
//   NAME.context       MatMul(weights, v), NAME.merged Transpose perm=[0,2,1,3],
//   NAME.joined        Reshape to N x S x E
//   NAME.out_proj      linear
#include <fmt/format.h>

#include <cmath>

#include "zoo/architecture.h"

namespace assay::zoo {
namespace {

// Gains of random weights. Large queries and keys let attention tell tokens apart (the mean of 197
// random tokens says little about the input).
constexpr double kAttentionGain = 1;
constexpr double kMlpGain = 1;
constexpr Uniform kEmbedding = {0, 0.1F};

Tensor SelfAttention(GraphBuilder& net, const std::string& name, const Tensor& x,
                     std::int64_t heads) {
  const std::int64_t batch = x.shape[0];
  const std::int64_t tokens = x.shape[1];
  const std::int64_t hidden = x.shape[2];
  const std::int64_t width = hidden / heads;  // of one head
  const Tensor projected = net.InProjection(name, x, kAttentionGain);
  const std::vector<Tensor> parts = net.Split(name + ".split", projected, 2, 3);
  const auto by_head = [&](std::size_t part, const std::string& letter,
                           const std::vector<std::int64_t>& order) {
    const std::string at = name + "." + letter;
    return net.Transpose(at, net.Reshape(at + ".heads", parts[part], {batch, tokens, heads, width}),
                         order);
  };
  const Tensor queries = by_head(0, "q", {0, 2, 1, 3});
  const Tensor keys = by_head(1, "k", {0, 2, 3, 1});
  const Tensor values = by_head(2, "v", {0, 2, 1, 3});
  const Tensor scores = net.MatMul(name + ".scores", queries, keys);
  const Tensor scaled =
      net.Scale(name + ".scaled", scores, 1 / std::sqrt(static_cast<double>(width)));
  const Tensor weights = net.Softmax(name + ".weights", scaled);
  const Tensor context = net.MatMul(name + ".context", weights, values);
  const Tensor merged = net.Transpose(name + ".merged", context, {0, 2, 1, 3});
  const Tensor joined = net.Reshape(name + ".joined", merged, {batch, tokens, hidden});
  return net.Linear(name + ".out_proj", joined, hidden, kAttentionGain);
}

Tensor EncoderBlock(GraphBuilder& net, const std::string& name, const Tensor& x,
                    const VitOptions& options) {
  Tensor y = net.LayerNorm(name + ".ln_1", x);
  y = SelfAttention(net, name + ".self_attention", y, options.heads);
  const Tensor middle = net.Add(name + ".add_1", y, x);
  y = net.LayerNorm(name + ".ln_2", middle);
  y = net.Linear(name + ".mlp.0", y, options.mlp, kMlpGain);
  y = net.Gelu(name + ".mlp.1", y);
  y = net.Linear(name + ".mlp.3", y, options.hidden, kMlpGain);
  return net.Add(name + ".add_2", middle, y);
}

}  // namespace

Tensor VisionTransformer(GraphBuilder& net, const Tensor& input, const VitOptions& options) {
  const std::int64_t batch = input.shape[0];
  const std::int64_t hidden = options.hidden;
  const Tensor token = net.Parameter("class_token", {1, 1, hidden}, kEmbedding);
  Tensor x =
      net.Conv2d("conv_proj", input,
                 {.out = hidden, .kernel = options.patch, .stride = options.patch, .bias = true});
  const std::int64_t patches = x.shape[2] * x.shape[3];
  x = net.Reshape("patches", x, {batch, hidden, patches});
  x = net.Transpose("tokens", x, {0, 2, 1});
  x = net.Concat("with_class", net.Expand("class_tokens", token, {batch, 1, hidden}), x, 1);
  x = net.Add("encoder.positioned", x,
              net.Parameter("encoder.pos_embedding", {1, patches + 1, hidden}, kEmbedding));
  for (std::int64_t layer = 0; layer < options.layers; ++layer) {
    x = EncoderBlock(net, fmt::format("encoder.layers.encoder_layer_{}", layer), x, options);
  }
  x = net.LayerNorm("encoder.ln", x);
  x = net.Select("class", x, 1, 0);
  return net.Linear("heads.head", x, 1000);
}

}  // namespace assay::zoo
