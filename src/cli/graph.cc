#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "aten/lower.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "campaign/program_file.h"
#include "cli/graph_diff.h"
#include "cli/model_options.h"
#include "cli/terminal.h"
#include "cli/torch_tool.h"
#include "cli/verb.h"
#include "view/cut.h"
#include "view/render.h"

namespace assay::cli {
namespace {

constexpr const char* kExamples =
    "Examples:\n"
    "  assay graph resnet18                                    the ONNX graph\n"
    "  assay graph resnet18 --as aten                          the calls of eager PyTorch\n"
    "  assay graph resnet18 --as fx                            torch.export's graph, as Python\n"
    "  assay graph resnet18 --as dynamo                        what torch.compile sees; its "
    "breaks\n"
    "  assay graph python:net.py:build --as dynamo\n"
    "  assay graph model.onnx --from /layer1/Conv --to /layer1/Add\n"
    "  assay graph model.onnx --diff openvino                  where it computes otherwise\n"
    "  assay graph model.onnx --format dot | dot -Tsvg > graph.svg";

struct GraphOptions {
  ModelOptions model;
  std::string as = "onnx";
  std::string format = "text";
  std::string from, to;
  std::string diff;  // engine

  bool cut() const { return !from.empty() || !to.empty(); }
};

Status CheckChoice(const char* option, const std::string& value,
                   const std::vector<std::string>& choices) {
  if (std::find(choices.begin(), choices.end(), value) != choices.end()) {
    return {};
  }
  return Error{Code::kInvalidArgument,
               fmt::format("{} '{}' is not known{}", option, value, DidYouMean(value, choices)),
               fmt::format("{} is one of {}", option, Join(choices, ", "))};
}

Status Check(const GraphOptions& options) {
  ASSAY_TRY(CheckChoice("--as", options.as, {"onnx", "aten", "fx", "dynamo"}));
  ASSAY_TRY(options.diff.empty() ? CheckChoice("--format", options.format, {"text", "dot"})
                                 : CheckChoice("--format", options.format, {"text", "json"}));
  if (!options.diff.empty() && (options.cut() || options.as != "onnx")) {
    return Error{Code::kInvalidArgument, "--as, --from and --to are not for --diff",
                 "assay graph MODEL --diff ENGINE"};
  }
  if (options.as == "dynamo" && options.cut()) {
    return Error{Code::kInvalidArgument, "--from and --to are not for --as dynamo",
                 "it may give several graphs; use them with --as onnx, aten or fx"};
  }
  return {};
}

/// What is shown: one or more listings, and what stands around them in text.
struct Shown {
  std::vector<view::Listing> listings;
  std::vector<std::string> code;  // of each listing, or none
  std::vector<view::Break> breaks;
  std::string summary;
};

/// What PyTorch's tools read of a model: a Python module itself, or the program of others.
Result<std::filesystem::path> FileForTorch(const model::Model& model) {
  if (model.module) {
    return model.module->file;
  }
  ASSAY_ASSIGN(aten::Program program, aten::Lower(model.graph));
  program.name = model.name;
  ASSAY_ASSIGN(const campaign::ProgramFile file, campaign::KeepProgram(program, HomeDirectory()));
  return file.path;
}

/// The calls of eager PyTorch; those that torch.export wrote down of a Python module.
Result<aten::Lowered> CallsOf(const model::Model& model) {
  if (!model.module) {
    return aten::LowerWithOrigins(model.graph);
  }
  if (model.module->no_program) {
    return *model.module->no_program;
  }
  ASSAY_ASSIGN(const Json json, ReadJson(model.module->program));
  aten::Lowered lowered;
  ASSAY_ASSIGN(lowered.program, aten::ProgramFromJson(json, model.module->program.string()));
  lowered.origins.assign(static_cast<std::size_t>(lowered.program.value_count), model::kNone);
  return lowered;
}

Result<Shown> FromTorch(const GraphOptions& options, const model::Model& model) {
  ASSAY_ASSIGN(const std::filesystem::path file, FileForTorch(model));
  ASSAY_ASSIGN(view::TorchGraphs graphs, AskTorch(options.as, file, model.folder));
  Shown shown{.listings = std::move(graphs.graphs),
              .code = {},
              .breaks = std::move(graphs.breaks),
              .summary = ""};
  if (options.as == "dynamo") {
    const auto count = [](std::size_t n, const char* what) {
      return fmt::format("{} {}{}", n, what, n == 1 ? "" : "s");
    };
    shown.summary =
        fmt::format("{} in dynamo: {}, {}\n\n", model.name, count(shown.listings.size(), "graph"),
                    count(shown.breaks.size(), "graph break"));
  } else if (!options.cut()) {
    shown.code = std::move(graphs.code);
  }
  return shown;
}

Result<Shown> Show(const GraphOptions& options, const model::Model& model) {
  Shown shown;
  if (options.as == "onnx") {
    if (model.module && model.module->no_onnx) {
      return *model.module->no_onnx;
    }
    shown.listings.push_back(view::OnnxListing(model.graph, model.name));
  } else if (options.as == "aten") {
    ASSAY_ASSIGN(const aten::Lowered lowered, CallsOf(model));
    shown.listings.push_back(view::AtenListing(lowered, model.name));
  } else {
    ASSAY_ASSIGN(shown, FromTorch(options, model));
  }
  if (options.cut()) {
    for (view::Listing& listing : shown.listings) {
      ASSAY_ASSIGN(listing, view::Cut(listing, options.from, options.to));
    }
  }
  return shown;
}

std::string TextOf(const Shown& shown, const report::Style& style) {
  std::string text = shown.summary + view::Text(shown.breaks, style);
  text += shown.breaks.empty() ? "" : "\n";
  for (std::size_t i = 0; i < shown.listings.size(); ++i) {
    text += i == 0 ? "" : "\n";
    text += i < shown.code.size() ? shown.code[i] + "\n" : "";
    text += view::Text(shown.listings[i], style);
  }
  return text;
}

Result<int> Graph(const GraphOptions& options) {
  ASSAY_TRY(Check(options));
  ASSAY_ASSIGN(const model::Model model, options.model.Load());
  if (!options.diff.empty()) {
    return DiffGraph(model, options.diff, options.model.seed, options.format == "json");
  }
  ASSAY_ASSIGN(const Shown shown, Show(options, model));
  ASSAY_TRY(WriteOut(options.format == "dot" ? view::Dot(shown.listings)
                                             : TextOf(shown, StyleOfStdout())));
  return 0;
}

}  // namespace

Verb AddGraph(CLI::App& app) {
  const auto options = std::make_shared<GraphOptions>();
  CLI::App* verb = app.add_subcommand("graph", "the graph with its shapes, in four forms");
  options->model.AddTo(*verb);
  verb->add_option(
          "--as", options->as,
          "onnx: the file's nodes; aten: the calls of eager PyTorch; fx: what torch.export "
          "makes of the module tree; dynamo: what torch.compile's front end makes of it, "
          "graph breaks included")
      ->type_name("FORM")
      ->capture_default_str();
  verb->add_option("--from", options->from,
                   "only what depends on this node; with --to, only the ways between the two")
      ->type_name("NODE");
  verb->add_option("--to", options->to, "only what this node depends on")->type_name("NODE");
  verb->add_option("--diff", options->diff,
                   "the first node whose result ENGINE (onnxruntime, openvino) computes otherwise "
                   "than fp64, by more than fp32 explains; ends with 1 if there is one")
      ->type_name("ENGINE");
  verb->add_option("--format", options->format,
                   "of stdout: text or dot (graphviz); with --diff, text or json")
      ->type_name("FORMAT")
      ->capture_default_str();
  verb->footer(kExamples);
  return {verb, [options](const auto&) { return Graph(*options); }};
}

}  // namespace assay::cli
