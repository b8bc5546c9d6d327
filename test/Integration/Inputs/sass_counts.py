"""Counts instructions in a cubin of sm_80 or later, and prints those that a kernel on
tensor cores is made of, and how many products there are for each load of matrices.

    sass_counts.py CUBIN

An instruction is 16 bytes; the low 12 bits of the first word say which one it is.
"""

import struct
import sys

OPCODES = {0x237: "IMMA", 0x23c: "HMMA", 0x83b: "LDSM", 0xfae: "LDGSTS", 0x91a: "DEPBAR"}


def code_sections(image):
  """The bytes of every section of code (.text.<kernel>) of a 64-bit ELF file."""
  offset, = struct.unpack_from("<Q", image, 40)
  size, count, names = struct.unpack_from("<HHH", image, 58)
  headers = [struct.unpack_from("<IIQQQQ", image, offset + i * size) for i in range(count)]
  strings = headers[names][4]
  for name, _, _, _, at, length in headers:
    end = image.index(b"\0", strings + name)
    if image[strings + name:end].startswith(b".text."):
      yield image[at:at + length]


def main():
  with open(sys.argv[1], "rb") as f:
    image = f.read()
  counts = dict.fromkeys(OPCODES.values(), 0)
  for code in code_sections(image):
    for at in range(0, len(code) - 15, 16):
      name = OPCODES.get(struct.unpack_from("<H", code, at)[0] & 0xfff)
      if name:
        counts[name] += 1
  print(" ".join("%s=%d" % item for item in counts.items()))
  for name in "IMMA", "HMMA":
    if counts["LDSM"] and counts[name]:
      print("%s/LDSM=%.2f" % (name, counts[name] / counts["LDSM"]))
  return 0


if __name__ == "__main__":
  sys.exit(main())
