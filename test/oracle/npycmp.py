#!/usr/bin/env python3
"""Compares two .npy files: error, signal to noise, top-1.

    npycmp.py result.npy reference.npy [--labels labels.npy]
        [--max-relative X] [--min-sqnr DB] [--min-top1 PERCENT] [--exact]

Exit code 1 where a bound is not met.
"""

import argparse
import json
import sys

import numpy as np


def compare(result, reference, labels=None):
  """max abs error, the same relative to max|reference|, SQNR in dB (None when
  equal) and, with labels, top-1 in percent."""
  if result.shape != reference.shape:
    raise ValueError("shapes %s and %s" % (result.shape, reference.shape))
  a, b = np.asarray(result, float), np.asarray(reference, float)
  same = (a == b) | (np.isnan(a) & np.isnan(b))
  error = np.where(same, 0, a - b)
  worst = float(np.abs(error).max(initial=0))
  largest = float(np.abs(b).max(initial=0))
  noise = float((error**2).sum())
  out = {
      "max_abs_error": worst,
      "max_relative": worst / largest if largest else worst,
      "sqnr_db": None if noise == 0 else
                 float(10 * np.log10((b**2).sum() / noise)),
      "different": int((~same).sum()),
  }
  if labels is not None:
    flat = a.reshape(len(labels), -1)
    out["top1"] = float(100 * (flat.argmax(1) == labels.ravel()).mean())
  return out


def main(arguments=None):
  parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
  parser.add_argument("result")
  parser.add_argument("reference")
  parser.add_argument("--labels")
  parser.add_argument("--max-relative", type=float)
  parser.add_argument("--min-sqnr", type=float)
  parser.add_argument("--min-top1", type=float)
  parser.add_argument("--exact", action="store_true")
  args = parser.parse_args(arguments)
  out = compare(np.load(args.result), np.load(args.reference),
                np.load(args.labels) if args.labels else None)
  print(json.dumps(out))
  failures = []
  if args.exact and out["different"]:
    failures.append("%d values differ" % out["different"])
  if args.max_relative is not None and not (out["max_relative"] <=
                                            args.max_relative):
    failures.append("max_relative above %g" % args.max_relative)
  if args.min_sqnr is not None and out["sqnr_db"] is not None and not (
      out["sqnr_db"] >= args.min_sqnr):
    failures.append("sqnr_db below %g" % args.min_sqnr)
  if args.min_top1 is not None and not (out.get("top1", 0) >= args.min_top1):
    failures.append("top1 below %g" % args.min_top1)
  if failures:
    sys.exit("npycmp.py: " + "; ".join(failures))


if __name__ == "__main__":
  try:
    main()
  except (OSError, ValueError) as e:
    sys.exit("npycmp.py: " + str(e))
