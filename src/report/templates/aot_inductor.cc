// @MODEL@ as a package of AOTInductor, with the options under which assay measured
// @CONVERSION@. No Python at run time. Build and run (PyTorch @VERSION@):
//
//   cmake -B build -DCMAKE_PREFIX_PATH="$(python -c 'import torch; print(torch.utils.cmake_prefix_path)')"
//   cmake --build build && build/run
//
// The code in package/ was compiled for the processor on which assay ran.
#include <ATen/Parallel.h>
#include <torch/csrc/inductor/aoti_package/model_package_loader.h>
#include <torch/torch.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <vector>

int main(int argc, char** argv) {
  const std::string package = argc > 1 ? argv[1] : PACKAGE;
  at::set_num_threads(@THREADS@);
  at::globalContext().setFlushDenormal(true);
  const c10::InferenceMode inference;
  torch::inductor::AOTIModelPackageLoader model(package);
  const std::vector<at::Tensor> inputs = {  // put your own here
      @CPP_INPUTS@};
  std::vector<double> times;
  std::vector<at::Tensor> outputs;
  for (int i = 0; i < 30; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    outputs = model.run(inputs);
    const std::chrono::duration<double, std::milli> time = std::chrono::steady_clock::now() - begin;
    times.push_back(time.count());
  }
  for (const at::Tensor& output : outputs) {
    std::printf("output: %s, %lld elements\n", output.toString().c_str(),
                static_cast<long long>(output.numel()));
  }
  std::sort(times.begin() + 5, times.end());
  std::printf("median of %zu inferences: %.3f ms\n", times.size() - 5, times[5 + 12]);
}
