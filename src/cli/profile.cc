#include "cli/list_options.h"
#include "cli/model_options.h"
#include "cli/number.h"
#include "cli/terminal.h"
#include "cli/verb.h"
#include "predict/breakdown.h"
#include "report/breakdown.h"

namespace assay::cli {
namespace {

constexpr const char* kExamples =
    "Examples:\n"
    "  assay profile resnet50                               every operator, as executed\n"
    "  assay profile resnet50 --depth 1                     by module\n"
    "  assay profile model.onnx --sort bytes --top 10       what moves most\n"
    "\n"
    "Nothing is run: shapes alone decide. How it is counted: docs/predicting.md.";

struct ProfileOptions {
  ModelOptions model;
  std::string precision;
  std::string sort = "order";
  std::size_t depth = 0;
  std::size_t top = 0;
  std::string format = "text";
};

Result<int> Profile(const ProfileOptions& options) {
  ASSAY_ASSIGN(const report::Format format, FormatOf(options.format));
  ASSAY_ASSIGN(const predict::SortBy by, predict::ParseSortBy(options.sort));
  predict::Precision precision;
  if (!options.precision.empty()) {
    ASSAY_ASSIGN(precision, predict::FindPrecision(options.precision));
  }
  ASSAY_ASSIGN(const model::Model model, options.model.Outline());
  if (options.precision.empty()) {
    precision = predict::PrecisionOfModel(model.precision);
  }
  const predict::Breakdown breakdown =
      predict::BreakDown(model.graph, precision, by, options.depth, options.top);
  const report::ProfiledModel about{.name = model.name,
                                    .parameters = model.parameters,
                                    .macs = model.macs,
                                    .batch_size = model::BatchOf(model.graph),
                                    .precision = std::string(precision.name)};
  ASSAY_TRY(WriteOut(report::RenderBreakdown(about, breakdown, format, StyleOfStdout())));
  return 0;
}

}  // namespace

Verb AddProfile(CLI::App& app) {
  const auto options = std::make_shared<ProfileOptions>();
  CLI::App* verb = app.add_subcommand("profile", "where a model's work lies, operator by operator");
  options->model.AddTo(*verb);
  verb->add_option("--precision", options->precision,
                   "that bytes are counted for: fp32, bf16, int8, ...; default: the model's own")
      ->type_name("NAME");
  verb->add_option("--sort", options->sort, "order, macs, flops, bytes, parameters or intensity")
      ->type_name("KEY")
      ->capture_default_str();
  verb->add_option("--top", options->top, "only so many lines; 0: all")
      ->type_name("N")
      ->check(Between(0, 1e9))
      ->capture_default_str();
  verb->add_option("--depth", options->depth,
                   "lines for modules, as deep as so many parts of the operators' names; 0: "
                   "operators")
      ->type_name("N")
      ->check(Between(0, 100))
      ->capture_default_str();
  AddFormat(*verb, options->format);
  verb->footer(kExamples);
  return {verb, [options](const auto&) { return Profile(*options); }};
}

}  // namespace assay::cli
