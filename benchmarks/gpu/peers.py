"""PyTorch's own products of the same shapes, on the same device, timed by events."""

import statistics

try:
  import torch
except ImportError:
  torch = None


def version():
  return None if torch is None else "%s (CUDA %s)" % (torch.__version__, torch.version.cuda)


def seconds(run, repeats=7, least=0.01):

  def once(count):
    begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    begin.record()
    for i in range(count):
      run(i)
    end.record()
    end.synchronize()
    return begin.elapsed_time(end) / 1000

  once(3)
  count = max(1, int(least / max(once(1), 1e-6)))
  return statistics.median(once(count) for _ in range(repeats)) / count


def turns(make, bytes_of_one, rotate_bytes):
  """As many of `make()` as are not in the cache when their turn comes again."""
  count = max(1, min(16, -(-rotate_bytes // bytes_of_one)))
  return [make() for _ in range(count)]


def multiply(a, b):
  """Matrices of float64 of numpy's, on the device."""
  product = torch.from_numpy(a).cuda() @ torch.from_numpy(b).cuda()
  return product.cpu().numpy()


def int_mm(case, rotate):
  # It takes no fewer than 17 rows.
  m = max(case.m, 32)
  x = torch.randint(-128, 128, (m, case.k), dtype=torch.int8, device="cuda")
  w = turns(lambda: torch.randint(-128, 128, (case.n, case.k), dtype=torch.int8,
                                  device="cuda").t(), case.n * case.k, rotate)
  return seconds(lambda i: torch._int_mm(x, w[i % len(w)]))


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
  return seconds(lambda i: torch.ops.aten._weight_int4pack_mm(x, w[i % len(w)][0], group,
                                                              w[i % len(w)][1]))


def fp8_mm(case, rotate):
  m = -(-case.m // 16) * 16
  x = torch.randn(m, case.k, device="cuda").to(torch.float8_e4m3fn)
  w = turns(lambda: torch.randn(case.n, case.k, device="cuda").to(torch.float8_e4m3fn).t(),
            case.n * case.k, rotate)
  one = torch.ones((), device="cuda")
  return seconds(lambda i: torch._scaled_mm(x, w[i % len(w)], scale_a=one, scale_b=one,
                                            out_dtype=torch.bfloat16))


def f16_mm(case, rotate):
  x = torch.randn(case.m, case.k, dtype=torch.float16, device="cuda")
  w = turns(lambda: torch.randn(case.n, case.k, dtype=torch.float16, device="cuda").t(),
            2 * case.n * case.k, rotate)
  return seconds(lambda i: torch.matmul(x, w[i % len(w)]))


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
