//===- PrepareModule.cpp - Device code that this processor can run --------===//

#include "PrepareModule.h"

#include "AsyncResults.h"
#include "MatrixProducts.h"

#include "quant-mlir/Support/Errors.h"

#include "llvm/Analysis/ValueTracking.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/InlineAsm.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/IR/Verifier.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/TargetParser/Triple.h"

using namespace llvm;
using namespace quant_mlir;
using namespace quant_mlir::emulator;

std::string quant_mlir::emulator::getEntryName(StringRef kernel) {
  return "quant_emulator_enter." + kernel.str();
}

namespace {
class ModulePreparation {
public:
  ModulePreparation(Module &module, uint64_t sharedBase)
      : module(module), context(module.getContext()), sharedBase(sharedBase) {}

  Expected<PreparedModule> run(const DataLayout &layout);

private:
  static constexpr unsigned sharedSpace = 3;

  void findKernels();
  void forgetTarget();
  void moveAllocas();
  void placeShared();
  Error replaceCalls();
  Error replaceCall(CallInst &call, StringRef name,
                    EmulatedInstruction instruction);
  void announceAccesses();
  void announce(IRBuilder<> &builder, Value *address, Value *size, Align align,
                bool isWrite, bool isAtomic);
  void addEntries();
  /// Room on a function's stack for arguments and results of instructions.
  AllocaInst *getScratch(Function &function);

  Module &module;
  LLVMContext &context;
  uint64_t sharedBase;
  PreparedModule result;
  SmallVector<Function *> kernels;
  DenseMap<Function *, std::pair<AllocaInst *, uint64_t>> scratch;
  unsigned numAccesses = 0;
};
} // namespace

void ModulePreparation::findKernels() {
  for (Function &function : module) {
    CallingConv::ID kind = function.getCallingConv();
    if (function.isDeclaration() ||
        (kind != CallingConv::PTX_Kernel && kind != CallingConv::AMDGPU_KERNEL))
      continue;
    kernels.push_back(&function);
    result.kernels[function.getName()] = function.arg_size();
  }
}

/// What says how a GPU compiles, or what LLVM has found out about memory that
/// the calls below make untrue.
void ModulePreparation::forgetTarget() {
  for (Function &function : module) {
    if (function.isIntrinsic())
      continue;
    function.setCallingConv(CallingConv::C);
    function.setAttributes(AttributeList());
    for (User *user : function.users())
      if (auto *call = dyn_cast<CallInst>(user);
          call && call->getCalledFunction() == &function) {
        call->setCallingConv(CallingConv::C);
        call->setAttributes(AttributeList());
      }
  }
  // What is rounded once on the GPU is rounded once here.
  for (Function &function : make_early_inc_range(module)) {
    if (function.getIntrinsicID() != Intrinsic::fmuladd)
      continue;
    Function *fma = Intrinsic::getOrInsertDeclaration(&module, Intrinsic::fma,
                                                      function.getReturnType());
    function.replaceAllUsesWith(fma);
    function.eraseFromParent();
  }
}

/// Private memory of AMD's has an address space of its own.
void ModulePreparation::moveAllocas() {
  for (Function &function : module)
    for (Instruction &inst : make_early_inc_range(instructions(function)))
      if (auto *alloca = dyn_cast<AllocaInst>(&inst);
          alloca && alloca->getAddressSpace() != 0) {
        IRBuilder<> builder(alloca);
        auto *moved = new AllocaInst(alloca->getAllocatedType(), 0,
                                     alloca->getArraySize(), alloca->getAlign(),
                                     "", alloca->getIterator());
        alloca->replaceAllUsesWith(
            builder.CreateAddrSpaceCast(moved, alloca->getType()));
        alloca->eraseFromParent();
      }
}

void ModulePreparation::placeShared() {
  const DataLayout &layout = module.getDataLayout();
  SmallVector<GlobalVariable *> own, dynamic;
  for (GlobalVariable &global : module.globals())
    if (global.getAddressSpace() == sharedSpace)
      (layout.getTypeAllocSize(global.getValueType()) == 0 ? dynamic : own)
          .push_back(&global);
  auto place = [&](GlobalVariable *global, uint64_t offset) {
    Constant *address = ConstantExpr::getIntToPtr(
        ConstantInt::get(Type::getInt64Ty(context), sharedBase + offset),
        global->getType());
    global->replaceAllUsesWith(address);
    global->eraseFromParent();
  };
  uint64_t end = 0;
  auto alignTo = [&](GlobalVariable *global) {
    end = llvm::alignTo(end, global->getAlign().value_or(Align(1)));
  };
  for (GlobalVariable *global : own) {
    alignTo(global);
    uint64_t size = layout.getTypeAllocSize(global->getValueType());
    place(global, end);
    end += size;
  }
  // Behind them, all at one place, is what the launch asks for.
  for (GlobalVariable *global : dynamic)
    alignTo(global);
  for (GlobalVariable *global : dynamic)
    place(global, end);
  result.sharedBytes = end;
}

//===----------------------------------------------------------------------===//
// Instructions
//===----------------------------------------------------------------------===//

AllocaInst *ModulePreparation::getScratch(Function &function) {
  auto &[alloca, size] = scratch[&function];
  if (!alloca) {
    IRBuilder<> builder(&function.getEntryBlock(),
                        function.getEntryBlock().begin());
    // Its size is known when all calls are.
    alloca = builder.CreateAlloca(builder.getInt8Ty(), builder.getInt64(0));
    alloca->setAlignment(Align(64));
  }
  return alloca;
}

/// %r = call {i32, i32} @llvm.nvvm.x(i32 %a)
///
/// store i32 %a, %scratch[0]
/// call @quant_emulator_call(i32 site, %scratch)
/// %r = load {i32, i32}, %scratch[16]
Error ModulePreparation::replaceCall(CallInst &call, StringRef name,
                                     EmulatedInstruction instruction) {
  const DataLayout &layout = module.getDataLayout();
  result.instructions.push_back(std::move(instruction));
  Site &site = result.sites.emplace_back();
  site.name = name.str();
  site.instruction = &result.instructions.back();
  site.number = result.sites.size() - 1;

  AllocaInst *room = getScratch(*call.getFunction());
  IRBuilder<> builder(&call);
  uint64_t end = 0;
  auto reserve = [&](Type *type) {
    uint64_t offset = llvm::alignTo(end, 16);
    end = offset + layout.getTypeAllocSize(type);
    return offset;
  };
  auto at = [&](uint64_t offset) {
    return builder.CreateConstInBoundsGEP1_64(builder.getInt8Ty(), room,
                                              offset);
  };
  for (Value *argument : call.args()) {
    if (argument->getType()->isMetadataTy())
      return makeError("an argument of " + name + " is metadata");
    site.offsets.push_back(reserve(argument->getType()));
    builder.CreateAlignedStore(argument, at(site.offsets.back()), Align(16));
  }
  Type *type = call.getType();
  if (!type->isVoidTy())
    site.resultOffset = reserve(type);
  uint64_t &size = scratch[call.getFunction()].second;
  size = std::max(size, end);
  FunctionCallee callee = module.getOrInsertFunction(
      callName, builder.getVoidTy(), builder.getInt32Ty(), builder.getPtrTy());
  builder.CreateCall(callee, {builder.getInt32(site.number), room});
  if (!type->isVoidTy())
    call.replaceAllUsesWith(
        builder.CreateAlignedLoad(type, at(site.resultOffset), Align(16)));
  call.eraseFromParent();
  return Error::success();
}

std::string quant_mlir::emulator::getAssemblyName(StringRef text) {
  SmallVector<StringRef> statements;
  text.split(statements, ';');
  bool isFirst = false;
  for (StringRef statement : statements) {
    statement = statement.trim(" \t\n{}");
    isFirst |= statement == "setp.ne.b32 p, 0, 0";
    if (!statement.starts_with("wgmma."))
      continue;
    std::string name =
        statement.take_until([](char c) { return c == ' '; }).str();
    if (statement.count('{') > 1)
      name += ofRegisters;
    return isFirst ? name + withoutSums : name;
  }
  return text.str();
}

Error ModulePreparation::replaceCalls() {
  std::vector<AsyncResults> results = announceAsyncResults(module);
  SmallVector<std::pair<CallInst *, std::string>> calls;
  for (Function &function : module)
    for (Instruction &inst : instructions(function)) {
      auto *call = dyn_cast<CallInst>(&inst);
      if (!call)
        continue;
      if (auto *assembly = dyn_cast<InlineAsm>(call->getCalledOperand())) {
        calls.push_back({call, getAssemblyName(assembly->getAsmString())});
        continue;
      }
      Function *callee = call->getCalledFunction();
      if (!callee)
        return makeError("a call through a pointer has no emulation");
      StringRef name = callee->getName();
      if (name == resultName)
        continue;
      bool isOfTarget =
          name.starts_with("llvm.nvvm.") || name.starts_with("llvm.amdgcn.");
      if (isOfTarget || (callee->isDeclaration() && !callee->isIntrinsic()))
        calls.push_back({call, name.str()});
    }
  DenseMap<const CallInst *, unsigned> sites;
  for (auto &[call, name] : calls) {
    std::optional<EmulatedInstruction> found =
        result.isAMD ? findROCDLInstruction(name) : findNVVMInstruction(name);
    if (!found)
      return makeError("expected instructions that the emulator knows, found " +
                       name + ": add it to lib/GPUEmulator");
    sites[call] = result.sites.size();
    if (Error error = replaceCall(*call, name, std::move(*found)))
      return error;
  }
  for (auto &[function, room] : scratch)
    room.first->setOperand(
        0, ConstantInt::get(Type::getInt64Ty(context),
                            std::max<uint64_t>(room.second, 1)));
  for (const AsyncResults &products : results) {
    std::vector<unsigned> &set = result.resultSets.emplace_back();
    for (const CallInst *call : products)
      set.push_back(sites.lookup(call));
  }
  return Error::success();
}

//===----------------------------------------------------------------------===//
// Loads and stores
//===----------------------------------------------------------------------===//

void ModulePreparation::announce(IRBuilder<> &builder, Value *address,
                                 Value *size, Align align, bool isWrite,
                                 bool isAtomic) {
  // A lane's own stack, and constants, are nobody else's business.
  const Value *object = getUnderlyingObject(address);
  if (isa<AllocaInst, GlobalVariable>(object))
    return;
  Type *i64 = builder.getInt64Ty(), *i32 = builder.getInt32Ty();
  FunctionCallee callee = module.getOrInsertFunction(
      accessName, builder.getVoidTy(), i64, i64, i32, i32, i32);
  builder.CreateCall(callee,
                     {builder.CreatePtrToInt(address, i64),
                      builder.CreateZExtOrTrunc(size, i64),
                      builder.getInt32(align.value()),
                      builder.getInt32(int(isWrite) | int(isAtomic) << 1),
                      // Not the numbers of instructions.
                      builder.getInt32(0x80000000u | numAccesses++)});
}

void ModulePreparation::announceAccesses() {
  const DataLayout &layout = module.getDataLayout();
  SmallVector<Instruction *> accesses;
  for (Function &function : module)
    for (Instruction &inst : instructions(function))
      if (isa<LoadInst, StoreInst, AtomicRMWInst, AtomicCmpXchgInst,
              MemIntrinsic>(inst))
        accesses.push_back(&inst);
  for (Instruction *inst : accesses) {
    IRBuilder<> builder(inst);
    auto sizeOf = [&](Type *type) {
      return builder.getInt64(layout.getTypeStoreSize(type));
    };
    if (auto *load = dyn_cast<LoadInst>(inst)) {
      announce(builder, load->getPointerOperand(), sizeOf(load->getType()),
               load->getAlign(), false, load->isAtomic());
    } else if (auto *store = dyn_cast<StoreInst>(inst)) {
      announce(builder, store->getPointerOperand(),
               sizeOf(store->getValueOperand()->getType()), store->getAlign(),
               true, store->isAtomic());
    } else if (auto *atomic = dyn_cast<AtomicRMWInst>(inst)) {
      announce(builder, atomic->getPointerOperand(), sizeOf(atomic->getType()),
               atomic->getAlign(), true, true);
    } else if (auto *exchange = dyn_cast<AtomicCmpXchgInst>(inst)) {
      announce(builder, exchange->getPointerOperand(),
               sizeOf(exchange->getNewValOperand()->getType()),
               exchange->getAlign(), true, true);
    } else {
      auto *memory = cast<MemIntrinsic>(inst);
      announce(builder, memory->getRawDest(), memory->getLength(),
               memory->getDestAlign().valueOrOne(), true, false);
      if (auto *transfer = dyn_cast<MemTransferInst>(memory))
        announce(builder, transfer->getRawSource(), transfer->getLength(),
                 transfer->getSourceAlign().valueOrOne(), false, false);
    }
  }
}

//===----------------------------------------------------------------------===//
// Entries
//===----------------------------------------------------------------------===//

void ModulePreparation::addEntries() {
  Type *pointer = PointerType::get(context, 0);
  for (Function *kernel : kernels) {
    auto *entry = Function::Create(
        FunctionType::get(Type::getVoidTy(context), pointer, false),
        Function::ExternalLinkage, getEntryName(kernel->getName()), module);
    IRBuilder<> builder(BasicBlock::Create(context, "", entry));
    SmallVector<Value *> arguments;
    for (Argument &parameter : kernel->args()) {
      Value *slot = builder.CreateConstInBoundsGEP1_64(
          pointer, entry->getArg(0), parameter.getArgNo());
      arguments.push_back(builder.CreateAlignedLoad(
          parameter.getType(), builder.CreateLoad(pointer, slot), Align(1)));
    }
    builder.CreateCall(kernel, arguments);
    builder.CreateRetVoid();
  }
}

/// GPUs of AMD's have waves of 64 lanes, or of 32 where WMMA is.
static bool hasWMMA(const Module &module) {
  return any_of(module, [](const Function &function) {
    return function.getName().starts_with("llvm.amdgcn.wmma.");
  });
}

Expected<PreparedModule> ModulePreparation::run(const DataLayout &layout) {
  result.isAMD = Triple(module.getTargetTriple()).isAMDGPU();
  result.warpSize = result.isAMD && !hasWMMA(module) ? 64 : 32;
  module.setTargetTriple(Triple());
  module.setDataLayout(layout);
  findKernels();
  if (kernels.empty())
    return makeError("expected a kernel, found none: kernels have the calling "
                     "convention ptx_kernel or amdgpu_kernel");
  for (Function *kernel : kernels)
    for (Argument &parameter : kernel->args())
      if (parameter.hasByValAttr())
        return makeError("parameters by value have no emulation");
  forgetTarget();
  moveAllocas();
  placeShared();
  if (Error error = replaceCalls())
    return error;
  announceAccesses();
  addEntries();
  std::string text;
  raw_string_ostream stream(text);
  if (verifyModule(module, &stream))
    return makeError("the module is not valid: " + text);
  return std::move(result);
}

Expected<PreparedModule>
quant_mlir::emulator::prepareModule(Module &module, const DataLayout &layout,
                                    uint64_t sharedBase) {
  return ModulePreparation(module, sharedBase).run(layout);
}
