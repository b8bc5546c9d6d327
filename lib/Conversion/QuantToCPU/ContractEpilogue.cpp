//===- ContractEpilogue.cpp - From sums to codes or values ----------------===//
//
// docs/numerics.md section 6 on registers of columns, operation by operation
// and in its order.
//
//===----------------------------------------------------------------------===//

#include "CodeRegisters.h"
#include "ContractKernel.h"

#include "quant-mlir/Conversion/Utils/QuantizeArith.h"
#include "quant-mlir/Numerics/IntegerCompute.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include <cmath>

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

Value ContractKernel::buildZero(Type type) {
  return arith::ConstantOp::create(kernel.builder, kernel.loc,
                                   kernel.builder.getZeroAttr(type));
}

bool ContractKernel::hasMasks(const FlatOperand &operand) {
  return operand.element.getIntOrFloatBitWidth() != 16 ||
         target.getDotKind() == DotKind::AVX512VNNI;
}

OpFoldResult ContractKernel::countColumns(const Panel &panel, int64_t reg) {
  int64_t before = reg * dot.getLanes();
  if (panel.count)
    return kernel.add(panel.count, attr(-before));
  return attr(panel.columns - before);
}

Value ContractKernel::loadColumns(const FlatOperand &operand, Value index,
                                  const Panel &panel, int64_t reg) {
  int64_t lanes = dot.getLanes();
  if (reg < getWholeRegisters(panel))
    return kernel.load(operand, index, lanes);
  OpFoldResult count = countColumns(panel, reg);
  if (!panel.count || hasMasks(operand))
    return kernel.loadFirst(operand, index, lanes, count);
  OpBuilder &builder = kernel.builder;
  auto type = VectorType::get({lanes}, operand.element);
  Type i16 = builder.getI16Type();
  Value bits = kernel.forCarry(
      attr(0), count, buildZero(type.clone(i16)),
      [&](Value i, ValueRange carried) -> Values {
        Value at = arith::AddIOp::create(builder, kernel.loc, index, i);
        Value element = vector::BitCastOp::create(builder, kernel.loc,
                                                  VectorType::get({1}, i16),
                                                  kernel.load(operand, at, 1));
        return {vector::InsertOp::create(
            builder, kernel.loc,
            vector::ExtractOp::create(builder, kernel.loc, element, 0),
            carried[0], OpFoldResult(i))};
      })[0];
  return vector::BitCastOp::create(builder, kernel.loc, type, bits);
}

void ContractKernel::storeColumns(const FlatOperand &operand, Value index,
                                  Value vector, const Panel &panel,
                                  int64_t reg) {
  if (reg < getWholeRegisters(panel))
    return kernel.store(operand, index, vector);
  OpFoldResult count = countColumns(panel, reg);
  if (!panel.count || hasMasks(operand))
    return kernel.storeFirst(operand, index, vector, count);
  OpBuilder &builder = kernel.builder;
  Location loc = kernel.loc;
  Type i16 = builder.getI16Type();
  Value bits = vector::BitCastOp::create(
      builder, loc, VectorType::get({dot.getLanes()}, i16), vector);
  kernel.forLoop(count, [&](Value i) {
    Value element = vector::BroadcastOp::create(
        builder, loc, VectorType::get({1}, i16),
        vector::ExtractOp::create(builder, loc, bits, OpFoldResult(i)));
    kernel.store(
        operand, arith::AddIOp::create(builder, loc, index, i),
        vector::BitCastOp::create(
            builder, loc, VectorType::get({1}, operand.element), element));
  });
}

/// Elements as they lie in memory.
static DenseElementsAttr buildElements(const std::vector<float> &values,
                                       RankedTensorType type) {
  auto element = type.getElementType();
  if (element.isF32())
    return DenseElementsAttr::get(type, ArrayRef(values));
  if (element.isInteger(32)) {
    std::vector<int32_t> numbers(values.begin(), values.end());
    return DenseElementsAttr::get(type, ArrayRef(numbers));
  }
  if (element.isInteger(8)) {
    std::vector<int8_t> numbers(values.begin(), values.end());
    return DenseElementsAttr::get(type, ArrayRef(numbers));
  }
  // f16 or bf16; the values come from there.
  const llvm::fltSemantics &semantics =
      cast<FloatType>(element).getFloatSemantics();
  std::vector<uint16_t> bits;
  for (float value : values) {
    APFloat number(value);
    bool losesInfo;
    number.convert(semantics, APFloat::rmNearestTiesToEven, &losesInfo);
    bits.push_back(number.bitcastToAPInt().getZExtValue());
  }
  return DenseElementsAttr::getFromRawBuffer(
      type, ArrayRef(reinterpret_cast<const char *>(bits.data()),
                     bits.size() * sizeof(uint16_t)));
}

void ContractKernel::placeConstants(ColumnConstants &constants,
                                    StringRef name) {
  if (constants.values.size() <= 1)
    return;
  int64_t size = constants.values.size();
  constants.global = kernel.constant(
      name, buildElements(constants.values,
                          RankedTensorType::get({size}, constants.element)));
}

OpFoldResult ContractKernel::getConstantsAt(const Panel &panel,
                                            OpFoldResult block, int64_t reg) {
  int64_t lanes = dot.getLanes(), perPanel = panelColumns / lanes;
  return kernel.add(
      kernel.add(panel.constants, kernel.mul(block, attr(panelColumns))),
      attr(reg / perPanel * numBlocks * panelColumns + reg % perPanel * lanes));
}

Value ContractKernel::loadConstants(const ColumnConstants &constants,
                                    OpFoldResult at) {
  OpBuilder &builder = kernel.builder;
  bool isInteger = constants.element.isInteger();
  Type element =
      isInteger ? Type(builder.getI32Type()) : Type(builder.getF32Type());
  auto type = VectorType::get({dot.getLanes()}, element);
  if (!constants.global) {
    Attribute value =
        isInteger
            ? Attribute(
                  builder.getI32IntegerAttr(int32_t(constants.values.front())))
            : Attribute(builder.getF32FloatAttr(constants.values.front()));
    return arith::ConstantOp::create(builder, kernel.loc,
                                     DenseElementsAttr::get(type, value));
  }
  Value value =
      vector::LoadOp::create(builder, kernel.loc, type.clone(constants.element),
                             constants.global, ValueRange(kernel.index(at)));
  if (constants.element == element)
    return value;
  if (isInteger)
    return arith::ExtSIOp::create(builder, kernel.loc, type, value);
  return arith::ExtFOp::create(builder, kernel.loc, type, value);
}

Value ContractKernel::constantI32(int64_t value) {
  return arith::ConstantIntOp::create(
      kernel.builder, kernel.loc, kernel.builder.getI32Type(), int32_t(value));
}

//===----------------------------------------------------------------------===//
// Epilogue
//===----------------------------------------------------------------------===//

Value ContractKernel::buildCentredSum(const Row &row, Value rowSum,
                                      int64_t size) {
  OpBuilder &builder = kernel.builder;
  Value zeros =
      row.zeroPoint
          ? Value(arith::MulIOp::create(builder, kernel.loc, row.zeroPoint,
                                        constantI32(size)))
          : constantI32(size * lhsZero);
  Value sum = arith::SubIOp::create(builder, kernel.loc, rowSum, zeros);
  return arith::SIToFPOp::create(builder, kernel.loc, builder.getF32Type(),
                                 sum);
}

/// %v = float(%sum) * m + ... + bias + residual
Value ContractKernel::buildValues(const Row &row, const Panel &panel,
                                  int64_t reg, Value sum) {
  ElementArith arith = this->arith(sum);
  auto scaleByRow = [&](Value number) -> Value {
    if (!row.scale)
      return number;
    return buildRowMultiplier(arith, splat(row.scale), number, op);
  };
  Value value = sum;
  if (isOfValues) {
    // Scales are in the products already.
    if (std::optional<float> resultScale = getResultScale(op))
      value = arith.mulf(value, arith.floatConstant(numerics::requantMultiplier(
                                    1.0f, 1.0f, *resultScale)));
  } else if (hasBlocks) {
    // Blocks have been multiplied by all but the scale of the row.
    if (row.scale)
      value = arith.mulf(value, scaleByRow(arith.floatConstant(1.0)));
  } else {
    value = arith.cast<arith::SIToFPOp>(arith.f32(), sum);
    value = arith.mulf(value, isExchanged ? splat(row.multiplier)
                                          : scaleByRow(panel.multiplier[reg]));
    if (!panel.minval.empty()) {
      Value total =
          buildCentredSum(row, loadRowSum(row, attr(0)), reductionSize);
      value = arith.addf(
          value, arith.mulf(splat(total), scaleByRow(panel.minval[reg])));
    }
  }
  if (!panel.bias.empty())
    value = arith.addf(value, panel.bias[reg]);
  if (row.bias)
    value = arith.addf(value, splat(row.bias));

  if (residual.base) {
    Value other;
    if (isResidualOfRows)
      other = splat(memref::LoadOp::create(
          kernel.builder, kernel.loc, residual.base, ValueRange(row.residual)));
    else
      other = loadColumns(
          residual,
          kernel.index(kernel.add(row.residual, attr(reg * dot.getLanes()))),
          panel, reg);
    value = arith.addf(value, buildResidualTerm(arith, other, op));
  }
  return value;
}

bool ContractKernel::mayPackCodes() {
  std::optional<AffineAttr> params = op.getInitParams();
  if (!params || !target.hasFeature("avx2"))
    return false;
  return params->getStorage() == numerics::StorageType::Int8 ||
         params->getStorage() == numerics::StorageType::UInt8;
}

/// An i32 times less than 1, and nothing else.
bool ContractKernel::haveSmallResults() {
  return op.hasIntegerSum() && !hasBlocks && !op.getWide() && !op.isDynamic() &&
         !rhsScale.base && minval.values.empty() && !residual.base &&
         !(bias.base && !bias.element.isInteger()) &&
         llvm::all_of(multiplier.values,
                      [](float value) { return std::fabs(value) < 1; });
}

/// [v0[0..3] v1[0..3] … v0[4..7] …] -> [v0 | v1 | v2 | v3], of which those that
/// follow each other in a row are stored at once.
void ContractKernel::storePacked(ArrayRef<Finished> group) {
  OpBuilder &builder = kernel.builder;
  Location loc = kernel.loc;
  int64_t lanes = dot.getLanes();
  AffineAttr params = *op.getInitParams();
  SmallVector<Value> values;
  for (const Finished &finished : group)
    values.push_back(finished.values);
  Value codes = buildInterleavedCodes(
      kernel, target, values, getTensorZeroPoint(params),
      getBoundedRange(params, op.getLow(), op.getHigh()),
      numerics::isSignedInteger(params.getStorage()), haveSmallResults());
  SmallVector<int64_t> order;
  for (int64_t i = 0; i < 4 * lanes; ++i) {
    int64_t reg = i / lanes, lane = i % lanes;
    order.push_back(lane / 4 * 16 + reg * 4 + lane % 4);
  }
  codes = vector::ShuffleOp::create(builder, loc, codes, codes, order);
  for (size_t i = 0; i < group.size();) {
    size_t end = i + 1;
    while (end < group.size() && group[end].row == group[i].row)
      ++end;
    Value part = codes;
    if (end - i < group.size())
      part = vector::ExtractStridedSliceOp::create(
          builder, loc, codes, ArrayRef<int64_t>(i * lanes),
          ArrayRef<int64_t>((end - i) * lanes), ArrayRef<int64_t>(1));
    kernel.store(init,
                 kernel.index(kernel.add(group[i].row->init,
                                         attr(group[i].reg * lanes))),
                 part);
    i = end;
  }
}

void ContractKernel::finish(ArrayRef<Row> rows, const Panel &panel,
                            ArrayRef<Value> sums) {
  int64_t lanes = dot.getLanes(), registers = panel.getRegisters(lanes);
  bool mayPack = mayPackCodes();
  SmallVector<Finished> group;
  auto store = [&](const Finished &finished) {
    Value result =
        buildContractResult(arith(finished.values), finished.values, op);
    Value at = kernel.index(
        kernel.add(finished.row->init, attr(finished.reg * lanes)));
    storeColumns(init, at, result, panel, finished.reg);
  };
  for (auto [i, row] : llvm::enumerate(rows))
    for (int64_t reg = 0; reg < registers; ++reg) {
      Finished finished{
          &row, reg, buildValues(row, panel, reg, sums[i * registers + reg])};
      if (!mayPack || reg >= getWholeRegisters(panel)) {
        store(finished);
        continue;
      }
      group.push_back(finished);
      if (group.size() < 4)
        continue;
      storePacked(group);
      group.clear();
    }
  llvm::for_each(group, store);
}
