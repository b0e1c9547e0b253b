// An ONNX file from its bytes to the program that the PyTorch engines run: parsing, checks, shape
// inference, constant folding, external data, lowering, and the program's own file.
#include "aten/lower.h"
#include "base/json.h"
#include "fuzz.h"
#include "model/model.h"
#include "tensor/safetensors.h"

namespace assay {
namespace {

/// What external data may point to: two weights in model.safetensors, and a file without format.
const fuzz::Folder& FolderWithWeights() {
  static const fuzz::Folder kFolder;
  static const bool kWritten = [] {
    const tensor::Tensor matrix{
        "w", {tensor::DType::kFloat32, {4, 3}}, std::vector<std::byte>(4 * 3 * 4)};
    const tensor::Tensor shape{"s", {tensor::DType::kInt64, {2}}, std::vector<std::byte>(2 * 8)};
    const auto file = kFolder.Put("data.bin", std::string(256, '\1'));
    return tensor::WriteSafetensors(file.parent_path() / "model.safetensors", {matrix, shape}).ok();
  }();
  fuzz::Require(kWritten, "the weights' file");
  return kFolder;
}

/// The program's file reads back as what was written.
void RoundTrip(const aten::Program& program) {
  const std::string text = aten::ToJson(program).dump();
  const auto json = ParseJson(text, "program");
  fuzz::Require(json.ok(), "the program's file is JSON");
  const auto read = aten::ProgramFromJson(*json, "program");
  fuzz::Require(read.ok(), read.ok() ? "" : read.error().message);
  fuzz::Require(aten::ToJson(*read).dump() == text, "the program reads back as written");
}

}  // namespace
}  // namespace assay

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace assay;
  const auto path = FolderWithWeights().Put("m.onnx", fuzz::AsText(data, size));
  auto model = model::Load(path);
  if (!model && model.error().code == Code::kInvalidArgument) {  // a dimension without size
    fuzz::RequireOneLine(model.error());
    model = model::Load(path, {.dimensions = {{"N", 2}}, .known_sha256 = {}});
  }
  if (!model) {
    fuzz::RequireOneLine(model.error());
    return 0;
  }
  const auto program = aten::Lower(model->graph);
  if (!program) {
    fuzz::RequireOneLine(program.error());
    return 0;
  }
  RoundTrip(*program);
  return 0;
}
