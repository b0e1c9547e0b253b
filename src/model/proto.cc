#include "model/proto.h"

#include <fmt/format.h>
#include <google/protobuf/io/coded_stream.h>

#include <algorithm>
#include <array>
#include <climits>

#include "base/file.h"
#include "base/text.h"
#include "onnx/onnx-ml.pb.h"

namespace assay::model {
namespace {

using tensor::DType;

constexpr std::array<std::pair<DType, int>, 14> kTypes = {
    {{DType::kFloat32, onnx::TensorProto::FLOAT},
     {DType::kFloat64, onnx::TensorProto::DOUBLE},
     {DType::kFloat16, onnx::TensorProto::FLOAT16},
     {DType::kBFloat16, onnx::TensorProto::BFLOAT16},
     {DType::kInt8, onnx::TensorProto::INT8},
     {DType::kInt16, onnx::TensorProto::INT16},
     {DType::kInt32, onnx::TensorProto::INT32},
     {DType::kInt64, onnx::TensorProto::INT64},
     {DType::kUInt8, onnx::TensorProto::UINT8},
     {DType::kUInt16, onnx::TensorProto::UINT16},
     {DType::kUInt32, onnx::TensorProto::UINT32},
     {DType::kUInt64, onnx::TensorProto::UINT64},
     {DType::kBool, onnx::TensorProto::BOOL},
     {DType::kString, onnx::TensorProto::STRING}}};

/// Copies packed protobuf fields (int32_data and the like) into elements of type T.
template <typename T, typename Fields>
void Append(const Fields& fields, std::vector<std::byte>& data) {
  for (const auto field : fields) {
    const auto element = static_cast<T>(field);
    const auto* bytes = reinterpret_cast<const std::byte*>(&element);
    data.insert(data.end(), bytes, bytes + sizeof element);
  }
}

void AppendTyped(const onnx::TensorProto& proto, DType dtype, std::vector<std::byte>& data) {
  switch (tensor::SizeOf(dtype)) {  // small types are widened to int32 in the file
    case 1:
      return Append<std::uint8_t>(proto.int32_data(), data);
    case 2:
      return Append<std::uint16_t>(proto.int32_data(), data);
    case 4:
      Append<float>(proto.float_data(), data);
      Append<std::int32_t>(proto.int32_data(), data);
      return dtype == DType::kUInt32 ? Append<std::uint32_t>(proto.uint64_data(), data) : void();
    default:
      Append<double>(proto.double_data(), data);
      Append<std::int64_t>(proto.int64_data(), data);
      return Append<std::uint64_t>(proto.uint64_data(), data);
  }
}

}  // namespace

bool IsStandard(std::string_view domain) { return domain.empty() || domain == "ai.onnx"; }

Status CatchOnnx(std::string_view what, const std::function<Status()>& read) {
  try {
    return read();
  } catch (const std::exception& e) {
    return Error{Code::kMalformed, fmt::format("{}: {}", what, OneLine(e.what())), ""};
  }
}

Status ParseModel(const std::filesystem::path& path, onnx::ModelProto& model) {
  ASSAY_ASSIGN(const MappedFile file, MappedFile::Open(path));
  const auto bytes = file.bytes();
  if (bytes.size() > INT_MAX) {
    return Error{Code::kMalformed,
                 fmt::format("{} has {} bytes, more than an ONNX file can have", path.string(),
                             bytes.size()),
                 "keep the weights in files of their own (external data); the graph is small then"};
  }
  bool whole = false;
  if (!bytes.empty()) {
    google::protobuf::io::CodedInputStream stream(
        reinterpret_cast<const std::uint8_t*>(bytes.data()), static_cast<int>(bytes.size()));
    stream.SetTotalBytesLimit(INT_MAX);
    whole = model.ParseFromCodedStream(&stream) && stream.ConsumedEntireMessage();
  }
  if (!whole || !model.has_graph()) {
    return Error{Code::kMalformed, fmt::format("{} is no whole ONNX model", path.string()),
                 "the file is damaged, cut off or of another format; export it again"};
  }
  return {};
}

Result<DType> DTypeOf(int onnx_type) {
  for (const auto& [dtype, type] : kTypes) {
    if (type == onnx_type) {
      return dtype;
    }
  }
  return Error{Code::kUnsupported,
               fmt::format("elements are of ONNX's type {} ({})", onnx_type,
                           onnx::TensorProto::DataType_Name(onnx_type)),
               "export the model with a type of whole bytes, float32 for a start"};
}

int OnnxTypeOf(DType dtype) {
  return std::find_if(kTypes.begin(), kTypes.end(),
                      [&](const auto& row) { return row.first == dtype; })
      ->second;
}

Result<tensor::Type> TypeOf(const onnx::TensorProto& proto) {
  tensor::Type type;
  ASSAY_ASSIGN(type.dtype, DTypeOf(proto.data_type()));
  type.shape.assign(proto.dims().begin(), proto.dims().end());
  if (const auto count = tensor::ElementCount(type.shape); !count) {
    return Error{Code::kMalformed,
                 OneLine(fmt::format("tensor '{}': {}", proto.name(), count.error().message)), ""};
  }
  return type;
}

Result<tensor::Tensor> ReadTensor(const onnx::TensorProto& proto) {
  tensor::Tensor read;
  read.name = proto.name();
  ASSAY_ASSIGN(read.type, TypeOf(proto));
  const std::uint64_t bytes =
      *tensor::ElementCount(read.type.shape) * tensor::SizeOf(read.type.dtype);
  if (proto.has_raw_data()) {
    const auto* begin = reinterpret_cast<const std::byte*>(proto.raw_data().data());
    read.data.assign(begin, begin + proto.raw_data().size());
  } else {
    AppendTyped(proto, read.type.dtype, read.data);
  }
  if (read.data.size() != bytes) {
    return Error{Code::kMalformed,
                 OneLine(fmt::format("tensor '{}' holds {} bytes, but {} of {} takes {}",
                                     proto.name(), read.data.size(), Name(read.type.dtype),
                                     tensor::ToString(read.type.shape), bytes)),
                 ""};
  }
  return read;
}

Result<Attribute> ReadAttribute(const onnx::AttributeProto& proto) {
  switch (proto.type()) {
    case onnx::AttributeProto::INT:
      return Attribute(proto.i());
    case onnx::AttributeProto::FLOAT:
      return Attribute(static_cast<double>(proto.f()));
    case onnx::AttributeProto::STRING:
      return Attribute(proto.s());
    case onnx::AttributeProto::INTS:
      return Attribute(std::vector<std::int64_t>(proto.ints().begin(), proto.ints().end()));
    case onnx::AttributeProto::FLOATS:
      return Attribute(std::vector<double>(proto.floats().begin(), proto.floats().end()));
    case onnx::AttributeProto::STRINGS:
      return Attribute(std::vector<std::string>(proto.strings().begin(), proto.strings().end()));
    case onnx::AttributeProto::TENSOR: {
      ASSAY_ASSIGN(tensor::Tensor value, ReadTensor(proto.t()));
      return Attribute(std::move(value));
    }
    default:
      return Error{Code::kUnsupported,
                   OneLine(fmt::format("attribute '{}' is of type {}", proto.name(),
                                       onnx::AttributeProto::AttributeType_Name(proto.type()))),
                   ""};
  }
}

}  // namespace assay::model
