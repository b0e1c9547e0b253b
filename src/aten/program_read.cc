// Reading of assay.aten/1. The JSON library's exceptions end in FromJson; what it cannot see
// travels as Results.
#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <optional>

#include "aten/program.h"

namespace assay::aten {
namespace {

Error Malformed(std::string_view what, std::string message) {
  return {Code::kMalformed, fmt::format("{}: {}", what, message),
          "it is not a program that assay wrote, or was cut short; delete it to have it made anew"};
}

constexpr ValueId kNoId = -2;  // in a list, where -1 is a hole; Validate refuses it

/// An id, or -1 (which Validate refuses) for what cannot be one.
ValueId IdFromJson(const Json& json) {
  const std::int64_t id = json.is_number_integer() ? json.get<std::int64_t>() : -1;
  return id < 0 || id > std::numeric_limits<ValueId>::max() ? -1 : static_cast<ValueId>(id);
}

std::vector<ValueId> IdsFromJson(const Json& json) {
  std::vector<ValueId> ids;
  for (const Json& item : json) {
    ids.push_back(IdFromJson(item));
  }
  return ids;
}

/// "inf", "-inf" or "nan", as ArgumentToJson spells them.
std::optional<double> SpecialNumber(const Json& json) {
  if (!json.is_object() || !json.contains("float")) {
    return std::nullopt;
  }
  const std::string& text = json["float"].get_ref<const std::string&>();
  if (text == "inf" || text == "-inf") {
    return text == "inf" ? HUGE_VAL : -HUGE_VAL;
  }
  return text == "nan" ? std::optional<double>(std::nan("")) : std::nullopt;
}

Result<Argument> ObjectArgument(const Json& json, std::string_view what) {
  if (json.contains("value")) {
    return Argument(ValueRef{IdFromJson(json["value"])});
  }
  if (json.contains("values")) {
    ValueRefs refs;
    for (const Json& item : json["values"]) {
      const ValueId id = IdFromJson(item);
      refs.ids.push_back(item.is_null() ? kHole : id == kHole ? kNoId : id);
    }
    return Argument(std::move(refs));
  }
  if (json.contains("dtype")) {
    if (const auto dtype = tensor::ParseDType(json["dtype"].get<std::string>())) {
      return Argument(DTypeArg{*dtype});
    }
  }
  if (json.contains("device") && json["device"] == "cpu") {
    return Argument(DeviceArg{});
  }
  if (json.contains("memory_format")) {
    for (const auto format : {MemoryFormat::kContiguous, MemoryFormat::kPreserve,
                              MemoryFormat::kChannelsLast, MemoryFormat::kChannelsLast3d}) {
      if (json["memory_format"] == Name(format)) {
        return Argument(format);
      }
    }
  }
  if (json.contains("floats")) {
    std::vector<double> numbers;
    for (const Json& item : json["floats"]) {
      const auto special = SpecialNumber(item);
      numbers.push_back(special ? *special : item.get<double>());
    }
    return Argument(std::move(numbers));
  }
  if (const auto special = SpecialNumber(json)) {
    return Argument(*special);
  }
  return Malformed(what, fmt::format("no argument of a known kind: {}", json.dump()));
}

Result<Argument> ArgumentFromJson(const Json& json, std::string_view what) {
  switch (json.type()) {
    case Json::value_t::null:
      return Argument(Default{});
    case Json::value_t::boolean:
      return Argument(json.get<bool>());
    case Json::value_t::number_integer:
    case Json::value_t::number_unsigned:
      return Argument(json.get<std::int64_t>());
    case Json::value_t::number_float:
      return Argument(json.get<double>());
    case Json::value_t::string:
      return Argument(json.get<std::string>());
    case Json::value_t::array:
      for (const Json& item : json) {
        if (!item.is_number_integer()) {
          return Malformed(what, fmt::format("a list of integers holds {}", item.dump()));
        }
      }
      return Argument(json.get<std::vector<std::int64_t>>());
    default:
      return ObjectArgument(json, what);
  }
}

Result<tensor::Type> TypeFromJson(const Json& json, std::string_view what) {
  const auto name = json.at("dtype").get<std::string>();
  const auto dtype = tensor::ParseDType(name);
  if (!dtype) {
    return Malformed(what, fmt::format("unknown element type '{}'", name));
  }
  tensor::Type type{*dtype, json.at("shape").get<tensor::Shape>()};
  if (const auto count = tensor::ElementCount(type.shape); !count.ok()) {
    return Malformed(what, count.error().message);
  }
  return type;
}

Result<std::vector<Input>> InputsFromJson(const Json& json, std::string_view what) {
  std::vector<Input> inputs;
  for (const Json& entry : json) {
    ASSAY_ASSIGN(auto type, TypeFromJson(entry, what));
    inputs.push_back({IdFromJson(entry.at("id")), entry.at("name"), std::move(type)});
  }
  return inputs;
}

Result<std::vector<Weight>> WeightsFromJson(const Json& json, std::string_view what) {
  std::vector<Weight> weights;
  for (const Json& entry : json) {
    ASSAY_ASSIGN(auto type, TypeFromJson(entry, what));
    weights.push_back(
        {IdFromJson(entry.at("id")), entry.at("tensor"), entry.at("file"), std::move(type)});
  }
  return weights;
}

std::optional<unsigned> HexDigit(char c) {
  if (c >= '0' && c <= '9') {
    return static_cast<unsigned>(c - '0');
  }
  return c >= 'a' && c <= 'f' ? std::optional<unsigned>(static_cast<unsigned>(c - 'a' + 10))
                              : std::nullopt;
}

Result<std::vector<std::byte>> FromHex(std::string_view text, std::string_view what) {
  std::vector<std::byte> bytes;
  bytes.reserve(text.size() / 2);
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    const auto high = HexDigit(text[i]);
    const auto low = HexDigit(text[i + 1]);
    if (!high || !low) {
      return Malformed(what, fmt::format("'{}' is no hexadecimal byte", text.substr(i, 2)));
    }
    bytes.push_back(static_cast<std::byte>(*high * 16 + *low));
  }
  return bytes;
}

Result<std::vector<Constant>> ConstantsFromJson(const Json& json, std::string_view what) {
  std::vector<Constant> constants;
  for (const Json& entry : json) {
    ASSAY_ASSIGN(auto type, TypeFromJson(entry, what));
    ASSAY_ASSIGN(auto data, FromHex(entry.at("hex").get_ref<const std::string&>(), what));
    ASSAY_ASSIGN(const std::uint64_t count, tensor::ElementCount(type.shape));
    const std::string name = entry.at("name");
    if (data.size() != count * tensor::SizeOf(type.dtype)) {
      return Malformed(what, fmt::format("constant '{}' of shape {} has {} bytes", name,
                                         tensor::ToString(type.shape), data.size()));
    }
    constants.push_back({IdFromJson(entry.at("id")), {name, std::move(type), std::move(data)}});
  }
  return constants;
}

Result<Call> CallFromJson(const Json& json, std::string_view what) {
  Call call;
  call.op = json.at("op");
  call.overload = json.at("overload");
  call.node = json.at("node");
  call.results = IdsFromJson(json.at("results"));
  call.frees = IdsFromJson(json.at("frees"));
  const std::string where = fmt::format("{}: call {} of node '{}'", what, call.op, call.node);
  for (const Json& argument : json.at("arguments")) {
    ASSAY_ASSIGN(auto read, ArgumentFromJson(argument, where));
    call.arguments.push_back(std::move(read));
  }
  return call;
}

Result<Program> ReadProgram(const Json& json, std::string_view what) {
  if (const std::string schema = json.at("schema"); schema != kProgramSchema) {
    return Malformed(what, fmt::format("its schema is '{}', not '{}'", schema, kProgramSchema));
  }
  Program program;
  program.name = json.at("name");
  program.value_count = IdFromJson(json.at("value_count"));
  ASSAY_ASSIGN(program.inputs, InputsFromJson(json.at("inputs"), what));
  ASSAY_ASSIGN(program.weights, WeightsFromJson(json.at("weights"), what));
  ASSAY_ASSIGN(program.constants, ConstantsFromJson(json.at("constants"), what));
  ASSAY_ASSIGN(program.outputs, InputsFromJson(json.at("outputs"), what));
  for (const Json& entry : json.at("calls")) {
    ASSAY_ASSIGN(auto call, CallFromJson(entry, what));
    program.calls.push_back(std::move(call));
  }
  return program;
}

}  // namespace

Result<Program> ProgramFromJson(const Json& json, std::string_view what) {
  ASSAY_ASSIGN(auto read, FromJson(what, [&] { return ReadProgram(json, what); }));
  ASSAY_ASSIGN(Program program, std::move(read));
  ASSAY_TRY(Validate(program, what));
  return program;
}

}  // namespace assay::aten
