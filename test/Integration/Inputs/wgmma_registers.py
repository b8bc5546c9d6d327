"""Finds registers of PTX that are touched while products still need them.

    wgmma_registers.py FILE...

wgmma.mma_async reads the fragments of A and adds to those of D after it has been issued.
Until wgmma.wait_group has waited for its group, nothing may write to the former, and nothing
but another product may touch the latter ("Asynchronous warpgroup level matrix instructions"
in the PTX ISA). The assembler does not look for it, and an emulator of LLVM IR, whose values
are not written twice, cannot. Every way through a kernel is followed until nothing is new.
"""

import re
import sys

REGISTER = re.compile(r"%[a-z]+\d+")
WGMMA = re.compile(r"wgmma\.mma_async\S+\s*\{([^}]*)\},\s*(\{[^}]*\}|%\w+)")
NO_RESULT = re.compile(r"(@!?%\w+\s+)?(st|bra|bar|ret|cp|fence|red|wgmma)\b")


class Kernel:

  def __init__(self, text):
    body = text[text.index("{", text.index(".entry")) + 1:]
    body = re.sub(r"//.*", "", body)
    # Braces of inline assembly: scopes of a predicate.
    body = re.sub(r"\{\s*\.reg \.pred p;", "", body)
    self.lines, self.labels = [], {}
    for part in body.split(";"):
      part = part.strip().lstrip("}").strip()
      while True:
        label = re.match(r"(\$\w+):\s*", part)
        if not label:
          break
        self.labels[label[1]] = len(self.lines)
        part = part[label.end():]
      if part and not part.startswith("."):
        self.lines.append(" ".join(part.split()))

  def check(self):
    """Texts of what is wrong; and how many products there are."""
    wrong, seen, products = {}, set(), set()
    todo = [(0, (), (frozenset(), frozenset()))]
    while todo:
      state = todo.pop()
      while state is not None and state not in seen and state[0] < len(self.lines):
        seen.add(state)
        at, groups, current = state
        line = self.lines[at]
        product = WGMMA.search(line)
        if product:
          products.add(at)
          sums = frozenset(REGISTER.findall(product[1]))
          factors = frozenset(REGISTER.findall(product[2])
                              if product[2].startswith("{") else ())
          current = (current[0] | factors, current[1] | sums)
        elif "wgmma.commit_group" in line:
          groups, current = groups + (current,), (frozenset(), frozenset())
        elif "wgmma.wait_group" in line:
          count = int(line.split()[-1])
          groups = groups[len(groups) - count:] if count < len(groups) else groups
          groups = () if count == 0 else groups
        else:
          self.check_line(line, groups + (current,), wrong)
        branch = re.match(r"(@!?%\w+\s+)?bra(\.uni)?\s+(\$\w+)", line)
        if branch:
          todo.append((self.labels[branch[3]], groups, current))
        ends = line == "ret" or (branch and not branch[1])
        state = None if ends else (at + 1, groups, current)
    return list(wrong.values()), len(products)

  @staticmethod
  def check_line(line, groups, wrong):
    registers = REGISTER.findall(line)
    written = []
    if not NO_RESULT.match(line):
      operands = line.split(None, 2 if line.startswith("@") else 1)[-1]
      first = re.match(r"\{[^}]*\}|[^,]*", operands)
      written = REGISTER.findall(first[0])
    for factors, sums in groups:
      for register in written:
        if register in factors:
          wrong[line] = "'%s' writes to a factor of a product under way" % line
      for register in registers:
        if register in sums:
          wrong[line] = "'%s' touches a sum of a product under way" % line


def main():
  failed = False
  for name in sys.argv[1:]:
    with open(name) as f:
      wrong, products = Kernel(f.read()).check()
    print("%d products, %d registers touched" % (products, len(wrong)))
    for text in wrong:
      print("  " + text)
    failed |= bool(wrong)
  return 1 if failed else 0


if __name__ == "__main__":
  sys.exit(main())
