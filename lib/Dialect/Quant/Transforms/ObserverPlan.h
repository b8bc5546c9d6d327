//===- ObserverPlan.h - Which values are observed, and how ------*- C++ -*-===//

#ifndef QUANT_MLIR_LIB_DIALECT_QUANT_TRANSFORMS_OBSERVERPLAN_H
#define QUANT_MLIR_LIB_DIALECT_QUANT_TRANSFORMS_OBSERVERPLAN_H

#include "quant-mlir/Dialect/Quant/Transforms/ActivationGroups.h"
#include "quant-mlir/Dialect/Quant/Transforms/ActivationSettings.h"

#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringSet.h"

namespace quant_mlir {

/// What rules and flags ask of one tensor of an operation.
struct Wish {
  std::optional<ActivationSettings> settings; ///< nullopt: floating point
  unsigned specificity = 0; ///< op_name 3, op_type 2, global 1, flags 0
  std::string where;
};

/// What is asked of a group's output and of its inputs.
struct GroupWishes {
  Wish output, input;
  bool isEnabled() const { return output.settings || input.settings; }
};

/// Values with one set of parameters.
struct ValueClass {
  llvm::SmallVector<mlir::Value> sources;   ///< in the order of the function
  llvm::SmallVector<mlir::Value> followers; ///< results of averages
  llvm::SmallVector<const ActivationGroup *> writers;
  llvm::SmallVector<std::pair<const ActivationGroup *, mlir::OpOperand *>>
      readers;
  /// The winning wish; null where nobody wants the class quantized.
  const Wish *wish = nullptr;
  /// A writer wants it, so that every reader sees the quantized value.
  bool isWrittenQuantized = false;
  std::string id;
};

/// Whether observers and parameters know the type of a value.
bool isActivation(mlir::Value value);

/// Whether the values of `op` are elements of its operands.
bool isValueMove(mlir::Operation *op);

/// What is to be observed in one function. Computed before the IR changes, but
/// for the names that operations get.
class ObserverPlan {
public:
  /// `rules` may be null. `ids` are those of the module so far.
  ObserverPlan(mlir::FunctionOpInterface function,
               const ActivationDefaults &defaults, QuantConfig *rules,
               llvm::StringSet<> &ids)
      : function(function), defaults(defaults), rules(rules), ids(ids) {}

  mlir::LogicalResult compute();

  llvm::MapVector<mlir::Value, ValueClass> &getClasses() { return classes; }
  /// The class of a value that is observed; null where it is not.
  ValueClass *getObservedClass(mlir::Value value);
  const GroupWishes &getWishes(const ActivationGroup *group) const {
    return wishes.find(group)->second;
  }

  /// What is asked of one tensor of `op`, an operation or a function.
  mlir::FailureOr<Wish> getWish(QuantConfig::Tensor tensor,
                                llvm::StringRef name, mlir::Operation *op,
                                llvm::StringRef kind);
  /// The spec of an observer on `value`, a member of the class.
  mlir::FailureOr<SpecAttr> getSpec(const ValueClass &valueClass,
                                    mlir::Value value);
  /// Ids are unique in the module: names are so in their function only.
  std::string makeId(llvm::StringRef id);

  /// Prints a remark for each group: what becomes of its values, by which rule.
  void explain();
  /// Prints a remark for each sum with a mask, which stays in floating point.
  void remarkMasked();

private:
  mlir::LogicalResult collectWishes();
  void collectFloating();
  void collectMasked();
  bool isReadAsCodes(mlir::Value value) const;
  void collectClasses();
  void decide(ValueClass &valueClass);
  std::string nameSource(const ValueClass &valueClass);
  void explainGroup(const ActivationGroup &group);

  mlir::FunctionOpInterface function;
  const ActivationDefaults &defaults;
  QuantConfig *rules;
  llvm::StringSet<> &ids;
  std::optional<ActivationGroups> groups;
  llvm::DenseMap<const ActivationGroup *, GroupWishes> wishes;
  /// Anchors of groups that flags ask for, and that gain nothing.
  llvm::SmallPtrSet<mlir::Operation *, 8> floating;
  /// Anchors of groups that add a mask to what a softmax reads.
  llvm::SmallPtrSet<mlir::Operation *, 8> masked;
  llvm::MapVector<mlir::Value, ValueClass> classes;
};

/// Whether a softmax, one operation or several, reads `value` through moves,
/// and nothing else does.
bool isReadBySoftmaxOnly(mlir::Value value);

} // namespace quant_mlir

#endif // QUANT_MLIR_LIB_DIALECT_QUANT_TRANSFORMS_OBSERVERPLAN_H
