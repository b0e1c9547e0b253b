#include "zoo/zoo.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "zoo/architecture.h"

namespace assay::zoo {
namespace {

using Define = Tensor (*)(GraphBuilder&, const Tensor&);

struct Definition {
  Entry entry;
  Define define;
};

// Parameters and multiply-adds: weight metadata of torchvision 0.29.2 (its GFLOPS are
// multiply-adds, published to a million); simplecnn's are counted by hand.
const std::vector<Definition>& Definitions() {
  static const tensor::Shape kImage = {1, 3, 224, 224};
  static const std::vector<Definition> kDefinitions = {
      {{"simplecnn", "SimpleCNN", "assay", kImage, 1'008'618, 80'482'304}, SimpleCnn},
      {{"resnet18", "ResNet", "torchvision models/resnet.py", kImage, 11'689'512, 1'814'000'000},
       [](GraphBuilder& net, const Tensor& x) {
         return ResNet(net, x, {2, 2, 2, 2}, /*bottleneck=*/false);
       }},
      {{"resnet50", "ResNet", "torchvision models/resnet.py, v1.5", kImage, 25'557'032,
        4'089'000'000},
       [](GraphBuilder& net, const Tensor& x) {
         return ResNet(net, x, {3, 4, 6, 3}, /*bottleneck=*/true);
       }},
      {{"mobilenet_v2", "MobileNetV2", "torchvision models/mobilenetv2.py", kImage, 3'504'872,
        301'000'000},
       MobileNetV2},
      {{"vit_b_16", "VisionTransformer", "torchvision models/vision_transformer.py", kImage,
        86'567'656, 17'564'000'000},
       [](GraphBuilder& net, const Tensor& x) { return VisionTransformer(net, x, {}); }},
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

Architecture BuildArchitecture(const Entry& entry, std::int64_t batch_size) {
  const auto definition =
      std::find_if(Definitions().begin(), Definitions().end(),
                   [&](const Definition& known) { return known.entry.name == entry.name; });
  GraphBuilder net(entry.name);
  tensor::Shape shape = entry.input_shape;
  shape[0] = batch_size;
  const Tensor result = definition->define(net, net.Input(shape));
  return std::move(net).Finish(result);
}

}  // namespace assay::zoo
