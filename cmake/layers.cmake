# SPDX-License-Identifier: Apache-2.0
# One static library per layer of daemon/, one unit test program beside it.

# egb_layer(NAME [DEPENDS layer...] [BPF object...] [DBUS] [LINK target...] [PRIVATE_LINK target...])
#   All of daemon/NAME/*.cpp, without the tests; *_test.cpp become the ctest program unit_NAME.
#   LINK is for libraries whose types stand in the layer's headers, PRIVATE_LINK for all others.
function(egb_layer name)
    egb_module(${name} ${CMAKE_SOURCE_DIR}/daemon/${name} ${ARGN})
endfunction()

# ghost_kind(NAME): daemon/kinds/NAME over bpf/NAME.bpf.c and bpf/NAME_*.bpf.c, if there are such, with the lists that it
# goes by, if there are any. Kinds see core and host, and not each other.
function(ghost_kind name)
    file(GLOB objects CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/bpf/${name}.bpf.c ${CMAKE_SOURCE_DIR}/bpf/${name}_*.bpf.c)
    list(TRANSFORM objects REPLACE ".*/(.*)\\.bpf\\.c$" "\\1")
    egb_module(kind_${name} ${CMAKE_SOURCE_DIR}/daemon/kinds/${name} DEPENDS core host BPF ${objects})
    egb_lists(${name} ${CMAKE_SOURCE_DIR}/daemon/kinds/${name}/lists)
    set_property(GLOBAL APPEND PROPERTY EGB_KINDS ${name})
endfunction()

# egb_lists(KIND FOLDER): each NAME.list of it is compiled in, as KIND::lists::NAME of KIND_lists.hpp, so that no daemon is
# without it; and installed where the daemon reads it, so that adding to it takes no compiler.
function(egb_lists kind folder)
    file(GLOB lists CONFIGURE_DEPENDS ${folder}/*.list)
    if(NOT lists)
        return()
    endif()
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${lists})
    set(texts "")
    foreach(list IN LISTS lists)
        cmake_path(GET list STEM stem)
        string(MAKE_C_IDENTIFIER ${stem} stem)
        file(READ ${list} text)
        string(APPEND texts "\ninline constexpr std::string_view ${stem}{R\"list(${text})list\"};\n")
    endforeach()
    file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/lists/${kind}_lists.hpp @ONLY CONTENT
        "#pragma once\n\n#include <string_view>\n\nnamespace egb::${kind}::lists {\n${texts}\n}\n")
    target_include_directories(egb_kind_${kind} SYSTEM PUBLIC ${CMAKE_BINARY_DIR}/lists)
    install(FILES ${lists} DESTINATION ${CMAKE_INSTALL_DATADIR}/eghostbuster/${kind})
endfunction()

function(egb_module name folder)
    cmake_parse_arguments(arg "DBUS" "" "DEPENDS;BPF;LINK;PRIVATE_LINK" ${ARGN})
    file(GLOB sources CONFIGURE_DEPENDS ${folder}/*.cpp)
    set(tests ${sources})
    list(FILTER sources EXCLUDE REGEX "_test\\.cpp$")
    list(FILTER tests INCLUDE REGEX "_test\\.cpp$")

    add_library(egb_${name} STATIC ${sources})
    target_include_directories(egb_${name} PUBLIC ${CMAKE_SOURCE_DIR}/daemon)
    target_link_libraries(egb_${name} PUBLIC ${arg_LINK} PRIVATE egb_warnings ${arg_PRIVATE_LINK})
    foreach(layer IN LISTS arg_DEPENDS)
        target_link_libraries(egb_${name} PUBLIC egb_${layer})
    endforeach()
    foreach(object IN LISTS arg_BPF)
        egb_bpf_object(${object})
        target_link_libraries(egb_${name} PUBLIC bpf_${object})
    endforeach()
    if(arg_DBUS)
        target_link_libraries(egb_${name} PRIVATE egb_dbus_adaptors)
    endif()

    if(BUILD_TESTING AND tests)
        add_executable(unit_${name} ${tests})
        target_link_libraries(unit_${name} PRIVATE egb_${name} egb_harness egb_warnings ${arg_PRIVATE_LINK}
            GTest::gmock_main)
        egb_unit_tests(${name})
    endif()
endfunction()

# The composition root: a library, so that tests can build a daemon around kinds of their own, and the program.
function(egb_daemon)
    get_property(kinds GLOBAL PROPERTY EGB_KINDS)
    list(TRANSFORM kinds PREPEND egb_kind_)
    set(folder ${CMAKE_SOURCE_DIR}/daemon)
    file(GLOB sources CONFIGURE_DEPENDS ${folder}/*.cpp)
    list(FILTER sources EXCLUDE REGEX "(main|_test)\\.cpp$")
    add_library(egb_daemon STATIC ${sources})
    target_compile_definitions(egb_daemon PRIVATE EGB_VERSION="${PROJECT_VERSION}")
    target_link_libraries(egb_daemon PUBLIC egb_core egb_host egb_loop egb_engine egb_config egb_state egb_bus
        egb_sinks egb_trace PRIVATE egb_warnings spdlog::spdlog PkgConfig::libsystemd Threads::Threads)

    add_library(egb_catalog STATIC ${folder}/kinds/catalog.cpp)
    target_link_libraries(egb_catalog PUBLIC egb_core egb_host PRIVATE egb_warnings ${kinds})

    add_executable(eghostbusterd ${folder}/main.cpp)
    target_link_libraries(eghostbusterd PRIVATE egb_daemon egb_catalog egb_warnings egb_cli11)

    file(GLOB tests CONFIGURE_DEPENDS ${folder}/*_test.cpp)
    if(BUILD_TESTING AND tests)
        add_executable(unit_daemon ${tests})
        target_link_libraries(unit_daemon PRIVATE egb_daemon egb_catalog egb_harness egb_warnings GTest::gmock_main)
        target_compile_definitions(unit_daemon PRIVATE EGB_TREE="${CMAKE_SOURCE_DIR}")
        egb_unit_tests(daemon)
    endif()
endfunction()
