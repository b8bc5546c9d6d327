"""Reads MLIR in generic form, as `mlir-opt --mlir-print-op-generic` prints it.

    module = parse(text)        # a list of top-level operations

Covers what a model needs: operations with properties, attributes, regions,
blocks and locations; builtin types; attribute aliases; dense elements as
hexadecimal blobs, lists or splats; the resource section. Attributes of dialects
it does not know are kept as text (`Raw`).
"""

import collections
import re

import numpy as np

from quantize import float_decode, round_bf16

Type = collections.namedtuple("Type", "kind shape element")
# kind "tensor", "memref", "vector": shape (None: dynamic) and element type name;
# kind "scalar": element is the name; kind "other": element is the text.
Raw = collections.namedtuple("Raw", "text")
Symbol = collections.namedtuple("Symbol", "name")
AffineMap = collections.namedtuple("AffineMap", "num_dims num_symbols results")
FunctionType = collections.namedtuple("FunctionType", "inputs results")


class Dense:
  """Elements: `values` is a numpy array of the type's shape. Floats of any
  width are exact in float64, integers are sign-extended int64, i1 is bool."""

  def __init__(self, type_, values):
    self.type, self.values = type_, values


class Operation:

  def __init__(self, name, operands, results, result_types, operand_types, attrs,
               regions, loc):
    self.name, self.operands, self.results = name, operands, results
    self.result_types, self.operand_types = result_types, operand_types
    self.attrs, self.regions, self.loc = attrs, regions, loc

  def walk(self):
    yield self
    for region in self.regions:
      for block in region:
        for op in block.ops:
          yield from op.walk()


class Block:

  def __init__(self, args, arg_types, ops):
    self.args, self.arg_types, self.ops = args, arg_types, ops


class ParseError(ValueError):
  pass


SMALL_FLOATS = {"f8E4M3FN": "float8_e4m3fn", "f8E5M2": "float8_e5m2",
                "f4E2M1FN": "float4_e2m1fn"}
FLOATS = {"f16", "bf16", "f32", "f64", "f8E8M0FNU"} | set(SMALL_FLOATS)


def is_float(element):
  return element in FLOATS


def int_width(element):
  """Bits of an integer type; index counts as 64."""
  if element == "index":
    return 64
  match = re.fullmatch(r"[su]?i(\d+)", element)
  return int(match.group(1)) if match else None


def decode_bits(data, element):
  """A little-endian blob, one element per whole bytes, as values."""
  if element in ("f16", "f32", "f64"):
    return np.frombuffer(data, "<f" + str(int(element[1:]) // 8)).astype(float)
  if element == "bf16":
    bits = np.frombuffer(data, "<u2").astype(np.uint32) << 16
    return bits.view(np.float32).astype(float)
  if element == "f8E8M0FNU":
    bits = np.frombuffer(data, "u1").astype(int)
    return np.where(bits == 255, np.nan, np.ldexp(1.0, bits - 127))
  if element in SMALL_FLOATS:
    return float_decode(np.frombuffer(data, "u1"),
                        SMALL_FLOATS[element]).astype(float)
  width = int_width(element)
  if width is None or width > 64:
    raise ParseError("elements of type %s" % element)
  size = 1 if width <= 8 else 1 << (width - 1).bit_length() >> 3
  ints = np.frombuffer(data, "<i%d" % size).astype(np.int64)
  return wrap_int(ints, element)


def wrap_int(a, element):
  """Sign-extends (zero-extends ui and i1) the low bits of an int64 array."""
  width = int_width(element)
  if width == 1:
    return (np.asarray(a) & 1).astype(bool)
  if width == 64:
    return np.asarray(a, np.int64)
  a = np.asarray(a, np.int64) & ((1 << width) - 1)
  if element.startswith("u"):
    return a
  sign = 1 << (width - 1)
  return (a ^ sign) - sign


def element_bits(value, element):
  """One element written in hexadecimal in a list: its bit pattern."""
  size = {"f16": 2, "bf16": 2, "f32": 4, "f64": 8}.get(element, 1)
  return decode_bits(value.to_bytes(size, "little"), element)[0]


def round_decimal(a, element):
  """Decimals, which are printed with few digits, as the values they stand for."""
  if element == "f32":
    return a.astype(np.float32).astype(float)
  if element == "f16":
    return a.astype(np.float16).astype(float)
  if element == "bf16":
    return round_bf16(a.astype(np.float32)).astype(float)
  if element == "f8E8M0FNU":
    return np.exp2(np.rint(np.log2(a)))
  return a


TOKEN = re.compile(
    r'\s*(?://[^\n]*\n\s*)*('
    r'"(?:[^"\\]|\\.)*"'
    r'|[%^#@!][\w$.\-]+(?:#\d+)?|@"(?:[^"\\]|\\.)*"'
    r'|-?0x[0-9A-Fa-f]+|-?\d+\.\d*(?:[eE][+-]?\d+)?|-?\d+(?![\w])'
    r'|->|::|\{-#|#-\}|[A-Za-z_][\w$.]*|\?|\S)')
CLOSING = {"<": ">", "(": ")", "[": "]", "{": "}"}


class Parser:

  def __init__(self, text):
    self.text, self.pos = text, 0
    self.aliases = {}
    self.resources = {}
    self.read_resources()

  # Tokens

  def error(self, message):
    line = self.text.count("\n", 0, self.pos) + 1
    raise ParseError("line %d: %s near '%s'" %
                     (line, message, self.text[self.pos:self.pos + 60]))

  def peek(self):
    match = TOKEN.match(self.text, self.pos)
    return match.group(1) if match else "<end>"

  def next(self):
    match = TOKEN.match(self.text, self.pos)
    if not match:
      self.error("unexpected end")
    self.pos = match.end()
    return match.group(1)

  def accept(self, token):
    match = TOKEN.match(self.text, self.pos)
    if match and match.group(1) == token:
      self.pos = match.end()
      return True
    return False

  def expect(self, token):
    if not self.accept(token):
      self.error("expected '%s'" % token)

  def balanced(self):
    """Text up to the '>' that closes an already consumed '<'."""
    start, stack = self.pos, [">"]
    while True:
      token = self.next()
      if token == stack[-1]:
        stack.pop()
        if not stack:
          return self.text[start:self.pos - 1]
      elif token in CLOSING:
        stack.append(CLOSING[token])

  def list_of(self, parse, close):
    items = []
    if self.accept(close):
      return items
    while True:
      items.append(parse())
      if self.accept(close):
        return items
      self.expect(",")

  # Module structure

  def read_resources(self):
    start = self.text.rfind("\n{-#")
    if start < 0:
      return
    section = self.text[start:]
    self.text = self.text[:start]
    for name, blob in re.findall(r'([\w$.\-]+|"[^"]*"): "0x([0-9A-Fa-f]+)"',
                                 section):
      # The first four bytes are the alignment.
      self.resources[name.strip('"')] = bytes.fromhex(blob)[4:]

  def parse(self):
    ops = []
    # Aliases may be used before they are defined (locations): keep their text.
    while True:
      token = self.peek()
      if token == "<end>":
        return ops
      if token[0] in "#!" and len(token) > 1:
        self.next()
        self.expect("=")
        self.aliases[token] = self.type() if token[0] == "!" else self.attr()
      else:
        ops.append(self.operation())

  def operation(self):
    results = []
    while self.peek()[0] == "%":
      name = self.next()
      if self.accept(":"):
        results += ["%s#%d" % (name, i) for i in range(int(self.next()))]
      else:
        results.append(name)
      if not self.accept(","):
        self.expect("=")
    token = self.next()
    if token[0] != '"':
      self.pos -= len(token)
      self.error("expected an operation in generic form")
    self.expect("(")
    operands = self.list_of(self.next, ")")
    if self.peek() == "[":
      self.error("successors are not supported")
    attrs, regions = {}, []
    if self.accept("<"):
      attrs.update(self.attr())
      self.expect(">")
    if self.accept("("):
      regions = self.list_of(self.region, ")")
    if self.peek() == "{":
      attrs.update(self.attr())
    self.expect(":")
    type_ = self.function_type()
    loc = self.location() if self.peek() == "loc" else None
    return Operation(token[1:-1], operands, results, type_.results, type_.inputs,
                     attrs, regions, loc)

  def region(self):
    self.expect("{")
    blocks = []
    while not self.accept("}"):
      args, types = [], []
      if self.peek()[0] == "^":
        self.next()
        if self.accept("("):
          for arg, type_ in self.list_of(self.argument, ")"):
            args.append(arg)
            types.append(type_)
        self.expect(":")
      ops = []
      while self.peek() != "}" and self.peek()[0] != "^":
        ops.append(self.operation())
      blocks.append(Block(args, types, ops))
    return blocks

  def argument(self):
    name = self.next()
    self.expect(":")
    type_ = self.type()
    if self.peek() == "loc":
      self.location()
    return name, type_

  def location(self):
    """The text inside loc(...)."""
    self.expect("loc")
    self.expect("(")
    start, depth = self.pos, 1
    while depth:
      token = self.next()
      depth += (token == "(") - (token == ")")
    return Raw(self.text[start:self.pos - 1].strip())

  # Types

  def function_type(self):
    self.expect("(")
    inputs = self.list_of(self.type, ")")
    self.expect("->")
    if self.accept("("):
      return FunctionType(inputs, self.list_of(self.type, ")"))
    return FunctionType(inputs, [self.type()])

  def type(self):
    token = self.next()
    if token[0] == "!":
      if token in self.aliases:
        return self.aliases[token]
      if self.accept("<"):
        token += "<" + self.balanced() + ">"
      return Type("other", None, token)
    if token in ("tensor", "memref", "vector"):
      self.expect("<")
      text = self.balanced().strip()
      dims = re.match(r"(?:(?:\d+|\?)x)*", text).group(0)
      shape = tuple(None if d == "?" else int(d) for d in dims.split("x")[:-1])
      element = text[len(dims):].split(",")[0].strip()
      if text.startswith("*"):
        self.error("unranked types are not supported")
      return Type(token, shape, element)
    if token == "(":
      self.pos -= 1
      return self.function_type()
    if is_float(token) or int_width(token):
      return Type("scalar", (), token)
    if self.accept("<"):
      token += "<" + self.balanced() + ">"
    return Type("other", None, token)

  # Attributes

  def attr(self):
    token = self.next()
    c = token[0]
    if c == '"':
      value = token[1:-1]
    elif c == "[":
      value = self.list_of(self.attr, "]")
    elif c == "{":
      return dict(self.list_of(self.entry, "}"))
    elif c == "@":
      value = Symbol(token[1:].strip('"'))
      while self.accept("::"):
        value = Symbol(value.name + "::" + self.next()[1:])
      return value
    elif c == "#":
      if token in self.aliases:
        return self.aliases[token]
      if self.accept("<"):
        token += "<" + self.balanced() + ">"
      return Raw(token)
    elif c in "-0123456789":
      return self.number(token)
    elif token in ("true", "false"):
      return token == "true"
    elif token == "unit":
      return True
    elif token == "dense":
      return self.dense()
    elif token == "dense_resource":
      self.expect("<")
      name = self.balanced().strip().strip('"')
      self.expect(":")
      type_ = self.type()
      if name not in self.resources:
        self.error("no data for resource '%s'" % name)
      return self.elements(self.resources[name], type_)
    elif token == "array":
      self.expect("<")
      text = self.balanced()
      element, _, values = text.partition(":")
      if element.strip() == "i1":
        return [v.strip() == "true" for v in values.split(",") if v.strip()]
      number = float if is_float(element.strip()) else int
      return [number(v) for v in values.split(",") if v.strip()]
    elif token == "affine_map":
      self.expect("<")
      return parse_affine_map(self.balanced())
    elif token == "loc":
      self.pos -= 3
      return self.location()
    else:
      self.pos -= len(token)
      if token == "(" or self.type_ahead():
        return self.type()
      self.error("unknown attribute")
    if self.accept(":"):
      self.type()
    return value

  def type_ahead(self):
    token = self.peek()
    return (token in ("tensor", "memref", "vector", "none", "complex", "tuple") or
            token[0] == "!" or is_float(token) or int_width(token) is not None)

  def entry(self):
    key = self.next().strip('"')
    return key, self.attr() if self.accept("=") else True

  def number(self, token):
    type_ = self.type() if self.accept(":") else None
    if token[:2] == "0x" and type_ and is_float(type_.element):
      return float(element_bits(int(token, 16), type_.element))
    if re.fullmatch(r"-?\d+|-?0x[0-9A-Fa-f]+", token):
      value = int(token, 0)
      return float(value) if type_ and is_float(type_.element) else value
    value = float(token)
    return float(round_decimal(np.array(value), type_.element)) if type_ else value

  def dense(self):
    self.expect("<")
    if self.peek()[0] == '"':
      data = bytes.fromhex(self.next()[3:-1])
      self.expect(">")
      self.expect(":")
      return self.elements(data, self.type())
    end = self.text.index(">", self.pos)
    body, self.pos = self.text[self.pos:end], end
    self.expect(">")
    self.expect(":")
    type_ = self.type()
    items = re.sub(r"[\[\]\s]", "", body).split(",")
    values = [self.scalar_text(t, type_.element) for t in items if t]
    dtype = (float if is_float(type_.element) else
             bool if type_.element == "i1" else np.int64)
    a = round_decimal(np.array(values, dtype), type_.element)
    return Dense(type_, self.shaped(a, type_))

  def scalar_text(self, text, element):
    if text in ("true", "false"):
      return text == "true"
    if is_float(element):
      return (element_bits(int(text, 16), element) if text[:2] == "0x" else
              float(text))
    return int(text, 0)

  def elements(self, data, type_):
    count = int(np.prod(type_.shape, dtype=int))
    if type_.element == "i1" and data not in (b"\x00", b"\xff"):  # packed
      bits = np.unpackbits(np.frombuffer(data, "u1"), bitorder="little")
      return Dense(type_, self.shaped(bits[:count].astype(bool), type_))
    return Dense(type_, self.shaped(decode_bits(data, type_.element), type_))

  def shaped(self, a, type_):
    count = int(np.prod(type_.shape, dtype=int))
    if a.size == 1 and count != 1:
      return np.broadcast_to(a.reshape((1,) * len(type_.shape)), type_.shape)
    if a.size != count:
      self.error("%d elements for shape %s" % (a.size, type_.shape))
    return a.reshape(type_.shape)


# Affine maps: results are trees ("d", i), ("s", i), ("c", n), (op, a, b) ----------


def parse_affine_map(text):
  match = re.fullmatch(r"\s*\(([^)]*)\)\s*(?:\[([^\]]*)\])?\s*->\s*\((.*)\)\s*",
                       text, re.S)
  names = lambda s: [n.strip() for n in (s or "").split(",") if n.strip()]
  dims, symbols = names(match.group(1)), names(match.group(2))
  tokens = re.findall(r"-?\d+|[A-Za-z_]\w*|[()+*,\-]", match.group(3))
  pos = 0

  def take():
    nonlocal pos
    pos += 1
    return tokens[pos - 1]

  def peek():
    return tokens[pos] if pos < len(tokens) else None

  def atom():
    token = take()
    if token == "(":
      inner = total()
      take()
      return inner
    if token == "-":
      return ("*", atom(), ("c", -1))
    if token in dims:
      return ("d", dims.index(token))
    if token in symbols:
      return ("s", symbols.index(token))
    return ("c", int(token))

  def product():
    left = atom()
    while peek() in ("*", "mod", "floordiv", "ceildiv"):
      left = (take(), left, atom())
    return left

  def total():
    left = product()
    while peek() is not None and (peek() in "+-" or re.match(r"-\d", peek())):
      token = take()
      if token == "+":
        left = ("+", left, product())
      elif token == "-":
        left = ("+", left, ("*", product(), ("c", -1)))
      else:  # "d0 -1"
        left = ("+", left, ("c", int(token)))
    return left

  results = []
  while peek() is not None:
    results.append(total())
    if peek() == ",":
      take()
  return AffineMap(len(dims), len(symbols), results)


def linear(expr, num_dims):
  """Coefficients per dimension and the constant, or None if not linear."""
  kind = expr[0]
  if kind == "d":
    return [int(i == expr[1]) for i in range(num_dims)], 0
  if kind == "c":
    return [0] * num_dims, expr[1]
  if kind in "+*" and len(expr) == 3:
    a, b = linear(expr[1], num_dims), linear(expr[2], num_dims)
    if a is None or b is None:
      return None
    if kind == "+":
      return [x + y for x, y in zip(a[0], b[0])], a[1] + b[1]
    if any(a[0]) and any(b[0]):
      return None
    if any(b[0]):
      a, b = b, a
    return [x * b[1] for x in a[0]], a[1] * b[1]
  return None


def affine_eval(expr, dims, symbols=()):
  """The value of an expression; dims may be arrays."""
  kind = expr[0]
  if kind == "d":
    return dims[expr[1]]
  if kind == "s":
    return symbols[expr[1]]
  if kind == "c":
    return expr[1]
  a = affine_eval(expr[1], dims, symbols)
  b = affine_eval(expr[2], dims, symbols)
  return {"+": lambda: a + b, "*": lambda: a * b, "mod": lambda: a % b,
          "floordiv": lambda: a // b, "ceildiv": lambda: -((-a) // b)}[kind]()


def parse(text):
  parser = Parser(text)
  ops = parser.parse()
  for top in ops:
    for op in top.walk():
      op.loc = location_name(op.loc, parser.aliases)
  return ops


def location_name(loc, aliases):
  """The name of a NameLoc, looking through aliases; None for other kinds."""
  for _ in range(20):
    if not isinstance(loc, Raw):
      return None
    match = re.match(r'"((?:[^"\\]|\\.)*)"(?!:)', loc.text)
    if match:
      return match.group(1)
    alias = re.match(r"#\w+", loc.text)
    loc = aliases.get(alias.group(0)) if alias else None
  return None
