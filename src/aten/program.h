// An ATen program: a model as the list of PyTorch dispatcher calls that eager PyTorch would make.
// Values and JSON only; engines replay it, the Python side rebuilds a module tree from it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "tensor/tensor.h"

namespace assay::aten {

using ValueId = std::int32_t;

struct ValueRef {
  ValueId id = -1;
  bool operator==(const ValueRef&) const = default;
};
inline constexpr ValueId kHole = -1;
struct ValueRefs {
  std::vector<ValueId> ids;  // kHole for None in a Tensor?[] (index)
  bool operator==(const ValueRefs&) const = default;
};  // a Tensor[] argument (cat, stack)
struct Default {
  bool operator==(const Default&) const = default;
};  // the schema's default; None where it has none
struct DTypeArg {
  tensor::DType dtype;
  bool operator==(const DTypeArg&) const = default;
};  // a ScalarType argument
struct DeviceArg {
  bool operator==(const DeviceArg&) const = default;
};  // a Device argument: the CPU
enum class MemoryFormat { kContiguous, kPreserve, kChannelsLast, kChannelsLast3d };

using Argument =
    std::variant<Default, ValueRef, ValueRefs, bool, std::int64_t, double, std::string,
                 std::vector<std::int64_t>, std::vector<double>, DTypeArg, DeviceArg, MemoryFormat>;

/// One dispatcher call. Arguments are positional in the schema's order; trailing defaults are left
/// out. An integer literal for a float parameter is written as a double already; a number for a
/// Tensor parameter is wrapped as PyTorch does for `x * 0.5`. The result of an in-place operator
/// has an id of its own, which shares the storage of the first argument.
struct Call {
  std::string op;        // "aten::conv2d"
  std::string overload;  // "", "Tensor", "dim"
  std::vector<Argument> arguments;
  std::vector<ValueId> results;  // one for each tensor of a Tensor[] result (split, unbind)
  std::vector<ValueId> frees;    // values whose last use this is; never graph inputs or weights
  std::string node;              // the ONNX node it comes from, for messages
};

struct Input {
  ValueId id = -1;
  std::string name;
  tensor::Type type;
};

/// A tensor of the weights' safetensors file.
struct Weight {
  ValueId id = -1;
  std::string tensor;  // name in the file: "layer1.0.conv1.weight"
  std::string file;    // file name beside the graph
  tensor::Type type;
};

/// A small tensor held in the program itself (shape constants, scalars, position ids).
struct Constant {
  ValueId id = -1;
  tensor::Tensor tensor;
};

struct Program {
  std::string name;
  std::vector<Input> inputs;
  std::vector<Weight> weights;
  std::vector<Constant> constants;
  std::vector<Call> calls;
  std::vector<Input> outputs;  // ids, names and types of the results
  std::int32_t value_count = 0;
};

inline constexpr std::string_view kProgramSchema = "assay.aten/1";

/// JSON form of each argument:
///   {"value": 3} {"values": [3, null]} null true 1 1.0 "text" [1, 1] {"floats": [0.5]}
///   {"dtype": "float32"} {"float": "inf"} {"device": "cpu"} {"memory_format": "channels_last"}
/// Doubles are written with a decimal point and read back as doubles, integers as integers; the
/// three that JSON lacks are {"float": "inf"}, {"float": "-inf"} and {"float": "nan"}. A constant's
/// bytes stand as hexadecimal digits in "hex".
Json ToJson(const Program& program);
/// PyTorch's name of a memory format: "channels_last".
std::string_view Name(MemoryFormat format);

/// Errors  kMalformed naming `what` and the call: missing keys, unknown kinds, and all of Validate.
Result<Program> ProgramFromJson(const Json& json, std::string_view what);

/// Whether every id is in range, made exactly once before it is used, and not used after it was
/// freed; inputs, weights and constants are never freed.
/// Errors  kMalformed naming `what` and the call.
Status Validate(const Program& program, std::string_view what);

}  // namespace assay::aten
