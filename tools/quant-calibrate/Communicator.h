//===- Communicator.h - Processes that share a calibration ------*- C++ -*-===//
//
// One process, or those that mpirun has started. MPI is a module that is loaded
// only where a launcher is seen in the environment: the tool itself does not
// depend on it, and a plain run does not start it up.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_MLIR_TOOLS_QUANTCALIBRATE_COMMUNICATOR_H
#define QUANT_MLIR_TOOLS_QUANTCALIBRATE_COMMUNICATOR_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <memory>
#include <string>
#include <vector>

namespace quant_mlir {

class Communicator {
public:
  /// `program` is argv[0]: the module is found beside the tool.
  static llvm::Expected<std::unique_ptr<Communicator>>
  create(const char *program);
  virtual ~Communicator();

  int getRank() const { return rank; }
  int getSize() const { return size; }
  bool isFirst() const { return rank == 0; }

  // All processes call these at the same places.

  /// The bytes of each process, in order, on the first; nothing elsewhere.
  virtual std::vector<std::string> gather(llvm::StringRef bytes) = 0;
  /// The first process's bytes.
  virtual std::string broadcast(llvm::StringRef bytes) = 0;
  /// Fails everywhere where it fails anywhere: with the first error in order of
  /// the processes on the first one, silently (an empty message) elsewhere.
  llvm::Error agree(llvm::Error error);

protected:
  int rank = 0;
  int size = 1;
};

} // namespace quant_mlir

#endif // QUANT_MLIR_TOOLS_QUANTCALIBRATE_COMMUNICATOR_H
