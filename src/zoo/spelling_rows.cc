#include "zoo/spelling_rows.h"

namespace assay::zoo {
namespace {

// timm 1.0.31, models/vision_transformer.py (VisionTransformer, Block), layers/attention.py and
// mlp.py. qkv holds queries, keys and values in torchvision's order; epsilon is 1e-6 and GELU exact
// in both.
constexpr Row kTimmVit[] = {
    {"cls_token", "class_token"},
    {"pos_embed", "encoder.pos_embedding"},
    {"patch_embed.proj.*", "conv_proj.*"},
    {"blocks.{b}.norm1.*", "encoder.layers.encoder_layer_{b}.ln_1.*"},
    {"blocks.{b}.attn.qkv.*", "encoder.layers.encoder_layer_{b}.self_attention.in_proj_*"},
    {"blocks.{b}.attn.proj.*", "encoder.layers.encoder_layer_{b}.self_attention.out_proj.*"},
    {"blocks.{b}.norm2.*", "encoder.layers.encoder_layer_{b}.ln_2.*"},
    {"blocks.{b}.mlp.fc1.*", "encoder.layers.encoder_layer_{b}.mlp.0.*"},
    {"blocks.{b}.mlp.fc2.*", "encoder.layers.encoder_layer_{b}.mlp.3.*"},
    {"norm.*", "encoder.ln.*"},
    {"head.*", "heads.head.*"},
};

// transformers 5.24, models/vit/modeling_vit.py (ViTForImageClassification): encoder.layer.N as its
// checkpoints have it (conversion_mapping.py, "ViTModel"), layers.N as the module itself. Its
// configuration says epsilon 1e-12, torchvision's is 1e-6: beside a variance near 1 both are
// nothing (outputs of a randomised ViT-B/16 differed by 1e-6, as much as by rounding).
constexpr Row kHuggingFaceVit[] = {
    {"vit.embeddings.cls_token", "class_token"},
    {"vit.embeddings.position_embeddings", "encoder.pos_embedding"},
    {"vit.embeddings.patch_embeddings.projection.*", "conv_proj.*"},
    {"vit.encoder.layer.{b}.layernorm_before.*", "encoder.layers.encoder_layer_{b}.ln_1.*"},
    {"vit.encoder.layer.{b}.attention.attention.query.*",
     "encoder.layers.encoder_layer_{b}.self_attention.in_proj_*", 0, 3},
    {"vit.encoder.layer.{b}.attention.attention.key.*",
     "encoder.layers.encoder_layer_{b}.self_attention.in_proj_*", 1, 3},
    {"vit.encoder.layer.{b}.attention.attention.value.*",
     "encoder.layers.encoder_layer_{b}.self_attention.in_proj_*", 2, 3},
    {"vit.encoder.layer.{b}.attention.output.dense.*",
     "encoder.layers.encoder_layer_{b}.self_attention.out_proj.*"},
    {"vit.encoder.layer.{b}.layernorm_after.*", "encoder.layers.encoder_layer_{b}.ln_2.*"},
    {"vit.encoder.layer.{b}.intermediate.dense.*", "encoder.layers.encoder_layer_{b}.mlp.0.*"},
    {"vit.encoder.layer.{b}.output.dense.*", "encoder.layers.encoder_layer_{b}.mlp.3.*"},
    {"vit.layers.{b}.layernorm_before.*", "encoder.layers.encoder_layer_{b}.ln_1.*"},
    {"vit.layers.{b}.attention.q_proj.*",
     "encoder.layers.encoder_layer_{b}.self_attention.in_proj_*", 0, 3},
    {"vit.layers.{b}.attention.k_proj.*",
     "encoder.layers.encoder_layer_{b}.self_attention.in_proj_*", 1, 3},
    {"vit.layers.{b}.attention.v_proj.*",
     "encoder.layers.encoder_layer_{b}.self_attention.in_proj_*", 2, 3},
    {"vit.layers.{b}.attention.o_proj.*",
     "encoder.layers.encoder_layer_{b}.self_attention.out_proj.*"},
    {"vit.layers.{b}.layernorm_after.*", "encoder.layers.encoder_layer_{b}.ln_2.*"},
    {"vit.layers.{b}.mlp.fc1.*", "encoder.layers.encoder_layer_{b}.mlp.0.*"},
    {"vit.layers.{b}.mlp.fc2.*", "encoder.layers.encoder_layer_{b}.mlp.3.*"},
    {"vit.layernorm.*", "encoder.ln.*"},
    {"classifier.*", "heads.head.*"},
};

// torchvision's own names of old, which its published vit_*.pth files have:
// models/vision_transformer.py, MLPBlock._load_from_state_dict (below version 2).
constexpr Row kOldVit[] = {
    {"encoder.layers.encoder_layer_{b}.mlp.linear_1.*", "encoder.layers.encoder_layer_{b}.mlp.0.*"},
    {"encoder.layers.encoder_layer_{b}.mlp.linear_2.*", "encoder.layers.encoder_layer_{b}.mlp.3.*"},
};

// transformers 5.24, models/resnet/modeling_resnet.py. A bottleneck's stride is in its 3x3
// (downsample_in_bottleneck is off by default). timm's names are torchvision's.
constexpr Row kHuggingFaceResNet[] = {
    {"resnet.embedder.embedder.convolution.*", "conv1.*"},
    {"resnet.embedder.embedder.normalization.*", "bn1.*"},
    {"resnet.encoder.stages.{s}.layers.{b}.layer.0.convolution.*", "layer{s+1}.{b}.conv1.*"},
    {"resnet.encoder.stages.{s}.layers.{b}.layer.0.normalization.*", "layer{s+1}.{b}.bn1.*"},
    {"resnet.encoder.stages.{s}.layers.{b}.layer.1.convolution.*", "layer{s+1}.{b}.conv2.*"},
    {"resnet.encoder.stages.{s}.layers.{b}.layer.1.normalization.*", "layer{s+1}.{b}.bn2.*"},
    {"resnet.encoder.stages.{s}.layers.{b}.layer.2.convolution.*", "layer{s+1}.{b}.conv3.*"},
    {"resnet.encoder.stages.{s}.layers.{b}.layer.2.normalization.*", "layer{s+1}.{b}.bn3.*"},
    {"resnet.encoder.stages.{s}.layers.{b}.shortcut.convolution.*",
     "layer{s+1}.{b}.downsample.0.*"},
    {"resnet.encoder.stages.{s}.layers.{b}.shortcut.normalization.*",
     "layer{s+1}.{b}.downsample.1.*"},
    {"classifier.1.*", "fc.*"},
};

// timm 1.0.31, models/efficientnet.py (_gen_mobilenet_v2) and _efficientnet_blocks.py
// (DepthwiseSeparableConv in stage 0, else InvertedResidual); batch norm's epsilon is PyTorch's.
constexpr Row kTimmMobileNetV2[] = {
    {"conv_stem.*", "features.0.0.*"},
    {"bn1.*", "features.0.1.*"},
    {"blocks.0.{b}.conv_dw.*", "features.{n}.conv.0.0.*"},
    {"blocks.0.{b}.bn1.*", "features.{n}.conv.0.1.*"},
    {"blocks.0.{b}.conv_pw.*", "features.{n}.conv.1.*"},
    {"blocks.0.{b}.bn2.*", "features.{n}.conv.2.*"},
    {"blocks.{s}.{b}.conv_pw.*", "features.{n}.conv.0.0.*"},
    {"blocks.{s}.{b}.bn1.*", "features.{n}.conv.0.1.*"},
    {"blocks.{s}.{b}.conv_dw.*", "features.{n}.conv.1.0.*"},
    {"blocks.{s}.{b}.bn2.*", "features.{n}.conv.1.1.*"},
    {"blocks.{s}.{b}.conv_pwl.*", "features.{n}.conv.2.*"},
    {"blocks.{s}.{b}.bn3.*", "features.{n}.conv.3.*"},
    {"conv_head.*", "features.18.0.*"},
    {"bn2.*", "features.18.1.*"},
    {"classifier.*", "classifier.1.*"},
};

// timm 1.0.31, models/efficientnet.py (_gen_efficientnet) and _efficientnet_blocks.py, as above.
constexpr Row kTimmEfficientNet[] = {
    {"conv_stem.*", "features.0.0.*"},
    {"bn1.*", "features.0.1.*"},
    {"blocks.0.{b}.conv_dw.*", "features.1.{b}.block.0.0.*"},
    {"blocks.0.{b}.bn1.*", "features.1.{b}.block.0.1.*"},
    {"blocks.0.{b}.se.conv_reduce.*", "features.1.{b}.block.1.fc1.*"},
    {"blocks.0.{b}.se.conv_expand.*", "features.1.{b}.block.1.fc2.*"},
    {"blocks.0.{b}.conv_pw.*", "features.1.{b}.block.2.0.*"},
    {"blocks.0.{b}.bn2.*", "features.1.{b}.block.2.1.*"},
    {"blocks.{s}.{b}.conv_pw.*", "features.{s+1}.{b}.block.0.0.*"},
    {"blocks.{s}.{b}.bn1.*", "features.{s+1}.{b}.block.0.1.*"},
    {"blocks.{s}.{b}.conv_dw.*", "features.{s+1}.{b}.block.1.0.*"},
    {"blocks.{s}.{b}.bn2.*", "features.{s+1}.{b}.block.1.1.*"},
    {"blocks.{s}.{b}.se.conv_reduce.*", "features.{s+1}.{b}.block.2.fc1.*"},
    {"blocks.{s}.{b}.se.conv_expand.*", "features.{s+1}.{b}.block.2.fc2.*"},
    {"blocks.{s}.{b}.conv_pwl.*", "features.{s+1}.{b}.block.3.0.*"},
    {"blocks.{s}.{b}.bn3.*", "features.{s+1}.{b}.block.3.1.*"},
    {"conv_head.*", "features.8.0.*"},
    {"bn2.*", "features.8.1.*"},
    {"classifier.*", "classifier.1.*"},
};

// timm 1.0.31, models/convnext.py (ConvNeXt, ConvNeXtBlock) and layers/classifier.py; a layer scale
// is a vector there, C x 1 x 1 in torchvision.
constexpr Row kTimmConvNext[] = {
    {"stem.0.*", "features.0.0.*"},
    {"stem.1.*", "features.0.1.*"},
    {"stages.{s}.downsample.0.*", "features.{2s}.0.*"},
    {"stages.{s}.downsample.1.*", "features.{2s}.1.*"},
    {"stages.{s}.blocks.{b}.conv_dw.*", "features.{2s+1}.{b}.block.0.*"},
    {"stages.{s}.blocks.{b}.norm.*", "features.{2s+1}.{b}.block.2.*"},
    {"stages.{s}.blocks.{b}.mlp.fc1.*", "features.{2s+1}.{b}.block.3.*"},
    {"stages.{s}.blocks.{b}.mlp.fc2.*", "features.{2s+1}.{b}.block.5.*"},
    {"stages.{s}.blocks.{b}.gamma", "features.{2s+1}.{b}.layer_scale"},
    {"head.norm.*", "classifier.0.*"},
    {"head.fc.*", "classifier.2.*"},
};

// transformers 5.24, models/convnext/modeling_convnext.py; the last norm's epsilon is 1e-12 in its
// configuration, see kHuggingFaceVit.
constexpr Row kHuggingFaceConvNext[] = {
    {"convnext.embeddings.patch_embeddings.*", "features.0.0.*"},
    {"convnext.embeddings.layernorm.*", "features.0.1.*"},
    {"convnext.encoder.stages.{s}.downsampling_layer.0.*", "features.{2s}.0.*"},
    {"convnext.encoder.stages.{s}.downsampling_layer.1.*", "features.{2s}.1.*"},
    {"convnext.encoder.stages.{s}.layers.{b}.dwconv.*", "features.{2s+1}.{b}.block.0.*"},
    {"convnext.encoder.stages.{s}.layers.{b}.layernorm.*", "features.{2s+1}.{b}.block.2.*"},
    {"convnext.encoder.stages.{s}.layers.{b}.pwconv1.*", "features.{2s+1}.{b}.block.3.*"},
    {"convnext.encoder.stages.{s}.layers.{b}.pwconv2.*", "features.{2s+1}.{b}.block.5.*"},
    {"convnext.encoder.stages.{s}.layers.{b}.layer_scale_parameter",
     "features.{2s+1}.{b}.layer_scale"},
    {"convnext.layernorm.*", "classifier.0.*"},
    {"classifier.*", "classifier.2.*"},
};

// transformers 5.24, models/bert/modeling_bert.py: BertModel inside the models with heads. Those of
// pre-training are no part of it. gamma and beta: checkpoints converted from TensorFlow
// (models/bert of 4.x, load_tf_weights_in_bert).
constexpr Row kBertWithHeads[] = {
    {"bert.embeddings.LayerNorm.gamma", "embeddings.LayerNorm.weight"},
    {"bert.embeddings.LayerNorm.beta", "embeddings.LayerNorm.bias"},
    {"bert.encoder.layer.{b}.attention.output.LayerNorm.gamma",
     "encoder.layer.{b}.attention.output.LayerNorm.weight"},
    {"bert.encoder.layer.{b}.attention.output.LayerNorm.beta",
     "encoder.layer.{b}.attention.output.LayerNorm.bias"},
    {"bert.encoder.layer.{b}.output.LayerNorm.gamma", "encoder.layer.{b}.output.LayerNorm.weight"},
    {"bert.encoder.layer.{b}.output.LayerNorm.beta", "encoder.layer.{b}.output.LayerNorm.bias"},
    {"bert.*", "*"},
    {"cls.*", ""},
};

// The published checkpoint (openai-community/gpt2) is of GPT2Model, without the model with a head
// around it; the head has no weight of its own.
constexpr Row kGpt2WithoutHead[] = {{"*", "transformer.*"}};

constexpr Known kKnown[] = {
    {"VisionTransformer", "timm", "patch_embed.proj.weight", kTimmVit},
    {"VisionTransformer", "Hugging Face", "vit.embeddings.cls_token", kHuggingFaceVit},
    {"VisionTransformer", "older torchvision", "encoder.layers.encoder_layer_0.mlp.linear_1.weight",
     kOldVit},
    {"ResNet", "Hugging Face", "resnet.embedder.embedder.convolution.weight", kHuggingFaceResNet},
    {"MobileNetV2", "timm", "conv_stem.weight", kTimmMobileNetV2},
    // transformers 5.24, models/mobilenet_v2: tf_padding, layer_norm_eps 0.001, 1001 classes
    {"MobileNetV2",
     "Hugging Face",
     "mobilenet_v2.conv_stem.first_conv.convolution.weight",
     {},
     "it pads as TensorFlow does and has another epsilon"},
    {"EfficientNet", "timm", "conv_stem.weight", kTimmEfficientNet},
    // transformers 5.24, models/efficientnet: ZeroPad2d by correct_pad, batch_norm_eps 0.001
    {"EfficientNet",
     "Hugging Face",
     "efficientnet.embeddings.convolution.weight",
     {},
     "it pads as TensorFlow does and has another epsilon"},
    {"ConvNeXt", "timm", "stem.0.weight", kTimmConvNext},
    {"ConvNeXt", "Hugging Face", "convnext.embeddings.patch_embeddings.weight",
     kHuggingFaceConvNext},
    // timm 1.0.31, models/mobilenetv3.py (_gen_mobilenet_v3, resolve_bn_args)
    {"MobileNetV3",
     "timm",
     "conv_stem.weight",
     {},
     "its batch norms have the epsilon 1e-5, torchvision's 1e-3"},
    {"BERT", "Hugging Face", "bert.embeddings.word_embeddings.weight", kBertWithHeads},
    {"GPT-2", "Hugging Face", "wte.weight", kGpt2WithoutHead},
};

}  // namespace

std::span<const Known> KnownSpellings() { return kKnown; }

}  // namespace assay::zoo
