// One dispatcher call, resolved: its operator found, its constant arguments built, places marked
// for the values that it takes. Running it is replay.h's.
#pragma once

#include <ATen/core/dispatch/Dispatcher.h>

#include <cstddef>
#include <vector>

#include "aten/program.h"
#include "base/result.h"

namespace assay::engine_torch {

struct ResolvedCall {
  struct Place {  // an argument that is one value
    std::size_t position;
    aten::ValueId value;
  };
  struct ListPlace {  // an argument that is a list of values
    std::size_t position;
    std::vector<aten::ValueId> values;
    bool optional_elements;  // Tensor?[] rather than Tensor[]
  };

  c10::OperatorHandle op;
  std::vector<c10::IValue> arguments;  // the whole stack, None at the places
  std::vector<Place> places;
  std::vector<ListPlace> list_places;
  bool returns_list = false;  // one Tensor[] whose elements are `results`
  std::vector<aten::ValueId> results;
  std::vector<aten::ValueId> frees;
};

/// precision  replaces floating-point types among ScalarType arguments
/// Errors  kUnsupported when this PyTorch has no such operator or overload; kMalformed when the
///         arguments or results do not fit its schema. Both name the operator and the node.
Result<ResolvedCall> Resolve(const aten::Call& call, at::ScalarType precision);

}  // namespace assay::engine_torch
