#!/usr/bin/env python3
"""near.py FOUND REFERENCE TOLERANCE: fails unless the arrays differ by no more
than TOLERANCE times the reference's largest magnitude."""
import sys

import numpy as np

found, reference = (np.load(path).astype("f8") for path in sys.argv[1:3])
assert found.shape == reference.shape, (found.shape, reference.shape)
error = np.abs(found - reference).max() / np.abs(reference).max()
assert error <= float(sys.argv[3]), error
