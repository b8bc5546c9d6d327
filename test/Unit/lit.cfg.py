# The GoogleTest programs of unittests/, run and counted test by test.
import os

import lit.formats

config.name = "quant-mlir-unit"
config.suffixes = []
config.test_source_root = os.path.join(config.quant_build_dir, "unittests",
                                       "bin")
config.test_exec_root = config.test_source_root
config.test_format = lit.formats.GoogleTest(".", "Tests")
config.environment["ASAN_OPTIONS"] = config.asan_options
