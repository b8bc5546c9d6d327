#!/usr/bin/env bash
# Writes a pass that builds, runs and passes its test: new-pass.sh Name. For the
# name FoldThing: the td entry FoldThingPass of flag quant-fold-thing, the source
# FoldThing.cpp with populateFoldThingPatterns, its entry in CMakeLists.txt, the
# test fold-thing.mlir, and the reference. `git status` shows what it wrote.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() {
  echo "error: $1" >&2
  exit 1
}
[ $# -eq 1 ] || fail "expected one name: utils/new-pass.sh FoldThing"
name=$1
[[ $name =~ ^[A-Z][A-Za-z0-9]*[a-z0-9]$ ]] ||
  fail "expected a name in CamelCase such as FoldThing, found '$name'"
[[ $name != *Pass ]] ||
  fail "expected a name without 'Pass', found '$name': use '${name%Pass}'"
[[ $name != Quant* ]] || [[ $name == Quanti* ]] ||
  fail "expected a name without 'Quant', found '$name': the flag begins with it"

stem=$(sed -E 's/([a-z0-9])([A-Z])/\1-\2/g; s/([A-Z])([A-Z][a-z])/\1-\2/g' \
  <<<"$name" | tr 'A-Z' 'a-z')
flag=quant-$stem
folder=Dialect/Quant/Transforms
td=include/quant-mlir/$folder/Passes.td
header=include/quant-mlir/$folder/Passes.h
source=lib/$folder/$name.cpp
cmake=lib/$folder/CMakeLists.txt
test=test/Dialect/Quant/$stem.mlir

for file in "$source" "$test"; do
  [ ! -e "$file" ] || fail "'$file' exists already: choose another name"
done
if used=$(grep -rnE "def ${name}Pass\b|\"$flag\"" include --include="*Passes.td"); then
  fail "a pass of that name exists already: ${used%%:*}"
fi

python3 - "$td" "$header" "$cmake" "$name" "$flag" <<'PYTHON'
import re, sys
td, header, cmake, name, flag = sys.argv[1:]

def edit(path, function):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    with open(path, "w", encoding="utf-8") as file:
        file.write(function(text))

def before_last(text, marker, added):
    at = text.rindex(marker)
    return text[:at] + added + text[at:]

edit(td, lambda text: before_last(text, "#endif", '''\
def %(name)sPass : Pass<"%(flag)s"> {
  let summary = "One line: what it does to the IR";
  let description = [{
    Why it is there, then an IR pair that is also a test, then its limits.

    ```mlir
    %%y = arith.negf %%x : f32
    ```

    becomes

    ```mlir
    %%y = arith.negf %%x : f32
    ```
  }];
  let dependentDialects = [
    "::mlir::quant::QuantDialect", "::quant_mlir::QParamsDialect"
  ];
}

''' % {"name": name, "flag": flag}))

def declare(text):
    if "class RewritePatternSet;" not in text:
        text = text.replace("namespace quant_mlir {", '''\
namespace mlir {
class RewritePatternSet;
} // namespace mlir

namespace quant_mlir {''', 1)
    return before_last(text, "} // namespace quant_mlir", '''\
/// The patterns of %s.
void populate%sPatterns(mlir::RewritePatternSet &patterns);

''' % (flag, name))
edit(header, declare)

def add_source(text):
    library = re.search(r"quant_add_library\(QuantTransforms\n((?:  \S+\.cpp\n)+)",
                        text)
    files = library.group(1).splitlines(True) + ["  %s.cpp\n" % name]
    files.sort(key=str.lower)
    return text[:library.start(1)] + "".join(files) + text[library.end(1):]
edit(cmake, add_source)
PYTHON

title="//===- $name.cpp - What it does in a few words "
printf -v dashes '%*s' $((75 - ${#title})) ''
cat >"$source" <<CPP
$title${dashes// /-}===//
//
// Its purpose, and what is left to whom.
//
//===----------------------------------------------------------------------===//

#include "quant-mlir/Dialect/Quant/Transforms/Passes.h"

#include "quant-mlir/Dialect/Quant/IR/QuantOps.h"

#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace quant_mlir {
#define GEN_PASS_DEF_${name^^}PASS
#include "quant-mlir/Dialect/Quant/Transforms/Passes.h.inc"
} // namespace quant_mlir

#define DEBUG_TYPE "$flag"

using namespace mlir;
using namespace quant_mlir;

void quant_mlir::populate${name}Patterns(RewritePatternSet &patterns) {}

namespace {
struct ${name}Pass
    : public quant_mlir::impl::${name}PassBase<${name}Pass> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    populate${name}Patterns(patterns);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns)))) {
      getOperation()->emitError("$flag did not converge");
      signalPassFailure();
    }
  }
};
} // namespace
CPP

cat >"$test" <<MLIR
// RUN: quant-opt %s --split-input-file --$flag | FileCheck %s

// CHECK-LABEL: func @keeps_other_operations
func.func @keeps_other_operations(%x: f32) -> f32 {
  // CHECK: arith.negf
  %0 = arith.negf %x : f32
  return %0 : f32
}
MLIR

utils/generate-docs.sh
cat <<TEXT
wrote --$flag:
  $source
  $test
and entries in $td, Passes.h, CMakeLists.txt, docs/reference
next:
  cmake --build build && lit-22 -v build/$test
TEXT
