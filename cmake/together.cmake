# SPDX-License-Identifier: Apache-2.0
# Several sources of a target are compiled as one text: of what it takes to compile one of ours, most is reading the
# headers of libraries. That hides a forgotten #include; EGB_TOGETHER=OFF (so in the preset tsan) does not.

option(EGB_TOGETHER "Compile several sources of a target as one text" ON)

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

# Where together.py says that they can be; it is asked once, for all targets. It knows what sources declare as they are
# now, so that a name that is new in one may move it to another text.
function(egb_compile_all_together)
    egb_targets(${CMAKE_SOURCE_DIR} targets)
    foreach(target IN LISTS targets)
        get_target_property(type ${target} TYPE)
        if(type MATCHES "^(EXECUTABLE|STATIC_LIBRARY)$")
            get_target_property(sources ${target} SOURCES)
            get_target_property(folder ${target} SOURCE_DIR)
            list(FILTER sources INCLUDE REGEX "\\.cpp$")
            list(TRANSFORM sources PREPEND ${folder}/ REGEX "^[^/]")
            list(APPEND question -- ${sources})
            list(APPEND folders ${folder})
            set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_MODE GROUP)
        endif()
    endforeach()
    execute_process(COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/cmake/together.py ${question}
        OUTPUT_VARIABLE answer COMMAND_ERROR_IS_FATAL ANY)
    string(REGEX MATCHALL "[0-9]+ [0-9]+ [^\n]+" answer "${answer}")
    foreach(line IN LISTS answer)
        string(REGEX MATCH "^([0-9]+) ([0-9]+) (.+)$" _ "${line}")
        list(GET folders ${CMAKE_MATCH_1} folder)
        set_source_files_properties(${CMAKE_MATCH_3} DIRECTORY ${folder} PROPERTIES UNITY_GROUP g${CMAKE_MATCH_2})
    endforeach()
endfunction()

if(EGB_TOGETHER)
    find_package(Python3 REQUIRED COMPONENTS Interpreter)
    cmake_language(DEFER DIRECTORY ${CMAKE_SOURCE_DIR} CALL egb_compile_all_together)
endif()
