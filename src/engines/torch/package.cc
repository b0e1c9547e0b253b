#include "engines/torch/package.h"

#include <fmt/format.h>
#include <torch/csrc/inductor/aoti_package/model_package_loader.h>
#include <torch/headeronly/version.h>

#include <exception>
#include <string>

#include "base/json.h"
#include "engines/torch/convert.h"

namespace assay::engine_torch {
namespace {

using torch::inductor::AOTIModelPackageLoader;

class Package final : public Executable {
 public:
  explicit Package(const std::string& folder) : loader_(folder) {}

  Result<std::vector<at::Tensor>> Run(const std::vector<at::Tensor>& inputs) override {
    try {
      return loader_.run(inputs);
    } catch (const std::exception& e) {
      return ErrorOf(e, "the compiled package");
    }
  }

 private:
  AOTIModelPackageLoader loader_;
};

/// What artifact.json says of the package, against what is here.
Status CheckFits(const std::filesystem::path& artifact, int threads) {
  const std::filesystem::path path = artifact / "artifact.json";
  ASSAY_ASSIGN(const Json json, ReadJson(path));
  struct Facts {
    int threads;
    std::string torch;
  };
  ASSAY_ASSIGN(const Facts facts, FromJson(path.string(), [&] {
                 return Facts{json.at("threads").get<int>(), json.at("torch").get<std::string>()};
               }));
  if (facts.threads == threads && facts.torch == TORCH_VERSION) {
    return {};
  }
  return Error{
      Code::kInvalidArgument,
      fmt::format("{} was compiled by PyTorch {} for {} threads; here PyTorch {} was asked "
                  "to run {}",
                  artifact.string(), facts.torch, facts.threads, TORCH_VERSION, threads),
      "prepare it again with the same settings"};
}

}  // namespace

Result<std::unique_ptr<Executable>> LoadPackage(const std::filesystem::path& artifact,
                                                int threads) {
  ASSAY_TRY(CheckFits(artifact, threads));
  try {
    return std::unique_ptr<Executable>(std::make_unique<Package>((artifact / "package").string()));
  } catch (const std::exception& e) {
    return ErrorOf(e, fmt::format("cannot load {}", (artifact / "package").string()));
  }
}

}  // namespace assay::engine_torch
