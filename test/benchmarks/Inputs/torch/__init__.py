"""As much of PyTorch as run.py calls, in numpy: matrices stay on the host, and products are
checked for what PyTorch's own ask of shapes and types."""

import contextlib
import time
import types

import numpy as np

__version__ = "2.9.0"
version = types.SimpleNamespace(cuda="12.8")
int8, uint8, int32, float16, float32 = np.int8, np.uint8, np.int32, np.float16, np.float32
bfloat16, float8_e4m3fn = "bfloat16", "float8_e4m3fn"  # values of float32 here


class Tensor:

  def __init__(self, array, dtype=None):
    self.array, self.dtype = np.asarray(array), dtype or np.asarray(array).dtype
    self.shape = self.array.shape

  cuda = cpu = lambda self: self
  double = lambda self: Tensor(self.array.astype(np.float64))
  float = lambda self: Tensor(self.array.astype(np.float32))
  t = lambda self: Tensor(self.array.T, self.dtype)
  to = lambda self, dtype: Tensor(self.array, dtype)
  max = lambda self: Tensor(self.array.max())
  any = lambda self: Tensor(self.array.any())
  numel = lambda self: self.array.size
  numpy = lambda self: self.array
  __invert__ = lambda self: Tensor(~self.array)
  __bool__ = lambda self: bool(self.array)
  is_contiguous = lambda self: self.array.flags.c_contiguous
  __float__ = lambda self: __builtins__["float"](self.array)
  __abs__ = lambda self: Tensor(abs(self.array))
  __getitem__ = lambda self, at: Tensor(self.array[at], self.dtype)
  __len__ = lambda self: len(self.array)
  __array__ = None  # Values of a device are not numpy's.


def _binary(name):

  def run(self, other):
    return Tensor(getattr(np.asarray(self.array), name)(
        other.array if isinstance(other, Tensor) else other))

  return run


for _name in ("add", "sub", "mul", "truediv", "matmul", "ne", "le", "radd", "rmul"):
  setattr(Tensor, "__%s__" % _name, _binary("__%s__" % _name))

from_numpy = Tensor
round = lambda t: Tensor(np.rint(t.array))
clamp = lambda t, low, high: Tensor(np.clip(t.array, low, high))


def _new(array, dtype, device):
  assert device == "cuda"
  return Tensor(array.astype(dtype) if not isinstance(dtype, str) else
                array.astype(np.float32), dtype)


def randint(low, high, shape, dtype, device):
  return _new(np.zeros(shape), dtype, device)


def randn(*shape, dtype=float32, device):
  return _new(np.zeros(shape), dtype, device)


def ones(*shape, dtype=float32, device):
  return _new(np.ones(shape[0] if shape and isinstance(shape[0], tuple) else shape), dtype,
              device)


def matmul(a, b):
  assert a.dtype == b.dtype
  return a @ b


def _expect(condition, text):
  if not condition:
    raise RuntimeError(text)


def _int_mm(a, b):
  _expect(a.dtype == b.dtype == int8 and a.shape[0] > 16 and a.shape[1] % 8 == 0 and
          b.shape[1] % 8 == 0, "_int_mm")
  return Tensor(np.zeros((a.shape[0], b.shape[1]), np.int32))


def _scaled_mm(a, b, *, scale_a, scale_b, out_dtype):
  _expect(a.dtype == b.dtype == float8_e4m3fn and out_dtype == bfloat16, "types")
  _expect(scale_a.numel() == scale_b.numel() == 1 and scale_a.dtype == float32, "scales")
  _expect(a.is_contiguous() and b.t().is_contiguous(), "row by column")
  _expect(a.shape[1] % 16 == 0 and b.shape[1] % 16 == 0, "multiples of 16")
  return Tensor(np.zeros((a.shape[0], b.shape[1]), np.float32), out_dtype)


class _Aten:

  @staticmethod
  def _convert_weight_to_int4pack(codes, inner):
    _expect(codes.dtype == uint8, "expected in to be uint8")
    n, k = codes.shape[0], 2 * codes.shape[1]
    _expect(n % 8 == 0 and k % (16 * inner) == 0, "shape")
    return Tensor(np.zeros((n // 8, k // (16 * inner), 32, inner // 2), np.int32))

  @staticmethod
  def _weight_int4pack_mm(x, weights, group, scales):
    _expect(x.dtype == bfloat16 and scales.dtype == bfloat16, "types")
    _expect(group in (32, 64, 128, 256) and len(weights.shape) == 4, "group")
    k, n = x.shape[1], weights.shape[0] * 8
    _expect(scales.shape == (k // group, n, 2), "scales")
    return Tensor(np.zeros((x.shape[0], n), np.float32), bfloat16)


ops = types.SimpleNamespace(aten=_Aten)


class _Event:

  def __init__(self, enable_timing):
    assert enable_timing

  def record(self):
    self.when = time.perf_counter()

  def synchronize(self):
    pass

  def elapsed_time(self, end):
    return 1000 * (end.when - self.when)


class _Graph:

  def replay(self):
    time.sleep(0.001)


cuda = types.SimpleNamespace(
    is_available=lambda: True, get_device_capability=lambda: (9, 0), Event=_Event,
    CUDAGraph=_Graph, graph=lambda graph: contextlib.nullcontext(),
    synchronize=lambda: None, empty_cache=lambda: None)
