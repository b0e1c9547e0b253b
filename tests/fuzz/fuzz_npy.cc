// An array of numpy's, as --input takes it.
#include "fuzz.h"
#include "tensor/npy.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace assay;
  static const fuzz::Folder kFolder;
  const auto array = tensor::ReadNpy(kFolder.Put("a.npy", fuzz::AsText(data, size)));
  if (!array) {
    fuzz::RequireOneLine(array.error());
    return 0;
  }
  const auto count = tensor::ElementCount(array->type.shape);
  fuzz::Require(count.ok() && *count * tensor::SizeOf(array->type.dtype) == array->data.size(),
                "bytes as many as the shape takes");
  return 0;
}
