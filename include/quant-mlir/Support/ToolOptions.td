//===- ToolOptions.td - Shapes of options, shared by tools ----------------===//

#ifndef QUANT_MLIR_SUPPORT_TOOLOPTIONS_TD
#define QUANT_MLIR_SUPPORT_TOOLOPTIONS_TD

include "llvm/Option/OptParser.td"

// --name=value, or --name value.
multiclass Value<string name, string meta, string help> {
  def NAME : Joined<["--"], name # "=">, MetaVarName<meta>, HelpText<help>;
  def NAME # _separate : Separate<["--"], name>,
                         Alias<!cast<Joined>(NAME)>;
}
class Plain<string name, string help> : Flag<["--"], name>, HelpText<help>;

def help : Plain<"help", "Print this text">;
def version : Plain<"version", "Print the version">;

#endif // QUANT_MLIR_SUPPORT_TOOLOPTIONS_TD
