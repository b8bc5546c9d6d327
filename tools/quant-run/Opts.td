//===- Opts.td - Options of quant-run -------------------------------------===//

include "quant-mlir/Support/ToolOptions.td"

defm input : Value<"input", "<x.npy>",
    "An argument of the function; given once per argument, in order">;
defm output : Value<"output", "<y.npy>",
    "Where a result goes; given once per result, in order, or never">;
defm entry : Value<"entry", "<name>", "The function to run (default: main)">;
defm target : Value<"target", "<target>",
    "cpu (default): kernels for this processor; reference: what operations mean, "
    "without kernels; vulkan: kernels on a GPU, through Vulkan; nvvm: on one "
    "of NVIDIA's, through its driver; rocdl: on one of AMD's, through HIP; "
    "nvvm-emulator, rocdl-emulator: kernels for these, lane by lane on this processor, for "
    "tests">;
defm target_features : Value<"target-features", "<+f,-g,…>",
    "Features of this processor that kernels use beside what it has, or do "
    "without: -amx-int8">;
defm gpu_arch : Value<"gpu-arch", "<arch>",
    "With --target=nvvm, rocdl or an emulator: the architecture that kernels are made for, such as "
    "sm_90a or gfx1100 (default: the device's; of the emulators sm_80 and gfx942)">;
defm threads : Value<"threads", "<N>",
    "Threads that compiled code uses (default: 1)">;
defm batch : Value<"batch", "<N>",
    "Entries per run where an argument's leading dimension is dynamic "
    "(default: the whole array)">;
defm compare : Value<"compare", "<ref.npy>",
    "Print max abs error and SQNR of a result; given for the first result, or "
    "for more of them, in order">;
defm labels : Value<"labels", "<labels.npy>",
    "Print top-1, in percent, of the first result (samples x classes)">;
defm bench : Value<"bench", "<N>",
    "Print minimum and median time of N runs of the first batch">;
defm reference : Value<"reference", "<float.mlir>",
    "The float model that the model was made from: compare both, operation by "
    "operation, on the inputs, and print a table unless --report is given">;
defm report : Value<"report", "<file>",
    "Write what --reference finds to a file, by its name a page (.html) or data "
    "(.json); may be given for both">;
def json : Plain<"json", "Print --compare, --labels, --bench and --reference as "
    "one JSON object per line">;
