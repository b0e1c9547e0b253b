// The rules: one function for each ONNX operator (or family of alike ones), found in one table.
#pragma once

#include <string_view>

#include "aten/lowering.h"

namespace assay::aten {

/// Emits the calls for `node`, the lowering's current one, and binds its outputs.
using Rule = Status (*)(Lowering& lowering, const model::Node& node);

/// The rule for an operator, null when there is none.
Rule FindRule(std::string_view domain, std::string_view op);

// rules_convolution.cc
Status LowerConv(Lowering& lowering, const model::Node& node);
Status LowerPad(Lowering& lowering, const model::Node& node);
// rules_pooling.cc
Status LowerAveragePool(Lowering& lowering, const model::Node& node);
Status LowerGlobalAveragePool(Lowering& lowering, const model::Node& node);
Status LowerMaxPool(Lowering& lowering, const model::Node& node);
// rules_normalisation.cc
Status LowerBatchNormalization(Lowering& lowering, const model::Node& node);
Status LowerLayerNormalization(Lowering& lowering, const model::Node& node);
// rules_matrix.cc
Status LowerAttention(Lowering& lowering, const model::Node& node);
Status LowerGemm(Lowering& lowering, const model::Node& node);
Status LowerLinear(Lowering& lowering, const model::Node& node);
Status LowerMatMul(Lowering& lowering, const model::Node& node);
// rules_activation.cc
Status LowerActivation(Lowering& lowering, const model::Node& node);
Status LowerClip(Lowering& lowering, const model::Node& node);
Status LowerDropout(Lowering& lowering, const model::Node& node);
Status LowerGelu(Lowering& lowering, const model::Node& node);
Status LowerHardSigmoid(Lowering& lowering, const model::Node& node);
Status LowerLeakyRelu(Lowering& lowering, const model::Node& node);
Status LowerSoftmax(Lowering& lowering, const model::Node& node);
// rules_arithmetic.cc
Status LowerArithmetic(Lowering& lowering, const model::Node& node);
Status LowerCast(Lowering& lowering, const model::Node& node);
Status LowerComparison(Lowering& lowering, const model::Node& node);
Status LowerPow(Lowering& lowering, const model::Node& node);
Status LowerReduce(Lowering& lowering, const model::Node& node);
Status LowerUnary(Lowering& lowering, const model::Node& node);
Status LowerWhere(Lowering& lowering, const model::Node& node);
// rules_shape.cc
Status LowerConcat(Lowering& lowering, const model::Node& node);
Status LowerExpand(Lowering& lowering, const model::Node& node);
Status LowerFlatten(Lowering& lowering, const model::Node& node);
Status LowerGather(Lowering& lowering, const model::Node& node);
Status LowerIdentity(Lowering& lowering, const model::Node& node);
Status LowerReshape(Lowering& lowering, const model::Node& node);
Status LowerSlice(Lowering& lowering, const model::Node& node);
Status LowerSplit(Lowering& lowering, const model::Node& node);
Status LowerSqueeze(Lowering& lowering, const model::Node& node);
Status LowerTranspose(Lowering& lowering, const model::Node& node);
Status LowerUnsqueeze(Lowering& lowering, const model::Node& node);

}  // namespace assay::aten
