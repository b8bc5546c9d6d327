#!/usr/bin/env python3
"""peak.py A B -- COMMAND…: runs the command with {} replaced by A, then by B, and
compares the most memory that the processes had."""
import resource
import subprocess
import sys

split = sys.argv.index("--")
command = sys.argv[split + 1:]
peaks = []
for name in sys.argv[1:split]:
    subprocess.run([word.replace("{}", name) for word in command], check=True)
    # The largest of all children so far.
    peaks.append(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)
grows = peaks[-1] - peaks[0]
print("grows by %s than 8 MiB: %s" % ("less" if grows < 8 else "more", peaks))
