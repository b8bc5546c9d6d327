#!/usr/bin/env python3
"""Checks and times the kernels that make_kernels.py has written, on a GPU of NVIDIA's.

    run.py FOLDER [--filter=REGEX] [--check-only] [--dry-run] [--json=FILE] [--limit=SECONDS]

Needs Python with numpy and NVIDIA's driver; with PyTorch its own products are timed next
to ours. Every kernel's result is compared with the definition in float64, on random data,
before anything of it is timed. A kernel that fails or does not end is a row of the table,
and the others go on without it. Exit code 1 where a result is wrong, a launch fails, or
time is up.
"""

import argparse
import json
import queue
import re
import subprocess
import sys
import threading
import time

import cases
import measure

# What a kernel and what is measured beside it may take.
SECONDS_OF_ONE = 90


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


class Worker:
  """A process of measure.work, and the lines that it says."""

  def __init__(self, numbers, ceilings):
    command = [sys.executable, *sys.argv, "--work=" + ",".join(map(str, numbers))]
    self.process = subprocess.Popen(command + ["--ceilings"] * ceilings,
                                    stdout=subprocess.PIPE, text=True)
    self.lines = queue.Queue()
    threading.Thread(target=self.read, daemon=True).start()

  def read(self):
    for line in self.process.stdout:
      if line.startswith("{"):
        self.lines.put(json.loads(line))
    self.lines.put(None)

  def next(self, seconds):
    """What it says next; None where it has ended. Raises queue.Empty."""
    return self.lines.get(timeout=max(seconds, 0.1))

  def end(self):
    self.process.kill()
    return self.process.wait()


class Run:
  """Kernels in workers, until all are done or time is up."""

  def __init__(self, options, manifest, numbers):
    self.options, self.manifest, self.left = options, manifest, list(numbers)
    self.ends = time.monotonic() + options.limit
    self.report = {"left_out": manifest["left_out"], "ceilings": {}, "rows": [],
                   "not_run": []}
    self.wants_ceilings = not options.check_only

  def save(self):
    if self.options.json:
      with open(self.options.json, "w") as f:
        json.dump(self.report, f, indent=1)

  def fail(self, at, reason):
    """What began and did not end."""
    if at == "ceilings":
      self.report["ceilings"] = {"all": "not measured: " + reason}
    else:
      entry = self.manifest["kernels"][at]
      self.left.remove(at)
      self.report["rows"].append({"case": entry["case"], "arch": entry["arch"],
                                  "failed": reason})
    self.save()

  def run(self):
    while self.left and time.monotonic() < self.ends:
      worker = Worker(self.left, self.wants_ceilings)
      try:
        if not self.follow(worker):
          break
      finally:
        worker.end()
    self.report["not_run"] = [self.manifest["kernels"][number]["case"] for number in self.left]
    self.save()

  def follow(self, worker):
    """Whether another worker is to go on."""
    at, left = None, len(self.left)
    while True:
      rest = self.ends - time.monotonic()
      try:
        said = worker.next(min(SECONDS_OF_ONE, rest))
      except queue.Empty:
        if at is not None and rest > SECONDS_OF_ONE:
          self.fail(at, "it did not end within %d seconds" % SECONDS_OF_ONE)
          return True
        return False
      if said is None:
        code = worker.end()
        if at is not None:
          self.fail(at, "its process ended with code %d" % code)
        # One that does nothing at all is not tried again.
        return at is not None or len(self.left) < left
      if "error" in said:
        sys.exit("run: error: %s" % said["error"])
      if "device" in said:
        self.report.update(said["device"])
      if "begins" in said:
        at = said["begins"]
        if at == "ceilings":
          self.wants_ceilings = False
        else:
          entry = self.manifest["kernels"][at]
          print("%s %s" % (entry["case"], entry["arch"]), file=sys.stderr, flush=True)
      if "ceilings" in said:
        self.report["ceilings"], at = said["ceilings"], None
        self.save()
      if "ends" in said:
        self.left.remove(said["ends"])
        at = None
        if "row" in said:
          self.report["rows"].append(said["row"])
          self.save()
      if "done" in said:
        return False


def dry_run(folder, entries):
  known = {case.name: case for case in cases.all_cases()}
  for entry in entries:
    kernel, case = measure.Kernel(folder, entry), known[entry["case"]]
    data = measure.make_data(case, entry)
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


def main():
  parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
  parser.add_argument("folder", help="what make_kernels.py has written")
  parser.add_argument("--filter", default="", help="only cases whose name has a match")
  parser.add_argument("--arch", default="", help="only kernels for this one")
  parser.add_argument("--check-only", action="store_true", help="numbers, no times")
  parser.add_argument("--time-all", action="store_true",
                      help="times also of what is too small to tell anything")
  parser.add_argument("--dry-run", action="store_true",
                      help="read everything and make the data, without a driver")
  parser.add_argument("--json", help="where everything that was measured goes")
  parser.add_argument("--limit", type=float, default=520, metavar="SECONDS",
                      help="for all, 520 if not given; what is left then is named")
  parser.add_argument("--work", help=argparse.SUPPRESS)  # of a worker
  parser.add_argument("--ceilings", action="store_true", help=argparse.SUPPRESS)
  options = parser.parse_args()
  with open(options.folder + "/manifest.json") as f:
    manifest = json.load(f)
  if manifest["version"] != 1:
    sys.exit("run: error: expected a manifest of version 1, found %s: make the kernels "
             "again" % manifest["version"])
  if options.work is not None:
    return measure.work(options, manifest, [int(n) for n in options.work.split(",")])
  entries = manifest["kernels"]
  numbers = [number for number, entry in enumerate(entries)
             if re.search(options.filter, entry["case"]) and
             entry["arch"].startswith(options.arch)]
  if options.dry_run:
    return dry_run(options.folder, [entries[number] for number in numbers])
  # What is timed is first, should time be up.
  known = {case.name: case for case in cases.all_cases()}
  numbers.sort(key=lambda number: known[entries[number]["case"]].turn)
  run = Run(options, manifest, numbers)
  run.run()
  report = run.report
  if "device" in report:
    print_table(report)
  elif not report["not_run"]:
    sys.exit("run: error: the process that measures said nothing")
  for case in report["not_run"]:
    print("not run, time was up: " + case)
  wrong = [row for row in report["rows"] if not row.get("ok")]
  for row in wrong:
    if "where" in row:
      print("%s %s: %s" % (row["case"], row["arch"], json.dumps(row["where"])))
  print("%d kernels, %d wrong or failed" % (len(report["rows"]), len(wrong)))
  return 1 if wrong or report["not_run"] or not report["rows"] else 0


if __name__ == "__main__":
  sys.exit(main())
