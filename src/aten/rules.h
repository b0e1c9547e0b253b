// The rules: one function for each ONNX operator (or family of alike ones), found in one table.
#pragma once

#include <string_view>

#include "aten/lowering.h"

namespace assay::aten {

/// Emits the calls for `node`, the lowering's current one, and binds its outputs.
using Rule = Status (*)(Lowering& lowering, const model::Node& node);

/// The rule for an operator, null when there is none.
Rule FindRule(std::string_view domain, std::string_view op);

/// Why no rule reads a node of an older opset, whose operator had another form then; "" for none.
std::string_view OldFormOf(const model::Graph& graph, const model::Node& node);  // opsets.cc

// rules_convolution.cc
Status LowerCol2Im(Lowering& lowering, const model::Node& node);
Status LowerConv(Lowering& lowering, const model::Node& node);
Status LowerConvTranspose(Lowering& lowering, const model::Node& node);
Status LowerPad(Lowering& lowering, const model::Node& node);
// rules_pooling.cc
Status LowerAveragePool(Lowering& lowering, const model::Node& node);
Status LowerGlobalPool(Lowering& lowering, const model::Node& node);
Status LowerLpPool(Lowering& lowering, const model::Node& node);
Status LowerMaxPool(Lowering& lowering, const model::Node& node);
// rules_resample.cc
Status LowerAffineGrid(Lowering& lowering, const model::Node& node);
Status LowerGridSample(Lowering& lowering, const model::Node& node);
Status LowerResize(Lowering& lowering, const model::Node& node);
// rules_normalisation.cc
Status LowerBatchNormalization(Lowering& lowering, const model::Node& node);
Status LowerGroupNormalization(Lowering& lowering, const model::Node& node);
Status LowerInstanceNormalization(Lowering& lowering, const model::Node& node);
Status LowerLayerNormalization(Lowering& lowering, const model::Node& node);
Status LowerLrn(Lowering& lowering, const model::Node& node);
Status LowerMeanVarianceNormalization(Lowering& lowering, const model::Node& node);
Status LowerRmsNormalization(Lowering& lowering, const model::Node& node);
// rules_matrix.cc
Status LowerAttention(Lowering& lowering, const model::Node& node);
Status LowerEinsum(Lowering& lowering, const model::Node& node);
Status LowerGemm(Lowering& lowering, const model::Node& node);
Status LowerLinear(Lowering& lowering, const model::Node& node);
Status LowerMatMul(Lowering& lowering, const model::Node& node);
// rules_recurrent.cc
Status LowerRecurrent(Lowering& lowering, const model::Node& node);
// rules_activation.cc
Status LowerActivation(Lowering& lowering, const model::Node& node);
Status LowerClip(Lowering& lowering, const model::Node& node);
Status LowerDropout(Lowering& lowering, const model::Node& node);
Status LowerGelu(Lowering& lowering, const model::Node& node);
Status LowerHardSigmoid(Lowering& lowering, const model::Node& node);
Status LowerHardmax(Lowering& lowering, const model::Node& node);
Status LowerPRelu(Lowering& lowering, const model::Node& node);
Status LowerSelu(Lowering& lowering, const model::Node& node);
Status LowerShrink(Lowering& lowering, const model::Node& node);
Status LowerSoftmax(Lowering& lowering, const model::Node& node);
Status LowerSoftsign(Lowering& lowering, const model::Node& node);
Status LowerSwish(Lowering& lowering, const model::Node& node);
Status LowerThresholdedRelu(Lowering& lowering, const model::Node& node);
// rules_arithmetic.cc
Status LowerArithmetic(Lowering& lowering, const model::Node& node);
Status LowerBitShift(Lowering& lowering, const model::Node& node);
Status LowerCast(Lowering& lowering, const model::Node& node);
Status LowerComparison(Lowering& lowering, const model::Node& node);
Status LowerIsInf(Lowering& lowering, const model::Node& node);
Status LowerMod(Lowering& lowering, const model::Node& node);
Status LowerPow(Lowering& lowering, const model::Node& node);
Status LowerUnary(Lowering& lowering, const model::Node& node);
Status LowerVariadic(Lowering& lowering, const model::Node& node);
Status LowerWhere(Lowering& lowering, const model::Node& node);
// rules_reduction.cc
Status LowerArgExtremum(Lowering& lowering, const model::Node& node);
Status LowerCumulative(Lowering& lowering, const model::Node& node);
Status LowerGlobalLpPool(Lowering& lowering, const model::Node& node);
Status LowerLpNormalization(Lowering& lowering, const model::Node& node);
Status LowerReduce(Lowering& lowering, const model::Node& node);
Status LowerReduceNorm(Lowering& lowering, const model::Node& node);
Status LowerReduceProd(Lowering& lowering, const model::Node& node);
Status LowerTopK(Lowering& lowering, const model::Node& node);
// rules_shape.cc
Status LowerConcat(Lowering& lowering, const model::Node& node);
Status LowerConstantOfShape(Lowering& lowering, const model::Node& node);
Status LowerDepthToSpace(Lowering& lowering, const model::Node& node);
Status LowerExpand(Lowering& lowering, const model::Node& node);
Status LowerEyeLike(Lowering& lowering, const model::Node& node);
Status LowerFlatten(Lowering& lowering, const model::Node& node);
Status LowerIdentity(Lowering& lowering, const model::Node& node);
Status LowerReshape(Lowering& lowering, const model::Node& node);
Status LowerSlice(Lowering& lowering, const model::Node& node);
Status LowerSpaceToDepth(Lowering& lowering, const model::Node& node);
Status LowerSplit(Lowering& lowering, const model::Node& node);
Status LowerSqueeze(Lowering& lowering, const model::Node& node);
Status LowerTile(Lowering& lowering, const model::Node& node);
Status LowerTranspose(Lowering& lowering, const model::Node& node);
Status LowerTrilu(Lowering& lowering, const model::Node& node);
Status LowerUnsqueeze(Lowering& lowering, const model::Node& node);
// rules_indexing.cc
Status LowerGather(Lowering& lowering, const model::Node& node);
Status LowerGatherElements(Lowering& lowering, const model::Node& node);
Status LowerGatherNd(Lowering& lowering, const model::Node& node);
Status LowerOneHot(Lowering& lowering, const model::Node& node);
Status LowerScatterElements(Lowering& lowering, const model::Node& node);
Status LowerScatterNd(Lowering& lowering, const model::Node& node);
// rules_quantisation.cc
Status LowerDequantizeLinear(Lowering& lowering, const model::Node& node);
Status LowerQuantizeLinear(Lowering& lowering, const model::Node& node);

}  // namespace assay::aten
