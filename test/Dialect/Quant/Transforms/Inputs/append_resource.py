"""Prints a model with a resource of `count` f32 elements, -1.0 to 1.0, appended.

usage: append_resource.py MODEL NAME COUNT
"""
import struct
import sys

model, name, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
values = (((7 * i) % 257 - 128) / 128 for i in range(count))
data = struct.pack("<I", 4) + b"".join(struct.pack("<f", v) for v in values)
with open(model) as file:
    sys.stdout.write(file.read())
print('{-# dialect_resources: { builtin: { %s: "0x%s" } } #-}' %
      (name, data.hex().upper()))
