#include "model/captured.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "base/json.h"

namespace assay::model {
namespace {

namespace fs = std::filesystem;

constexpr char kSchema[] = "assay.module/1";
constexpr char kGraphFile[] = "model.onnx";
constexpr char kProgramFile[] = "program.json";
constexpr char kRunAsItIs[] = "EAGER@pytorch and COMPILE_INDUCTOR_DEFAULT run the module as it is";

struct Named {
  std::string name;
  tensor::Type type;
};

/// What module.json says, before any of it is believed.
struct Facts {
  std::string schema, name, weights, sha256, no_program, no_onnx;
  std::uint64_t parameters = 0, macs = 0;
  std::vector<Named> inputs, outputs;
  std::map<std::string, std::string> given_inputs;
  std::vector<std::string> made_float32, not_counted;
  bool fast_path_differs = false;
};

Named NamedOf(const Json& json) {
  const auto dtype = tensor::ParseDType(json.at("dtype").get<std::string>());
  // An unknown one is a shape that fits nothing: refused below.
  return {json.at("name"),
          {dtype.value_or(tensor::DType::kFloat32),
           dtype ? json.at("shape").get<tensor::Shape>() : tensor::Shape{-1}}};
}

Result<Facts> Read(const fs::path& path) {
  ASSAY_ASSIGN(const Json json, ReadJson(path));
  ASSAY_ASSIGN(const Facts facts, FromJson(path.string(), [&] {
                 Facts read{.schema = json.at("schema"),
                            .name = json.at("name"),
                            .weights = json.at("weights"),
                            .sha256 = json.at("sha256"),
                            .no_program = json.at("no_program"),
                            .no_onnx = json.at("no_onnx"),
                            .parameters = json.at("parameters").get<std::uint64_t>(),
                            .macs = json.at("macs").get<std::uint64_t>(),
                            .inputs = {},
                            .outputs = {},
                            .given_inputs = json.at("given_inputs"),
                            .made_float32 = json.at("made_float32"),
                            .not_counted = json.at("not_counted"),
                            .fast_path_differs = json.at("fast_path_differs")};
                 for (const Json& argument : json.at("arguments")) {
                   read.inputs.push_back(NamedOf(argument));
                 }
                 for (const Json& output : json.at("outputs")) {
                   read.outputs.push_back(NamedOf(output));
                 }
                 return read;
               }));
  if (facts.schema != kSchema) {
    return Error{
        Code::kMalformed,
        fmt::format("{}: its schema is '{}', not '{}'", path.string(), facts.schema, kSchema),
        "delete its folder to have it made anew"};
  }
  for (const std::vector<Named>* list : {&facts.inputs, &facts.outputs}) {
    for (const Named& named : *list) {
      if (const auto count = tensor::ElementCount(named.type.shape); !count.ok()) {
        return Error{
            Code::kMalformed,
            fmt::format("{}: '{}' has a type that assay does not know", path.string(), named.name),
            ""};
      }
    }
  }
  return facts;
}

/// The module's inputs and outputs as a graph without nodes.
Graph Outline(const Facts& facts) {
  Graph graph;
  graph.name = facts.name;
  const auto add = [&](const Named& named, std::vector<ValueId>& ids) {
    ids.push_back(static_cast<ValueId>(graph.values.size()));
    Value value;
    value.name = named.name;
    value.type = named.type;
    graph.values.push_back(std::move(value));
  };
  for (const Named& input : facts.inputs) {
    add(input, graph.inputs);
  }
  for (const Named& output : facts.outputs) {
    add(output, graph.outputs);
  }
  return graph;
}

/// What an ONNX file takes and gives that the module does not; "" when they are the same.
std::string Misfit(const Graph& graph, const Facts& facts) {
  const auto compare = [&](const std::vector<ValueId>& ids, const std::vector<Named>& wanted,
                           const char* what) -> std::string {
    if (ids.size() != wanted.size()) {
      return fmt::format("it has {} {}s, the module {}", ids.size(), what, wanted.size());
    }
    for (std::size_t i = 0; i < ids.size(); ++i) {
      const Value& value = graph.values[static_cast<std::size_t>(ids[i])];
      if (value.name != wanted[i].name || (value.Typed() && value.type != wanted[i].type)) {
        return fmt::format("its {} '{}' is {} {}, the module's '{}' {} {}", what, value.name,
                           tensor::Name(value.type.dtype), tensor::ToString(value.type.shape),
                           wanted[i].name, tensor::Name(wanted[i].type.dtype),
                           tensor::ToString(wanted[i].type.shape));
      }
    }
    return "";
  };
  const std::string inputs = compare(graph.inputs, facts.inputs, "input");
  return inputs.empty() ? compare(graph.outputs, facts.outputs, "output") : inputs;
}

Error Unwritten(const std::string& why) { return {Code::kUnsupported, why, kRunAsItIs}; }

/// The graph and count of multiply-adds of the ONNX file, or why it does not stand for the module.
Status TakeOnnx(const Facts& facts, Model& model) {
  if (!facts.no_onnx.empty()) {
    return Unwritten(facts.no_onnx);
  }
  Result<Model> loaded =
      Load(model.onnx, {.dimensions = {}, .known_sha256 = std::string(facts.sha256)});
  if (!loaded.ok()) {
    return Unwritten("the ONNX file of torch.onnx: " + loaded.error().message);
  }
  if (const std::string misfit = Misfit(loaded->graph, facts); !misfit.empty()) {
    return Unwritten("the ONNX file of torch.onnx is not the module's: " + misfit);
  }
  model.graph = std::move(loaded->graph);
  if (!model.graph.unread) {
    model.macs = loaded->macs;
  }
  return {};
}

}  // namespace

Result<Model> LoadCaptured(const fs::path& folder) {
  ASSAY_ASSIGN(const Facts facts, Read(folder / kModuleFile));
  Model model;
  model.name = facts.name;
  model.source = "python";
  model.weights = facts.weights;
  model.folder = fs::absolute(folder).lexically_normal();
  model.onnx = model.folder / kGraphFile;
  model.sha256 = facts.sha256;
  model.parameters = facts.parameters;
  model.macs = facts.macs;
  model.graph = Outline(facts);
  Module module{.file = model.folder / kModuleFile,
                .program = model.folder / kProgramFile,
                .no_program = {},
                .no_onnx = {},
                .given_inputs = {},
                .made_float32 = facts.made_float32,
                .not_counted = facts.not_counted,
                .fast_path_differs = facts.fast_path_differs};
  if (!facts.no_program.empty()) {
    module.no_program = Unwritten(facts.no_program);
  }
  for (const auto& [name, file] : facts.given_inputs) {
    module.given_inputs[name] = model.folder / file;
  }
  if (Status onnx = TakeOnnx(facts, model); !onnx.ok()) {
    module.no_onnx = std::move(onnx).error();
  }
  model.module = std::move(module);
  return model;
}

Result<std::map<std::string, std::string>> SourcesOf(const fs::path& folder) {
  const fs::path path = folder / kModuleFile;
  ASSAY_ASSIGN(const Json json, ReadJson(path));
  return FromJson(path.string(),
                  [&] { return json.at("sources").get<std::map<std::string, std::string>>(); });
}

}  // namespace assay::model
