#include "zoo/spellings.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstring>
#include <map>

#include "base/file.h"
#include "base/json.h"
#include "zoo/architecture.h"

namespace assay::zoo {
namespace {

using tensor::Declared;

class SpellingsTest : public ::testing::Test {
 protected:
  SpellingsTest() {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    path_ = std::filesystem::path(::testing::TempDir()) / (std::string(test->name()) + ".spelt");
  }
  ~SpellingsTest() override { std::filesystem::remove(path_); }

  /// A checkpoint of these tensors, all zero; a file of holes, so that it takes no disk.
  tensor::Checkpoint Holes(const std::vector<Declared>& tensors) {
    Json header = Json::object();
    std::uint64_t end = 0;
    for (const Declared& tensor : tensors) {
      const std::uint64_t begin = end;
      end += *tensor::ElementCount(tensor.type.shape) * sizeof(float);
      header[tensor.name] = {
          {"dtype", "F32"}, {"shape", tensor.type.shape}, {"data_offsets", {begin, end}}};
    }
    const std::string text = header.dump();
    std::string content(sizeof(std::uint64_t), '\0');
    const std::uint64_t length = text.size();
    std::memcpy(content.data(), &length, sizeof length);
    content += text;
    EXPECT_TRUE(WriteFileAtomically(path_, content).ok());
    std::filesystem::resize_file(path_, content.size() + end);
    return *tensor::Checkpoint::Open(path_);
  }

  /// Our names by theirs, when a checkpoint of theirs fits `model` strictly.
  std::map<std::string, std::string> Fitted(const char* model,
                                            const std::vector<Declared>& theirs) {
    const Entry entry = *Find(model);
    const Architecture architecture = BuildArchitecture(entry, 1);
    const tensor::Checkpoint checkpoint = Holes(theirs);
    const auto spelling = SpellingOf(checkpoint, entry.family, "w");
    EXPECT_TRUE(spelling.ok() && spelling->has_value());
    const auto parts = tensor::Fit(checkpoint, architecture.weights, {"w", model, ""}, &**spelling);
    EXPECT_TRUE(parts.ok()) << parts.error().message;
    std::map<std::string, std::string> ours;
    for (std::size_t i = 0; parts.ok() && i < parts->size(); ++i) {
      for (const tensor::Stored* part : (*parts)[i]) {
        ours[part->name] = architecture.weights[i].name;
      }
    }
    return ours;
  }

  std::filesystem::path path_;
};

/// The state dict of another project's definition, as it would print.
class StateDict {
 public:
  void Add(const std::string& name, tensor::Shape shape) {
    tensors.push_back({name, {tensor::DType::kFloat32, std::move(shape)}});
  }
  void Conv(const std::string& name, std::int64_t out, std::int64_t in, std::int64_t kernel) {
    Add(name + ".weight", {out, in, kernel, kernel});
  }
  void Norm(const std::string& name, std::int64_t channels) {  // BatchNorm2d
    for (const char* leaf : {"weight", "bias", "running_mean", "running_var"}) {
      Add(name + "." + leaf, {channels});
    }
  }
  void Linear(const std::string& name, std::int64_t out, std::int64_t in) {
    Add(name + ".weight", {out, in});
    Add(name + ".bias", {out});
  }
  void LayerNorm(const std::string& name, std::int64_t width) {
    Add(name + ".weight", {width});
    Add(name + ".bias", {width});
  }

  std::vector<Declared> tensors;
};

TEST_F(SpellingsTest, ReadTimmsVisionTransformer) {
  StateDict timm;
  timm.Add("cls_token", {1, 1, 768});
  timm.Add("pos_embed", {1, 197, 768});
  timm.Conv("patch_embed.proj", 768, 3, 16);
  timm.Add("patch_embed.proj.bias", {768});
  for (int i = 0; i < 12; ++i) {
    const std::string block = fmt::format("blocks.{}.", i);
    timm.LayerNorm(block + "norm1", 768);
    timm.Linear(block + "attn.qkv", 2304, 768);
    timm.Linear(block + "attn.proj", 768, 768);
    timm.LayerNorm(block + "norm2", 768);
    timm.Linear(block + "mlp.fc1", 3072, 768);
    timm.Linear(block + "mlp.fc2", 768, 3072);
  }
  timm.LayerNorm("norm", 768);
  timm.Linear("head", 1000, 768);
  const auto ours = Fitted("vit_b_16", timm.tensors);
  EXPECT_EQ(ours.at("blocks.11.norm1.weight"), "encoder.layers.encoder_layer_11.ln_1.weight");
  EXPECT_EQ(ours.at("blocks.3.norm2.bias"), "encoder.layers.encoder_layer_3.ln_2.bias");
  EXPECT_EQ(ours.at("blocks.0.attn.qkv.bias"),
            "encoder.layers.encoder_layer_0.self_attention.in_proj_bias");
  EXPECT_EQ(ours.at("norm.bias"), "encoder.ln.bias");
}

/// before  1 the names of transformers' checkpoints, 0 of its modules
StateDict HuggingFaceVit(bool before) {
  StateDict vit;
  vit.Add("vit.embeddings.cls_token", {1, 1, 768});
  vit.Add("vit.embeddings.position_embeddings", {1, 197, 768});
  vit.Conv("vit.embeddings.patch_embeddings.projection", 768, 3, 16);
  vit.Add("vit.embeddings.patch_embeddings.projection.bias", {768});
  for (int i = 0; i < 12; ++i) {
    const std::string layer =
        (before ? "vit.encoder.layer." : "vit.layers.") + std::to_string(i) + ".";
    vit.LayerNorm(layer + "layernorm_before", 768);
    vit.Linear(layer + (before ? "attention.attention.query" : "attention.q_proj"), 768, 768);
    vit.Linear(layer + (before ? "attention.attention.key" : "attention.k_proj"), 768, 768);
    vit.Linear(layer + (before ? "attention.attention.value" : "attention.v_proj"), 768, 768);
    vit.Linear(layer + (before ? "attention.output.dense" : "attention.o_proj"), 768, 768);
    vit.LayerNorm(layer + "layernorm_after", 768);
    vit.Linear(layer + (before ? "intermediate.dense" : "mlp.fc1"), 3072, 768);
    vit.Linear(layer + (before ? "output.dense" : "mlp.fc2"), 768, 3072);
  }
  vit.LayerNorm("vit.layernorm", 768);
  vit.Linear("classifier", 1000, 768);
  return vit;
}

TEST_F(SpellingsTest, JoinQueriesKeysAndValuesOfHuggingFace) {
  for (const bool before : {true, false}) {
    const auto ours = Fitted("vit_b_16", HuggingFaceVit(before).tensors);
    const std::string attention =
        before ? "vit.encoder.layer.7.attention.attention." : "vit.layers.7.attention.";
    for (const char* leaf :
         {before ? "query" : "q_proj", before ? "key" : "k_proj", before ? "value" : "v_proj"}) {
      EXPECT_EQ(ours.at(attention + leaf + ".weight"),
                "encoder.layers.encoder_layer_7.self_attention.in_proj_weight");
    }
  }
}

TEST_F(SpellingsTest, ReadTheNamesOfOlderTorchvision) {
  std::vector<Declared> old = BuildArchitecture(*Find("vit_b_16"), 1).weights;
  for (Declared& tensor : old) {
    for (const auto& [now, then] :
         {std::pair("mlp.0", "mlp.linear_1"), {"mlp.3", "mlp.linear_2"}}) {
      if (const auto at = tensor.name.find(now); at != std::string::npos) {
        tensor.name.replace(at, 5, then);
      }
    }
  }
  EXPECT_EQ(Fitted("vit_b_16", old).at("encoder.layers.encoder_layer_2.mlp.linear_2.bias"),
            "encoder.layers.encoder_layer_2.mlp.3.bias");
}

TEST_F(SpellingsTest, ReadTimmsMobileNetV2) {
  StateDict timm;
  timm.Conv("conv_stem", 32, 3, 3);
  timm.Norm("bn1", 32);
  struct Stage {
    int blocks;
    std::int64_t out;
  };
  std::int64_t in = 32;
  int number = 0;
  for (const Stage& stage :
       std::vector<Stage>{{1, 16}, {2, 24}, {3, 32}, {4, 64}, {3, 96}, {3, 160}, {1, 320}}) {
    for (int block = 0; block < stage.blocks; ++block, in = stage.out) {
      const std::string name = fmt::format("blocks.{}.{}.", number, block);
      const std::int64_t hidden = 6 * in;
      if (number == 0) {
        timm.Conv(name + "conv_dw", in, 1, 3);
        timm.Norm(name + "bn1", in);
        timm.Conv(name + "conv_pw", stage.out, in, 1);
        timm.Norm(name + "bn2", stage.out);
        continue;
      }
      timm.Conv(name + "conv_pw", hidden, in, 1);
      timm.Norm(name + "bn1", hidden);
      timm.Conv(name + "conv_dw", hidden, 1, 3);
      timm.Norm(name + "bn2", hidden);
      timm.Conv(name + "conv_pwl", stage.out, hidden, 1);
      timm.Norm(name + "bn3", stage.out);
    }
    ++number;
  }
  timm.Conv("conv_head", 1280, 320, 1);
  timm.Norm("bn2", 1280);
  timm.Linear("classifier", 1000, 1280);
  const auto ours = Fitted("mobilenet_v2", timm.tensors);
  EXPECT_EQ(ours.at("blocks.0.0.conv_dw.weight"), "features.1.conv.0.0.weight");
  EXPECT_EQ(ours.at("blocks.2.1.bn1.running_var"), "features.5.conv.0.1.running_var");
  EXPECT_EQ(ours.at("blocks.2.1.bn2.running_mean"), "features.5.conv.1.1.running_mean");
  EXPECT_EQ(ours.at("blocks.6.0.conv_pwl.weight"), "features.17.conv.2.weight");
}

StateDict HuggingFaceResNet18() {
  StateDict resnet;
  const auto layer = [&](const std::string& name, std::int64_t out, std::int64_t in,
                         std::int64_t kernel) {
    resnet.Conv(name + ".convolution", out, in, kernel);
    resnet.Norm(name + ".normalization", out);
  };
  layer("resnet.embedder.embedder", 64, 3, 7);
  std::int64_t in = 64;
  for (int stage = 0; stage < 4; ++stage) {
    const std::int64_t out = std::int64_t{64} << stage;
    for (int block = 0; block < 2; ++block, in = out) {
      const std::string name = fmt::format("resnet.encoder.stages.{}.layers.{}.", stage, block);
      if (in != out) {
        layer(name + "shortcut", out, in, 1);
      }
      layer(name + "layer.0", out, in, 3);
      layer(name + "layer.1", out, out, 3);
    }
  }
  resnet.Linear("classifier.1", 1000, 512);
  return resnet;
}

TEST_F(SpellingsTest, ReadHuggingFacesResNet) {
  const auto ours = Fitted("resnet18", HuggingFaceResNet18().tensors);
  EXPECT_EQ(ours.at("resnet.encoder.stages.0.layers.1.layer.1.normalization.running_mean"),
            "layer1.1.bn2.running_mean");
  EXPECT_EQ(ours.at("resnet.encoder.stages.3.layers.0.shortcut.normalization.weight"),
            "layer4.0.downsample.1.weight");
}

TEST_F(SpellingsTest, ReadStagesThatTorchvisionCountsOtherwise) {
  struct Case {
    const char *family, *mark, *theirs, *ours;
  };
  for (const Case& one : std::vector<Case>{
           {"EfficientNet", "conv_stem.weight", "blocks.0.1.se.conv_expand.bias",
            "features.1.1.block.1.fc2.bias"},
           {"EfficientNet", "conv_stem.weight", "blocks.6.2.conv_pwl.weight",
            "features.7.2.block.3.0.weight"},
           {"EfficientNet", "conv_stem.weight", "bn2.running_var", "features.8.1.running_var"},
           {"ConvNeXt", "stem.0.weight", "stages.3.downsample.1.bias", "features.6.1.bias"},
           {"ConvNeXt", "stem.0.weight", "stages.2.blocks.26.gamma", "features.5.26.layer_scale"},
           {"ConvNeXt", "stem.0.weight", "stages.0.blocks.0.mlp.fc2.weight",
            "features.1.0.block.5.weight"},
           {"ConvNeXt", "convnext.embeddings.patch_embeddings.weight",
            "convnext.encoder.stages.1.layers.2.pwconv1.bias", "features.3.2.block.3.bias"}}) {
    StateDict dict;
    dict.Add(one.mark, {1});
    dict.Add(one.theirs, {1});
    const auto spelling = SpellingOf(Holes(dict.tensors), one.family, "w");
    ASSERT_TRUE(spelling.ok() && spelling->has_value());
    const auto target = (*spelling)->read(one.theirs);
    ASSERT_TRUE(target.has_value()) << one.theirs;
    EXPECT_EQ(target->name, one.ours);
  }
}

TEST_F(SpellingsTest, ReadBertInsideAModelWithHeads) {
  std::vector<Declared> theirs = BuildArchitecture(*Find("bert_base"), 1).weights;
  for (Declared& tensor : theirs) {
    tensor.name = "bert." + tensor.name;
    if (const auto norm = tensor.name.find("LayerNorm."); norm != std::string::npos) {
      tensor.name.replace(norm, std::string::npos,
                          tensor.name.ends_with("weight") ? "LayerNorm.gamma" : "LayerNorm.beta");
    }
  }
  theirs.push_back({"cls.predictions.bias", {tensor::DType::kFloat32, {30522}}});
  theirs.push_back({"bert.embeddings.position_ids", {tensor::DType::kFloat32, {1, 512}}});
  const auto ours = Fitted("bert_base", theirs);
  EXPECT_EQ(ours.at("bert.encoder.layer.11.attention.output.LayerNorm.gamma"),
            "encoder.layer.11.attention.output.LayerNorm.weight");
  EXPECT_EQ(ours.at("bert.pooler.dense.bias"), "pooler.dense.bias");
  EXPECT_FALSE(ours.contains("cls.predictions.bias"));
}

TEST_F(SpellingsTest, ReadGpt2AsItWasPublished) {
  std::vector<Declared> theirs = BuildArchitecture(*Find("gpt2"), 1).weights;
  for (Declared& tensor : theirs) {
    tensor.name = tensor.name.substr(std::string("transformer.").size());
  }
  theirs.push_back({"h.3.attn.bias", {tensor::DType::kFloat32, {1, 1, 1024, 1024}}});
  EXPECT_EQ(Fitted("gpt2", theirs).at("h.3.attn.c_attn.bias"), "transformer.h.3.attn.c_attn.bias");
}

TEST_F(SpellingsTest, LeaveTheZoosOwnNamesAlone) {
  const Entry entry = *Find("mobilenet_v2");
  const auto spelling = SpellingOf(Holes(BuildArchitecture(entry, 1).weights), entry.family, "w");
  ASSERT_TRUE(spelling.ok());
  EXPECT_FALSE(spelling->has_value());
}

TEST_F(SpellingsTest, SayWhatIsDifferentInAnotherModelOfTheName) {
  StateDict other;
  other.Conv("mobilenet_v2.conv_stem.first_conv.convolution", 32, 3, 3);
  const auto spelling = SpellingOf(Holes(other.tensors), "MobileNetV2", "w");
  ASSERT_FALSE(spelling.ok());
  EXPECT_EQ(spelling.error().code, Code::kInvalidArgument);
  EXPECT_EQ(
      spelling.error().message,
      "w is a MobileNetV2 of Hugging Face, which is another model: it pads as TensorFlow does "
      "and has another epsilon");
}

TEST_F(SpellingsTest, RefuseWhatIsMissingInTheirNames) {
  StateDict resnet = HuggingFaceResNet18();
  resnet.tensors.pop_back();
  const Entry entry = *Find("resnet18");
  const tensor::Checkpoint checkpoint = Holes(resnet.tensors);
  const auto spelling = SpellingOf(checkpoint, entry.family, "w");
  const auto parts = tensor::Fit(checkpoint, BuildArchitecture(entry, 1).weights,
                                 {"w", "resnet18", ""}, &**spelling);
  ASSERT_FALSE(parts.ok());
  EXPECT_EQ(parts.error().message,
            "w does not fit resnet18 (read with the names of Hugging Face): missing: fc.bias");
}

}  // namespace
}  // namespace assay::zoo
