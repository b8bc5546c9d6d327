# Makes a float and a quantized model, and computes with numpy what the error
# report must say of them. Shares no code with the project.
#
#   x -> fc1 (relu) -> h -> reshapes -> fc2 + h -> s -> fc3 -> y
#
# In the quantized model x, h and s are int8 or uint8 codes, h passes one reshape
# as codes, fc1 and fc3 have int8 and int4 weights, fc2 has float weights.

import json
import sys
from html.parser import HTMLParser

import numpy as np

f32 = np.float32
BATCH, SAMPLES = 2, 14
rng = np.random.default_rng(7)
X = rng.normal(size=(SAMPLES, 6)).astype(f32)
X[3, 2] = 4.5  # clipped
W1 = rng.normal(size=(6, 8)).astype(f32)
B1 = rng.normal(size=8).astype(f32)
W2 = (0.5 * rng.normal(size=(8, 8))).astype(f32)
W3 = rng.normal(size=(8, 3)).astype(f32)


def codes(x, scale, zero, low, high):
    v = np.rint((x / f32(scale)).astype(f32)) + zero
    return np.clip(v, low, high), (v < low) | (v > high)


def quantize_weight(w, scale, low, high):
    return np.clip(np.rint(w / scale), low, high)


S1 = (np.abs(W1).max(0) / f32(127.5)).astype(f32)
Q1 = quantize_weight(W1, S1, -128, 127)
S3 = f32(np.abs(W3).max() / 7.5)
Q3 = quantize_weight(W3, S3, -8, 7)
# scale, zero point, smallest and largest code
PX = (0.03, 0, -128, 127)
PH = (0.03, 0, 0, 255)
PS = (0.1, -8, -128, 127)


def dense(array):
    if array.ndim == 0:
        return repr(float(array))
    return "[" + ", ".join(dense(a) for a in array) + "]"


def constant(array, kind):
    shape = "x".join(str(n) for n in array.shape)
    if kind != "f32":
        array = array.astype(int)
        text = str(array.tolist())
    else:
        text = dense(array)
    return f"dense<{text}> : tensor<{shape}x{kind}>"


def matmul(result, lhs, rhs, n, name, quantized):
    """Operations are named by location in one model, by attribute in the other."""
    attribute = f'{{quant.name = "{name}"}} ' if quantized else ""
    location = "" if quantized else f' loc("{name}")'
    k = {"%w1": 6}.get(rhs, 8)
    return f"""
  %e_{name} = tensor.empty() : tensor<2x{n}xf32>
  %z_{name} = linalg.fill ins(%zero : f32) outs(%e_{name} : tensor<2x{n}xf32>) -> tensor<2x{n}xf32>
  {result} = linalg.matmul {attribute}ins({lhs}, {rhs} : tensor<2x{k}xf32>, tensor<{k}x{n}xf32>) outs(%z_{name} : tensor<2x{n}xf32>) -> tensor<2x{n}xf32>{location}"""


def through_codes(value, name, dtype, params):
    scale, zero, _, _ = params
    point = f", zero_point = {zero}" if zero else ""
    attribute = f"<{dtype}, per_tensor, scale = {scale}{point}>"
    return attribute, f"""
  %q_{name} = quant.quantize {value} {attribute} {{quant.name = "{name}"}} : tensor<2x8xf32> -> tensor<2x8xi8>"""


def make_model(quantized):
    lines = ["#v = affine_map<(m, n) -> (n)>", "#m = affine_map<(m, n) -> (m, n)>",
             'func.func @main(%x: tensor<2x6xf32>) -> tensor<2x3xf32> {',
             "  %zero = arith.constant 0.0 : f32",
             f"  %b1 = arith.constant {constant(B1, 'f32')}",
             f"  %w2 = arith.constant {constant(W2, 'f32')}"]
    if quantized:
        lines += [
            f"  %c1 = arith.constant {constant(Q1, 'i8')}",
            f"  %w1 = quant.dequantize %c1 <int8, per_channel<[1]>, scale = {constant(S1[None], 'f32')}> : tensor<6x8xi8> -> tensor<6x8xf32>",
            f"  %c3 = arith.constant {constant(Q3, 'i4')}",
            f"  %w3 = quant.dequantize %c3 <int4, per_tensor, scale = {float(S3)!r}> : tensor<8x3xi4> -> tensor<8x3xf32>",
            f'  %qx = quant.quantize %x <int8, per_tensor, scale = {PX[0]}> {{quant.name = "main.in0"}} : tensor<2x6xf32> -> tensor<2x6xi8>',
            f"  %dx = quant.dequantize %qx <int8, per_tensor, scale = {PX[0]}> : tensor<2x6xi8> -> tensor<2x6xf32>"]
    else:
        lines += [f"  %w1 = arith.constant {constant(W1, 'f32')}",
                  f"  %w3 = arith.constant {constant(W3, 'f32')}"]
    lines.append(matmul("%1", "%dx" if quantized else "%x", "%w1", 8, "fc1", quantized))
    lines.append("""
  %2 = linalg.generic {indexing_maps = [#m, #v, #m], iterator_types = ["parallel", "parallel"]} ins(%1, %b1 : tensor<2x8xf32>, tensor<8xf32>) outs(%e_fc1 : tensor<2x8xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %s = arith.addf %a, %b : f32
    linalg.yield %s : f32
  } -> tensor<2x8xf32>
  %3 = linalg.generic {indexing_maps = [#m, #m], iterator_types = ["parallel", "parallel"]} ins(%2 : tensor<2x8xf32>) outs(%e_fc1 : tensor<2x8xf32>) {
  ^bb0(%a: f32, %o: f32):
    %s = arith.maximumf %a, %zero : f32
    linalg.yield %s : f32
  } -> tensor<2x8xf32>""")
    if quantized:
        attribute, text = through_codes("%3", "fc1.out0", "uint8", PH)
        lines.append(text + f"""
  %r = tensor.expand_shape %q_fc1.out0 [[0], [1, 2]] output_shape [2, 2, 4] : tensor<2x8xi8> into tensor<2x2x4xi8>
  %dr = quant.dequantize %r {attribute} : tensor<2x2x4xi8> -> tensor<2x2x4xf32>
  %h = quant.dequantize %q_fc1.out0 {attribute} : tensor<2x8xi8> -> tensor<2x8xf32>
  %h2 = tensor.collapse_shape %dr [[0], [1, 2]] : tensor<2x2x4xf32> into tensor<2x8xf32>""")
    else:
        lines.append("""
  %r = tensor.expand_shape %3 [[0], [1, 2]] output_shape [2, 2, 4] : tensor<2x8xf32> into tensor<2x2x4xf32>
  %h2 = tensor.collapse_shape %r [[0], [1, 2]] : tensor<2x2x4xf32> into tensor<2x8xf32>""")
    lines.append(matmul("%4", "%h2", "%w2", 8, "fc2", quantized))
    lines.append("""
  %5 = linalg.generic {indexing_maps = [#m, #m, #m], iterator_types = ["parallel", "parallel"]} ins(%4, HERE : tensor<2x8xf32>, tensor<2x8xf32>) outs(%e_fc2 : tensor<2x8xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %s = arith.addf %a, %b : f32
    linalg.yield %s : f32
  } -> tensor<2x8xf32>""".replace("HERE", "%h" if quantized else "%3"))
    if quantized:
        attribute, text = through_codes("%5", "fc2.out0", "int8", PS)
        lines.append(text + f"""
  %d5 = quant.dequantize %q_fc2.out0 {attribute} : tensor<2x8xi8> -> tensor<2x8xf32>""")
    lines.append(matmul("%6", "%d5" if quantized else "%5", "%w3", 3, "fc3", quantized))
    lines.append("\n  return %6 : tensor<2x3xf32>\n}\n")
    return "\n".join(lines)


def make():
    np.save("x.npy", X)
    open("float.mlir", "w").write(make_model(False))
    open("quantized.mlir", "w").write(make_model(True))


def expected():
    relu = lambda v: np.maximum(v, f32(0))
    mm = lambda a, b: (a.astype("f8") @ b.astype("f8")).astype(f32)

    def through(v, params):
        q, clipped = codes(v, *params)
        value = ((q - params[1]) * f32(params[0])).astype(f32)
        return value, clipped.mean(), len(np.unique(q)) / 256

    DW1, DW3 = (Q1 * S1).astype(f32), (Q3 * S3).astype(f32)
    layers = {
        "fc1.out0": (lambda x, w: relu(mm(x, w) + B1), W1, DW1, PH),
        "fc2.out0": (lambda h, w: mm(h, w) + h, W2, W2, PS),
        "fc3.out0": (lambda s, w: mm(s, w), W3, DW3, None),
    }
    total, clipped, used = through(X, PX)
    result = {"main.in0": (X, total, total, clipped, used)}
    clean, found = X, total
    for name, (layer, weight, quantized_weight, params) in layers.items():
        f = layer(clean, weight)
        q, l = layer(found, quantized_weight), layer(clean, quantized_weight)
        clipped = used = None
        if params:
            q, clipped, used = through(q, params)
            l = through(l, params)[0]
        result[name] = (f, q, l, clipped, used)
        clean, found = f, q
    return result


def check(path):
    report = json.load(open(path))
    assert report["version"] == 1
    assert report["samples"] == SAMPLES and report["batches"] == SAMPLES // BATCH
    ops = {op["id"]: op for op in report["ops"]}
    want = expected()
    assert list(sorted(ops)) == sorted(want), list(ops)

    def close(found, wanted, what):
        if wanted is None:
            assert found is None, (what, found)
        else:
            assert abs(found - wanted) <= 2e-4 * abs(wanted) + 1e-12, (what, found, wanted)

    def db(signal, noise):
        return 10 * np.log10((signal.astype("f8") ** 2).sum() / (noise ** 2).sum()) if noise.any() else None

    rms = lambda v: np.sqrt((v.astype("f8") ** 2).mean())
    for name, (f, q, l, clipped, used) in want.items():
        op = ops[name]
        e, local = q.astype("f8") - f, l.astype("f8") - f
        inherited = e - local
        assert op["elements"] == f.size and op["nonfinite"] == 0
        close(op["reference_rms"], rms(f), name)
        close(op["sqnr_db"], db(f, e), name + " total")
        close(op["local_sqnr_db"], db(f, local), name + " local")
        close(op["inherited_sqnr_db"], db(f, inherited), name + " inherited")
        close(op["error"], rms(e), name)
        close(op["local_error"], rms(local), name)
        close(op["inherited_error"], rms(inherited), name)
        close(op["max_abs_error"], np.abs(e).max(), name)
        close(op["clipped_share"], clipped, name + " clipped")
        close(op["codes_used_share"], used, name + " used")
        for key in ("reference", "quantized", "error"):
            histogram = op["histograms"][key]
            assert sum(histogram["counts"]) == f.size
            assert len(histogram["counts"]) <= 64
        low = op["histograms"]["reference"]["first"] * 2.0 ** op["histograms"]["reference"]["width_log2"]
        assert low <= f.min()
    sqnr = [op["sqnr_db"] for op in report["ops"]]
    assert sqnr == sorted(sqnr), sqnr
    assert ops["fc1.out0"]["clipped_share"] > 0 or ops["main.in0"]["clipped_share"] > 0

    weight, = ops["fc1.out0"]["weights"]
    assert weight["dtype"] == "int8"
    close(weight["sqnr_db"], db(W1, (Q1 * S1).astype(f32) - W1.astype("f8")), "w1")
    close(weight["codes_used_share"], len(np.unique(Q1)) / 256, "w1 codes")
    weight, = ops["fc3.out0"]["weights"]
    assert weight["dtype"] == "int4"
    close(weight["codes_used_share"], len(np.unique(Q3)) / 16, "w3 codes")
    assert ops["fc2.out0"]["weights"] == []

    output, = report["outputs"]
    f, q = want["fc3.out0"][:2]
    close(output["sqnr_db"], db(f, q.astype("f8") - f), "output")
    close(output["same_argmax_share"], (f.argmax(1) == q.argmax(1)).mean(), "argmax")
    (float_op,) = report["float_ops"]
    assert float_op["op"] == "fc2" and "weight is f32, input 0 is uint8" in float_op["reason"], float_op
    assert report["not_compared"] == []
    print("report agrees")


class Page(HTMLParser):
    """Well-formed, and nothing that loads or runs."""
    VOID = {"meta", "br", "hr", "img", "input", "link"}

    def __init__(self):
        super().__init__()
        self.open, self.ids, self.links, self.count = [], set(), [], {}

    def handle_starttag(self, tag, attrs):
        assert tag not in ("script", "link", "img", "iframe", "object", "embed", "base"), tag
        self.count[tag] = self.count.get(tag, 0) + 1
        for key, value in attrs:
            assert not key.startswith("on"), key
            if key in ("src", "href", "xlink:href", "action"):
                assert value.startswith("#"), value
                self.links.append(value[1:])
            if key == "id":
                assert value not in self.ids, value
                self.ids.add(value)
            if tag != "meta" and value:
                assert "url(" not in value and "://" not in value, value
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, (tag, self.open[-3:])
        self.open.pop()


def html(path):
    text = open(path, encoding="utf-8").read()
    page = Page()
    page.feed(text)
    page.close()
    assert page.open == [], page.open
    assert set(page.links) <= page.ids, set(page.links) - page.ids
    assert "@import" not in text and "url(" not in text and "http:" not in text.replace("http-equiv", "")
    assert "nan" not in text.split("</style>")[1].lower().replace("nan or", "")
    print("page is whole:", page.count.get("details", 0), "details,",
          page.count.get("svg", 0), "drawings")


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
