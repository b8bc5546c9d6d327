"""One kernel after another on the device, in a process of its own: a kernel that does what
it must not takes the process's context with it, and one that does not end the process."""

import json
import os
import re
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
    self.arguments = arguments = [self.place(array) for array in data.arguments]
    self.result = self.place(np.full(data.result_bytes, 0xA5, np.uint8))
    # Weights and their scales, or codes to pack and what becomes of them, lie in several
    # places, so that they come from memory each time.
    self.turns = []
    for turn in range(copies):
      constants = {name: self.place(constant)
                   for name, constant in kernel.constants.items()}
      weights = arguments[1] if turn == 0 else self.place(data.arguments[1])
      result = self.result
      if turn and data.written:
        result = driver.allocate(data.result_bytes)
        self.allocated.append(result)
      placed = [arguments[0], weights, *arguments[2:], result]
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


def rows_to_check(case, machine):
  """None, all of them, where that takes seconds."""
  if machine.checks_all or case.operations < 1 << 34:
    return None
  random = np.random.default_rng(0)
  return np.unique(np.concatenate([[0, case.m - 1], random.integers(0, case.m, 62)]))


def make_data(case, entry):
  numbers = None if isinstance(case, cases.PackCase) else cases.Numbers(case)
  return data_of_cases.make_data(case, entry["layout"], numbers)


def run_case(driver, case, kernel, options):
  row = {"case": case.name, "arch": kernel.entry["arch"]}
  data = make_data(case, kernel.entry)
  is_timed = (case.timed or options.time_all) and not options.check_only
  rotate = 4 * driver.l2_bytes
  copies = max(1, min(16, -(-rotate // max(case.weight_bytes, 1)))) if is_timed else 1
  machine = peers.Machine if peers.torch else data_of_cases.Host
  loaded = Loaded(driver, kernel, data, copies)
  try:
    loaded.enqueue()
    result = driver.download(loaded.result, data.result_bytes)
    row["error"] = data.check(result, rows_to_check(case, machine), machine)
    for argument, expected in data.written.items():
      found = driver.download(loaded.arguments[argument], expected.nbytes)
      row["error"] += float(np.sum(np.frombuffer(found, expected.dtype) != expected.ravel()))
    row["ok"] = row["error"] <= 1
    if row["error"] and not case.block and case.is_integer:
      row["ok"] = False  # Sums of integers are exact.
    if not row["ok"] and data.where:
      row["where"] = data.where
    if is_timed and row["ok"]:
      row["seconds"] = driver.median_seconds(loaded.enqueue, copies)
      row["operations_per_s"] = case.operations / row["seconds"]
      row["weight_bytes_per_s"] = case.weight_bytes / row["seconds"]
  finally:
    loaded.release()
  return row


def is_lost(error):
  """Whether every call after this one fails, too."""
  return bool(re.search(r": 7\d\d,", str(error)))


def work(options, manifest, numbers):
  """Runs the kernels of these `numbers`: a line of JSON for each, when it begins and when
  it has ended. Ends where the device's context is lost."""
  say = lambda **what: print(json.dumps(what), flush=True)
  known = {case.name: case for case in cases.all_cases()}
  try:
    driver = drivers.Driver()
  except drivers.DriverError as error:
    return say(error=str(error))
  say(device={"device": driver.name, "arch": driver.arch, "driver": driver.version,
              "torch": peers.version(), "l2_bytes": driver.l2_bytes,
              "multiprocessors": driver.multiprocessors})
  if options.ceilings:
    say(begins="ceilings")
    say(ceilings=ceilings.measure(driver))
  of_peers = {}
  for number in numbers:
    entry = manifest["kernels"][number]
    if not matches(entry["arch"], driver):
      say(ends=number)
      continue
    say(begins=number)
    case, lost = known[entry["case"]], False
    try:
      row = run_case(driver, case, Kernel(options.folder, entry), options)
      if "seconds" in row:
        if case.name not in of_peers:
          of_peers[case.name] = peers.measure(
              case, 4 * driver.l2_bytes) if case.is_product else {}
        row["peers"] = of_peers[case.name]
    except Exception as error:  # One kernel is one row.
      row = {"case": case.name, "arch": entry["arch"],
             "failed": "%s: %s" % (type(error).__name__, error)}
      lost = is_lost(error)
    say(ends=number, row=row)
    if lost:
      return None
  say(done=True)
  return None
