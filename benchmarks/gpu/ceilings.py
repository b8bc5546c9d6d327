"""What the device can do at most, measured: loops of matrix instructions over registers
or shared memory, a copy, and a stream of reads."""

HEAD = """.version %s
.target %s
.address_size 64
.visible .entry %s(.param .u64 .ptr .global out, .param .u64 count%s)
.maxntid %d, 1, 1
{
"""

# Factors are bits that differ from lane to lane, which the assembler does not know: zeros
# take less power. No f16 or e4m3 of them is above 2. Register, salt.
BITS = """  mad.lo.u32 {0}, %t, 0x9E3779B1, {1}; mul.lo.u32 {0}, {0}, 0x85EBCA77;
  and.b32 {0}, {0}, 0xBFBFBFBF;
"""


def salt(number):
  return 0x6C8E9CF5 * (number + 1) & 0x7FFFFFFF


def loop_of_mma(kind):
  """Eight independent products of m16n8 in a loop: `kind` s8, f16 or e4m3."""
  depth, types, version, target = {
      "s8": (32, "s32.s8.s8.s32", "7.0", "sm_80"),
      "f16": (16, "f32.f16.f16.f32", "7.0", "sm_80"),
      "e4m3": (32, "f32.e4m3.e4m3.f32", "8.4", "sm_89"),
  }[kind]
  letter = "r" if kind == "s8" else "f"
  move = "mov.b32" if kind == "s8" else "mov.f32"
  zero = "0" if kind == "s8" else "0f00000000"
  text = HEAD % (version, target, "peak_mma", "", 128)
  text += """  .reg .b32 %a<4>; .reg .b32 %b<16>; .reg .b32 %i; .reg .b32 %n;
  .reg .pred %p; .reg .b64 %o; .reg .b64 %c; .reg .b32 %t;
"""
  text += "  .reg .%s %%d<32>;\n" % ("b32" if letter == "r" else "f32")
  text += """  ld.param.u64 %o, [out]; ld.param.u64 %c, [count]; cvt.u32.u64 %n, %c;
  mov.u32 %t, %tid.x; mov.u32 %i, 0;
"""
  # A second factor for each product: no two of them are the same.
  for i in range(20):
    text += BITS.format("%%a%d" % i if i < 4 else "%%b%d" % (i - 4), salt(i))
  for i in range(32):
    text += "  %s %%d%d, %s;\n" % (move, i, zero)
  text += "again:\n"
  for i in range(8):
    d = ", ".join("%%d%d" % (4 * i + j) for j in range(4))
    text += ("  mma.sync.aligned.m16n8k%d.row.col.%s {%s}, {%%a0, %%a1, %%a2, %%a3}, "
             "{%%b%d, %%b%d}, {%s};\n" % (depth, types, d, 2 * i, 2 * i + 1, d))
  text += "  add.u32 %i, %i, 1; setp.lt.u32 %p, %i, %n; @%p bra again;\n"
  # A use of every sum, that is never taken.
  text += "  setp.ne.u32 %p, %n, 0; @%p bra done;\n"
  for i in range(32):
    text += "  st.global.b32 [%%o+%d], %%d%d;\n" % (4 * i, i)
  text += "done:\n  ret;\n}\n"
  return text, "peak_mma", 8 * 2 * 16 * 8 * depth * 4  # operations of a block in a round


TILE = 8192  # bytes of 256 columns of 32 bytes, core matrices in a row


def loop_of_wgmma(kind):
  """Products of m64n256 from shared memory: `kind` s8, f16 or e4m3."""
  depth, types, letter = {"s8": (32, "s32.s8.s8", "b32"), "f16": (16, "f32.f16.f16", "f32"),
                          "e4m3": (32, "f32.e4m3.e4m3", "f32")}[kind]
  text = HEAD % ("8.0", "sm_90a", "peak_wgmma", "", 128)
  text += """  .shared .align 1024 .b8 tile[%d];
""" % TILE
  text += """  .reg .b32 %i; .reg .b32 %n; .reg .pred %p; .reg .b64 %o; .reg .b64 %c; .reg .b64 %x;
  .reg .b64 %y; .reg .b32 %s; .reg .b32 %t; .reg .b32 %v; .reg .b32 %w;
"""
  text += "  .reg .%s %%d<128>;\n" % letter
  text += """  ld.param.u64 %o, [out]; ld.param.u64 %c, [count]; cvt.u32.u64 %n, %c;
  mov.u32 %t, %tid.x; mov.u32 %i, 0; mov.u32 %s, tile; mad.lo.u32 %w, %t, 4, %s;
"""
  for i in range(TILE // 512):
    text += BITS.format("%v", salt(i)) + "  st.shared.b32 [%%w+%d], %%v;\n" % (512 * i)
  # From a core matrix to the next: 128 bytes along the reduction, 256 along columns.
  text += """  fence.proxy.async.shared::cta;
  bar.sync 0;
  cvt.u64.u32 %x, %s; and.b64 %x, %x, 0x3FFFF; shr.u64 %x, %x, 4;
  or.b64 %y, %x, 0x0000001000080000; or.b64 %x, %x, 0x0000001000080000;
"""
  for i in range(128):
    text += "  mov.%s %%d%d, %s;\n" % (letter, i, "0" if letter == "b32" else "0f00000000")
  d = "{%s}" % ", ".join("%%d%d" % i for i in range(128))
  tail = "1" if kind == "s8" else "1, 1, 1" + (", 0, 0" if kind == "f16" else "")
  text += "again:\n  wgmma.fence.sync.aligned;\n"
  for _ in range(8):
    if kind == "s8":
      text += "  wgmma.mma_async.sync.aligned.m64n256k%d.%s %s, %%x, %%y, 1;\n" % (depth, types, d)
    else:
      text += "  wgmma.mma_async.sync.aligned.m64n256k%d.%s %s, %%x, %%y, %s;\n" % (
          depth, types, d, tail)
  text += """  wgmma.commit_group.sync.aligned;
  wgmma.wait_group.sync.aligned 0;
  add.u32 %i, %i, 1; setp.lt.u32 %p, %i, %n; @%p bra again;
  setp.ne.u32 %p, %n, 0; @%p bra done;
"""
  for i in range(128):
    text += "  st.global.b32 [%%o+%d], %%d%d;\n" % (4 * i, i)
  text += "done:\n  ret;\n}\n"
  return text, "peak_wgmma", 8 * 2 * 64 * 256 * depth


READ = HEAD % ("7.4", "sm_80", "stream_read", "", 256) + """  .reg .b64 %o; .reg .b64 %c; .reg .b64 %i; .reg .b64 %s; .reg .b64 %a; .reg .b32 %t;
  .reg .b32 %v<16>; .reg .b32 %x; .reg .pred %p; .reg .b32 %g;
  ld.param.u64 %o, [out]; ld.param.u64 %c, [count];
  mov.u32 %t, %ctaid.x; mov.u32 %g, %tid.x; mad.lo.u32 %t, %t, 256, %g; cvt.u64.u32 %i, %t;
  shl.b64 %i, %i, 4; mov.u32 %t, %nctaid.x; mul.wide.u32 %s, %t, 4096; mov.u32 %x, 0;
again:
""" + "".join("""  add.u64 %%a, %%o, %%i; add.u64 %%i, %%i, %%s;
  ld.global.nc.L1::no_allocate.v4.u32 {%%v%d, %%v%d, %%v%d, %%v%d}, [%%a];
""" % tuple(range(4 * i, 4 * i + 4)) for i in range(4)) + "".join(
    "  xor.b32 %%x, %%x, %%v%d;\n" % i for i in range(16)) + """  setp.lt.u64 %p, %i, %c; @%p bra again;
  setp.ne.u32 %p, %x, 0x13579BDF; @%p bra done;
  st.global.b32 [%o], %x;
done:
  ret;
}
"""


def measure(driver):
  """Operations and bytes per second, by name; what does not run says why."""
  results = {}
  scratch = driver.allocate(1 << 20)
  wanted = [("mma s8", loop_of_mma, "s8", 80), ("mma f16", loop_of_mma, "f16", 80),
            ("mma e4m3", loop_of_mma, "e4m3", 89), ("wgmma s8", loop_of_wgmma, "s8", 90),
            ("wgmma f16", loop_of_wgmma, "f16", 90), ("wgmma e4m3", loop_of_wgmma, "e4m3", 90)]
  for name, make, kind, arch in wanted:
    if driver.arch < arch or (make is loop_of_wgmma and driver.arch != 90):
      continue
    try:
      text, entry, operations = make(kind)
      function = driver.load(text.encode() + b"\0", entry)
      # All are on their cores at once: one of wgmma takes a third of the registers.
      per_core = 2 if make is loop_of_wgmma else 4
      blocks, rounds = driver.multiprocessors * per_core, 2000
      parameters = driver.parameters([scratch, rounds])
      seconds = driver.median_seconds(lambda: driver.launch(
          function, [blocks, 1, 1, 128, 1, 1, 0], parameters), repeats=5)
      results[name] = operations * blocks * rounds / seconds
    except Exception as error:  # A ceiling that is missing ends nothing.
      results[name] = "not measured: %s" % error
  # Twenty times what the cache has: a gigabyte on an H200.
  size = 20 * driver.l2_bytes
  source, target = driver.allocate(size), driver.allocate(size)
  results["copy"] = 2 * size / driver.median_seconds(lambda: driver.copy(target, source, size))
  # Whole rounds of all threads: what is read is what is counted.
  blocks = 4 * driver.multiprocessors
  round_bytes = blocks * 4096 * 4
  read = size // round_bytes * round_bytes
  function = driver.load(READ.encode() + b"\0", "stream_read")
  parameters = driver.parameters([source, read])
  results["read"] = read / driver.median_seconds(lambda: driver.launch(
      function, [blocks, 1, 1, 256, 1, 1, 0], parameters))
  for address in source, target, scratch:
    driver.free(address)
  return results
