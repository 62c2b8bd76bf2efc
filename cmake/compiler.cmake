# SPDX-License-Identifier: Apache-2.0
set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

# What the library leaves undefined, such as the error of a result that has none, ends the program in its place: a daemon
# that is started anew does less harm than one that takes what is in memory for an answer, and a test of it can fail.
add_compile_definitions(_GLIBCXX_ASSERTIONS)

add_library(egb_warnings INTERFACE)
target_compile_options(egb_warnings INTERFACE
    -Wall -Wextra -Wpedantic -Werror
    # Of sources that are compiled together, a parameter in one may be a function of another.
    $<$<NOT:$<BOOL:$<TARGET_PROPERTY:UNITY_BUILD>>>:-Wshadow>
    -Wconversion -Wsign-conversion -Wnon-virtual-dtor
    -Wold-style-cast -Woverloaded-virtual -Wzero-as-null-pointer-constant -Wformat=2 -Wimplicit-fallthrough
    # Takes a reference into a view for one into a temporary.
    $<$<CXX_COMPILER_ID:GNU>:-Wno-dangling-reference>)

# Debugging information names sources as they are in the tree, whether the compiler was told a path from the root or, as
# the compiler cache does it, from the build folder; and never that folder. So the same tree makes the same programs.
cmake_path(RELATIVE_PATH CMAKE_SOURCE_DIR BASE_DIRECTORY ${CMAKE_BINARY_DIR} OUTPUT_VARIABLE egb_up)
add_compile_options(-ffile-prefix-map=${CMAKE_SOURCE_DIR}=. -ffile-prefix-map=${egb_up}=.
    -ffile-prefix-map=${CMAKE_BINARY_DIR}=build -ffile-prefix-map=${CMAKE_BINARY_DIR}/=)

set(EGB_SANITIZE "" CACHE STRING "Sanitizers to build with, as -fsanitize= takes them")
if(EGB_SANITIZE)
    add_compile_options(-fsanitize=${EGB_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
    add_link_options(-fsanitize=${EGB_SANITIZE})
endif()
