# same_errors.py a.json b.json: two error reports with the same numbers.

import json
import sys

a, b = (json.load(open(path))["ops"] for path in sys.argv[1:3])
assert len(a) == len(b), (len(a), len(b))
for one, other in zip(a, b):
    for key in one:
        assert key == "loc" or one[key] == other[key], (one["op"], key, one[key], other[key])
print(len(a), "values are the same")
