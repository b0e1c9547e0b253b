#include "conversion/parts.h"

namespace assay::conversion {
namespace {

void Inductor(Recipe& recipe, const char* mode) {
  recipe.compiler = "inductor";
  recipe.mode = mode;
  recipe.fullgraph = recipe.mode != "default";
}

void Quantise(Conversion& c, const char* how, const char* weights, const char* activations = "") {
  c.recipe.quantisation = how;
  c.recipe.weights = weights;
  c.recipe.activations = activations;
}

void NeedCuda(Conversion& c, const char* compiler) {
  c.recipe.compiler = compiler;
  c.device = "CUDA";
  c.standing = Standing::kNeedsCuda;
}

/// Whatever else it needs, it is gone.
void Gone(Conversion& c, const char* compiler, const char* device, const char* why) {
  c.recipe.compiler = compiler;
  c.device = device;
  c.standing = Standing::kExplained;
  c.why = why;
}

void GoneAutoquant(Conversion& c) {
  c.weights = "int8 or int4";
  if (c.standing == Standing::kRuns) {
    Gone(c, "inductor", "CPU", "torchao 0.18 has no autoquant any more");
  }
}

constexpr const char* kWithFallback = "torch.compile with Inductor, eager where it cannot compile";
void FallBack(Conversion& c) {
  Inductor(c.recipe, "default");
  c.recipe.eager_fallback = true;
}

}  // namespace

const std::vector<Part>& Parts() {
  static const std::vector<Part> parts = {
      // Numbers and layout
      {"FP16", "weights and inputs cast to fp16",
       [](Conversion& c) { c.recipe.precision = "fp16"; }},
      {"BF16", "weights and inputs cast to bf16",
       [](Conversion& c) { c.recipe.precision = "bf16"; }},
      {"AUTOCAST_BF16", "weights kept in fp32, operators autocast to bf16",
       [](Conversion& c) {
         c.recipe.precision = "bf16";
         c.recipe.autocast = true;
         c.weights = "fp32";
       }},
      {"CHANNELS_LAST", "4-D weights and inputs laid out channels last",
       [](Conversion& c) { c.recipe.channels_last = true; }},

      // Capture
      {"EXPORT", "torch.export with static shapes",
       [](Conversion& c) { c.recipe.capture = "export"; }},
      {"JIT_TRACE", "torch.jit.trace: TorchScript of the operators that one call makes",
       [](Conversion& c) {
         c.recipe.capture = "trace";
         c.recipe.compiler = "torchscript";
       }},
      {"TORCH_SCRIPT", "torch.jit.script: TorchScript of the module's code",
       [](Conversion& c) {
         c.recipe.capture = "script";
         c.recipe.compiler = "torchscript";
       }},
      {"RUN_DECOMPOSITION", "operators decomposed into PyTorch's core set",
       [](Conversion& c) { c.recipe.decompose = true; }},

      // Compilers and runtimes
      {"EAGER", "every operator called one by one, as PyTorch does by itself",
       [](Conversion& c) { c.recipe.compiler = "eager"; }},
      {"COMPILE_INDUCTOR_DEFAULT", "torch.compile with Inductor in its default mode",
       [](Conversion& c) { Inductor(c.recipe, "default"); }},
      {"COMPILE_INDUCTOR_REDUCE_OVERHEAD",
       "torch.compile with Inductor in mode reduce-overhead, the whole graph or nothing",
       [](Conversion& c) { Inductor(c.recipe, "reduce-overhead"); }},
      {"COMPILE_INDUCTOR_MAX_AUTOTUNE",
       "torch.compile with Inductor in mode max-autotune, the whole graph or nothing",
       [](Conversion& c) { Inductor(c.recipe, "max-autotune"); }},
      {"COMPILE_INDUCTOR_EAGER_FALLBACK", kWithFallback, FallBack},
      {"COMPILE_INDUCTOR_DEFAULT_EAGER_FALLBACK", kWithFallback, FallBack},
      {"AOT_INDUCTOR", "compiled ahead of time by Inductor into a package that needs no Python",
       [](Conversion& c) { c.recipe.compiler = "aot_inductor"; }},
      {"FREEZING", "with the weights frozen in", [](Conversion& c) { c.recipe.freezing = true; }},
      {"ONEDNN_GRAPH", "with oneDNN Graph fusing what it can",
       [](Conversion& c) { c.recipe.onednn_graph = true; }},
      {"ONNX_CPU", "the ONNX graph in ONNX Runtime on its CPU provider",
       [](Conversion& c) { c.recipe.compiler = "onnxruntime"; }},
      {"NO_SPINNING", "with threads that sleep, not spin, while they wait",
       [](Conversion& c) { c.recipe.spinning = false; }},
      {"ONNX",
       "the ONNX graph in ONNX Runtime on its CPU provider",
       [](Conversion& c) { c.recipe.compiler = "onnxruntime"; },
       {"ONNX_CPU"}},
      {"DYNAMO_EXPORT", "with a graph that torch.onnx.export(dynamo=True) wrote",
       [](Conversion& c) { c.recipe.capture = "dynamo_onnx"; }},
      {"COMPILE_OPENVINO", "the captured graph compiled by OpenVINO for its CPU device",
       [](Conversion& c) { c.recipe.compiler = "openvino"; }},
      {"THROUGHPUT", "with several requests at a time, for throughput",
       [](Conversion& c) { c.recipe.streams = "throughput"; }},

      // Other devices, and what is gone
      {"ONNX_GPU",
       "the ONNX graph in ONNX Runtime on its CUDA provider",
       [](Conversion& c) { NeedCuda(c, "onnxruntime"); },
       {"ONNX_CPU"}},
      {"COMPILE_CUDAGRAPHS",
       "torch.compile replaying CUDA graphs",
       [](Conversion& c) { NeedCuda(c, "cudagraphs"); },
       {"COMPILE_INDUCTOR_DEFAULT"}},
      {"COMPILE_TENSORRT",
       "torch.compile with NVIDIA's TensorRT",
       [](Conversion& c) { NeedCuda(c, "tensorrt"); },
       {"COMPILE_OPENVINO", "COMPILE_INDUCTOR_DEFAULT"}},
      {"COMPILE_ONNXRT",
       "torch.compile with ONNX Runtime as its backend",
       [](Conversion& c) {
         Gone(c, "onnxrt", "CUDA",
              "PyTorch 2.13 has no backend 'onnxrt' of torch.compile any more");
       },
       {"ONNX_CPU"}},
      {"COMPILE_OPENXLA",
       "torch.compile with OpenXLA as its backend",
       [](Conversion& c) {
         Gone(c, "openxla", "XLA",
              "the newest wheel of torch_xla, 2.9, does not load beside PyTorch 2.13");
       },
       {"COMPILE_INDUCTOR_DEFAULT"}},
      {"COMPILE_TVM",
       "torch.compile with Apache TVM as its backend",
       [](Conversion& c) {
         Gone(c, "tvm", "CPU",
              "PyTorch's backend needs tvm.relay, which apache-tvm 0.27 has no more");
       },
       {"COMPILE_INDUCTOR_MAX_AUTOTUNE"}},

      // Quantisation
      {"AI8WI8_FLOAT_QUANTIZED",
       "weights and activations quantised to int8 (PT2E), as a graph that quantises, dequantises "
       "and computes in fp32",
       [](Conversion& c) { Quantise(c, "pt2e_float", "int8", "int8"); }},
      {"AI8WI8_STATIC_QUANTIZED",
       "weights and activations quantised to int8 (PT2E), as a graph that computes in integers",
       [](Conversion& c) { Quantise(c, "pt2e_integer", "int8", "int8"); }},
      {"NATIVE_CONVERT_AI8WI8_STATIC_QUANTIZED",
       "weights and activations quantised to int8 (FX graph mode), run by PyTorch's int8 kernels "
       "for x86",
       [](Conversion& c) { Quantise(c, "fx_int8", "int8", "int8"); }},
      {"NATIVE_FAKE_QUANTIZED_AI8WI8_STATIC",
       "weights and activations rounded to int8 (FX graph mode), computed in fp32",
       [](Conversion& c) { Quantise(c, "fx_simulated", "int8", "int8"); }},
      {"OPTIMUM_QUANTO_AI8WI8", "weights and activations quantised to int8 by optimum-quanto",
       [](Conversion& c) { Quantise(c, "quanto", "int8", "int8"); }},
      {"OPTIMUM_QUANTO_AI8WI4", "weights quantised to int4, activations to int8, by optimum-quanto",
       [](Conversion& c) { Quantise(c, "quanto", "int4", "int8"); }},
      {"OPTIMUM_QUANTO_AI8WI2", "weights quantised to int2, activations to int8, by optimum-quanto",
       [](Conversion& c) { Quantise(c, "quanto", "int2", "int8"); }},
      {"OPTIMUM_QUANTO_WI8", "weights quantised to int8 by optimum-quanto",
       [](Conversion& c) { Quantise(c, "quanto", "int8"); }},
      {"OPTIMUM_QUANTO_WI4", "weights quantised to int4 by optimum-quanto",
       [](Conversion& c) { Quantise(c, "quanto", "int4"); }},
      {"OPTIMUM_QUANTO_WI2", "weights quantised to int2 by optimum-quanto",
       [](Conversion& c) { Quantise(c, "quanto", "int2"); }},
      {"OPTIMUM_QUANTO_Wf8E4M3N", "weights quantised to float8 (e4m3fn) by optimum-quanto",
       [](Conversion& c) { Quantise(c, "quanto", "float8_e4m3fn"); }},
      {"OPTIMUM_QUANTO_Wf8E4M3NUZ", "weights quantised to float8 (e4m3fnuz) by optimum-quanto",
       [](Conversion& c) { Quantise(c, "quanto", "float8_e4m3fnuz"); }},
      {"OPTIMUM_QUANTO_Wf8E5M2", "weights quantised to float8 (e5m2) by optimum-quanto",
       [](Conversion& c) { Quantise(c, "quanto", "float8_e5m2"); }},
      {"OPTIMIM_QUANTO_Wf8E5M2",
       "weights quantised to float8 (e5m2) by optimum-quanto",
       [](Conversion& c) {
         Quantise(c, "quanto", "float8_e5m2");
         c.alias = "OPTIMUM" + c.name.substr(c.name.find('_'));  // the registry's name is misspelt
       },
       {"OPTIMUM_QUANTO_Wf8E5M2"}},
      {"TORCHAO_AUTOQUANT_DEFAULT",
       "int8 or int4 chosen for each layer by torchao's autoquant",
       GoneAutoquant,
       {"NATIVE_CONVERT_AI8WI8_STATIC_QUANTIZED"}},
      {"TORCHAO_AUTOQUANT_NONDEFAULT",
       "int8 or int4 chosen for each layer by torchao's autoquant, from more kinds of quantisation",
       GoneAutoquant,
       {"NATIVE_CONVERT_AI8WI8_STATIC_QUANTIZED"}},
      {"TORCHAO_QUANT_I4_WEIGHT_ONLY",
       "weights quantised to int4 by torchao (Int4WeightOnlyConfig), activations in bf16",
       [](Conversion& c) {
         Quantise(c, "torchao_int4", "int4");
         c.recipe.precision = "bf16";
       }},
      {"INT8", "weights and activations quantised to int8 (PT2E) for Inductor on x86",
       [](Conversion& c) { Quantise(c, "x86_int8", "int8", "int8"); }},
      {"INT8_STATIC", "weights and activations quantised to int8 by scales from calibration",
       [](Conversion& c) { Quantise(c, "static_int8", "int8", "int8"); }},
      {"INT8_DYNAMIC", "weights quantised to int8, activations at run time by their own range",
       [](Conversion& c) { Quantise(c, "dynamic_int8", "int8", "int8"); }},
  };
  return parts;
}

}  // namespace assay::conversion
