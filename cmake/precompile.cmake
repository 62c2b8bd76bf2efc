# SPDX-License-Identifier: Apache-2.0
# EGB_PRECOMPILE: the library headers that nearly every source reads, compiled once. It more than halves a build,
# and hides a forgotten #include; so it is for builds that only run tests, beside one that does without.
option(EGB_PRECOMPILE "Precompile library headers; hides a forgotten #include" OFF)

function(egb_targets folder out)
    get_property(found DIRECTORY ${folder} PROPERTY BUILDSYSTEM_TARGETS)
    get_property(subfolders DIRECTORY ${folder} PROPERTY SUBDIRECTORIES)
    foreach(subfolder IN LISTS subfolders)
        egb_targets(${subfolder} more)
        list(APPEND found ${more})
    endforeach()
    set(${out} ${found} PARENT_SCOPE)
endfunction()

function(egb_precompile)
    egb_targets(${CMAKE_SOURCE_DIR} targets)
    set(source ${CMAKE_BINARY_DIR}/precompiled.cpp)
    file(CONFIGURE OUTPUT ${source} CONTENT "")
    add_library(egb_precompiled STATIC ${source})
    target_link_libraries(egb_precompiled PRIVATE egb_warnings)
    set_target_properties(egb_precompiled PROPERTIES POSITION_INDEPENDENT_CODE OFF)
    target_precompile_headers(egb_precompiled PRIVATE <algorithm> <chrono> <expected> <filesystem> <format>
        <functional> <map> <memory> <optional> <ranges> <span> <string> <string_view> <thread> <unordered_map>
        <variant> <vector> <gmock/gmock.h> <gtest/gtest.h>)
    foreach(target IN LISTS targets)
        get_target_property(type ${target} TYPE)
        if(type MATCHES "^(STATIC_LIBRARY|EXECUTABLE)$")
            target_precompile_headers(${target} REUSE_FROM egb_precompiled)
            # Libraries and programs alike: -fPIC and -fPIE are not the same to a precompiled header.
            set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
        endif()
    endforeach()
endfunction()

if(EGB_PRECOMPILE)
    # ccache and gcc agree about precompiled headers only on these terms.
    add_compile_options(-fpch-preprocess)
    cmake_language(DEFER DIRECTORY ${CMAKE_SOURCE_DIR} CALL egb_precompile)
endif()
