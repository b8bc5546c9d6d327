"""PyTorch's own products of the same shapes, on the same device, timed by events."""

import statistics

import numpy as np

try:
  import torch
  if not torch.cuda.is_available():
    torch = None
except ImportError:
  torch = None


def version():
  return None if torch is None else "%s (CUDA %s)" % (torch.__version__, torch.version.cuda)


def capture(run, count):
  """What runs `run` so many times: a graph, as ours are, or a loop where there is none."""
  try:
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
      for i in range(count):
        run(i)
    return graph.replay
  except Exception:  # Not every product can be captured.
    torch.cuda.synchronize()
    return lambda: [run(i) for i in range(count)] and None


def seconds(run, turns, repeats=7, least=0.02, most=2000):

  def once(enqueue):
    begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    begin.record()
    enqueue()
    end.record()
    end.synchronize()
    return begin.elapsed_time(end) / 1000

  once(lambda: [run(i) for i in range(3)])
  count = max(turns, min(int(least / max(once(lambda: run(0)), 1e-6)), most))
  many = capture(run, count)
  once(many)
  return statistics.median(once(many) for _ in range(repeats)) / count


def turns(make, bytes_of_one, rotate_bytes):
  """As many of `make()` as are not in the cache when their turn comes again."""
  count = max(1, min(16, -(-rotate_bytes // bytes_of_one)))
  return [make() for _ in range(count)]


class Machine:
  """As data.Host, on the device, where all rows of a product take no time."""
  checks_all = True

  @staticmethod
  def put(array):
    return torch.from_numpy(np.array(array)).cuda().double()

  @staticmethod
  def get(values):
    return values.cpu().numpy()

  @staticmethod
  def single(values):
    return values.float()

  @staticmethod
  def round(values):
    return torch.round(values)

  @staticmethod
  def clip(values, low, high):
    return torch.clamp(values, low, high)


def int_mm(case, rotate):
  # It takes no fewer than 17 rows.
  m = max(case.m, 32)
  x = torch.randint(-128, 128, (m, case.k), dtype=torch.int8, device="cuda")
  w = turns(lambda: torch.randint(-128, 128, (case.n, case.k), dtype=torch.int8,
                                  device="cuda").t(), case.n * case.k, rotate)
  return seconds(lambda i: torch._int_mm(x, w[i % len(w)]), len(w))


def int4_mm(case, rotate):
  group = case.block if case.block in (32, 64, 128, 256) else 128
  x = torch.randn(case.m, case.k, dtype=torch.bfloat16, device="cuda")

  def make():
    # Two codes in a byte; older versions take one in an int32.
    try:
      codes = torch.randint(0, 256, (case.n, case.k // 2), dtype=torch.uint8, device="cuda")
      packed = torch.ops.aten._convert_weight_to_int4pack(codes, 8)
    except RuntimeError:
      codes = torch.randint(0, 16, (case.n, case.k), dtype=torch.int32, device="cuda")
      packed = torch.ops.aten._convert_weight_to_int4pack(codes, 8)
    scales = torch.ones(case.k // group, case.n, 2, dtype=torch.bfloat16, device="cuda")
    return packed, scales

  w = turns(make, case.n * case.k // 2, rotate)
  return seconds(lambda i: torch.ops.aten._weight_int4pack_mm(
      x, w[i % len(w)][0], group, w[i % len(w)][1]), len(w))


def fp8_mm(case, rotate):
  m = -(-case.m // 16) * 16
  x = torch.randn(m, case.k, device="cuda").to(torch.float8_e4m3fn)
  w = turns(lambda: torch.randn(case.n, case.k, device="cuda").to(torch.float8_e4m3fn).t(),
            case.n * case.k, rotate)
  one = torch.ones((), device="cuda")
  return seconds(lambda i: torch._scaled_mm(x, w[i % len(w)], scale_a=one, scale_b=one,
                                            out_dtype=torch.bfloat16), len(w))


def f16_mm(case, rotate):
  x = torch.randn(case.m, case.k, dtype=torch.float16, device="cuda")
  w = turns(lambda: torch.randn(case.n, case.k, dtype=torch.float16, device="cuda").t(),
            2 * case.n * case.k, rotate)
  return seconds(lambda i: torch.matmul(x, w[i % len(w)]), len(w))


def measure(case, rotate):
  """Seconds by peer, or why there are none."""
  if torch is None:
    return {}
  wanted = {"torch f16": f16_mm}
  if case.weights == "int4":
    wanted["torch int4"] = int4_mm
  wanted["torch._int_mm"] = int_mm
  if torch.cuda.get_device_capability() >= (8, 9):
    wanted["torch fp8"] = fp8_mm
  results = {}
  for name, run in wanted.items():
    try:
      results[name] = run(case, rotate)
    except Exception as error:  # A peer that is missing ends nothing.
      results[name] = "%s: %s" % (type(error).__name__, str(error).split("\n")[0][:200])
    torch.cuda.empty_cache()
  return results
