#include "zoo/zoo.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <type_traits>

#include "base/text.h"
#include "zoo/architecture.h"

namespace assay::zoo {
namespace {

using Define = std::function<void(GraphBuilder&, const Sizes&)>;

struct Definition {
  Entry entry;
  Define define;
};

/// A classifier of images.
Define Classifier(const std::function<Tensor(GraphBuilder&, const Tensor&)>& family) {
  return [=](GraphBuilder& net, const Sizes& sizes) {
    net.Output("output", family(net, net.Input("input", sizes.input)));
  };
}

/// The member of a family of them that has these options.
template <typename Options>
Define Classifier(Tensor (*family)(GraphBuilder&, const Tensor&, const Options&),
                  const std::type_identity_t<Options>& options) {
  return Classifier([=](GraphBuilder& net, const Tensor& x) { return family(net, x, options); });
}

template <typename Options>
Define Member(void (*family)(GraphBuilder&, const Sizes&, const Options&),
              const std::type_identity_t<Options>& options) {
  return [=](GraphBuilder& net, const Sizes& sizes) { family(net, sizes, options); };
}

tensor::Shape Image(std::int64_t size) { return {1, 3, size, size}; }

constexpr char kResNet[] = "torchvision models/resnet.py, v1.5";
constexpr char kMobileNetV2[] = "torchvision models/mobilenetv2.py";
constexpr char kMobileNetV3[] = "torchvision models/mobilenetv3.py";
constexpr char kEfficientNet[] = "torchvision models/efficientnet.py";
constexpr char kConvNext[] = "torchvision models/convnext.py";
constexpr char kVit[] = "torchvision models/vision_transformer.py";
constexpr char kBert[] = "transformers BertModel, bert-base-uncased";
constexpr char kGpt2[] = "transformers GPT2LMHeadModel: logits of every token, no cache";
constexpr char kGpt2Prefill[] =
    "transformers GPT2LMHeadModel: logits of the last token, keys and values of all";
constexpr char kGpt2Decode[] =
    "transformers GPT2LMHeadModel: one more token behind the keys and values of `past`";
constexpr char kYoloV8[] = "published description of YOLOv8 (detection): raw maps of the head";

Dimension Sequence(std::int64_t most) { return {"seq", 128, most, 1}; }

/// Of convolutional networks: pictures of other sizes, down to one place of the last feature map.
std::vector<Dimension> PictureSizes(std::int64_t usual, std::int64_t multiple = 1) {
  constexpr std::int64_t kLeast = 32, kMost = 4096;
  return {{"height", usual, kMost, 2, kLeast, multiple},
          {"width", usual, kMost, 3, kLeast, multiple}};
}

// Name, family, source, input, parameters, multiply-adds; definition. Parameters and multiply-adds:
// weight metadata of torchvision 0.29 (its GFLOPS are multiply-adds, published to a million);
// simplecnn's and those of transformers from their configurations; YOLOv8's multiply-adds half the
// published FLOPs, its parameters without the constants of the decoding (published to 0.1 million).
const std::vector<Definition>& Definitions() {
  static const std::vector<Definition> kDefinitions = {
      {{"simplecnn", "SimpleCNN", "assay", Image(224), 1'008'618, 80'482'304, PictureSizes(224)},
       Classifier(SimpleCnn)},
      {{"resnet18", "ResNet", kResNet, Image(224), 11'689'512, 1'814'000'000, PictureSizes(224)},
       Classifier(ResNet, {.blocks = {2, 2, 2, 2}})},
      {{"resnet34", "ResNet", kResNet, Image(224), 21'797'672, 3'664'000'000, PictureSizes(224)},
       Classifier(ResNet, {.blocks = {3, 4, 6, 3}})},
      {{"resnet50", "ResNet", kResNet, Image(224), 25'557'032, 4'089'000'000, PictureSizes(224)},
       Classifier(ResNet, {.blocks = {3, 4, 6, 3}, .bottleneck = true})},
      {{"resnet101", "ResNet", kResNet, Image(224), 44'549'160, 7'801'000'000, PictureSizes(224)},
       Classifier(ResNet, {.blocks = {3, 4, 23, 3}, .bottleneck = true})},
      {{"resnet152", "ResNet", kResNet, Image(224), 60'192'808, 11'514'000'000, PictureSizes(224)},
       Classifier(ResNet, {.blocks = {3, 8, 36, 3}, .bottleneck = true})},
      {{"mobilenet_v2", "MobileNetV2", kMobileNetV2, Image(224), 3'504'872, 301'000'000,
        PictureSizes(224)},
       Classifier(MobileNetV2)},
      {{"mobilenet_v3_small", "MobileNetV3", kMobileNetV3, Image(224), 2'542'856, 57'000'000,
        PictureSizes(224)},
       Classifier(MobileNetV3, {.large = false})},
      {{"mobilenet_v3_large", "MobileNetV3", kMobileNetV3, Image(224), 5'483'032, 217'000'000,
        PictureSizes(224)},
       Classifier(MobileNetV3, {.large = true})},
      {{"efficientnet_b0", "EfficientNet", kEfficientNet, Image(224), 5'288'548, 386'000'000,
        PictureSizes(224)},
       Classifier(EfficientNet, {.width = 1, .depth = 1})},
      {{"efficientnet_b1", "EfficientNet", kEfficientNet, Image(240), 7'794'184, 687'000'000,
        PictureSizes(240)},
       Classifier(EfficientNet, {.width = 1, .depth = 1.1})},
      {{"efficientnet_b2", "EfficientNet", kEfficientNet, Image(288), 9'109'994, 1'088'000'000,
        PictureSizes(288)},
       Classifier(EfficientNet, {.width = 1.1, .depth = 1.2})},
      {{"convnext_tiny", "ConvNeXt", kConvNext, Image(224), 28'589'128, 4'456'000'000,
        PictureSizes(224)},
       Classifier(ConvNext, {.blocks = {3, 3, 9, 3}, .width = 96})},
      {{"convnext_small", "ConvNeXt", kConvNext, Image(224), 50'223'688, 8'684'000'000,
        PictureSizes(224)},
       Classifier(ConvNext, {.blocks = {3, 3, 27, 3}, .width = 96})},
      {{"convnext_base", "ConvNeXt", kConvNext, Image(224), 88'591'464, 15'355'000'000,
        PictureSizes(224)},
       Classifier(ConvNext, {.blocks = {3, 3, 27, 3}, .width = 128})},
      {{"vit_b_16", "VisionTransformer", kVit, Image(224), 86'567'656, 17'564'000'000},
       Classifier(VisionTransformer, {.patch = 16})},
      {{"vit_b_32", "VisionTransformer", kVit, Image(224), 88'224'232, 4'409'000'000},
       Classifier(VisionTransformer, {.patch = 32})},
      {{"vit_l_16", "VisionTransformer", kVit, Image(224), 304'326'632, 61'555'000'000},
       Classifier(VisionTransformer,
                  {.patch = 16, .layers = 24, .heads = 16, .hidden = 1024, .mlp = 4096})},
      {{"vit_l_32", "VisionTransformer", kVit, Image(224), 306'535'400, 15'378'000'000},
       Classifier(VisionTransformer,
                  {.patch = 32, .layers = 24, .heads = 16, .hidden = 1024, .mlp = 4096})},
      {{"bert_base", "BERT", kBert, {1, 128}, 109'482'240, 11'174'215'680, {Sequence(512)}},
       Member(Bert, {})},
      {{"gpt2", "GPT-2", kGpt2, {1, 128}, 124'439'808, 16'114'089'984, {Sequence(1024)}},
       Member(Gpt2, {})},
      {{"gpt2_prefill",
        "GPT-2",
        kGpt2Prefill,
        {1, 128},
        124'439'808,
        11'212'223'232,
        {Sequence(1024)}},
       Member(Gpt2, {.cache = true, .last_only = true})},
      {{"gpt2_decode",
        "GPT-2",
        kGpt2Decode,
        {1, 1},
        124'439'808,
        125'909'760,
        {{"past", 128, 1023}}},
       Member(Gpt2, {.cache = true, .last_only = true})},
      {{"yolov8n", "YOLOv8", kYoloV8, Image(640), 3'157'184, 4'350'000'000, PictureSizes(640, 32)},
       Member(YoloV8, {.depth = 1.0 / 3, .width = 0.25})},
      {{"yolov8s", "YOLOv8", kYoloV8, Image(640), 11'166'544, 14'300'000'000,
        PictureSizes(640, 32)},
       Member(YoloV8, {.depth = 1.0 / 3, .width = 0.5})},
  };
  return kDefinitions;
}

/// Lower case without separators: how names are compared.
std::string Bare(std::string_view name) {
  std::string bare = ToLower(name);
  std::erase_if(bare, [](char c) { return c == '-' || c == '_' || c == ' '; });
  return bare;
}

}  // namespace

const std::vector<Entry>& Entries() {
  static const std::vector<Entry> kEntries = [] {
    std::vector<Entry> entries;
    for (const Definition& definition : Definitions()) {
      entries.push_back(definition.entry);
    }
    return entries;
  }();
  return kEntries;
}

Result<Entry> Find(std::string_view name) {
  std::vector<std::string> names;
  for (const Entry& entry : Entries()) {
    if (Bare(entry.name) == Bare(name)) {
      return entry;
    }
    names.push_back(entry.name);
  }
  return Error{Code::kNotFound, fmt::format("no model '{}'{}", name, DidYouMean(name, names)),
               "'assay models' lists the zoo; a path to an .onnx file works too"};
}

Architecture BuildArchitecture(const Entry& entry, std::int64_t batch_size,
                               const std::map<std::string, std::int64_t>& dimensions) {
  const auto definition =
      std::find_if(Definitions().begin(), Definitions().end(),
                   [&](const Definition& known) { return known.entry.name == entry.name; });
  Sizes sizes = {.input = entry.input_shape};
  sizes.input[0] = batch_size;
  for (const Dimension& dimension : entry.dimensions) {
    const auto asked = dimensions.find(dimension.name);
    const std::int64_t size = asked == dimensions.end() ? dimension.usual : asked->second;
    sizes.dimensions[dimension.name] = size;
    if (dimension.axis >= 0) {
      sizes.input[static_cast<std::size_t>(dimension.axis)] = size;
    }
  }
  GraphBuilder net(entry.name);
  definition->define(net, sizes);
  return std::move(net).Finish();
}

}  // namespace assay::zoo
