//===- AsyncResults.cpp - Uses of what is computed later ------------------===//
//
// wgmma.mma_async has its sums in registers when wgmma.wait_group says so. In
// LLVM IR they are values, which nothing keeps behind the wait:
//
//   %d = call {i32, ...} asm "wgmma.mma_async ..."(i32 %c, ...)
//   %s = extractvalue {i32, ...} %d, 0
//   %y = sitofp i32 %s
//
// Moving a sum, or multiplying further into it, is no use; anything else is:
//
//   call @quant_emulator_result(i32 0)      ; %d has to be waited for
//   %y = sitofp i32 %s
//
//===----------------------------------------------------------------------===//

#include "AsyncResults.h"

#include "PrepareModule.h"

#include "llvm/ADT/MapVector.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/InlineAsm.h"
#include "llvm/IR/InstIterator.h"

using namespace llvm;
using namespace quant_mlir::emulator;

/// `value` as a wgmma, or null.
static CallInst *getProduct(Value *value) {
  auto *call = dyn_cast<CallInst>(value);
  auto *assembly =
      call ? dyn_cast<InlineAsm>(call->getCalledOperand()) : nullptr;
  bool isProduct =
      assembly && StringRef(getAssemblyName(assembly->getAsmString()))
                      .starts_with("wgmma.mma_async.");
  return isProduct ? call : nullptr;
}

static bool onlyMoves(const User *user) {
  return isa<ExtractValueInst, InsertValueInst, PHINode, SelectInst,
             FreezeInst>(user);
}

/// Values that such results may be in.
static MapVector<Value *, AsyncResults> findValues(Module &module) {
  MapVector<Value *, AsyncResults> values;
  SmallVector<Value *> open;
  for (Function &function : module)
    for (Instruction &inst : instructions(function))
      if (CallInst *call = getProduct(&inst)) {
        values[call].insert(call);
        open.push_back(call);
      }
  while (!open.empty()) {
    Value *value = open.pop_back_val();
    // A copy: the map grows.
    AsyncResults results = values[value];
    for (User *user : value->users()) {
      if (!onlyMoves(user))
        continue;
      AsyncResults &known = values[user];
      size_t count = known.size();
      known.insert_range(results);
      if (known.size() != count)
        open.push_back(user);
    }
  }
  return values;
}

std::vector<AsyncResults>
quant_mlir::emulator::announceAsyncResults(Module &module) {
  std::vector<AsyncResults> sets;
  MapVector<Value *, AsyncResults> values = findValues(module);
  if (values.empty())
    return sets;
  Type *i32 = Type::getInt32Ty(module.getContext());
  FunctionCallee callee = module.getOrInsertFunction(
      resultName, Type::getVoidTy(module.getContext()), i32);
  for (Function &function : module)
    for (BasicBlock &block : function) {
      // Once between calls, of which each may be what waits.
      AsyncResults announced;
      for (Instruction &inst : make_early_inc_range(block)) {
        AsyncResults used;
        if (!onlyMoves(&inst) && !getProduct(&inst))
          for (Value *operand : inst.operands())
            if (auto it = values.find(operand); it != values.end())
              for (CallInst *call : it->second)
                if (announced.insert(call))
                  used.insert(call);
        if (!used.empty()) {
          IRBuilder<> builder(&inst);
          builder.CreateCall(callee, ConstantInt::get(i32, sets.size()));
          sets.push_back(std::move(used));
        }
        if (isa<CallBase>(inst))
          announced.clear();
      }
    }
  return sets;
}
