// Recipes: how an engine is to run a model, field by field; what a worker is told instead of the
// name of a conversion. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"

namespace assay::conversion {

/// Its twin in Python is Recipe in engines/pytorch/protocol.py.
struct Recipe {
  std::string capture = "none";  // "export", "trace", "script", "dynamo_onnx"
  std::string compiler;  // "eager", "inductor", "aot_inductor", "torchscript", "onnxruntime",
                         // "openvino", "fake"
  std::string mode = "default";    // of inductor: "reduce-overhead", "max-autotune"
  bool fullgraph = false;          // of inductor
  bool eager_fallback = false;     // of inductor: eager where compilation fails
  std::string precision = "fp32";  // "bf16", "fp16" of weights and inputs; "fp64" of golden
  bool autocast = false;           // weights stay fp32, operators are autocast to `precision`
  bool as_is = false;  // every number in the type that the file has; `precision` is their class
  std::string quantisation = {};  // "plain" (rounded where others quantise), "quanto", "pt2e_float"
                                  // (Q/DQ graph), "pt2e_integer", "fx_int8", "fx_simulated",
                                  // "torchao_int4", "x86_int8", "static_int8", "dynamic_int8"
  std::string weights = {};       // of a quantisation: "int8", "int4", "int2", "float8_e4m3fn",
                                  // "float8_e4m3fnuz", "float8_e5m2"
  std::string activations = {};   // "int8"; "" for what they come in. Of "plain" both may be
                                  // kNarrowInt8 or kInt7 as well
  std::string calibration = "minmax";  // how scales of activations follow from calibration:
                                       // "percentile", "entropy"
  bool decompose = false;              // run_decompositions after capture and quantisation
  bool freezing = false;
  bool channels_last = false;              // of 4-D weights and inputs
  bool onednn_graph = false;               // of torchscript
  bool rounding = false;  // a reference: all the runs of engines/pytorch/rounding.py
  bool spinning = true;                    // of onnxruntime
  std::string streams = "latency";         // of openvino: "throughput"
  std::string graph_optimization = "all";  // "none" for the witness

  bool operator==(const Recipe&) const = default;
};

/// The ways to make scales of what calibration inputs show, the default first.
inline constexpr const char* kCalibrationMethods[] = {"minmax", "percentile", "entropy"};

/// Whether what it quantises to depends on calibration inputs: where activations are quantised
/// beforehand.
bool Calibrates(const Recipe& recipe);

/// Class of its numbers, which decides how far outputs may be off: "fp32", "bf16", "int8", "fp8".
std::string ClassOf(const Recipe& recipe);

/// Words for int8 that keeps a bit back: where x86 would saturate sums of u8 x s8 without VNNI;
/// always.
inline constexpr const char* kNarrowInt8 = "int8_narrow";
inline constexpr const char* kInt7 = "int7";

/// What the numbers of a reduced class cost by themselves: eager PyTorch, cast to the class, or
/// with weights (and activations, where the class has them) rounded to what the quantiser rounds
/// them to. Nothing for fp32, for a model's own class, and for int2, which is never judged.
std::optional<Recipe> PlainOf(const Recipe& recipe);
/// Of what PlainOf gives: "plain-bf16", "plain-int8_narrow-int8". A file name.
std::string PlainName(const Recipe& plain);

/// The six fields that there have always been, and of the others those that differ from their
/// default: keys of caches made before a field was known stay good.
Json ToJson(const Recipe& recipe);
/// A field that is absent has its default.
Result<Recipe> RecipeFromJson(const Json& json, std::string_view what);

}  // namespace assay::conversion
