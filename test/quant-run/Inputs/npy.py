#!/usr/bin/env python3
"""Arrays for tests.

npy.py make FILE EXPRESSION     saves a NumPy expression (names: np, and arange
                                and array from it)
npy.py show FILE…               prints type, shape and values, one line per file
"""
import sys

import numpy as np


def main():
    command, *rest = sys.argv[1:]
    if command == "make":
        path, expression = rest
        names = {"np": np, "arange": np.arange, "array": np.array}
        np.save(path, eval(expression, names))
        return
    np.set_printoptions(threshold=sys.maxsize, linewidth=sys.maxsize)
    for path in rest:
        a = np.load(path)
        print(a.dtype.name, a.shape, " ".join(str(x) for x in a.reshape(-1)))


main()
