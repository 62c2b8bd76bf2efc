# SPDX-License-Identifier: Apache-2.0
# What keeps the builds of tests quick: most of a cold ./dev test is compiling, and most of that is reading the
# same library headers.

option(EGB_PRECOMPILE "Precompile library headers for the libraries too; hides a forgotten #include" OFF)

# Compiled as a test is. A test runs once and is compiled often: no optimisation, none of the hardening that needs
# it, and of the debugging information what a backtrace needs. -fPIC and -fPIE are not the same to a precompiled
# header: whatever is the compiler's default, for all.
function(egb_compile_as_test target)
    set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
    # The first two: ccache may then keep what was compiled with a precompiled header.
    target_compile_options(${target} PRIVATE
        "$<$<CXX_COMPILER_ID:Clang>:SHELL:-Xclang -fno-pch-timestamp>"
        $<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>
        "$<$<NOT:$<BOOL:${EGB_PRECOMPILE}>>:-O0;-U_FORTIFY_SOURCE>"
        -g1)
endfunction()

# egb_unit_tests(NAME): what unit_NAME has, each by itself in ctest. A program with sanitizers takes longer to start
# than most of its tests to run: there it is one test, and tells of each of its own in results/NAME.json.
function(egb_unit_tests name)
    # Where a source lies, no program is told: __FILE__ and debugging information begin at the top of the tree.
    target_compile_definitions(unit_${name} PRIVATE EGB_UNITS_FOLDER="${CMAKE_SOURCE_DIR}/units")
    if(EGB_SANITIZE)
        add_test(NAME unit/${name} COMMAND unit_${name} --gtest_output=json:${CMAKE_BINARY_DIR}/results/${name}.json)
        set_tests_properties(unit/${name} PROPERTIES LABELS unit TIMEOUT 300)
    else()
        gtest_discover_tests(unit_${name} TEST_PREFIX "unit/${name}/" DISCOVERY_TIMEOUT 30
            PROPERTIES LABELS unit TIMEOUT 60)
    endif()
endfunction()

# The target unit_tests is all unit test programs, all_but_unit_tests everything else.
# The headers that nearly every source reads are compiled once. That hides a forgotten #include, so it is for test
# programs, and for everything in the builds with sanitizers, which stand beside one that does without.
function(egb_quick)
    egb_targets(${CMAKE_SOURCE_DIR} targets)
    set(source ${CMAKE_BINARY_DIR}/precompiled.cpp)
    file(CONFIGURE OUTPUT ${source} CONTENT "")
    add_library(egb_precompiled STATIC ${source})
    target_link_libraries(egb_precompiled PRIVATE egb_warnings GTest::gmock)
    egb_compile_as_test(egb_precompiled)
    target_precompile_headers(egb_precompiled PRIVATE <algorithm> <chrono> <expected> <filesystem> <format>
        <functional> <map> <memory> <optional> <ranges> <span> <string> <string_view> <thread> <unordered_map>
        <variant> <vector> <gmock/gmock.h> <gtest/gtest.h>)
    add_custom_target(unit_tests)
    add_custom_target(all_but_unit_tests)
    foreach(target IN LISTS targets)
        get_target_property(type ${target} TYPE)
        if(target MATCHES "^unit_")
            add_dependencies(unit_tests ${target})
        elseif(type MATCHES "^(EXECUTABLE|STATIC_LIBRARY)$")
            add_dependencies(all_but_unit_tests ${target})
        endif()
        get_target_property(libraries ${target} LINK_LIBRARIES)
        get_target_property(folder ${target} SOURCE_DIR)
        if((type STREQUAL "EXECUTABLE" AND libraries MATCHES "GTest::")
            OR (EGB_PRECOMPILE AND type MATCHES "^(EXECUTABLE|STATIC_LIBRARY)$"))
            egb_compile_as_test(${target})
            target_precompile_headers(${target} REUSE_FROM egb_precompiled)
        elseif(type STREQUAL "STATIC_LIBRARY" AND folder MATCHES "^${CMAKE_SOURCE_DIR}/tests")
            egb_compile_as_test(${target})
        endif()
    endforeach()
endfunction()

if(BUILD_TESTING)
    cmake_language(DEFER DIRECTORY ${CMAKE_SOURCE_DIR} CALL egb_quick)
endif()
