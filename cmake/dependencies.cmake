# SPDX-License-Identifier: Apache-2.0
# What is needed, and from which version on. docs/dependencies.md says why each of them is.
find_package(PkgConfig REQUIRED)
pkg_check_modules(libbpf REQUIRED IMPORTED_TARGET libbpf>=1.5)
pkg_check_modules(libsystemd REQUIRED IMPORTED_TARGET libsystemd>=254)
pkg_check_modules(sqlite3 REQUIRED IMPORTED_TARGET sqlite3>=3.35)
# 2.x only: 1.x is another API.
pkg_check_modules(sdbus REQUIRED IMPORTED_TARGET sdbus-c++>=2.0 sdbus-c++<3)
pkg_check_modules(systemd REQUIRED systemd)
find_package(spdlog 1.12 REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)
find_package(CLI11 2.3 REQUIRED)
find_package(Threads REQUIRED)
if(BUILD_TESTING)
    find_package(GTest REQUIRED)
    include(GoogleTest)
endif()

find_program(EGB_CLANG NAMES clang-19 clang REQUIRED DOC "clang with the bpf target")
find_program(EGB_LLVM_STRIP NAMES llvm-strip-19 llvm-strip REQUIRED)
find_program(EGB_BPFTOOL bpftool PATHS /usr/sbin REQUIRED)
find_program(EGB_XML2CPP sdbus-c++-xml2cpp REQUIRED)

find_program(EGB_CCACHE ccache)
if(EGB_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
    set(CMAKE_CXX_COMPILER_LAUNCHER ${EGB_CCACHE})
    set(CMAKE_C_COMPILER_LAUNCHER ${EGB_CCACHE})
endif()

# Its code stands in its headers, and would be compiled again with every command; but some distributions have it
# compiled already.
add_library(egb_cli11 INTERFACE)
target_link_libraries(egb_cli11 INTERFACE CLI11::CLI11)
get_target_property(type CLI11::CLI11 TYPE)
if(type STREQUAL "INTERFACE_LIBRARY")
    add_library(egb_cli11_compiled STATIC ${CMAKE_SOURCE_DIR}/cmake/cli11.cpp)
    target_compile_definitions(egb_cli11_compiled PUBLIC CLI11_COMPILE)
    target_link_libraries(egb_cli11_compiled PRIVATE CLI11::CLI11)
    target_link_libraries(egb_cli11 INTERFACE egb_cli11_compiled)
endif()
