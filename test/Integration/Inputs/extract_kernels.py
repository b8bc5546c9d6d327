"""Writes the binaries of kernels that quant-opt --lower-to has put into a module.

    extract_kernels.py MODULE FOLDER

Each constant @quant.kernel.<name> becomes FOLDER/<name>.spv. Prints how many there
are; exit code 1 where there is none.
"""

import os
import re
import sys

CONSTANT = re.compile(r'@quant\.kernel\.(\w+)\("((?:[^"\\]|\\.)*)"\)')


def unescape(text):
  """The bytes of a string as MLIR prints it."""
  return re.sub(rb"\\([0-9A-Fa-f]{2}|\\)",
                lambda m: b"\\" if m[1] == b"\\" else bytes([int(m[1], 16)]), text)


def main():
  module, folder = sys.argv[1:]
  os.makedirs(folder, exist_ok=True)
  count = 0
  with open(module, encoding="latin-1") as f:
    for match in CONSTANT.finditer(f.read()):
      with open(os.path.join(folder, match[1] + ".spv"), "wb") as out:
        out.write(unescape(match[2].encode("latin-1")))
      count += 1
  print("%d kernels" % count)
  return 0 if count else 1


if __name__ == "__main__":
  sys.exit(main())
