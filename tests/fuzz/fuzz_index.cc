// The index of a sharded checkpoint, beside two shards: a.safetensors with the tensors "a" and "b",
// sub/c.safetensors with "c".
#include "fuzz.h"
#include "tensor/checkpoint.h"

namespace assay {
namespace {

void PutShards(const fuzz::Folder& folder) {
  const auto one = [](const char* name) {
    return tensor::Tensor{name, {tensor::DType::kFloat32, {1}}, std::vector<std::byte>(4)};
  };
  const auto path = folder.Put("none", "").parent_path();
  std::filesystem::create_directories(path / "sub");
  fuzz::Require(tensor::WriteSafetensors(path / "a.safetensors", {one("a"), one("b")}).ok() &&
                    tensor::WriteSafetensors(path / "sub/c.safetensors", {one("c")}).ok(),
                "the shards");
}

}  // namespace
}  // namespace assay

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace assay;
  static const fuzz::Folder kFolder;
  static const bool kWritten = (PutShards(kFolder), true);
  fuzz::Require(kWritten, "the shards");
  const auto path = kFolder.Put("model.safetensors.index.json", fuzz::AsText(data, size));
  const auto checkpoint = tensor::Checkpoint::Open(path);
  if (!checkpoint) {
    fuzz::RequireOneLine(checkpoint.error());
    return 0;
  }
  for (const tensor::Stored& tensor : checkpoint->tensors()) {
    fuzz::Require(tensor.bytes.size() == 4, "a tensor of a shard");
  }
  return 0;
}
