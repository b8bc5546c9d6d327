//===- ContractEpilogue.cpp - From sums to codes or values ----------------===//
//
// docs/numerics.md section 6 on registers of columns, operation by operation and
// in its order.
//
//===----------------------------------------------------------------------===//

#include "ContractKernel.h"

#include "quant-mlir/Conversion/Utils/QuantizeArith.h"
#include "quant-mlir/Numerics/IntegerCompute.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace quant_mlir;

ElementArith ContractKernel::arith(Value like) {
  return ElementArith(kernel.builder, kernel.loc, like);
}

//===----------------------------------------------------------------------===//
// Columns in registers
//===----------------------------------------------------------------------===//

Value ContractKernel::splat(Value scalar) {
  auto type = VectorType::get({dot.getLanes()}, scalar.getType());
  return vector::BroadcastOp::create(kernel.builder, kernel.loc, type, scalar);
}

Value ContractKernel::loadColumns(const FlatOperand &operand, Value index,
                                  int64_t valid) {
  int64_t lanes = dot.getLanes();
  if (valid >= lanes)
    return kernel.load(operand, index, lanes);
  OpBuilder &builder = kernel.builder;
  auto type = VectorType::get({lanes}, operand.element);
  auto mask = vector::ConstantMaskOp::create(
      builder, kernel.loc, VectorType::get({lanes}, builder.getI1Type()),
      ArrayRef<int64_t>(valid));
  Value zero = arith::ConstantOp::create(builder, kernel.loc,
                                         builder.getZeroAttr(type));
  return vector::MaskedLoadOp::create(builder, kernel.loc, type, operand.base,
                                      ValueRange(index), mask, zero);
}

void ContractKernel::storeColumns(const FlatOperand &operand, Value index,
                                  Value vector, int64_t valid) {
  int64_t lanes = dot.getLanes();
  if (valid >= lanes)
    return kernel.store(operand, index, vector);
  OpBuilder &builder = kernel.builder;
  auto mask = vector::ConstantMaskOp::create(
      builder, kernel.loc, VectorType::get({lanes}, builder.getI1Type()),
      ArrayRef<int64_t>(valid));
  vector::MaskedStoreOp::create(builder, kernel.loc, operand.base,
                                ValueRange(index), mask, vector);
}

void ContractKernel::placeConstants(ColumnConstants &constants,
                                    StringRef name) {
  if (constants.values.size() <= 1)
    return;
  OpBuilder &builder = kernel.builder;
  auto module = op->getParentOfType<ModuleOp>();
  Type element = constants.isInteger ? Type(builder.getI32Type())
                                     : Type(builder.getF32Type());
  int64_t size = constants.values.size();
  auto tensor = RankedTensorType::get({size}, element);
  DenseElementsAttr data;
  if (constants.isInteger) {
    std::vector<int32_t> integers(constants.values.begin(),
                                  constants.values.end());
    data = DenseElementsAttr::get(tensor, ArrayRef(integers));
  } else {
    data = DenseElementsAttr::get(tensor, ArrayRef(constants.values));
  }
  auto type = MemRefType::get({size}, element);
  // One global for equal numbers.
  memref::GlobalOp global;
  unsigned number = 0;
  for (auto other : module.getOps<memref::GlobalOp>()) {
    number += other.getSymName().starts_with("contract_");
    if (other.getConstant() && other.getType() == type &&
        other.getInitialValue() == Attribute(data))
      global = other;
  }
  if (!global) {
    std::string symbol = ("contract_" + name + "_" + Twine(number)).str();
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(module.getBody());
    global = memref::GlobalOp::create(
        builder, kernel.loc, symbol, builder.getStringAttr("private"), type,
        data, /*constant=*/true, builder.getI64IntegerAttr(64));
  }
  constants.global = memref::GetGlobalOp::create(builder, kernel.loc, type,
                                                 global.getSymName());
}

Value ContractKernel::loadConstants(const ColumnConstants &constants,
                                    Value at) {
  OpBuilder &builder = kernel.builder;
  Type element = constants.isInteger ? Type(builder.getI32Type())
                                     : Type(builder.getF32Type());
  auto type = VectorType::get({dot.getLanes()}, element);
  if (constants.global)
    return vector::LoadOp::create(builder, kernel.loc, type, constants.global,
                                  ValueRange(at));
  Attribute value =
      constants.isInteger
          ? Attribute(builder.getI32IntegerAttr(constants.values.front()))
          : Attribute(builder.getF32FloatAttr(constants.values.front()));
  return arith::ConstantOp::create(builder, kernel.loc,
                                   DenseElementsAttr::get(type, value));
}

//===----------------------------------------------------------------------===//
// Epilogue
//===----------------------------------------------------------------------===//

static numerics::CodeRange getResultRange(ContractOp op) {
  return getClampRange(*op.getInitParams(), op.getLow(), op.getHigh());
}

/// %v = float(%sum) * m + ... + bias + residual, and the result of it
Value ContractKernel::finishRegister(const Row &row, const Panel &panel,
                                     int64_t reg, Value sum) {
  ElementArith arith = this->arith(sum);
  OpBuilder &builder = kernel.builder;
  Location loc = kernel.loc;
  Type f64 = builder.getF64Type();
  // float32(double(sx) * double(sw) / double(sy)); of two binary32 the product
  // rounded once is the same in binary32.
  auto scaleByRow = [&](Value number) -> Value {
    if (!row.scale)
      return number;
    Value rowScale = splat(row.scale);
    if (!resultScale)
      return arith.mulf(rowScale, number);
    Value wide = arith.mulf(arith.cast<arith::ExtFOp>(f64, rowScale),
                            arith.cast<arith::ExtFOp>(f64, number));
    wide = arith.divf(wide, arith.floatConstant(*resultScale, f64));
    return arith.cast<arith::TruncFOp>(arith.f32(), wide);
  };
  Value value = arith.cast<arith::SIToFPOp>(arith.f32(), sum);
  value = arith.mulf(value, scaleByRow(panel.multiplier[reg]));
  if (!panel.minval.empty()) {
    // sum(x - zx) over the codes that exist.
    Value total = arith::ConstantIntOp::create(builder, loc, arith.intType(32),
                                               -reductionSize * lhsZero);
    if (row.zeroPoint)
      total = arith::MulIOp::create(
          builder, loc, row.zeroPoint,
          arith::ConstantIntOp::create(builder, loc, arith.intType(32),
                                       -reductionSize));
    total = arith::AddIOp::create(builder, loc, row.sum, total);
    Value rowSum = arith::SIToFPOp::create(builder, loc, arith.f32(), total);
    value = arith.addf(
        value, arith.mulf(splat(rowSum), scaleByRow(panel.minval[reg])));
  }
  if (!panel.bias.empty())
    value = arith.addf(value, panel.bias[reg]);

  int64_t lanes = dot.getLanes();
  int64_t valid = std::min(panel.columns - reg * lanes, lanes);
  if (residual.base) {
    Value at = kernel.index(
        kernel.add(row.residual, builder.getIndexAttr(reg * lanes)));
    Value other = loadColumns(residual, at, valid);
    if (std::optional<AffineAttr> params = op.getResidualParams()) {
      float factor = getUnitParams(*params).scale;
      if (resultScale)
        factor = numerics::addMultiplier(factor, *resultScale);
      other = arith.mulf(
          arith.cast<arith::SIToFPOp>(arith.f32(),
                                      buildCentred(arith, other, *params)),
          arith.floatConstant(factor));
    } else if (!residual.element.isF32()) {
      other = arith.cast<arith::ExtFOp>(arith.f32(), other);
    }
    value = arith.addf(value, other);
  }

  if (op.getInitParams()) {
    numerics::CodeRange range = getResultRange(op);
    return buildRequantize(arith, value,
                           getUnitParams(*op.getInitParams()).zeroPoint, range);
  }
  // min(max(y, low), high)
  auto bound = [&](std::optional<APFloat> limit, arith::CmpFPredicate inside) {
    if (!limit)
      return;
    Value other = arith.floatConstant(limit->convertToFloat());
    value = arith.select(arith.cmp(inside, value, other), value, other);
  };
  bound(op.getLow(), arith::CmpFPredicate::OGT);
  bound(op.getHigh(), arith::CmpFPredicate::OLT);
  if (!init.element.isF32())
    value = arith.cast<arith::TruncFOp>(init.element, value);
  return value;
}

void ContractKernel::finish(ArrayRef<Row> rows, const Panel &panel,
                            ArrayRef<Value> sums) {
  int64_t lanes = dot.getLanes(), registers = panel.getRegisters(lanes);
  for (auto [i, row] : llvm::enumerate(rows))
    for (int64_t reg = 0; reg < registers; ++reg) {
      Value value =
          finishRegister(row, panel, reg, sums[i * registers + reg]);
      Value at = kernel.index(
          kernel.add(row.init, kernel.builder.getIndexAttr(reg * lanes)));
      storeColumns(init, at, value,
                   std::min(panel.columns - reg * lanes, lanes));
    }
}
