#include "hardware/ticks.h"

#include <numeric>

#include "base/text.h"

namespace assay::hardware {

Ticks ReadTicks(const Tree& tree) {
  constexpr int kFields = 8;  // those behind, of guests, are counted in the first two already
  std::vector<std::int64_t> fields;
  for (const std::string& part : Split(tree.Field("proc/stat", "cpu").value_or(""), ' ')) {
    if (!part.empty()) {
      fields.push_back(static_cast<std::int64_t>(ParseNumber(part).value_or(0)));
    }
  }
  fields.resize(kFields);
  return {.total = std::accumulate(fields.begin(), fields.end(), std::int64_t{0}),
          .steal = fields.back()};
}

}  // namespace assay::hardware
