// Vision transformer as in torchvision's models/vision_transformer.py.
// Source  Dosovitskiy et al., arXiv:2010.11929, section 3.1 and table 1.
//
// Tokens stay N x S x E throughout. Attention (module NAME = ...self_attention): NAME.in_proj, one
// linear layer to N x S x 3E; NAME.split into queries, keys and values; Attend; NAME.out_proj.
#include <fmt/format.h>

#include "zoo/architecture.h"
#include "zoo/attention.h"

namespace assay::zoo {
namespace {

// Gains of random weights. Large queries and keys let attention tell tokens apart (the mean of 197
// random tokens says little about the input).
constexpr double kAttentionGain = 1;
constexpr double kMlpGain = 1;
constexpr Uniform kEmbedding = {0, 0.1F};

Tensor SelfAttention(GraphBuilder& net, const std::string& name, const Tensor& x,
                     std::int64_t heads) {
  const Tensor projected = net.InProjection(name, x, kAttentionGain);
  const std::vector<Tensor> parts = net.Split(name + ".split", projected, 2, 3);
  const Tensor queries = SplitHeads(net, name + ".q", parts[0], heads);
  const Tensor keys = SplitHeads(net, name + ".k", parts[1], heads, HeadOrder::kTransposed);
  const Tensor values = SplitHeads(net, name + ".v", parts[2], heads);
  const Tensor joined = Attend(net, name, queries, keys, values);
  return net.Linear(name + ".out_proj", joined, x.shape[2], kAttentionGain);
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
  x = net.Concat("with_class", {net.Expand("class_tokens", token, {batch, 1, hidden}), x}, 1);
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
