#include <fmt/format.h>

#include <vector>

#include "aten/program.h"

namespace assay::aten {
namespace {

/// Follows a program's values from birth to last use.
class Checker {
 public:
  Checker(const Program& program, std::string_view what)
      : program_(program), what_(what), states_(Count(program), State::kUnborn) {}

  Status Check() {
    if (program_.value_count < 0 || program_.value_count > kMostValues) {
      return Wrong(fmt::format("value_count is {}", program_.value_count));
    }
    ASSAY_TRY(Sources());
    for (const Call& call : program_.calls) {
      ASSAY_TRY(CheckCall(call));
    }
    for (const Input& output : program_.outputs) {
      ASSAY_TRY(Use(output.id, fmt::format("output '{}'", output.name)));
    }
    return {};
  }

 private:
  enum class State : char { kUnborn, kFixed, kAlive, kFreed };  // kFixed: input, weight, constant
  static constexpr std::int32_t kMostValues = 1 << 24;

  static std::size_t Count(const Program& program) {
    const bool sane = program.value_count >= 0 && program.value_count <= kMostValues;
    return sane ? static_cast<std::size_t>(program.value_count) : 0;
  }

  Status Sources() {
    for (const Input& input : program_.inputs) {
      ASSAY_TRY(Define(input.id, State::kFixed, fmt::format("input '{}'", input.name)));
    }
    for (const Weight& weight : program_.weights) {
      ASSAY_TRY(Define(weight.id, State::kFixed, fmt::format("weight '{}'", weight.tensor)));
    }
    for (const Constant& constant : program_.constants) {
      ASSAY_TRY(
          Define(constant.id, State::kFixed, fmt::format("constant '{}'", constant.tensor.name)));
    }
    return {};
  }

  Status CheckCall(const Call& call) {
    const std::string where = fmt::format("call {} of node '{}'", call.op, call.node);
    if (call.op.find("::") == std::string::npos) {
      return Wrong(fmt::format("{}: an operator's name has a namespace, as aten::add", where));
    }
    for (const Argument& argument : call.arguments) {
      if (const auto* ref = std::get_if<ValueRef>(&argument)) {
        ASSAY_TRY(Use(ref->id, where));
      } else if (const auto* refs = std::get_if<ValueRefs>(&argument)) {
        for (const ValueId id : refs->ids) {
          ASSAY_TRY(id == kHole ? Status() : Use(id, where));
        }
      }
    }
    for (const ValueId id : call.results) {
      ASSAY_TRY(Define(id, State::kAlive, where));
    }
    for (const ValueId id : call.frees) {
      ASSAY_TRY(Use(id, where));
      if (At(id) == State::kFixed) {
        return Wrong(fmt::format("{} frees value {}, an input, weight or constant", where, id));
      }
      At(id) = State::kFreed;
    }
    return {};
  }

  Status Define(ValueId id, State state, const std::string& where) {
    ASSAY_TRY(InRange(id, where));
    if (At(id) != State::kUnborn) {
      return Wrong(fmt::format("{} makes value {}, which exists already", where, id));
    }
    At(id) = state;
    return {};
  }

  Status Use(ValueId id, const std::string& where) {
    ASSAY_TRY(InRange(id, where));
    if (At(id) == State::kUnborn || At(id) == State::kFreed) {
      return Wrong(fmt::format("{} uses value {}, which {}", where, id,
                               At(id) == State::kFreed ? "was freed" : "nothing made"));
    }
    return {};
  }

  Status InRange(ValueId id, const std::string& where) {
    if (id < 0 || id >= program_.value_count) {
      return Wrong(fmt::format("{} names value {}, of {}", where, id, program_.value_count));
    }
    return {};
  }

  Error Wrong(std::string message) const {
    return {Code::kMalformed, fmt::format("{}: {}", what_, message),
            "delete it to have it made anew"};
  }

  State& At(ValueId id) { return states_[static_cast<std::size_t>(id)]; }

  const Program& program_;
  std::string what_;
  std::vector<State> states_;
};

}  // namespace

Status Validate(const Program& program, std::string_view what) {
  return Checker(program, what).Check();
}

}  // namespace assay::aten
