// Recurrent layers. ONNX and PyTorch stack the gates of a layer in different orders: the rows of
// its weights are picked anew at each run, as no file holds them in PyTorch's.
#include <string>
#include <vector>

#include "aten/axes.h"
#include "aten/constants.h"
#include "aten/rules.h"

namespace assay::aten {
namespace {

struct Layer {
  std::string_view aten;
  Integers64 gates;  // PyTorch's gates as places in ONNX's order
  std::vector<std::string> activations;
  std::int64_t peepholes;  // position of the operand for them, 0 when there is none
};

/// The names that the node gives, for one direction or both; empty for the default.
std::vector<std::string> Activations(const model::Node& node) {
  const auto found = node.attributes.find("activations");
  const auto* names = found == node.attributes.end()
                          ? nullptr
                          : std::get_if<std::vector<std::string>>(&found->second);
  return names == nullptr ? std::vector<std::string>() : *names;
}

/// Source  ONNX operators LSTM (iofc), GRU (zrh), RNN; PyTorch's nn.LSTM (ifgo), nn.GRU (rzn).
Layer LayerOf(const model::Node& node) {
  if (node.op == "LSTM") {
    return {"lstm", {0, 2, 3, 1}, {"Sigmoid", "Tanh", "Tanh"}, 7};
  }
  if (node.op == "GRU") {
    return {"gru", {1, 0, 2}, {"Sigmoid", "Tanh"}, 0};
  }
  return !Activations(node).empty() && Activations(node).front() == "Relu"
             ? Layer{"rnn_relu", {0}, {"Relu"}, 0}
             : Layer{"rnn_tanh", {0}, {"Tanh"}, 0};
}

/// Whether every direction has the layer's own activations.
bool HasOwnActivations(const model::Node& node, const Layer& layer) {
  const std::vector<std::string> given = Activations(node);
  for (std::size_t i = 0; i < given.size(); ++i) {
    if (given[i] != layer.activations[i % layer.activations.size()]) {
      return false;
    }
  }
  return true;
}

/// kUnsupported for what PyTorch's layers do not have.
Status CheckLayer(const Lowering& lowering, const model::Node& node, const Layer& layer) {
  const bool plain = node.String("direction", "forward") != "reverse" &&
                     !node.attributes.contains("clip") && HasOwnActivations(node, layer) &&
                     node.Int("layout", 0) == 0 && node.Int("input_forget", 0) == 0 &&
                     lowering.Operand(4) == model::kNone;
  const bool resets_after = node.op != "GRU" || node.Int("linear_before_reset", 0) != 0;
  const bool peeps = layer.peepholes > 0 &&
                     lowering.Operand(static_cast<std::size_t>(layer.peepholes)) != model::kNone;
  if (!plain || !resets_after || peeps) {
    return lowering.Unsupported(
        "only forward or both ways, whole sequences, with PyTorch's activations and gates");
  }
  return {};
}

/// Rows `first` to `first + gates * hidden` of one direction's `stacked`, gates in PyTorch's order.
ValueId Rows(Lowering& lowering, const Argument& stacked, const Layer& layer, std::int64_t hidden,
             std::int64_t first) {
  Integers64 rows;
  for (const std::int64_t gate : layer.gates) {
    for (std::int64_t row = 0; row < hidden; ++row) {
      rows.push_back(first + gate * hidden + row);
    }
  }
  const auto count = static_cast<std::int64_t>(rows.size());
  return lowering.Emit(
      "aten::index_select", "",
      {stacked, std::int64_t{0}, lowering.Constant(IntegerTensor(std::move(rows), {count}))});
}

/// Weights and biases of each direction: w_ih, w_hh, b_ih, b_hh.
ValueRefs Parameters(Lowering& lowering, const model::Node& node, const Layer& layer,
                     std::int64_t hidden) {
  ValueRefs parameters;
  const auto gates = static_cast<std::int64_t>(layer.gates.size());
  const std::int64_t directions = lowering.Shape(node.inputs[1])[0];
  for (std::int64_t direction = 0; direction < directions; ++direction) {
    const auto rows = [&](std::size_t operand, std::int64_t first) {
      const ValueId one =
          lowering.Emit("aten::select", "int",
                        {lowering.Tensor(node.inputs[operand]), std::int64_t{0}, direction},
                        Storage::kFirstArgument);
      parameters.ids.push_back(Rows(lowering, ValueRef{one}, layer, hidden, first));
    };
    rows(1, 0);
    rows(2, 0);
    if (lowering.Operand(3) != model::kNone) {
      rows(3, 0);
      rows(3, gates * hidden);
    }
  }
  return parameters;
}

/// A first state that the node gives, or zeros.
ValueId FirstState(Lowering& lowering, const model::Node& node, std::size_t position,
                   const tensor::Shape& shape) {
  if (lowering.Operand(position) != model::kNone) {
    return lowering.TensorId(lowering.Operand(position));
  }
  const tensor::DType dtype = lowering.Value(node.inputs[0]).type.dtype;
  tensor::Tensor zero{"", {dtype, {}}, {}};
  zero.data.resize(tensor::SizeOf(dtype));
  return lowering.Emit("aten::expand", "", {lowering.Constant(std::move(zero)), shape},
                       Storage::kFirstArgument);
}

}  // namespace

Status LowerRecurrent(Lowering& lowering, const model::Node& node) {
  const Layer layer = LayerOf(node);
  ASSAY_TRY(CheckLayer(lowering, node, layer));
  if (lowering.Rank(node.inputs[0]) != 3 || lowering.Rank(node.inputs[1]) != 3 ||
      lowering.Rank(node.inputs[2]) != 3 || lowering.Shape(node.inputs[1])[0] > 2 ||
      lowering.Shape(node.inputs[2])[2] > kMostNumbers) {
    return lowering.Unsupported("input and weights of three dimensions, for two directions, only");
  }
  const tensor::Shape& input = lowering.Shape(node.inputs[0]);
  const std::int64_t hidden = lowering.Shape(node.inputs[2])[2];
  const std::int64_t directions = lowering.Shape(node.inputs[1])[0];
  const tensor::Shape state = {directions, input[1], hidden};
  Argument first = ValueRef{FirstState(lowering, node, 5, state)};
  const bool has_cell = node.op == "LSTM";
  if (has_cell) {
    first = ValueRefs{{std::get<ValueRef>(first).id, FirstState(lowering, node, 6, state)}};
  }
  const std::vector<ValueId> made = lowering.EmitSeveral(
      "aten::" + std::string(layer.aten), "input",
      {lowering.Tensor(node.inputs[0]), first, Parameters(lowering, node, layer, hidden),
       lowering.Operand(3) != model::kNone, std::int64_t{1}, 0.0, false, directions == 2, false},
      has_cell ? 3 : 2);
  const ValueId split = lowering.Emit(
      "aten::reshape", "", {ValueRef{made[0]}, Integers64{input[0], input[1], directions, hidden}},
      Storage::kFirstArgument);
  const ValueId sequence = lowering.Emit(
      "aten::permute", "", {ValueRef{split}, Integers64{0, 2, 1, 3}}, Storage::kFirstArgument);
  for (std::size_t i = 0; i < node.outputs.size(); ++i) {
    lowering.Bind(node.outputs[i], i == 0 ? sequence : made[i]);
  }
  return {};
}

}  // namespace assay::aten
