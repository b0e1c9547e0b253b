// BERT's encoder as in Hugging Face's models/bert/modeling_bert.py (BertModel).
// Source  Devlin, Chang, Lee, Toutanova, arXiv:1810.04805, sections 3 and A.2.
#include <fmt/format.h>

#include <limits>

#include "zoo/architecture.h"
#include "zoo/attention.h"

namespace assay::zoo {
namespace {

constexpr double kEpsilon = 1e-12;
constexpr Uniform kEmbedding = {0, 0.1F};

/// What is added to the scores of keys that the input mask (1 keeps, 0 hides) leaves out.
Tensor AdditiveMask(GraphBuilder& net, const Tensor& mask) {
  const Tensor hidden = net.OneMinus("mask.hidden", net.ToFloat("mask.float", mask));
  const Tensor lowest =
      net.Scale("mask.lowest", hidden, static_cast<double>(std::numeric_limits<float>::lowest()));
  return net.Reshape("mask", lowest, {mask.shape[0], 1, 1, mask.shape[1]});
}

Tensor Embed(GraphBuilder& net, const Tensor& ids, const Tensor& types,
             const BertOptions& options) {
  const auto embedding = [&](const std::string& name, std::int64_t rows, const Tensor& picked) {
    const std::string at = "embeddings." + name;
    const Tensor table = net.Parameter(at + ".weight", {rows, options.hidden}, kEmbedding);
    return net.Embedding(at, table, picked);
  };
  std::vector<std::int64_t> order;
  for (std::int64_t i = 0; i < ids.shape[1]; ++i) {
    order.push_back(i);
  }
  const Tensor words = embedding("word_embeddings", options.vocabulary, ids);
  const Tensor kinds = embedding("token_type_embeddings", 2, types);
  const Tensor sum = net.Add("embeddings.sum", words, kinds);
  const Tensor positions = embedding("position_embeddings", options.positions,
                                     net.Integers("embeddings.position_ids", order));
  return net.LayerNorm("embeddings.LayerNorm", net.Add("embeddings.positioned", sum, positions),
                       kEpsilon);
}

Tensor Layer(GraphBuilder& net, const std::string& name, const Tensor& x, const Tensor& mask,
             const BertOptions& options) {
  const std::string self = name + ".attention.self";
  const Tensor queries =
      SplitHeads(net, self + ".q", net.Linear(self + ".query", x, options.hidden), options.heads);
  const Tensor keys = SplitHeads(net, self + ".k", net.Linear(self + ".key", x, options.hidden),
                                 options.heads, HeadOrder::kTransposed);
  const Tensor values =
      SplitHeads(net, self + ".v", net.Linear(self + ".value", x, options.hidden), options.heads);
  Tensor y = Attend(net, self, queries, keys, values, &mask);
  y = net.Linear(name + ".attention.output.dense", y, options.hidden);
  const Tensor middle = net.LayerNorm(name + ".attention.output.LayerNorm",
                                      net.Add(name + ".attention.output.sum", y, x), kEpsilon);
  y = net.Linear(name + ".intermediate.dense", middle, options.mlp);
  y = net.Gelu(name + ".intermediate.gelu", y);
  y = net.Linear(name + ".output.dense", y, options.hidden);
  return net.LayerNorm(name + ".output.LayerNorm", net.Add(name + ".output.sum", y, middle),
                       kEpsilon);
}

}  // namespace

void Bert(GraphBuilder& net, const Sizes& sizes, const BertOptions& options) {
  const tensor::Shape tokens = sizes.input;
  const Tensor ids = net.Input("input_ids", tokens, tensor::DType::kInt64);
  const Tensor attention = net.Input("attention_mask", tokens, tensor::DType::kInt64);
  const Tensor types = net.Input("token_type_ids", tokens, tensor::DType::kInt64);
  Tensor x = Embed(net, ids, types, options);
  const Tensor mask = AdditiveMask(net, attention);
  for (std::int64_t layer = 0; layer < options.layers; ++layer) {
    x = Layer(net, fmt::format("encoder.layer.{}", layer), x, mask, options);
  }
  const Tensor first = net.Select("pooler.first", x, 1, 0);
  const Tensor pooled = net.Linear("pooler.dense", first, options.hidden);
  net.Output("last_hidden_state", x);
  net.Output("pooler_output", net.Tanh("pooler.activation", pooled));
}

}  // namespace assay::zoo
