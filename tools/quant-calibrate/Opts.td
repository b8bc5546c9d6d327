//===- Opts.td - Options of quant-calibrate -------------------------------===//

include "quant-mlir/Support/ToolOptions.td"

defm input : Value<"input", "<x.npy>",
    "Samples for an argument of the function; given once per argument, in "
    "order">;
def o : JoinedOrSeparate<["-"], "o">, MetaVarName<"<ranges.json>">,
    HelpText<"Where the ranges go; - is standard output">;
def merge : Plain<"merge", "Combine the files given instead of a model: runs "
    "over parts of the data become one">;
defm entry : Value<"entry", "<name>", "The function to run (default: main)">;
defm threads : Value<"threads", "<N>",
    "Batches that are run at the same time (default: 1)">;
defm batch : Value<"batch", "<N>",
    "Entries per run where an argument's leading dimension is dynamic "
    "(default: the whole array)">;
defm nonfinite : Value<"nonfinite", "<policy>",
    "What NaN and infinities do: error (default); ignore: they are counted and "
    "left out of the ranges">;
defm percentile : Value<"percentile", "<p>",
    "Share of the samples that the calibrator percentile covers at each end, in "
    "percent (default: 99.999)">;
defm calibrator : Value<"calibrator", "<name>",
    "How ranges are found: moving_average (default), global_minmax, percentile, "
    "mse, entropy; for a model without observers, which gets them here">;
defm quantize_activations : Value<"quantize-activations", "<type>",
    "Storage type that ranges are for (default: int8), for a model without observers">;
defm activation_qscheme : Value<"activation-qscheme", "<scheme>",
    "symmetric (default) or asymmetric, for a model without observers">;
defm quant_config : Value<"quant-config", "<config.yaml>",
    "Rules per operation, for a model without observers">;
