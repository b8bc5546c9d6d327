"""Writes the binaries of kernels that quant-opt --lower-to has put into a module.

    extract_kernels.py MODULE FOLDER [SUFFIX]

Each constant @quant.kernel.<name> becomes FOLDER/<name>.<SUFFIX> (spv), without what
ends it as a text. Prints how many there are; exit code 1 where there is none.
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
  module, folder = sys.argv[1:3]
  suffix = sys.argv[3] if len(sys.argv) > 3 else "spv"
  os.makedirs(folder, exist_ok=True)
  count = 0
  with open(module, encoding="latin-1") as f:
    for match in CONSTANT.finditer(f.read()):
      with open(os.path.join(folder, match[1] + "." + suffix), "wb") as out:
        binary = unescape(match[2].encode("latin-1"))
        out.write(binary.rstrip(b"\0") if suffix == "ptx" else binary)
      count += 1
  print("%d kernels" % count)
  return 0 if count else 1


if __name__ == "__main__":
  sys.exit(main())
