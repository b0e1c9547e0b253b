// What every lowering rule works with: the graph being read, the program being built, and which
// values share storage. The rules themselves lie in rules_*.cc, one file for each group.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aten/program.h"
#include "base/result.h"
#include "model/graph.h"

namespace assay::aten {

using Arguments = std::vector<Argument>;
using Integers64 = std::vector<std::int64_t>;

/// The most elements of a list of numbers that a rule makes up, for indices and the like.
inline constexpr std::int64_t kMostNumbers = 1 << 20;

/// Whose storage a call's result lies in: its own, or that of the call's first argument (views,
/// operators in place, operators that may hand back their input).
enum class Storage { kOwn, kFirstArgument };

class Lowering {
 public:
  /// `graph` must outlive the lowering.
  explicit Lowering(const model::Graph& graph);

  // ---- the graph

  /// Names the node in calls and errors from here on; `index` is its place in Graph::nodes.
  void Begin(std::size_t index);
  const model::Value& Value(model::ValueId id) const;
  const tensor::Shape& Shape(model::ValueId id) const { return Value(id).type.shape; }
  std::int64_t Rank(model::ValueId id) const;
  std::int64_t opset() const { return graph_.opset; }
  bool IsFloat(model::ValueId id) const;
  /// The operand at `position`, kNone when the node has fewer.
  model::ValueId Operand(std::size_t position) const;
  /// The integers of a constant operand; nothing when it is no constant or left out.
  std::optional<Integers64> Ints(model::ValueId id) const;
  /// The elements of a constant floating-point operand.
  std::optional<std::vector<double>> Floats(model::ValueId id) const;
  /// The number of a constant operand with one element.
  std::optional<double> Number(model::ValueId id) const;
  /// Whether `second` is computed from `first`.
  bool ComesFrom(model::ValueId second, model::ValueId first) const;
  /// Whether a later node reads `id`, or it is an output.
  bool IsRead(model::ValueId id) const;
  /// The node that made the value, nullptr for inputs, weights and constants.
  const model::Node* MadeBy(model::ValueId id) const;
  /// `number` as a Scalar argument beside the tensor `id`: an integer beside integers, which a
  /// double would promote.
  Argument Scalar(model::ValueId id, double number) const;
  /// kUnsupported naming operator and node.
  Error Unsupported(std::string_view why) const;

  /// kUnsupported when an operand has neither been computed nor data in a file.
  Status CheckOperands() const;
  /// kUnsupported when an output that is read later has not been bound.
  Status CheckResults() const;

  // ---- the program

  /// The program's value for `id`; Default for kNone. Weights and constants enter the program at
  /// their first use.
  Argument Tensor(model::ValueId id);
  ValueId TensorId(model::ValueId id);
  Argument Constant(tensor::Tensor tensor);

  /// Appends a call with one result.
  ValueId Emit(std::string op, std::string overload, Arguments arguments,
               Storage storage = Storage::kOwn);
  /// Appends a call with `count` results; the first ones of an operator that has more.
  std::vector<ValueId> EmitSeveral(std::string op, std::string overload, Arguments arguments,
                                   std::size_t count, Storage storage = Storage::kOwn);
  /// Emit for the current node's first output.
  Status Finish(std::string op, std::string overload, Arguments arguments,
                Storage storage = Storage::kOwn);
  /// Makes `made` the program's value for the graph's value `id`; nothing for an output left out.
  void Bind(model::ValueId id, ValueId made);

  /// Whether the current node may overwrite its operand `id`: that is the last use of everything
  /// that shares its storage, which is no input's, weight's or constant's, and the result has the
  /// operand's type.
  bool MayOverwrite(model::ValueId id) const;

  /// Makes the graph's outputs those of the program, once all nodes are lowered.
  /// Errors  kUnsupported for an output that nothing computes.
  Status BindOutputs();
  /// By program value: the graph's value that it stands for (the first, where an operator that does
  /// nothing gave it a second name), kNone for intermediate results.
  std::vector<model::ValueId> Origins() const;
  /// The finished program: last uses found.
  Program Take() &&;

 private:
  ValueId NewValue(ValueId storage);
  ValueId AddWeight(const model::Value& value);

  const model::Graph& graph_;
  std::size_t index_ = 0;  // of the current node
  Program program_;
  std::vector<ValueId> bound_;         // by graph value; -1 when not made yet
  std::vector<std::size_t> last_use_;  // by graph value: index of the last node that reads it
  // By program value: the value whose storage it shares, itself when it has its own. The two
  // that follow are meaningful for owners only.
  std::vector<ValueId> owner_;
  std::vector<std::size_t> storage_last_use_;
  std::vector<bool> fixed_;  // inputs, weights, constants, and views that overlap themselves
};

/// `arguments` without those at the end that equal `defaults`, which are the schema's defaults for
/// the last parameters.
Arguments WithoutDefaults(Arguments arguments, const Arguments& defaults);

}  // namespace assay::aten
