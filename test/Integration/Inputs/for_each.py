"""Runs a command on every file of a folder, and fails where one of them fails.

    for_each.py FOLDER COMMAND...
"""

import os
import subprocess
import sys


def main():
  folder, command = sys.argv[1], sys.argv[2:]
  failed = 0
  for name in sorted(os.listdir(folder)):
    failed += subprocess.call(command + [os.path.join(folder, name)]) != 0
  return 1 if failed else 0


if __name__ == "__main__":
  sys.exit(main())
