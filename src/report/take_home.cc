#include "report/take_home.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "conversion/conversion.h"
#include "report/templates.h"

namespace assay::report {
namespace {

using Values = std::vector<std::pair<std::string, std::string>>;  // "@THREADS@" and what it becomes

std::string Fill(std::string text, const Values& values) {
  for (const auto& [mark, value] : values) {
    for (std::size_t at = 0; (at = text.find(mark, at)) != std::string::npos; at += value.size()) {
      text.replace(at, mark.size(), value);
    }
  }
  return text;
}

std::string Joined(const tensor::Shape& shape) {
  std::vector<std::string> parts;
  for (const std::int64_t dimension : shape) {
    parts.push_back(fmt::format("{}", dimension));
  }
  return Join(parts, ", ");
}

/// {"input": ((1, 3, 224, 224), "float32")}
std::string PythonInputs(const record::ModelFacts& model) {
  std::vector<std::string> inputs;
  for (const record::NamedInput& input : model.inputs) {
    const tensor::Shape& shape = input.type.shape;
    inputs.push_back(fmt::format("{}: (({}{}), \"{}\")", Json(input.name).dump(), Joined(shape),
                                 shape.size() == 1 ? "," : "", tensor::Name(input.type.dtype)));
  }
  return fmt::format("{{{}}}", Join(inputs, ", "));
}

/// torch::randn({1, 3, 224, 224}), in the order of the inputs
std::string CppInputs(const record::ModelFacts& model) {
  std::vector<std::string> inputs;
  for (const record::NamedInput& input : model.inputs) {
    const std::string_view dtype = tensor::Name(input.type.dtype);
    const std::string cast = input.type.dtype == tensor::DType::kFloat16 ? ".to(torch::kHalf)"
                             : input.type.dtype == tensor::DType::kBFloat16
                                 ? ".to(torch::kBFloat16)"
                                 : "";
    inputs.push_back(
        dtype.find("float") != std::string_view::npos
            ? fmt::format("torch::randn({{{}}}){}", Joined(input.type.shape), cast)
            : fmt::format("torch::zeros({{{}}}, torch::kInt64)", Joined(input.type.shape)));
  }
  return Join(inputs, ",\n      ");
}

/// A name that CMake and comments take: letters, digits and _.
std::string PlainName(std::string name) {
  std::replace_if(
      name.begin(), name.end(),
      [](unsigned char c) { return c >= 128 || (std::isalnum(c) == 0 && c != '_'); }, '_');
  return name;
}

/// What OpenVINO was asked to compute in, as it spells it.
const char* OpenVinoPrecision(const std::string& asked) {
  return asked == "fp16" ? "f16" : asked == "bf16" ? "bf16" : "f32";
}

Values ValuesFor(const record::Arm& arm, const record::ModelFacts& model) {
  const int threads = arm.threads.obtained.value_or(std::max(1, arm.threads.asked));
  const bool compiled = arm.conversion.starts_with("COMPILE_INDUCTOR");
  return {{"@MODEL@", PlainName(model.name)},
          {"@CMAKE_NAME@", PlainName(model.name)},
          {"@CONVERSION@", arm.conversion},
          {"@VERSION@", arm.engine_version},
          {"@THREADS@", fmt::format("{}", threads)},
          {"@INPUTS@", PythonInputs(model)},
          {"@CPP_INPUTS@", CppInputs(model)},
          {"@COMPILE@", compiled ? "True" : "False"},
          {"@PRECISION@", OpenVinoPrecision(arm.precision.asked)}};
}

TakeHome PythonProgram(std::vector<TakeHome::File> files, const record::Arm& arm) {
  TakeHome home;
  home.files = std::move(files);
  home.files.push_back({"assay_model/__init__.py", ""});
  home.artifact = arm.artifact.empty() ? "" : ".";
  home.artifact_name = "artifact";
  home.how = "python run.py";
  return home;
}

/// Whether the code that goes with it does all that the conversion's recipe says.
bool IsKnown(const std::string& label) {
  const conversion::Conversion* c = conversion::Find(label.substr(0, label.find('@')));
  return c == nullptr || c->recipe == conversion::Recipe{.compiler = "eager"} ||
         c->recipe == conversion::Recipe{.compiler = "inductor"};
}

/// What PyTorch in Python runs: the program as a module tree, or the user's own module.
TakeHome ForPyTorch(const record::Arm& arm, const record::ModelFacts& model, const Values& values) {
  if (model.source == "python" && arm.engine == "pytorch") {
    TakeHome home = PythonProgram({{"run.py", Fill(templates::kPythonModule, values)},
                                   {"assay_model/user_module.py", templates::kUserModule}},
                                  arm);
    home.needs_module = true;
    return home;
  }
  TakeHome home = PythonProgram({{"run.py", Fill(templates::kPyTorch, values)},
                                 {"assay_model/program.py", templates::kProgram},
                                 {"assay_model/module_tree.py", templates::kModuleTree}},
                                arm);
  home.needs_program = true;
  return home;
}

}  // namespace

Result<TakeHome> MakeTakeHome(const record::Arm& arm, const record::ModelFacts& model) {
  const Values values = ValuesFor(arm, model);
  TakeHome home;
  if (arm.engine == "onnxruntime" || arm.engine == "openvino") {
    const bool openvino = arm.engine == "openvino";
    const char* program = !openvino                           ? templates::kOnnxRuntime
                          : arm.metric == record::kThroughput ? templates::kOpenVinoThroughput
                                                              : templates::kOpenVino;
    home.files = {{"run.py", Fill(program, values)}};
    home.needs_model = true;
    home.artifact = openvino ? "." : "";
    home.artifact_name = openvino ? "artifact" : "";
    home.how = "python run.py";
    return home;
  }
  if (arm.conversion.find("AOT_INDUCTOR") != std::string::npos && arm.engine == "torch") {
    home.files = {{"run.cc", Fill(templates::kAotInductor, values)},
                  {"CMakeLists.txt", Fill(templates::kAotInductorCMake, values)}};
    home.artifact = home.artifact_name = "package";
    home.how = "the two commands at the top of run.cc";
    return home;
  }
  if ((arm.engine == "torch" || arm.engine == "pytorch") && !IsKnown(arm.conversion)) {
    return Error{Code::kUnsupported,
                 fmt::format("there is no code to take home for {} yet", arm.conversion),
                 "run without --keep"};
  }
  if (arm.engine == "torch" || arm.engine == "pytorch") {
    return ForPyTorch(arm, model, values);
  }
  return Error{Code::kUnsupported,
               fmt::format("there is no code to take home for engine '{}'", arm.engine), ""};
}

}  // namespace assay::report
