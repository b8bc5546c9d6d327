//===- AssertionsBesideLLVM.h - Our assertions, LLVM's layouts --*- C++ -*-===//
//
// Included before everything in builds with our assertions, against an LLVM
// without them: llvm::Statistic has other members where NDEBUG is not defined,
// and libMLIR, which constructs those of passes, knows nothing of them.
//
//===----------------------------------------------------------------------===//

#ifndef NDEBUG
#define NDEBUG
#include "llvm/ADT/Statistic.h"
#undef NDEBUG
// What was included under the other setting.
#include <cassert>
#endif
