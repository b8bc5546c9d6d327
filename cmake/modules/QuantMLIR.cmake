# Build helpers. Everything links the shared libMLIR and libLLVM, so that there
# is one TypeID world with a stock mlir-opt.

find_program(QUANT_CCACHE ccache)
if(QUANT_CCACHE)
  set(CMAKE_C_COMPILER_LAUNCHER ${QUANT_CCACHE})
  # What it asks for beside precompiled headers.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
    CCACHE_SLOPPINESS=pch_defines,time_macros ${QUANT_CCACHE})
endif()
find_program(QUANT_LLD NAMES ld.lld-22 ld.lld HINTS ${LLVM_TOOLS_BINARY_DIR})
if(QUANT_LLD)
  add_link_options(--ld-path=${QUANT_LLD})
endif()

# The numerics contract rounds every written operation on its own.
add_compile_options(-ffp-contract=off)
add_compile_options(-Wall -Wextra -Wno-unused-parameter)
if(QUANT_MLIR_ASSERTIONS)
  add_compile_options(-UNDEBUG)
  add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-include>
    $<$<COMPILE_LANGUAGE:CXX>:${CMAKE_CURRENT_LIST_DIR}/AssertionsBesideLLVM.h>)
endif()
if(QUANT_MLIR_SANITIZE)
  add_compile_options(-fsanitize=${QUANT_MLIR_SANITIZE} -fno-sanitize-recover=all
                      -fno-sanitize=vptr,function)
  add_link_options(-fsanitize=${QUANT_MLIR_SANITIZE})
endif()

include_directories(${PROJECT_SOURCE_DIR}/include ${PROJECT_BINARY_DIR}/include)
include(GNUInstallDirs)
include_directories(SYSTEM ${MLIR_INCLUDE_DIRS} ${LLVM_INCLUDE_DIRS})
separate_arguments(QUANT_LLVM_DEFINITIONS NATIVE_COMMAND ${LLVM_DEFINITIONS})
add_definitions(${QUANT_LLVM_DEFINITIONS})
link_directories(${LLVM_LIBRARY_DIRS})

# Headers of MLIR, precompiled for the libraries that link it; what is in tools
# is compiled for executables, which is not the same.
option(QUANT_MLIR_PRECOMPILED_HEADERS "Precompile the headers of MLIR" ON)
if(QUANT_MLIR_PRECOMPILED_HEADERS)
  # Without the time when it was made, the file is the same for ccache.
  add_compile_options(
    "$<$<COMPILE_LANG_AND_ID:CXX,Clang>:SHELL:-Xclang -fno-pch-timestamp>")
  add_library(QuantPrecompiled OBJECT ${CMAKE_CURRENT_LIST_DIR}/Precompiled.cpp)
  target_precompile_headers(QuantPrecompiled PRIVATE
    ${CMAKE_CURRENT_LIST_DIR}/Precompiled.h)
endif()

# quant_add_library(Name SOURCES… [DEPENDS tablegen targets…] [LINK libs…])
# A static library of this project.
function(quant_add_library name)
  cmake_parse_arguments(ARG "" "" "DEPENDS;LINK" ${ARGN})
  add_library(${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
  if(ARG_DEPENDS)
    add_dependencies(${name} ${ARG_DEPENDS})
  endif()
  target_link_libraries(${name} PUBLIC ${ARG_LINK})
  if(QUANT_MLIR_PRECOMPILED_HEADERS AND "MLIR" IN_LIST ARG_LINK)
    target_precompile_headers(${name} REUSE_FROM QuantPrecompiled)
  endif()
  target_include_directories(${name} INTERFACE
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
    $<BUILD_INTERFACE:${PROJECT_BINARY_DIR}/include>
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  set_property(GLOBAL APPEND PROPERTY QUANT_MLIR_LIBRARIES ${name})
endfunction()

# quant_add_tool(name SOURCES… [DEPENDS …] [LINK libs…])
function(quant_add_tool name)
  cmake_parse_arguments(ARG "" "" "DEPENDS;LINK" ${ARGN})
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  if(ARG_DEPENDS)
    add_dependencies(${name} ${ARG_DEPENDS})
  endif()
  target_link_libraries(${name} PRIVATE ${ARG_LINK})
  set_property(GLOBAL APPEND PROPERTY QUANT_MLIR_TOOLS ${name})
endfunction()

# quant_add_tool_options(tool): makes Opts.inc of the Opts.td beside it. Call it
# after quant_add_tool.
function(quant_add_tool_options tool)
  # An installed LLVM sets this for MLIR's TableGen only.
  if(NOT LLVM_TABLEGEN_EXE)
    find_program(LLVM_TABLEGEN_EXE llvm-tblgen HINTS ${LLVM_TOOLS_BINARY_DIR}
      NO_DEFAULT_PATH REQUIRED)
  endif()
  set(LLVM_TARGET_DEFINITIONS Opts.td)
  tablegen(LLVM Opts.inc -gen-opt-parser-defs
    EXTRA_INCLUDES ${LLVM_INCLUDE_DIRS} ${PROJECT_SOURCE_DIR}/include)
  add_custom_target(${tool}-options DEPENDS ${TABLEGEN_OUTPUT})
  add_dependencies(${tool} ${tool}-options)
  target_include_directories(${tool} PRIVATE ${CMAKE_CURRENT_BINARY_DIR})
endfunction()

# quant_add_unittest(name SOURCES… [LINK libs…]): a GoogleTest program that the
# test suite runs; left out where GoogleTest is not installed.
function(quant_add_unittest name)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  if(NOT GTest_FOUND)
    return()
  endif()
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  set_target_properties(${name} PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/unittests/bin)
  target_link_libraries(${name} PRIVATE ${ARG_LINK} GTest::gtest GTest::gtest_main)
  set_property(GLOBAL APPEND PROPERTY QUANT_MLIR_UNITTESTS ${name})
endfunction()

# Installs tools, libraries and headers, and exports the package QuantMLIR, from
# the build tree too: -DQuantMLIR_DIR=build/lib/cmake/QuantMLIR.
function(quant_export_package)
  get_property(libraries GLOBAL PROPERTY QUANT_MLIR_LIBRARIES)
  get_property(tools GLOBAL PROPERTY QUANT_MLIR_TOOLS)
  set(package lib/cmake/QuantMLIR)
  install(TARGETS ${libraries} ${tools} QuantPlugin EXPORT QuantMLIRTargets
    RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR}
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
  foreach(root ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR})
    install(DIRECTORY ${root}/include/quant-mlir
      DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
      FILES_MATCHING PATTERN "*.h" PATTERN "*.td" PATTERN "*.inc"
      PATTERN "CMakeFiles" EXCLUDE)
  endforeach()
  install(EXPORT QuantMLIRTargets DESTINATION ${package})
  export(EXPORT QuantMLIRTargets
    FILE ${PROJECT_BINARY_DIR}/${package}/QuantMLIRTargets.cmake)
  configure_file(${PROJECT_SOURCE_DIR}/cmake/modules/QuantMLIRConfig.cmake.in
    ${PROJECT_BINARY_DIR}/${package}/QuantMLIRConfig.cmake @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/${package}/QuantMLIRConfig.cmake
    DESTINATION ${package})
endfunction()
