//===- Opts.td - Options of quant-bench -----------------------------------===//

include "quant-mlir/Support/ToolOptions.td"

defm filter : Value<"filter", "<regex>",
    "Only cases whose name, \"<work> <case>\", has a match">;
defm threads : Value<"threads", "<N,…>",
    "Numbers of threads, each in rows of its own (default: 1); on more than "
    "one only what is large enough">;
defm target_features : Value<"target-features", "<+f,-g,…>",
    "Features of this processor that ours uses beside what it has, or does "
    "without. Without AMX (-amx-int8) oneDNN does without as well">;
defm json : Value<"json", "<file>",
    "Write everything that was measured, and the machine's description">;
def quick : Plain<"quick", "Few runs: to try the program, not to measure">;
def list_cases : Plain<"list", "Print the names of all cases and end">;
def peers_only : Plain<"peers-only", "Only limits and other libraries">;
defm onnxruntime : Value<"onnxruntime", "<libonnxruntime.so>",
    "ONNX Runtime's library; without it that peer is left out">;
defm ggml : Value<"ggml", "<folder>",
    "ggml's libraries, libggml-base.so and libggml-cpu-*.so; without them that "
    "peer is left out">;
defm python : Value<"python", "<python>",
    "A Python with the package onnx (default: the build's)">;
defm models : Value<"models", "<folder>",
    "Whole models with their data and ONNX twins (default: ../shared/models "
    "beside the sources, where it is)">;
defm scratch : Value<"scratch", "<folder>",
    "Where models for peers are written (default: in the build)">;
