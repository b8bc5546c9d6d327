# The CMake package QuantMLIR, in the build tree (build/lib/cmake/QuantMLIR) and
# where it is installed.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

get_property(libraries GLOBAL PROPERTY QUANT_MLIR_LIBRARIES)
get_property(tools GLOBAL PROPERTY QUANT_MLIR_TOOLS)
foreach(library ${libraries})
  target_include_directories(${library} INTERFACE
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
    $<BUILD_INTERFACE:${PROJECT_BINARY_DIR}/include>
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_include_directories(${library} SYSTEM INTERFACE
    ${MLIR_INCLUDE_DIRS} ${LLVM_INCLUDE_DIRS})
  target_compile_features(${library} INTERFACE cxx_std_17)
endforeach()

install(TARGETS ${libraries} EXPORT QuantMLIRTargets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(TARGETS ${tools} DESTINATION ${CMAKE_INSTALL_BINDIR})
install(TARGETS QuantPlugin DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/quant-mlir
  ${PROJECT_BINARY_DIR}/include/quant-mlir
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
  FILES_MATCHING PATTERN "*.h" PATTERN "*.td" PATTERN "*.inc"
  PATTERN CMakeFiles EXCLUDE)

set(package ${CMAKE_INSTALL_LIBDIR}/cmake/QuantMLIR)
configure_package_config_file(
  ${PROJECT_SOURCE_DIR}/cmake/modules/QuantMLIRConfig.cmake.in
  ${PROJECT_BINARY_DIR}/lib/cmake/QuantMLIR/QuantMLIRConfig.cmake
  INSTALL_DESTINATION ${package})
write_basic_package_version_file(
  ${PROJECT_BINARY_DIR}/lib/cmake/QuantMLIR/QuantMLIRConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES
  ${PROJECT_BINARY_DIR}/lib/cmake/QuantMLIR/QuantMLIRConfig.cmake
  ${PROJECT_BINARY_DIR}/lib/cmake/QuantMLIR/QuantMLIRConfigVersion.cmake
  DESTINATION ${package})
install(EXPORT QuantMLIRTargets DESTINATION ${package})
export(EXPORT QuantMLIRTargets
  FILE ${PROJECT_BINARY_DIR}/lib/cmake/QuantMLIR/QuantMLIRTargets.cmake)
