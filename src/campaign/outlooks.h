// What is to be expected of arms, from the records of earlier runs and from what is prepared.
#pragma once

#include <vector>

#include "campaign/estimate.h"
#include "campaign/setting.h"
#include "conversion/select.h"

namespace assay::campaign {

/// choices  in this setting, that may run here
std::vector<Outlook> OutlooksOf(const Setting& setting,
                                const std::vector<conversion::Choice>& choices);

}  // namespace assay::campaign
