//===- GPUKernel.cpp - A kernel and its launch, side by side --------------===//

#include "GPUKernel.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/SymbolTable.h"

using namespace mlir;
using namespace quant_mlir;

GPUKernel::GPUKernel(OpBuilder &hostBuilder, Location loc, StringRef name,
                     const GPUTarget &target)
    : host(hostBuilder, loc), bodyBuilder(hostBuilder.getContext()),
      body(bodyBuilder, loc), target(target) {
  auto parent = hostBuilder.getInsertionBlock()
                    ->getParentOp()
                    ->getParentOfType<ModuleOp>();
  SymbolTable symbols(parent);
  OpBuilder builder(hostBuilder.getContext());
  builder.setInsertionPointToEnd(parent.getBody());
  module = gpu::GPUModuleOp::create(builder, loc, name);
  // Kernels are called as their modules are, so that profilers tell them apart.
  symbols.insert(module);
  builder.setInsertionPointToEnd(module.getBody());
  function = gpu::GPUFuncOp::create(builder, loc, module.getName(),
                                    builder.getFunctionType({}, {}));
  function->setAttr(gpu::GPUDialect::getKernelFuncAttrName(),
                    builder.getUnitAttr());
  setGroupSize(target.getGroupSize());
  bodyBuilder.setInsertionPointToEnd(&function.getBody().front());
  parent->setAttr(gpu::GPUDialect::getContainerModuleAttrName(),
                  builder.getUnitAttr());
}

//===----------------------------------------------------------------------===//
// Indices
//===----------------------------------------------------------------------===//

Value GPUBuilder::div(Value a, int64_t b) {
  if (b == 1)
    return a;
  return arith::DivUIOp::create(builder, loc, a, index(b));
}

Value GPUBuilder::rem(Value a, int64_t b) {
  if (b == 1)
    return index(0);
  return arith::RemUIOp::create(builder, loc, a, index(b));
}

Value GPUBuilder::bitXor(Value a, Value b) {
  return arith::XOrIOp::create(builder, loc, a, b);
}

Value GPUBuilder::isLess(Value a, OpFoldResult b) {
  return arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ult, a,
                               index(b));
}

Value GPUBuilder::both(Value a, Value b) {
  if (!a || !b)
    return a ? a : b;
  return arith::AndIOp::create(builder, loc, a, b);
}

Value GPUBuilder::select(Value condition, Value a, Value b) {
  return arith::SelectOp::create(builder, loc, condition, a, b);
}

Value GPUBuilder::constantI32(int64_t value) {
  return arith::ConstantIntOp::create(builder, loc, builder.getI32Type(),
                                      int32_t(value));
}

Value GPUBuilder::joinBytes(ArrayRef<Value> bytes) {
  Value word;
  for (auto [i, byte] : llvm::enumerate(bytes)) {
    Value part =
        arith::ExtUIOp::create(builder, loc, builder.getI32Type(), byte);
    if (i != 0)
      part = arith::ShLIOp::create(builder, loc, part, constantI32(8 * i));
    word = word ? Value(arith::OrIOp::create(builder, loc, word, part)) : part;
  }
  return word;
}

void GPUBuilder::inBranch(Value condition, llvm::function_ref<void()> body) {
  OpBuilder::InsertionGuard guard(builder);
  if (condition) {
    auto branch = scf::IfOp::create(builder, loc, condition);
    builder.setInsertionPointToStart(branch.thenBlock());
  }
  body();
}

//===----------------------------------------------------------------------===//
// Arguments
//===----------------------------------------------------------------------===//

Value GPUKernel::importValue(Value value) {
  Value &argument = arguments[value];
  if (!argument) {
    unsigned index = function.getNumArguments();
    (void)function.insertArgument(index, value.getType(), DictionaryAttr(),
                                  value.getLoc());
    argument = function.getArgument(index);
    access.push_back(0);
  }
  return argument;
}

Value GPUKernel::import(Value buffer, Access how) {
  Value argument = importValue(buffer);
  access[cast<BlockArgument>(argument).getArgNumber()] |=
      static_cast<int32_t>(how);
  return argument;
}

OpFoldResult GPUKernel::import(OpFoldResult number) {
  if (std::optional<int64_t> known = getConstantIntValue(number))
    return body.builder.getIndexAttr(*known);
  return importValue(cast<Value>(number));
}

Value GPUKernel::importI32(OpFoldResult number) {
  if (std::optional<int64_t> known = getConstantIntValue(number))
    return body.constantI32(*known);
  return arith::IndexCastOp::create(body.builder, body.loc,
                                    body.builder.getI32Type(),
                                    body.index(import(number)));
}

FlatOperand GPUKernel::import(const FlatOperand &operand, Access how) {
  FlatOperand result;
  result.element = operand.element;
  result.base = import(operand.base, how);
  for (OpFoldResult stride : operand.strides)
    result.strides.push_back(import(stride));
  result.multiples = operand.multiples;
  result.start = import(operand.start);
  return result;
}

//===----------------------------------------------------------------------===//
// Positions
//===----------------------------------------------------------------------===//

SmallVector<Value> GPUKernel::delinearize(Value number,
                                          ArrayRef<OpFoldResult> sizes) {
  SmallVector<Value> positions(sizes.size());
  for (unsigned i = sizes.size(); i-- > 0;) {
    if (getConstantIntValue(sizes[i]) == 1) {
      positions[i] = body.index(0);
      continue;
    }
    bool isOutermost = llvm::all_of(sizes.take_front(i), [](OpFoldResult size) {
      return getConstantIntValue(size) == 1;
    });
    if (isOutermost) {
      positions[i] = number;
      continue;
    }
    Value size = body.index(sizes[i]);
    positions[i] = arith::RemUIOp::create(body.builder, body.loc, number, size);
    number = arith::DivUIOp::create(body.builder, body.loc, number, size);
  }
  return positions;
}

void GPUKernel::forEach(ArrayRef<OpFoldResult> sizes,
                        llvm::function_ref<void(ValueRange)> element) {
  OpFoldResult total = host.builder.getIndexAttr(1);
  for (OpFoldResult size : sizes)
    total = host.mul(total, size);
  int64_t most = target.getMaxGroups();
  OpFoldResult groups;
  std::optional<int64_t> known = getConstantIntValue(total);
  if (known) {
    groups = host.builder.getIndexAttr(
        std::min<int64_t>(llvm::divideCeil(*known, groupSize), most));
  } else {
    Value count = arith::CeilDivUIOp::create(
        host.builder, host.loc, host.index(total), host.index(groupSize));
    groups =
        arith::MinUIOp::create(host.builder, host.loc, count, host.index(most))
            .getResult();
  }

  SmallVector<OpFoldResult> bodySizes;
  for (OpFoldResult size : sizes)
    bodySizes.push_back(import(size));
  Value end = body.index(import(total));
  Value group =
      gpu::BlockIdOp::create(body.builder, body.loc, gpu::Dimension::x);
  Value thread =
      gpu::ThreadIdOp::create(body.builder, body.loc, gpu::Dimension::x);
  Value first = body.index(
      body.add(body.mul(group, body.builder.getIndexAttr(groupSize)), thread));
  auto build = [&](Value number) { element(delinearize(number, bodySizes)); };
  OpBuilder::InsertionGuard guard(body.builder);
  if (known && *known <= groupSize * most) {
    // One position each, and none for the last invocations.
    if (*known % groupSize == 0) {
      build(first);
    } else {
      Value isInside = arith::CmpIOp::create(
          body.builder, body.loc, arith::CmpIPredicate::ult, first, end);
      auto branch = scf::IfOp::create(body.builder, body.loc, isInside);
      body.builder.setInsertionPointToStart(branch.thenBlock());
      build(first);
    }
  } else {
    Value step = known ? body.index(groupSize * most) : Value();
    if (!step) {
      Value dim = body.index(import(groups));
      step = body.index(body.mul(dim, body.builder.getIndexAttr(groupSize)));
    }
    auto loop = scf::ForOp::create(body.builder, body.loc, first, end, step);
    body.builder.setInsertionPointToStart(loop.getBody());
    build(loop.getInductionVar());
  }
  body.builder.setInsertionPointToEnd(&function.getBody().front());
  launch(groups);
}

void GPUKernel::setGroupSize(int64_t size) {
  groupSize = size;
  function.setKnownBlockSizeAttr(
      body.builder.getDenseI32ArrayAttr({static_cast<int32_t>(size), 1, 1}));
}

Value GPUKernel::allocateShared(int64_t size, Type element, int64_t alignment) {
  OpBuilder &builder = body.builder;
  auto space = gpu::AddressSpaceAttr::get(builder.getContext(),
                                          gpu::AddressSpace::Workgroup);
  auto type =
      MemRefType::get({size}, element, MemRefLayoutAttrInterface(), space);
  int64_t bytes = size * llvm::divideCeil(element.getIntOrFloatBitWidth(), 8);
  if (bytes > target.getStaticSharedBytes()) {
    dynamicSharedBytes = bytes;
    auto bytesType =
        MemRefType::get({ShapedType::kDynamic}, builder.getI8Type(),
                        MemRefLayoutAttrInterface(), space);
    Value all =
        gpu::DynamicSharedMemoryOp::create(builder, body.loc, bytesType);
    return memref::ViewOp::create(builder, body.loc, type, all, body.index(0),
                                  ValueRange());
  }
  Value shared = function.addWorkgroupAttribution(type, body.loc);
  function.setWorkgroupAttributionAttr(
      function.getNumWorkgroupAttributions() - 1, "llvm.align",
      builder.getI64IntegerAttr(alignment));
  return shared;
}

void GPUKernel::launch(ArrayRef<OpFoldResult> groups) {
  gpu::ReturnOp::create(body.builder, body.loc);
  auto size = [&](unsigned dim) {
    return dim < groups.size() ? host.index(groups[dim]) : host.index(1);
  };
  gpu::KernelDim3 grid{size(0), size(1), size(2)};
  gpu::KernelDim3 block{host.index(groupSize), host.index(1), host.index(1)};
  SmallVector<Value> operands;
  for (auto [value, argument] : arguments)
    operands.push_back(value);
  Value sharedBytes;
  if (dynamicSharedBytes != 0)
    sharedBytes = arith::ConstantIntOp::create(
        host.builder, host.loc, host.builder.getI32Type(), dynamicSharedBytes);
  auto launch = gpu::LaunchFuncOp::create(host.builder, host.loc, function,
                                          grid, block, sharedBytes, operands);
  launch->setAttr("quant.access", host.builder.getDenseI32ArrayAttr(access));
}

bool quant_mlir::isWhole(OpFoldResult number, int64_t by) {
  std::optional<int64_t> known = getConstantIntValue(number);
  return known && *known % by == 0;
}

OpFoldResult quant_mlir::ceilDiv(KernelBuilder &host, OpFoldResult number,
                                 int64_t by) {
  if (std::optional<int64_t> known = getConstantIntValue(number))
    return host.builder.getIndexAttr(llvm::divideCeil(*known, by));
  return arith::CeilDivUIOp::create(host.builder, host.loc, host.index(number),
                                    host.index(by))
      .getResult();
}

void quant_mlir::buildVersions(
    KernelBuilder host, ArrayRef<OpFoldResult> sizes,
    llvm::function_ref<void(OpBuilder &, int64_t)> build) {
  constexpr int64_t multiple = 16;
  Value rests;
  for (OpFoldResult size : sizes) {
    if (getConstantIntValue(size))
      continue;
    Value rest = arith::RemUIOp::create(host.builder, host.loc,
                                        host.index(size), host.index(multiple));
    rests =
        rests ? Value(arith::OrIOp::create(host.builder, host.loc, rests, rest))
              : rest;
  }
  if (!rests)
    return build(host.builder, 1);
  Value isMultiple = arith::CmpIOp::create(
      host.builder, host.loc, arith::CmpIPredicate::eq, rests, host.index(0));
  auto branch = scf::IfOp::create(host.builder, host.loc, isMultiple,
                                  /*withElseRegion=*/true);
  OpBuilder ofMultiples = branch.getThenBodyBuilder(),
            ofOthers = branch.getElseBodyBuilder();
  build(ofMultiples, multiple);
  build(ofOthers, 1);
}

void quant_mlir::viewAs(KernelBuilder &host, FlatOperand &operand,
                        Type element) {
  OpBuilder &builder = host.builder;
  Location loc = host.loc;
  Value bytes = memref::DimOp::create(builder, loc, operand.base, 0);
  int64_t size = element.getIntOrFloatBitWidth() / 8;
  Value words = arith::DivUIOp::create(builder, loc, bytes, host.index(size));
  operand.element = element;
  operand.base = memref::ViewOp::create(
      builder, loc, MemRefType::get({ShapedType::kDynamic}, operand.element),
      operand.base, host.index(0), ValueRange(words));
  auto divide = [&](OpFoldResult &number) {
    if (std::optional<int64_t> known = getConstantIntValue(number))
      number = builder.getIndexAttr(*known / size);
    else
      number = arith::DivSIOp::create(builder, loc, host.index(number),
                                      host.index(size))
                   .getResult();
  };
  divide(operand.start);
  llvm::for_each(operand.strides, divide);
  for (int64_t &multiple : operand.multiples)
    multiple = multiple % size == 0 ? multiple / size : 1;
}
