"""pack_weights.py MODEL CPU FLAGS…: MODEL in the integer form, as FLAGS make it,
is the same after its weights are packed for CPU and unpacked again: every operation,
and every byte of every constant. Prints how many contractions were packed."""
import re
import subprocess
import sys

model, cpu, flags = sys.argv[1], sys.argv[2], sys.argv[3:]


def quant_opt(arguments, text=None):
    run = subprocess.run(["quant-opt"] + arguments, input=text, text=True,
                         check=True, stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE)
    return run.stdout, run.stderr


def with_contents(text):
    """The module with resources by their bytes, not by their names."""
    body, _, tail = text.partition("{-#")
    blobs = dict(re.findall(r'^ +([\w.]+): "(0x[0-9A-Fa-f]*)"', tail, re.M))
    # The same numbers, whichever name they have.
    return re.sub(r"dense_resource<([\w.]+)>",
                  lambda match: "resource<%s>" % blobs[match.group(1)], body)


def pass_flag(options):
    return "--pass-pipeline=builtin.module(quant-pack-weights{%s})" % options


before, _ = quant_opt([model] + flags)
packed, remarks = quant_opt([pass_flag("target-cpu=" + cpu)], before)
after, _ = quant_opt([pass_flag("undo")], packed)
if with_contents(before) != with_contents(after):
    sys.exit("the module changed")
if with_contents(before) == with_contents(packed):
    sys.exit("nothing was packed")
print("%d of %d contractions packed, %d remarks" %
      (len(re.findall("in <panels", packed)),
       len(re.findall("quant.contract", packed)), remarks.count("remark")))
