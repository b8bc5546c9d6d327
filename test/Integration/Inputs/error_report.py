# error_report.py report.json compare.json kinds…: what must hold of the error
# report of a real model. compare.json is what --compare prints of the same
# outputs, or -; kinds are those of the operations in order.

import json
import sys

report = json.load(open(sys.argv[1]))
ops = sorted(report["ops"], key=lambda op: op["index"])
kinds = [op["kind"] for op in ops]
assert kinds == sys.argv[3:], kinds
assert report["not_compared"] == [], report["not_compared"]

# The outputs are those of two separate runs.
if sys.argv[2] != "-":
    compare = json.loads(open(sys.argv[2]).read())["compare"]
    output = report["outputs"][0]
    assert abs(output["sqnr_db"] - compare["sqnr_db"]) < 1e-2, (output, compare)
    assert abs(output["max_abs_error"] - compare["max_abs_error"]) < 1e-5

key = lambda op: float("inf") if op["sqnr_db"] is None else op["sqnr_db"]
assert report["ops"] == sorted(report["ops"], key=lambda op: (key(op), op["index"]))
for op in ops:
    # |total| <= |local| + |inherited|, and each at most the sum of the others.
    total, local, inherited = op["error"], op["local_error"], op["inherited_error"]
    for a, b, c in ((total, local, inherited), (local, total, inherited),
                    (inherited, local, total)):
        assert a <= (b + c) * (1 + 1e-9), op["id"]
    assert op["nonfinite"] == 0
    for histogram in op["histograms"].values():
        assert sum(histogram["counts"]) == op["elements"], op["id"]
    if op["dtype"] == "f32" and not op["weights"] and op["kind"] != "add":
        assert local == 0, op["id"]
# Nothing comes before the first.
assert ops[0]["inherited_error"] == 0
print(len(ops), "values")
