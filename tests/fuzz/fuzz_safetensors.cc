// A safetensors file: every tensor that it declares can be read, and the names fit themselves.
#include "fuzz.h"
#include "tensor/checkpoint.h"
#include "tensor/convert.h"
#include "tensor/fit.h"

namespace assay {
namespace {

/// Whether the file is a checkpoint of a model that has the same tensors.
void FitItself(const tensor::Checkpoint& checkpoint) {
  std::vector<tensor::Declared> wanted;
  for (const tensor::Stored& tensor : checkpoint.tensors()) {
    fuzz::Require(checkpoint.Find(tensor.name) != nullptr, "a tensor is found by its name");
    wanted.push_back({tensor.name, tensor.type});
  }
  const auto parts = tensor::Fit(checkpoint, wanted, {"the file", "itself", ""});
  if (!parts) {
    fuzz::RequireOneLine(parts.error());
    return;
  }
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    std::uint64_t bytes = 0;
    const Status fed =
        tensor::Feed((*parts)[i], wanted[i].type.dtype, [&](std::span<const std::byte> piece) {
          bytes += piece.size();
          return Status();
        });
    fuzz::Require(fed.ok() && bytes == (*parts)[i].front()->bytes.size(), "all bytes are fed");
  }
}

/// What a model of float32 with one tensor more says to it.
void FitAnother(const tensor::Checkpoint& checkpoint) {
  std::vector<tensor::Declared> wanted = {{"absent.weight", {tensor::DType::kFloat32, {1}}}};
  for (const tensor::Stored& tensor : checkpoint.tensors()) {
    wanted.push_back({tensor.name, {tensor::DType::kFloat32, {2, 3}}});
  }
  const auto parts = tensor::Fit(checkpoint, wanted, {"the file", "another", ""});
  fuzz::Require(!parts.ok(), "a tensor that is not there is missed");
  fuzz::RequireOneLine(parts.error());
}

}  // namespace
}  // namespace assay

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace assay;
  static const fuzz::Folder kFolder;
  const auto path = kFolder.Put("f.safetensors", fuzz::AsText(data, size));
  const auto checkpoint = tensor::Checkpoint::Open(path);
  if (!checkpoint) {
    fuzz::RequireOneLine(checkpoint.error());
    return 0;
  }
  checkpoint->Sha256Sum();
  FitItself(*checkpoint);
  FitAnother(*checkpoint);
  return 0;
}
