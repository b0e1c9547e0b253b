#include "conversion/legality.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace assay::conversion {
namespace {

bool Has(const std::vector<std::string>& all, const std::string& one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

/// Instruction sets of which one computes in numbers of this precision; none: every CPU does.
std::vector<std::string> ArithmeticOf(const std::string& precision) {
  if (precision == "fp16") {
    return {"avx512_fp16", "asimdhp"};
  }
  return precision == "bf16" ? std::vector<std::string>{"avx512_bf16", "amx_bf16", "bf16"}
                             : std::vector<std::string>{};
}

bool HasAny(const std::vector<std::string>& wanted, const Host& host) {
  return std::any_of(wanted.begin(), wanted.end(),
                     [&](const std::string& isa) { return Has(host.isa, isa); });
}

bool Met(const IsaNeed& need, const Host& host) { return HasAny(need.any_of, host); }

/// Why it does not run on `host`; "" when it does.
std::string Obstacle(const Conversion& c, const Host& host) {
  switch (c.standing) {
    case Standing::kExplained:
      return c.why;
    case Standing::kNeedsCuda:
      return Has(host.devices, "cuda") ? "on NVIDIA GPUs it is not built yet"
                                       : "it needs an NVIDIA GPU, and there is none here";
    case Standing::kRuns:
      break;
  }
  const auto need = IsaNeedOf(c.recipe);
  return need && need->required && !Met(*need, host)
             ? fmt::format("{}, and this CPU has no {}", need->without, Join(need->any_of, " or "))
             : "";
}

/// The first alternative that runs on `host`; "" when none does.
std::string NearestOn(const Conversion& c, const Host& host) {
  for (const std::string& name : c.alternatives) {
    const Conversion* other = Find(name);
    if (other != nullptr && Obstacle(*other, host).empty()) {
      return name;
    }
  }
  return "";
}

}  // namespace

bool HasArithmetic(const std::string& precision, const Host& host) {
  const std::vector<std::string> wanted = ArithmeticOf(precision);
  return wanted.empty() || HasAny(wanted, host);
}

std::optional<IsaNeed> IsaNeedOf(const Recipe& recipe) {
  if (recipe.as_is) {
    return std::nullopt;  // the file's numbers, which a runtime may widen
  }
  const bool openvino = recipe.compiler == "openvino";
  if (recipe.precision == "fp16") {
    return IsaNeed{ArithmeticOf(recipe.precision), openvino,
                   openvino ? "OpenVINO takes another precision for fp16 where the CPU lacks it"
                            : "2 to 40 times slower than fp32 on a CPU without fp16 arithmetic",
                   /*slow=*/true};
  }
  if (recipe.precision == "bf16") {
    return openvino ? IsaNeed{{"avx512bw", "avx512_bf16", "amx_bf16", "bf16"},
                              true,
                              "OpenVINO takes another precision for bf16 where the CPU lacks it"}
                    : IsaNeed{ArithmeticOf(recipe.precision), false,
                              "this CPU has no bf16 arithmetic, so that it is emulated"};
  }
  if (recipe.quantisation == "fx_int8" || recipe.quantisation == "x86_int8") {
    return IsaNeed{{"avx2"}, true, "PyTorch's int8 kernels for x86 need AVX2"};
  }
  return std::nullopt;
}

Legality LegalityOf(const Conversion& conversion, const Host& host) {
  if (const std::string obstacle = Obstacle(conversion, host); !obstacle.empty()) {
    const std::string nearest = NearestOn(conversion, host);
    return {.able = Error{Code::kUnsupported, obstacle,
                          nearest.empty() ? "assay conversions lists what runs here"
                                          : "the nearest that runs here: " + nearest},
            .warning = ""};
  }
  const auto need = IsaNeedOf(conversion.recipe);
  const bool unmet = need && !Met(*need, host);
  return {.able = {}, .warning = unmet ? need->without : "", .slow = unmet && need->slow};
}

}  // namespace assay::conversion
