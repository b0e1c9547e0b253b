// What engines need of the inputs' file and for their outputs: the sets of an input by its name,
// storage aligned as runtimes like it, outputs as float32.
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <span>
#include <string_view>

#include "base/result.h"
#include "tensor/safetensors.h"
#include "tensor/tensor.h"

namespace assay::engine {

/// Bytes of its own at an address that is a multiple of 64 (a cache line, a vector register).
class AlignedBuffer {
 public:
  static constexpr std::align_val_t kAlignment{64};
  AlignedBuffer() = default;
  explicit AlignedBuffer(std::size_t bytes)
      : data_(static_cast<std::byte*>(::operator new(bytes, kAlignment))), size_(bytes) {}
  explicit AlignedBuffer(std::span<const std::byte> bytes);

  std::byte* data() const { return data_.get(); }
  std::size_t size() const { return size_; }

 private:
  struct Free {
    void operator()(std::byte* data) const { ::operator delete(data, kAlignment); }
  };
  std::unique_ptr<std::byte, Free> data_;
  std::size_t size_ = 0;
};

/// The entry of input `name` in set `set` ("NAME.SET"), when it is what the model takes.
///
/// wanted  the model's type; a dimension of -1 takes any size
/// Errors  kNotFound naming what the file has instead; kInvalidArgument for another type or shape.
Result<const tensor::Entry*> FindInput(const tensor::SafetensorsFile& inputs, std::string_view name,
                                       int set, const tensor::Type& wanted);

/// An output as Engine::Outputs gives it: floating point widened or narrowed to float32, or to
/// float64 when `as_float64`; everything else as it is.
tensor::Tensor AsOutput(tensor::Tensor raw, bool as_float64 = false);

}  // namespace assay::engine
