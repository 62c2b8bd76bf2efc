# SPDX-License-Identifier: Apache-2.0
# What keeps the builds of tests quick: two thirds of a cold ./dev test is compiling.

# egb_targets(FOLDER OUT): all targets of a folder and those below it.
function(egb_targets folder out)
    get_property(found DIRECTORY ${folder} PROPERTY BUILDSYSTEM_TARGETS)
    get_property(subfolders DIRECTORY ${folder} PROPERTY SUBDIRECTORIES)
    foreach(subfolder IN LISTS subfolders)
        egb_targets(${subfolder} more)
        list(APPEND found ${more})
    endforeach()
    set(${out} ${found} PARENT_SCOPE)
endfunction()

# A test runs once and is compiled often: no optimisation, and none of the hardening that needs it.
function(egb_quick_tests)
    egb_targets(${CMAKE_SOURCE_DIR} targets)
    foreach(target IN LISTS targets)
        get_target_property(type ${target} TYPE)
        get_target_property(libraries ${target} LINK_LIBRARIES)
        if(type STREQUAL "EXECUTABLE" AND libraries MATCHES "GTest::")
            target_compile_options(${target} PRIVATE -O0 -U_FORTIFY_SOURCE)
        endif()
    endforeach()
endfunction()
cmake_language(DEFER DIRECTORY ${CMAKE_SOURCE_DIR} CALL egb_quick_tests)

# EGB_PRECOMPILE: the library headers that nearly every source reads, compiled once. It hides a forgotten
# #include, so it is for the builds with sanitizers, which stand beside one that does without.
option(EGB_PRECOMPILE "Precompile library headers; hides a forgotten #include" OFF)

function(egb_precompile)
    egb_targets(${CMAKE_SOURCE_DIR} targets)
    set(source ${CMAKE_BINARY_DIR}/precompiled.cpp)
    file(CONFIGURE OUTPUT ${source} CONTENT "")
    add_library(egb_precompiled STATIC ${source})
    target_link_libraries(egb_precompiled PRIVATE egb_warnings)
    target_precompile_headers(egb_precompiled PRIVATE <algorithm> <chrono> <expected> <filesystem> <format>
        <functional> <map> <memory> <optional> <ranges> <span> <string> <string_view> <thread> <unordered_map>
        <variant> <vector> <gmock/gmock.h> <gtest/gtest.h>)
    foreach(target IN LISTS targets ITEMS egb_precompiled)
        get_target_property(type ${target} TYPE)
        if(NOT type MATCHES "^(STATIC_LIBRARY|EXECUTABLE)$")
            continue()
        endif()
        # Libraries and programs alike: to a precompiled header -fPIC and -fPIE are not the same.
        set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
        if(NOT target STREQUAL "egb_precompiled")
            target_precompile_headers(${target} REUSE_FROM egb_precompiled)
        endif()
    endforeach()
endfunction()

if(EGB_PRECOMPILE)
    # With these ccache may keep what was compiled with a precompiled header.
    add_compile_options("$<$<CXX_COMPILER_ID:Clang>:SHELL:-Xclang -fno-pch-timestamp>"
        $<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>)
    cmake_language(DEFER DIRECTORY ${CMAKE_SOURCE_DIR} CALL egb_precompile)
endif()
