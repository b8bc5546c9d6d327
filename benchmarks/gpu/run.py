#!/usr/bin/env python3
"""Checks and times the kernels that make_kernels.py has written, on a GPU of NVIDIA's.

    run.py FOLDER [--filter=REGEX] [--check-only] [--dry-run] [--json=FILE]

Needs Python with numpy and NVIDIA's driver; with PyTorch its own products are timed next
to ours. Every kernel's result is compared with the definition in float64, on random data,
before anything of it is timed. Exit code 1 where a result is wrong or a launch fails.
"""

import argparse
import json
import os
import re
import sys
import zlib

import numpy as np

import cases
import ceilings
import data as data_of_cases
import driver as drivers
import peers


class Kernel:
  """The launches of a case, as they were recorded."""

  def __init__(self, folder, entry):
    self.entry, self.launches = entry, entry["launches"]
    self.texts, self.constants = {}, {}
    for launch in self.launches:
      with open(os.path.join(folder, launch["file"]), "rb") as f:
        self.texts[launch["file"]] = f.read() + b"\0"
      for buffer in launch["buffers"]:
        if "constant" in buffer:
          with open(os.path.join(folder, buffer["constant"]), "rb") as f:
            constant = zlib.decompress(f.read())
          if len(constant) != buffer["bytes"]:
            raise ValueError("%s has %d bytes, expected %d" %
                             (buffer["constant"], len(constant), buffer["bytes"]))
          self.constants[buffer["constant"]] = constant

  def words(self, launch, arguments, constants):
    """Parameters of a launch: addresses of buffers, then numbers."""
    addresses = []
    for buffer in launch["buffers"]:
      if "constant" in buffer:
        addresses.append(constants[buffer["constant"]])
      else:
        addresses.append(arguments[buffer["argument"]] + buffer["offset"])
    return addresses + launch["numbers"]


class Loaded:
  """A kernel on the device, with data."""

  def __init__(self, driver, kernel, data, copies):
    self.driver, self.kernel = driver, kernel
    self.functions, self.allocated = [], []
    for launch in kernel.launches:
      function = driver.load(kernel.texts[launch["file"]], launch["kernel"])
      driver.allow_shared(function, launch["shape"][6])
      self.functions.append(function)
    constants = {name: self.place(constant) for name, constant in kernel.constants.items()}
    self.arguments = arguments = [self.place(array) for array in data.arguments]
    self.result = self.place(np.full(data.result_bytes, 0xA5, np.uint8))
    # Weights, or codes to pack, lie in several places, so that they come from memory each time.
    weights = [arguments[1]] + [self.place(data.arguments[1]) for _ in range(copies - 1)]
    self.turns = []
    for address in weights:
      placed = [arguments[0], address, *arguments[2:], self.result]
      self.turns.append([driver.parameters(kernel.words(launch, placed, constants))
                         for launch in kernel.launches])
    self.next = 0

  def place(self, array):
    view = memoryview(np.ascontiguousarray(array) if isinstance(array, np.ndarray) else array)
    address = self.driver.allocate(view.nbytes)
    self.allocated.append(address)
    self.driver.upload(address, view)
    return address

  def enqueue(self):
    for launch, function, parameters in zip(self.kernel.launches, self.functions,
                                            self.turns[self.next]):
      self.driver.launch(function, launch["shape"], parameters)
    self.next = (self.next + 1) % len(self.turns)

  def release(self):
    for address in self.allocated:
      self.driver.free(address)
    for function in self.functions:
      self.driver.unload(function)


def matches(arch, driver):
  """Whether the device runs what was made for `arch`; an `a` is for one device only."""
  number = int(re.sub(r"\D", "", arch))
  return driver.arch == number if arch.endswith("a") else driver.arch >= number


def rows_to_check(case):
  """None, all of them, where that takes seconds."""
  if peers.torch is not None or case.operations < 1 << 34:
    return None
  random = np.random.default_rng(0)
  return np.unique(np.concatenate([[0, case.m - 1], random.integers(0, case.m, 62)]))


def make_data(case, entry):
  numbers = None if isinstance(case, cases.PackCase) else cases.Numbers(case)
  return data_of_cases.make_data(case, entry["layout"], numbers)


def run_case(driver, case, kernel, options):
  row = {"case": case.name, "arch": kernel.entry["arch"]}
  data = make_data(case, kernel.entry)
  is_timed = case.timed and not options.check_only
  rotate = 4 * driver.l2_bytes
  copies = max(1, min(16, -(-rotate // max(case.weight_bytes, 1)))) if is_timed else 1
  loaded = Loaded(driver, kernel, data, copies)
  try:
    loaded.enqueue()
    result = driver.download(loaded.result, data.result_bytes)
    multiply = np.matmul if peers.torch is None else peers.multiply
    row["error"] = data.check(result, rows_to_check(case), multiply)
    for argument, expected in data.written.items():
      found = driver.download(loaded.arguments[argument], expected.nbytes)
      row["error"] += float(np.sum(np.frombuffer(found, expected.dtype) != expected.ravel()))
    row["ok"] = row["error"] <= 1
    if row["error"] and not case.block and case.is_integer:
      row["ok"] = False  # Sums of integers are exact.
    if is_timed and row["ok"]:
      row["seconds"] = ceilings.median_seconds(driver, loaded.enqueue)
      row["operations_per_s"] = case.operations / row["seconds"]
      row["weight_bytes_per_s"] = case.weight_bytes / row["seconds"]
  finally:
    loaded.release()
  return row


def rate(value, unit=1e12):
  return "%.1f" % (value / unit) if isinstance(value, float) else "-"


def print_table(report):
  limits = report["ceilings"]
  print("\n%s, driver %s, PyTorch %s" % (report["device"], report["driver"],
                                         report["torch"] or "none"))
  if limits:
    print("ceilings: " + ", ".join(
        "%s %s %s" % (name, rate(value), "TB/s" if name in ("copy", "read") else "TOPS")
        if isinstance(value, float) else "%s %s" % (name, value)
        for name, value in limits.items()))
  others = ["torch f16", "torch int4", "torch._int_mm", "torch fp8"]
  print("| case | arch | error | TOPS | of mma | weights TB/s | of copy | " +
        " | ".join("/ " + name for name in others) + " |")
  print("|---" * (7 + len(others)) + "|")
  for row in report["rows"]:
    cells = [row["case"], row["arch"]]
    if "failed" in row:
      print("| %s | %s | failed: %s |" % (*cells, row["failed"]))
      continue
    cells.append(("%.2g" % row["error"]) + ("" if row["ok"] else " WRONG"))
    if "seconds" not in row:
      print("| " + " | ".join(cells + ["-"] * (4 + len(others))) + " |")
      continue
    peak, copy = limits.get("mma s8"), limits.get("copy")
    cells += [rate(row["operations_per_s"]),
              "%.2f" % (row["operations_per_s"] / peak) if isinstance(peak, float) else "-",
              "%.2f" % (row["weight_bytes_per_s"] / 1e12),
              "%.2f" % (row["weight_bytes_per_s"] / copy) if isinstance(copy, float) else "-"]
    for name in others:
      peer = row["peers"].get(name)
      cells.append("%.2f" % (peer / row["seconds"]) if isinstance(peer, float) else "-")
    print("| " + " | ".join(cells) + " |")


def main():
  parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
  parser.add_argument("folder", help="what make_kernels.py has written")
  parser.add_argument("--filter", default="", help="only cases whose name has a match")
  parser.add_argument("--arch", default="", help="only kernels for this one")
  parser.add_argument("--check-only", action="store_true", help="numbers, no times")
  parser.add_argument("--dry-run", action="store_true",
                      help="read everything and make the data, without a driver")
  parser.add_argument("--json", help="where everything that was measured goes")
  options = parser.parse_args()
  with open(os.path.join(options.folder, "manifest.json")) as f:
    manifest = json.load(f)
  if manifest["version"] != 1:
    sys.exit("run: error: expected a manifest of version 1, found %s: make the kernels "
             "again" % manifest["version"])
  known = {case.name: case for case in cases.all_cases()}
  entries = [entry for entry in manifest["kernels"]
             if re.search(options.filter, entry["case"]) and entry["arch"].startswith(options.arch)]
  if options.dry_run:
    for entry in entries:
      kernel, case = Kernel(options.folder, entry), known[entry["case"]]
      data = make_data(case, entry)
      fake = list(range(1 << 40, (len(data.arguments) + 2) << 40, 1 << 40))
      constants = dict.fromkeys(kernel.constants, 1 << 50)
      for launch in kernel.launches:
        words = kernel.words(launch, fake, constants)
        print("%s %s: %s, grid %s, block %s, %d parameters" %
              (case.name, entry["arch"], launch["kernel"],
               "x".join(map(str, launch["shape"][:3])),
               "x".join(map(str, launch["shape"][3:6])), len(words)))
      for argument, buffer in ((buffer["argument"], buffer) for launch in kernel.launches
                               for buffer in launch["buffers"] if "argument" in buffer):
        size = (data.arguments[argument].nbytes if argument < len(data.arguments) else
                data.result_bytes)
        if buffer["offset"] + buffer["bytes"] > size:
          sys.exit("run: error: argument %d of %s has %d bytes, its kernel takes %d" %
                   (argument, case.name, size, buffer["bytes"]))
    print("%d kernels" % len(entries))
    return 0
  try:
    driver = drivers.Driver()
  except drivers.DriverError as error:
    sys.exit("run: error: %s" % error)
  report = {"device": driver.name, "arch": driver.arch, "driver": driver.version,
            "torch": peers.version(), "l2_bytes": driver.l2_bytes,
            "multiprocessors": driver.multiprocessors, "left_out": manifest["left_out"],
            "ceilings": {}, "rows": []}
  if not options.check_only:
    report["ceilings"] = ceilings.measure(driver)
  of_peers = {}
  for entry in entries:
    if not matches(entry["arch"], driver):
      continue
    case = known[entry["case"]]
    print("%s %s" % (case.name, entry["arch"]), file=sys.stderr, flush=True)
    try:
      row = run_case(driver, case, Kernel(options.folder, entry), options)
      if "seconds" in row:
        if case.name not in of_peers:
          of_peers[case.name] = {} if isinstance(case, cases.PackCase) else peers.measure(
              case, 4 * driver.l2_bytes)
        row["peers"] = of_peers[case.name]
    except drivers.DriverError as error:
      row = {"case": case.name, "arch": entry["arch"], "failed": str(error)}
      report["rows"].append(row)
      if re.search(r": (7\d\d),", str(error)):
        break  # The context is lost, and every call after this fails, too.
      continue
    report["rows"].append(row)
  print_table(report)
  if options.json:
    with open(options.json, "w") as f:
      json.dump(report, f, indent=1)
  wrong = [row for row in report["rows"] if not row.get("ok")]
  print("%d kernels, %d wrong or failed" % (len(report["rows"]), len(wrong)))
  return 1 if wrong or not report["rows"] else 0


if __name__ == "__main__":
  sys.exit(main())
