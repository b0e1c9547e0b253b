// What OpenVINO is told and what it says afterwards: it takes settings that it does not follow
// (a hint of f16 became bf16 without a word), so each is read back.
#pragma once

#include <openvino/runtime/compiled_model.hpp>
#include <openvino/runtime/properties.hpp>
#include <string>

#include "base/result.h"
#include "engine/protocol.h"

namespace assay::engine::openvino {

/// Whether the artifact is OpenVINO's own cache, not a graph that another engine left, nor one that
/// computes otherwise (cache_check.h).
bool HasCache(const Job& job);

/// Whether it is to run as many requests at a time as suits its throughput.
bool ForThroughput(const Job& job);

/// Errors  kUnsupported for a precision that OpenVINO's CPU plugin has no hint for.
Result<ov::AnyMap> Settings(const Job& job);

/// Adds how many of its convolutions and matrix products a model really runs in int8: a note, a
/// doubt when it is none.
void NoteInt8(const ov::CompiledModel& model, Loaded& loaded);

/// Threads, precision and device as the compiled model tells them; a note for each setting that
/// did not hold.
Loaded ReadBack(const ov::CompiledModel& model, const Job& job);

}  // namespace assay::engine::openvino
