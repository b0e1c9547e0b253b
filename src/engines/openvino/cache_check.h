// Whether OpenVINO computes the same from its compile cache as when it compiles afresh. Of some
// graphs it does not: 2026.4.1 loads small LSTM, GRU and RNN with outputs off by 0.3 to 1.
#pragma once

#include <openvino/runtime/compiled_model.hpp>
#include <string>

#include "base/result.h"
#include "engine/protocol.h"

namespace assay::engine::openvino {

/// In an artifact whose cache is not to be used; says why.
inline constexpr const char* kCacheNotUsed = "cache_not_used.txt";

/// How far the outputs of `cached` lie from those of `fresh` on the job's first input sets: the
/// greatest relative L2 of any output; 1 for another shape. Errors  those of FindInput.
Result<double> ApartFrom(const ov::CompiledModel& fresh, const ov::CompiledModel& cached,
                         const Job& job);

/// Empties the artifact and leaves kCacheNotUsed with `why` in it.
Status DropCache(const std::string& artifact, const std::string& why);

}  // namespace assay::engine::openvino
