// The table of `assay profile`: where a model's work lies.
#pragma once

#include <string>

#include "predict/breakdown.h"
#include "report/report.h"

namespace assay::report {

struct ProfiledModel {
  std::string name;
  std::uint64_t parameters = 0, macs = 0;
  std::int64_t batch_size = 1;
  std::string precision;  // that the bytes are counted for
};

std::string RenderBreakdown(const ProfiledModel& model, const predict::Breakdown& breakdown,
                            Format format, const Style& style);

/// "all 123 operators understood", or how many and which are not.
std::string CoverageText(const predict::Coverage& coverage);

}  // namespace assay::report
