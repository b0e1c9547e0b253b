// GPT-2 as in Hugging Face's models/gpt2/modeling_gpt2.py (GPT2LMHeadModel).
// Source  Radford, Wu, Child, Luan, Amodei, Sutskever, "Language Models are Unsupervised Multitask
//         Learners", 2019, section 2.3.
//
// The head shares the weight of the token embedding. Keys and values of a cache are N x H x T x D,
// inputs past.LAYER.key and past.LAYER.value, outputs present.LAYER.key and .value.
#include <fmt/format.h>

#include <utility>
#include <vector>

#include "zoo/architecture.h"
#include "zoo/attention.h"

namespace assay::zoo {
namespace {

constexpr double kEpsilon = 1e-5;
constexpr Uniform kEmbedding = {0, 0.1F};
constexpr std::int64_t kVocabulary = 50257;
constexpr std::int64_t kPositions = 1024;
constexpr std::int64_t kLayers = 12;
constexpr std::int64_t kHeads = 12;
constexpr std::int64_t kHidden = 768;

struct Pass {
  std::int64_t past = 0;         // tokens whose keys and values come in
  const Tensor* mask = nullptr;  // of several tokens at once
  std::vector<std::pair<std::string, Tensor>> present = {};
};

/// `made` behind the cache's, when there is one; noted as it goes out again.
Tensor Remember(GraphBuilder& net, const std::string& port, const Tensor& made, Pass& pass) {
  Tensor all = made;
  if (pass.past > 0) {
    const tensor::Shape shape = {made.shape[0], kHeads, pass.past, kHidden / kHeads};
    all = net.Concat("all." + port, {net.Input("past." + port, shape), made}, 2);
  }
  pass.present.emplace_back("present." + port, all);
  return all;
}

Tensor Attention(GraphBuilder& net, std::int64_t layer, const std::string& name, const Tensor& x,
                 Pass& pass) {
  const Tensor projected = net.Conv1D(name + ".c_attn", x, 3 * kHidden);
  const std::vector<Tensor> parts = net.Split(name + ".split", projected, 2, 3);
  const Tensor queries = SplitHeads(net, name + ".q", parts[0], kHeads);
  const Tensor keys = Remember(net, fmt::format("{}.key", layer),
                               SplitHeads(net, name + ".k", parts[1], kHeads), pass);
  const Tensor values = Remember(net, fmt::format("{}.value", layer),
                                 SplitHeads(net, name + ".v", parts[2], kHeads), pass);
  const Tensor turned = net.Transpose(name + ".k.transpose", keys, {0, 1, 3, 2});
  const Tensor joined = Attend(net, name, queries, turned, values, pass.mask);
  return net.Conv1D(name + ".c_proj", joined, kHidden);
}

Tensor Block(GraphBuilder& net, std::int64_t layer, const Tensor& x, Pass& pass) {
  const std::string name = fmt::format("transformer.h.{}", layer);
  Tensor y = net.LayerNorm(name + ".ln_1", x, kEpsilon);
  y = Attention(net, layer, name + ".attn", y, pass);
  const Tensor middle = net.Add(name + ".add_1", y, x);
  y = net.LayerNorm(name + ".ln_2", middle, kEpsilon);
  y = net.Conv1D(name + ".mlp.c_fc", y, 4 * kHidden);
  y = net.GeluTanh(name + ".mlp.act", y);
  y = net.Conv1D(name + ".mlp.c_proj", y, kHidden);
  return net.Add(name + ".add_2", middle, y);
}

}  // namespace

void Gpt2(GraphBuilder& net, const Sizes& sizes, const Gpt2Options& options) {
  const std::int64_t length = sizes.input[1];
  const auto dimension = sizes.dimensions.find("past");
  Pass pass = {.past = dimension == sizes.dimensions.end() ? 0 : dimension->second};
  const Tensor ids = net.Input("input_ids", sizes.input, tensor::DType::kInt64);
  const Tensor words = net.Parameter("transformer.wte.weight", {kVocabulary, kHidden}, kEmbedding);
  const Tensor places = net.Parameter("transformer.wpe.weight", {kPositions, kHidden}, kEmbedding);
  std::vector<std::int64_t> positions;
  for (std::int64_t i = 0; i < length; ++i) {
    positions.push_back(pass.past + i);
  }
  const Tensor word = net.Embedding("transformer.wte", words, ids);
  const Tensor place =
      net.Embedding("transformer.wpe", places, net.Integers("transformer.position_ids", positions));
  Tensor x = net.Add("transformer.positioned", word, place);
  Tensor mask;
  if (length > 1) {
    mask = net.CausalMask("transformer.mask", length);
    pass.mask = &mask;
  }
  for (std::int64_t layer = 0; layer < kLayers; ++layer) {
    x = Block(net, layer, x, pass);
  }
  x = net.LayerNorm("transformer.ln_f", x, kEpsilon);
  if (options.last_only) {
    x = net.Select("last", x, 1, length - 1);
  }
  const Tensor head = net.Transpose("lm_head.transpose", words, {1, 0});
  net.Output("logits", net.MatMul("lm_head", x, head));
  if (options.cache) {
    for (const auto& [name, kept] : pass.present) {
      net.Output(name, kept);
    }
  }
}

}  // namespace assay::zoo
