"""NVIDIA's driver from Python, with nothing but libcuda.so.1.

The primary context is used, which is PyTorch's, too: its tensors and these buffers lie in
one memory.
"""

import ctypes
import statistics
from ctypes import byref, c_char_p, c_float, c_int, c_size_t, c_uint, c_uint64, c_void_p


class DriverError(Exception):
  pass


class Driver:
  ATTRIBUTES = {"multiprocessors": 16, "clock_khz": 13, "memory_clock_khz": 36,
                "bus_bits": 37, "l2_bytes": 38, "major": 75, "minor": 76,
                "shared_bytes": 97}

  def __init__(self):
    try:
      self.cuda = ctypes.CDLL("libcuda.so.1")
    except OSError as error:
      raise DriverError("expected NVIDIA's driver: %s" % error)
    self.call("cuInit", c_uint(0))
    self.device = c_int()
    self.call("cuDeviceGet", byref(self.device), c_int(0))
    name = ctypes.create_string_buffer(256)
    self.call("cuDeviceGetName", name, c_int(256), self.device)
    self.name = name.value.decode()
    for attribute, number in self.ATTRIBUTES.items():
      value = c_int()
      self.call("cuDeviceGetAttribute", byref(value), c_int(number), self.device)
      setattr(self, attribute, value.value)
    version = c_int()
    self.call("cuDriverGetVersion", byref(version))
    self.version = "%d.%d" % (version.value // 1000, version.value % 1000 // 10)
    context = c_void_p()
    self.call("cuDevicePrimaryCtxRetain", byref(context), self.device)
    self.call("cuCtxPushCurrent_v2", context)
    self.stream = c_void_p()
    self.call("cuStreamCreate", byref(self.stream), c_uint(0))
    self.modules = {}

  @property
  def arch(self):
    return 10 * self.major + self.minor

  def call(self, name, *arguments):
    code = getattr(self.cuda, name)(*arguments)
    if code != 0:
      text = c_char_p()
      self.cuda.cuGetErrorString(c_int(code), byref(text))
      raise DriverError("%s failed: %d, %s" %
                        (name, code, text.value.decode() if text.value else "unknown"))

  def allocate(self, size):
    address = c_uint64()
    self.call("cuMemAlloc_v2", byref(address), c_size_t(max(size, 16)))
    return address.value

  def free(self, address):
    self.call("cuMemFree_v2", c_uint64(address))

  def upload(self, address, data):
    """`data`: bytes, or an array of numpy's that is contiguous."""
    view = memoryview(data).cast("B")
    pointer = (ctypes.c_char * view.nbytes).from_buffer_copy(view)
    self.call("cuMemcpyHtoDAsync_v2", c_uint64(address), pointer, c_size_t(view.nbytes),
              self.stream)
    self.synchronize()

  def download(self, address, size):
    data = bytearray(size)
    self.call("cuMemcpyDtoHAsync_v2", (ctypes.c_char * size).from_buffer(data),
              c_uint64(address), c_size_t(size), self.stream)
    self.synchronize()
    return data

  def copy(self, to, source, size):
    self.call("cuMemcpyDtoDAsync_v2", c_uint64(to), c_uint64(source), c_size_t(size),
              self.stream)

  def synchronize(self):
    self.call("cuStreamSynchronize", self.stream)

  def load(self, text, name):
    """The kernel `name` of PTX, which the driver assembles."""
    log = ctypes.create_string_buffer(8192)
    options = (c_int * 2)(5, 6)  # the log of errors, and its bytes
    values = (c_void_p * 2)(ctypes.addressof(log), 8191)
    module, function = c_void_p(), c_void_p()
    try:
      self.call("cuModuleLoadDataEx", byref(module), c_char_p(text), c_uint(2), options,
                values)
    except DriverError as error:
      raise DriverError("%s: %s" % (error, log.value.decode(errors="replace")))
    self.call("cuModuleGetFunction", byref(function), module, c_char_p(name.encode()))
    self.modules[function.value] = module
    return function

  def unload(self, function):
    self.call("cuModuleUnload", self.modules.pop(function.value))

  def allow_shared(self, function, size):
    if size > 48 << 10:
      self.call("cuFuncSetAttribute", function, c_int(8), c_int(size))

  def parameters(self, words):
    """What `launch` takes: words that stay alive with it."""
    values = [c_uint64(word & (2**64 - 1)) for word in words]
    pointers = (c_void_p * len(values))(*[ctypes.addressof(value) for value in values])
    pointers.values = values
    return pointers

  def launch(self, function, shape, parameters):
    grid, block = shape[:3], shape[3:6]
    self.call("cuLaunchKernel", function, *map(c_uint, grid), *map(c_uint, block),
              c_uint(shape[6]), self.stream, parameters, None)

  def capture(self, enqueue, count):
    """A graph of `count` times what `enqueue` launches: Python takes as long for a launch
    as a small kernel does."""
    graph, executable = c_void_p(), c_void_p()
    self.call("cuStreamBeginCapture_v2", self.stream, c_int(1))  # of this thread
    try:
      for _ in range(count):
        enqueue()
    finally:
      self.call("cuStreamEndCapture", self.stream, byref(graph))
    self.call("cuGraphInstantiateWithFlags", byref(executable), graph, c_uint64(0))
    self.call("cuGraphDestroy", graph)
    return executable

  def launch_graph(self, executable):
    self.call("cuGraphLaunch", executable, self.stream)

  def free_graph(self, executable):
    self.call("cuGraphExecDestroy", executable)

  def seconds(self, enqueue):
    """How long the device is at what `enqueue` gives it."""
    events = [c_void_p(), c_void_p()]
    for event in events:
      self.call("cuEventCreate", byref(event), c_uint(0))
    self.call("cuEventRecord", events[0], self.stream)
    enqueue()
    self.call("cuEventRecord", events[1], self.stream)
    self.call("cuEventSynchronize", events[1])
    elapsed = c_float()
    self.call("cuEventElapsedTime", byref(elapsed), *events)
    for event in events:
      self.call("cuEventDestroy_v2", event)
    return elapsed.value / 1000

  def median_seconds(self, enqueue, turns=1, repeats=7, least=0.02, most=2000):
    """Of one `enqueue`, of which as many are timed together as take `least` seconds; all
    of its `turns` among them."""
    self.seconds(enqueue)
    once = max(self.seconds(enqueue), 1e-6)
    count = max(turns, min(int(least / once), most))
    graph = self.capture(enqueue, count)
    try:
      run = lambda: self.launch_graph(graph)
      self.seconds(run)
      return statistics.median(self.seconds(run) for _ in range(repeats)) / count
    finally:
      self.free_graph(graph)
