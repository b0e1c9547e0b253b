#include "aten/program.h"

#include <fmt/format.h>

#include <cmath>

namespace assay::aten {
namespace {

struct ArgumentToJson {
  Json operator()(const Default&) const { return nullptr; }
  Json operator()(const ValueRef& ref) const { return {{"value", ref.id}}; }
  Json operator()(const ValueRefs& refs) const {
    Json list = Json::array();
    for (const ValueId id : refs.ids) {
      list.push_back(id == kHole ? Json(nullptr) : Json(id));
    }
    return {{"values", std::move(list)}};
  }
  Json operator()(bool flag) const { return flag; }
  Json operator()(std::int64_t number) const { return number; }
  Json operator()(double number) const { return NumberToJson(number); }
  Json operator()(const std::string& text) const { return text; }
  Json operator()(const std::vector<std::int64_t>& numbers) const { return numbers; }
  Json operator()(const std::vector<double>& numbers) const {
    Json list = Json::array();
    for (const double number : numbers) {
      list.push_back(NumberToJson(number));
    }
    return {{"floats", std::move(list)}};
  }
  Json operator()(const DTypeArg& argument) const {
    return {{"dtype", tensor::Name(argument.dtype)}};
  }
  Json operator()(const DeviceArg&) const { return {{"device", "cpu"}}; }
  Json operator()(MemoryFormat format) const { return {{"memory_format", Name(format)}}; }

 private:
  /// JSON has no infinities; they are legal arguments (clamp), so they are spelt out.
  static Json NumberToJson(double number) {
    if (std::isfinite(number)) {
      return number;
    }
    return {{"float", std::isnan(number) ? "nan" : number > 0 ? "inf" : "-inf"}};
  }
};

Json TypeToJson(const tensor::Type& type) {
  return {{"dtype", tensor::Name(type.dtype)}, {"shape", type.shape}};
}

Json InputsToJson(const std::vector<Input>& inputs) {
  Json list = Json::array();
  for (const Input& input : inputs) {
    Json entry = {{"id", input.id}, {"name", input.name}};
    entry.update(TypeToJson(input.type));
    list.push_back(std::move(entry));
  }
  return list;
}

Json WeightsToJson(const std::vector<Weight>& weights) {
  Json list = Json::array();
  for (const Weight& weight : weights) {
    Json entry = {{"id", weight.id}, {"tensor", weight.tensor}, {"file", weight.file}};
    entry.update(TypeToJson(weight.type));
    list.push_back(std::move(entry));
  }
  return list;
}

std::string ToHex(const std::vector<std::byte>& bytes) {
  std::string text;
  text.reserve(2 * bytes.size());
  for (const std::byte byte : bytes) {
    fmt::format_to(std::back_inserter(text), "{:02x}", std::to_integer<unsigned>(byte));
  }
  return text;
}

Json ConstantsToJson(const std::vector<Constant>& constants) {
  Json list = Json::array();
  for (const Constant& constant : constants) {
    Json entry = {{"id", constant.id}, {"name", constant.tensor.name}};
    entry.update(TypeToJson(constant.tensor.type));
    entry["hex"] = ToHex(constant.tensor.data);
    list.push_back(std::move(entry));
  }
  return list;
}

Json CallToJson(const Call& call) {
  Json arguments = Json::array();
  for (const Argument& argument : call.arguments) {
    arguments.push_back(std::visit(ArgumentToJson{}, argument));
  }
  return {{"op", call.op},           {"overload", call.overload}, {"arguments", arguments},
          {"results", call.results}, {"frees", call.frees},       {"node", call.node}};
}

}  // namespace

std::string_view Name(MemoryFormat format) {
  switch (format) {
    case MemoryFormat::kContiguous:
      return "contiguous_format";
    case MemoryFormat::kPreserve:
      return "preserve_format";
    case MemoryFormat::kChannelsLast:
      return "channels_last";
    case MemoryFormat::kChannelsLast3d:
      return "channels_last_3d";
  }
  return "";
}

Json ToJson(const Program& program) {
  Json calls = Json::array();
  for (const Call& call : program.calls) {
    calls.push_back(CallToJson(call));
  }
  return {{"schema", kProgramSchema},
          {"name", program.name},
          {"value_count", program.value_count},
          {"inputs", InputsToJson(program.inputs)},
          {"weights", WeightsToJson(program.weights)},
          {"constants", ConstantsToJson(program.constants)},
          {"calls", std::move(calls)},
          {"outputs", InputsToJson(program.outputs)}};
}

}  // namespace assay::aten
