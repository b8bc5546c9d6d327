#!/usr/bin/env python3
"""Section 5 of the numerics contract in numpy: ranges from data.

    calibrate.py make NAME x.npy      data of a kind (see DATA)
    calibrate.py check ranges.json x.npy --batch N [--exhaustive]

`check` takes a file that quant-calibrate has written for a model whose observers
all see its input, N entries per batch, and computes everything in it again: per
channel of dimension D where the id ends in `@D`. What is defined exactly must be
equal; a range that minimises something must be one of the candidates, with none
better than it. Of the many candidates with two ends it tries a part, or all with
--exhaustive."""

import argparse
import json
import math
import sys

import numpy as np

import quantize as qz

F32 = np.float32

DATA = {
    "normal": lambda r, n: r.standard_normal(n),
    "skewed": lambda r, n: np.exp(r.standard_normal(n)) - 0.5,
    "heavy": lambda r, n: r.standard_cauchy(n),
    "positive": lambda r, n: np.maximum(r.standard_normal(n), 0),
    "negative": lambda r, n: -np.abs(r.standard_normal(n)),
    "offset": lambda r, n: 100 + r.standard_normal(n),
    "constant": lambda r, n: np.full(n, 3.0),
    "zero": lambda r, n: np.zeros(n),
    "outlier": lambda r, n: np.where(np.arange(n) == n // 2, 1000,
                                     r.standard_normal(n)),
    "lopsided": lambda r, n: np.where(np.arange(n) % 999 == 7, -60,
                                      r.standard_normal(n)),
    "denormal": lambda r, n: 1e-42 * r.standard_normal(n),
    "huge": lambda r, n: 1e38 * np.clip(r.standard_normal(n), -3, 3),
}


# Histograms ----------------------------------------------------------------------


class Histogram:
  """Bins of the smallest power of two for which at most 2048 cover x and 0."""

  def __init__(self, x):
    x = np.asarray(x, np.float64).ravel()
    if x.size == 0:
      self.width_log2, self.first, self.counts = -149, 0, np.zeros(0, int)
      return
    ends = np.array([min(x.min(), 0.0), max(x.max(), 0.0)])
    for self.width_log2 in range(-149, 119):
      low, high = np.floor(ends / 2.0**self.width_log2)
      if high - low < 2048:
        break
    self.first = int(low)
    bins = np.floor(x / 2.0**self.width_log2).astype(int) - self.first
    self.counts = np.bincount(bins, minlength=int(high) - self.first + 1)

  def __eq__(self, other):
    return (self.width_log2, self.first) == (other.width_log2, other.first) and \
        np.array_equal(self.counts, other.counts)

  @staticmethod
  def from_json(value):
    h = Histogram([])
    h.width_log2, h.first = value["width_log2"], value["first"]
    h.counts = np.array(value["counts"], int)
    return h

  width = property(lambda self: 2.0**self.width_log2)

  def nonempty(self):
    """Middles (float32) and counts of the bins that have one."""
    at = np.flatnonzero(self.counts)
    middles = (self.first + at + 0.5) * self.width
    return middles.astype(F32), self.counts[at].astype(np.float64)

  def ends(self):
    """Outer edges of the outermost bins with a count, and 0."""
    at = np.flatnonzero(self.counts) + self.first
    low = min(0, at.min()) * self.width
    high = max(0, at.max() + 1) * self.width if at.max() >= 0 else 0.0
    return low, high


def to_f32(x):
  largest = float(np.finfo(F32).max)
  return F32(min(max(x, -largest), largest))


# Calibrators ---------------------------------------------------------------------


def moving_average(batches):
  """(lo, hi) after all batches; those with nothing in them are passed over."""
  lo = hi = None
  for x in batches:
    if x.size == 0:
      continue
    low, high = F32(min(x.min(), 0)), F32(max(x.max(), 0))
    if lo is None:
      lo, hi = low, high
    else:
      lo = F32(lo + F32(F32(0.01) * F32(low - lo)))
      hi = F32(hi + F32(F32(0.01) * F32(high - hi)))
  return lo, hi


def quantile(counts, wanted):
  """How many bins, linear inside one, hold `wanted` values."""
  sums = np.cumsum(counts)
  at = np.flatnonzero((sums >= wanted) & (counts > 0))[0]
  return at + (wanted - (sums[at] - counts[at])) / counts[at]


def percentile(h, p):
  wanted = h.counts.sum() * (p / 100.0)
  high = (h.first + quantile(h.counts, wanted)) * h.width
  low = (h.first + len(h.counts) - quantile(h.counts[::-1], wanted)) * h.width
  return to_f32(min(low, 0.0)), to_f32(max(high, 0.0))


def steps(end, count, last):
  return [to_f32(end * i / count) for i in range(count, last - 1, -1)]


def candidates(h, qscheme, fixed=(None, None)):
  """The ranges to choose from, widest first, as an array of rows lo, hi."""
  low, high = h.ends()
  if qscheme != "asymmetric" and fixed == (None, None):
    return np.array([(max(-a, to_f32(low)), min(a, to_f32(high)))
                     for a in steps(max(-low, high), 2048, 1)], F32)

  def ends(own, data, other_is_given):
    if own is not None:
      return [F32(own)]
    if data == 0:
      return [F32(0)]
    return steps(data, 2048, 1) if other_is_given else steps(data, 128, 0)

  lows = ends(fixed[0], low, fixed[1] is not None or high == 0)
  highs = ends(fixed[1], high, fixed[0] is not None or low == 0)
  return np.array([(a, b) for a in lows for b in highs if a != 0 or b != 0],
                  F32)


def requantized(values, ranges, dtype, qscheme):
  """What becomes of the values with the parameters of each range, a row each;
  NaN in rows whose scale overflows."""
  lo, hi = ranges[:, :1], ranges[:, 1:]
  with np.errstate(over="ignore"):
    width = hi - lo if qscheme == "asymmetric" else np.maximum(-lo, hi)
  good = np.isfinite(width[:, 0])
  out = np.full((len(ranges), len(values)), np.nan, F32)
  sizes = [1, len(values)]
  params = qz.params_from_range(lo[good], hi[good], dtype, qscheme, "zp", "f32",
                                sizes)
  x = np.broadcast_to(values, (int(good.sum()), len(values)))
  out[good] = qz.dequantize(qz.apply(x, params), params)
  return out


def square_errors(h, ranges, dtype, qscheme):
  values, counts = h.nonempty()
  errors = []
  for part in np.array_split(ranges, max(1, len(ranges) // 256)):
    x = requantized(values, part, dtype, qscheme).astype(np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
      error = ((x - values)**2 * counts).sum(axis=1)
    errors.append(np.where(np.isnan(error), np.inf, error))
  return np.concatenate(errors)


def divergences(h, ranges, dtype, qscheme):
  values, counts = h.nonempty()
  total = counts.sum()
  result = []
  for row in ranges:
    inside = (values >= row[0]) & (values <= row[1])
    if not inside.any():
      result.append(math.inf)
      continue
    x = requantized(values[inside], row[None], dtype, qscheme)[0]
    if np.isnan(x).any():
      result.append(math.inf)
      continue
    p = counts[inside].copy()
    _, group = np.unique(x + F32(0), return_inverse=True)
    q = (np.bincount(group, p) / np.bincount(group))[group] / p.sum()
    p[0] += counts[values < row[0]].sum()
    p[-1] += counts[values > row[1]].sum()
    p /= total
    result.append(float((p * np.log(p / q)).sum()))
  return np.array(result)


# Checks --------------------------------------------------------------------------


class Mismatch(Exception):
  pass


def expect(condition, message, *values):
  if not condition:
    raise Mismatch(message % values)


def check_minimum(h, found, request, exhaustive, seed):
  calibrator, dtype, qscheme, fixed = request
  ranges = candidates(h, qscheme, fixed)
  at = np.flatnonzero((ranges == np.array(found, F32)).all(axis=1))
  expect(len(at) > 0, "%s is no candidate", found)
  if calibrator == "entropy":
    bits = {"int4": 4, "uint4": 4, "int2": 2, "uint2": 2}.get(dtype, 8)
    width = np.diff(ranges.astype(np.float64), axis=1)[:, 0]
    allowed = width >= 2**bits * h.width
    allowed[0] = True
    expect(allowed[at].any(), "%s holds fewer bins than codes", found)
    ranges, at = ranges[allowed], np.flatnonzero(allowed[:at[0] + 1])[-1:]
    at = np.flatnonzero((ranges == np.array(found, F32)).all(axis=1))
  objective = square_errors if calibrator == "mse" else divergences
  limit = 16641 if exhaustive else 200 if calibrator == "entropy" else 600
  own = objective(h, ranges[at[:1]], dtype, qscheme)[0]
  if len(ranges) > limit:
    # Everywhere, and all around what was found.
    chosen = np.random.default_rng(seed).choice(len(ranges), limit, False)
    near = np.arange(at[0] - 2, at[0] + 3)
    near = np.concatenate([near, near + 129, near - 129])
    chosen = np.concatenate([chosen, near[(near >= 0) & (near < len(ranges))]])
    ranges = ranges[np.sort(chosen)]
  best = objective(h, ranges, dtype, qscheme).min()
  expect(own <= best + 1e-9 * abs(best) + 3e-12,
         "%s has the objective %r, where %r is possible", found, own, best)


def check_unit(batches, found, histogram, request, percent, exhaustive, seed):
  calibrator = request[0]
  finite = [b[np.isfinite(b)] for b in batches]
  everything = np.concatenate(finite)
  if everything.size == 0:
    expect(found == (None, None), "nothing is finite, found %s", found)
    return
  expect(None not in found, "there is no range")
  found = tuple(map(F32, found))
  if calibrator == "moving_average":
    wanted = moving_average(finite)
    expect(found == wanted, "%s, expected %s", found, wanted)
    return
  if calibrator == "global_minmax":
    wanted = (everything.min(), everything.max())
    expect(found == wanted, "%s, expected %s", found, wanted)
    return
  h = Histogram(everything)
  expect(histogram is not None and Histogram.from_json(histogram) == h,
         "the histogram differs")
  if calibrator == "percentile":
    wanted = percentile(h, percent)
    expect(np.allclose(found, wanted, rtol=2e-7, atol=0), "%s, expected %s",
           found, wanted)
    return
  check_minimum(h, found, request, exhaustive, seed)


def check(arguments):
  x = np.load(arguments.data).astype(F32)
  batches = [x[i:i + arguments.batch]
             for i in range(0, len(x), arguments.batch)]
  with open(arguments.ranges) as f:
    ranges = json.load(f)
  failures = 0
  for entry in ranges["observers"]:
    get = lambda key: entry.get(key, ranges.get(key))
    fixed = tuple(entry.get("float_range", (None, None)))
    request = (get("calibrator"), get("dtype"), get("qscheme"), fixed)
    axis = entry["id"].partition("@")[2]
    try:
      counts = (int(np.isfinite(x).sum()), len(batches),
                int(np.isnan(x).sum()), int(np.isinf(x).sum()))
      found = tuple(entry[k] for k in ("count", "batches", "nan", "inf"))
      expect(found == counts, "counts %s, expected %s", found, counts)
      units = [batches]
      if axis:
        size = x.shape[int(axis)] if int(axis) else arguments.batch
        units = [[b.take(c, axis=int(axis)) for b in batches]
                 for c in range(size)]
      as_list = lambda v: v if axis else [v]
      mins, maxs = as_list(entry["min"]), as_list(entry["max"])
      histograms = as_list(entry.get("histogram"))
      expect(len(mins) == len(units), "%d channels, expected %d", len(mins),
             len(units))
      if histograms in (None, [None]):
        histograms = [None] * len(units)
      for unit, low, high, histogram in zip(units, mins, maxs, histograms):
        check_unit([b.ravel() for b in unit], (low, high), histogram, request,
                   ranges.get("percentile"), arguments.exhaustive, 5)
    except Mismatch as error:
      failures += 1
      print("FAILED: %s %s: %s" % (entry["id"], request, error))
  print("%d observers agree, %d fail" % (len(ranges["observers"]) - failures,
                                         failures))
  return 1 if failures else 0


def make(arguments):
  rng = np.random.default_rng(sorted(DATA).index(arguments.name))
  x = DATA[arguments.name](rng, math.prod(arguments.shape)).astype(F32)
  np.save(arguments.data, x.reshape(arguments.shape))
  return 0


def main():
  parser = argparse.ArgumentParser(description=__doc__,
                                   formatter_class=argparse.RawTextHelpFormatter)
  commands = parser.add_subparsers(required=True, metavar="make|check")
  command = commands.add_parser("make")
  command.add_argument("name", choices=sorted(DATA))
  command.add_argument("data")
  command.add_argument("--shape", type=lambda s: tuple(map(int, s.split("x"))),
                       default=(96, 50))
  command.set_defaults(run=make)
  command = commands.add_parser("check")
  command.add_argument("ranges")
  command.add_argument("data")
  command.add_argument("--batch", type=int, required=True)
  command.add_argument("--exhaustive", action="store_true")
  command.set_defaults(run=check)
  arguments = parser.parse_args()
  return arguments.run(arguments)


if __name__ == "__main__":
  sys.exit(main())
