#!/usr/bin/env python3
"""Checks the documents against the tools. Python's standard library only.

    check-docs.py links
        Every relative link of every Markdown file leads to a file, and every
        anchor to a heading.
    check-docs.py examples [--quant-opt PATH]
        Every ```mlir and ```yaml block means what the text around it says.
    check-docs.py commands FILE.md
        Runs every ```sh run block of a file, in order, in an empty directory
        that has the repository's examples/, docs/, test/ and utils/, and the
        build/ of the quant-opt on PATH. A ```text block behind one is its
        standard output, line for line. A block whose tool is not there is left
        out, and named.

What an ```mlir block is follows from its text:

    a `…` in it       a sketch: not checked
    #qparams.…        attributes: each parses; one marked `// incorrect`, on its
                      line or the one before, is rejected
    func.func, module
                      a whole file: it parses and verifies
    operations        the body of a function. Values that nothing defines are
                      its arguments, of the types that their uses want; #id is
                      affine_map<(d0) -> (d0)> where nothing else defines it.

#alias = … lines, one definition on each, can stand before either.

Where a pass is described (a heading that names it), a block of operations, the
word `becomes` and another block are before and after: the pass, with the options
in a first line `// name{…}`, turns one into the other. An after that uses values
which the before does not have is an excerpt, and only has to parse.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FENCE = re.compile(r"^( *)(```+|~~~+)\s*(.*?)\s*$")

failures = []


def fail(path, line, message):
    failures.append("%s:%d: %s" % (os.path.relpath(path, ROOT), line, message))


def markdown_files():
    for directory, names, files in os.walk(ROOT):
        names[:] = sorted(n for n in names if not n.startswith(".") and
                          not re.match(r"build|node_modules", n))
        for name in sorted(files):
            if name.endswith(".md"):
                yield os.path.join(directory, name)


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read().split("\n")


class Block:
    """A fenced block: `line` is that of its first line of text, from 1."""

    def __init__(self, path, line, info, lines, before):
        self.path, self.line, self.info, self.lines = path, line, info, lines
        self.before = before  # the last line of prose in front of it
        self.heading = ""

    @property
    def text(self):
        return "\n".join(self.lines)


def blocks(path):
    found, heading, prose, fence = [], "", "", None
    for number, line in enumerate(read(path), 1):
        match = FENCE.match(line)
        if fence is None:
            if match and match.group(2):
                fence = (match.group(2), len(match.group(1)))
                block = Block(path, number + 1, match.group(3), [], prose)
                block.heading = heading
            else:
                if line.startswith("#"):
                    heading = line.strip("# ")
                if line.strip():
                    prose = line.strip()
        elif match and match.group(2) == fence[0] and not match.group(3):
            found.append(block)
            fence, prose = None, ""
        else:
            block.lines.append(line[min(fence[1],
                                        len(line) - len(line.lstrip())):])
    return found


# Links


def slug(heading):
    """The anchor that GitHub gives a heading."""
    text = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")


def anchors(path):
    found, fenced = {}, False
    result = set()
    for line in read(path):
        if FENCE.match(line) and FENCE.match(line).group(2):
            fenced = not fenced
        elif not fenced and re.match(r"#+ ", line):
            name = slug(line.lstrip("#"))
            result.add(name if name not in found
                       else "%s-%d" % (name, found[name]))
            found[name] = found.get(name, 0) + 1
    return result


def check_links():
    count = 0
    for path in markdown_files():
        fenced = False
        for number, line in enumerate(read(path), 1):
            if FENCE.match(line) and FENCE.match(line).group(2):
                fenced = not fenced
            if fenced:
                continue
            # Code between back quotes holds brackets of its own.
            for target in re.findall(r"\]\(([^)\s]+)\)",
                                     re.sub(r"`[^`]*`", "``", line)):
                if re.match(r"[a-z]+:", target):
                    continue
                count += 1
                file, _, anchor = target.partition("#")
                full = os.path.normpath(os.path.join(
                    os.path.dirname(path), file)) if file else path
                if not os.path.exists(full):
                    fail(path, number, "no such file: " + target)
                elif anchor and full.endswith(".md") and \
                        anchor not in anchors(full):
                    fail(path, number, "no such heading: " + target)
    print("%d links" % count)


# Examples


class Opt:
    def __init__(self, path):
        self.path = path

    def run(self, text, *flags):
        return subprocess.run([self.path, "-", *flags], input=text,
                              capture_output=True, encoding="utf-8")


def without_comments(text):
    return re.sub(r"//[^\n]*", "", text)


ALIAS = re.compile(r"^(#[\w$.-]+) = .*$", re.M)


def is_whole(text):
    """Whether a text, aliases aside, is a file or has nothing else in it."""
    return re.match(r"\s*(func\.func|module\b|$)",
                    ALIAS.sub("", without_comments(text)))


class Body:
    """Operations as the body of a function whose arguments are found out."""

    def __init__(self, text):
        # Aliases are for the top level only. An empty line is left of each, so
        # that lines keep their numbers.
        aliases = {match.group(1): match.group(0)
                   for match in ALIAS.finditer(without_comments(text))}
        aliases.setdefault("#id", "#id = affine_map<(d0) -> (d0)>")
        self.aliases = " ".join(aliases.values())
        self.text = text = ALIAS.sub("", text)
        code = without_comments(text)
        defined = set()
        for results in re.findall(
                r"(%[\w$.-]+(?::\d+)?(?:\s*,\s*%[\w$.-]+)*)\s*=", code):
            defined.update(re.findall(r"%[\w$.-]+", results))
        for arguments in re.findall(r"\^\w+\(([^)]*)\)", code):
            defined.update(re.findall(r"%[\w$.-]+", arguments))
        used = re.findall(r"%[\w$.-]+", code)
        self.types = {name: "none" for name in used if name not in defined}
        results = re.findall(r"^(%[\w$.-]+)\s*=", code, re.M)
        self.result = results[-1] if results else None
        self.result_type = "none"

    def function(self):
        # The aliases are one line before the function: its first line is line 3.
        arguments = ", ".join("%s: %s" % item
                              for item in sorted(self.types.items()))
        result, back = "", "return"
        if self.result:
            result = " -> " + self.result_type
            back = "return %s : %s" % (self.result, self.result_type)
        return ("%s\nfunc.func @example(%s)%s {\n%s\n%s\n}\n" % (
            self.aliases, arguments, result, self.text, back))

    def infer(self, opt):
        """None, or the first error that is not about an argument's type."""
        for _ in range(2 * len(self.types) + 4):
            run = opt.run(self.function())
            if run.returncode == 0:
                return None
            match = re.search(r"error: use of value '(%[^']+)' expects "
                              r"different type than prior uses: "
                              r"'(.*)' vs '(.*)'$", run.stderr, re.M)
            if match and match.group(3) == "none" and \
                    match.group(1) in self.types:
                self.types[match.group(1)] = match.group(2)
            elif match and match.group(1) == self.result and \
                    match.group(2) == self.result_type == "none":
                self.result_type = match.group(3)
            else:
                return run.stderr.strip()
        return "cannot tell the types of " + ", ".join(self.types)


def check_attributes(opt, block):
    """Every attribute of a block; returns how many there are."""
    items, incorrect = [], False
    for number, line in enumerate(block.lines):
        code, _, comment = line.partition("//")
        if code.startswith("#"):
            items.append([block.line + number, code,
                          incorrect or "incorrect" in comment])
            incorrect = False
        elif code.strip():
            items[-1][1] += code
            items[-1][2] |= "incorrect" in comment
        elif "incorrect" in comment:
            incorrect = True
    for number, code, wrong in items:
        run = opt.run("module attributes {doc.example = %s} {}" % code.strip())
        if wrong and run.returncode == 0:
            fail(block.path, number, "marked incorrect, but accepted: " + code)
        elif not wrong and run.returncode:
            fail(block.path, number, run.stderr.strip())
    return len(items)


def normal_form(text):
    """Printed IR without what is no matter of an example."""
    return re.sub(r" ?\{quant\.name = \"[^\"]*\"\}", "", text)


def check_pair(opt, name, before, after, first, second):
    """The pass `name` makes `second` of `first`; False for an excerpt."""
    if not set(second.types) <= set(first.types):
        return False
    second.types = {key: first.types[key] for key in first.types}
    options = re.search(r"//\s*%s(\{.*\})" % re.escape(name), before.text)
    pipeline = "builtin.module(%s%s)" % (name,
                                         options.group(1) if options else "")
    run = opt.run(first.function(), "--pass-pipeline=" + pipeline)
    expected = opt.run(second.function())
    if run.returncode:
        fail(before.path, before.line, run.stderr.strip())
    elif expected.returncode:
        fail(after.path, after.line, expected.stderr.strip())
    elif normal_form(run.stdout) != normal_form(expected.stdout):
        fail(after.path, after.line, "%s gives\n%s\nfor the example before, not"
             "\n%s" % (pipeline, run.stdout, expected.stdout))
    return True


def check_examples(opt, model):
    counts = dict.fromkeys(["attributes", "files", "bodies", "pairs",
                            "excerpts", "sketches", "configurations"], 0)
    for path in markdown_files():
        previous = None
        for block in blocks(path):
            first, previous = previous, None
            if block.info == "yaml":
                counts["configurations"] += 1
                with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
                    file.write(block.text)
                    file.flush()
                    with open(model, encoding="utf-8") as text:
                        run = opt.run(text.read(),
                                      "--quant-config=" + file.name)
                if run.returncode:
                    fail(path, block.line, run.stderr.strip())
            if block.info != "mlir":
                continue
            if "…" in block.text:
                counts["sketches"] += 1
                continue
            if without_comments(block.text).lstrip().startswith("#qparams"):
                counts["attributes"] += check_attributes(opt, block)
                continue
            if is_whole(block.text):
                counts["files"] += 1
                run = opt.run(block.text)
                if run.returncode:
                    fail(path, block.line, run.stderr.strip())
                continue
            counts["bodies"] += 1
            body = Body(block.text)
            error = body.infer(opt)
            if error:
                fail(path, block.line, error)
                continue
            previous = (block, body)
            name = re.match(r"`-(quant-[\w-]+)`", block.heading)
            if name and first and block.before == "becomes":
                done = check_pair(opt, name.group(1), first[0], block,
                                  first[1], body)
                counts["pairs" if done else "excerpts"] += 1
    print(", ".join("%d %s" % (count, kind)
                    for kind, count in counts.items()))


# Commands


def check_commands(path):
    ran = 0
    path = os.path.abspath(path)
    with tempfile.TemporaryDirectory() as directory:
        for name in ["examples", "docs", "test", "utils"]:
            os.symlink(os.path.join(ROOT, name), os.path.join(directory, name))
        tool = shutil.which("quant-opt")
        if tool:
            os.symlink(os.path.dirname(os.path.dirname(tool)),
                       os.path.join(directory, "build"))
        output = None
        for block in blocks(path):
            if block.info == "sh run":
                output = None
                missing = [tool for tool in re.findall(r"^(?:quant|mlir)-[\w-]+",
                                                       block.text, re.M)
                           if not shutil.which(tool)]
                if missing:
                    print("%s:%d: not run, no %s" % (
                        os.path.relpath(path, ROOT), block.line, missing[0]))
                    continue
                run = subprocess.run(
                    ["bash", "-euo", "pipefail", "-c", block.text],
                    cwd=directory, capture_output=True, encoding="utf-8")
                ran += 1
                output = run.stdout
                if run.returncode:
                    fail(path, block.line, "exit code %d\n%s" % (
                        run.returncode, run.stderr.strip()))
            elif block.info == "text" and output is not None:
                if output.rstrip("\n") != block.text.rstrip("\n"):
                    fail(path, block.line, "expected this output, found\n" +
                         output)
                output = None
            else:
                output = None
    print("%d blocks of commands" % ran)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("check", choices=["links", "examples", "commands"])
    parser.add_argument("file", nargs="?", help="for commands")
    parser.add_argument("--quant-opt", default=shutil.which("quant-opt") or
                        os.path.join(ROOT, "build", "bin", "quant-opt"))
    arguments = parser.parse_args()
    if arguments.check == "links":
        check_links()
    elif arguments.check == "examples":
        check_examples(Opt(arguments.quant_opt), os.path.join(
            ROOT, "examples", "digits", "digits.mlir"))
    elif arguments.file:
        check_commands(arguments.file)
    else:
        parser.error("expected a Markdown file for 'commands'")
    for failure in failures:
        print("error: " + failure, file=sys.stderr)
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main())
