# SPDX-License-Identifier: Apache-2.0
# BPF objects, without the build machine's BTF: bpf/kernel_types.h says which fields are read, and the kernel
# that loads the object says where they are.

set(EGB_BPF_FOLDER ${CMAKE_SOURCE_DIR}/bpf)
set(EGB_BPF_FLAGS -g -O2 -std=gnu11 -mcpu=v3 -Wall -Wextra -Werror -Wno-unused-parameter
    # The names of the sources are in the object, and are not to say where it was compiled.
    -ffile-prefix-map=${CMAKE_SOURCE_DIR}=.
    -I${EGB_BPF_FOLDER} -I${libbpf_INCLUDEDIR})
if(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
    set(EGB_BPF_ARCH arm64)
else()
    set(EGB_BPF_ARCH x86)
endif()

# egb_bpf_compile(SOURCE ARCH OUTPUT): one object for one architecture.
function(egb_bpf_compile source arch output)
    file(GLOB headers CONFIGURE_DEPENDS ${EGB_BPF_FOLDER}/*.h)
    add_custom_command(OUTPUT ${output}
        COMMAND ${EGB_CLANG} -target bpf -D__TARGET_ARCH_${arch} ${EGB_BPF_FLAGS}
            -c ${source} -o ${output}
        COMMAND ${EGB_LLVM_STRIP} -g ${output}
        DEPENDS ${source} ${headers}
        COMMENT "BPF object ${output}" VERBATIM)
endfunction()

# egb_bpf_object(NAME [FOLDER]): NAME.bpf.c of that folder (bpf/ when none is named) as the library bpf_NAME, which
# brings <NAME>.skel.h and the record layouts of bpf/.
function(egb_bpf_object name)
    set(source ${EGB_BPF_FOLDER}/${name}.bpf.c)
    if(ARGC GREATER 1)
        set(source ${ARGV1}/${name}.bpf.c)
    endif()
    set(folder ${CMAKE_BINARY_DIR}/bpf)
    file(MAKE_DIRECTORY ${folder})
    set(object ${folder}/${name}.bpf.o)
    set(skeleton ${folder}/${name}.skel.h)
    egb_bpf_compile(${source} ${EGB_BPF_ARCH} ${object})
    add_custom_command(OUTPUT ${skeleton}
        COMMAND ${EGB_BPFTOOL} gen skeleton ${object} name ${name}_bpf > ${skeleton}
        DEPENDS ${object} VERBATIM)
    add_custom_target(skeleton_${name} DEPENDS ${skeleton})
    add_library(bpf_${name} INTERFACE)
    add_dependencies(bpf_${name} skeleton_${name})
    target_include_directories(bpf_${name} SYSTEM INTERFACE ${folder})
    target_include_directories(bpf_${name} INTERFACE ${CMAKE_SOURCE_DIR})
    target_link_libraries(bpf_${name} INTERFACE PkgConfig::libbpf)

    if(ARGC GREATER 1) # a test's: it is not shipped
        return()
    endif()
    foreach(arch x86 arm64)
        egb_bpf_compile(${source} ${arch} ${folder}/${name}.${arch}.bpf.o)
        set_property(GLOBAL APPEND PROPERTY EGB_BPF_CROSS ${folder}/${name}.${arch}.bpf.o)
    endforeach()
endfunction()

# The target `bpf_cross` compiles every object for every architecture we ship on.
function(egb_bpf_cross)
    get_property(objects GLOBAL PROPERTY EGB_BPF_CROSS)
    add_custom_target(bpf_cross DEPENDS ${objects})
endfunction()
cmake_language(DEFER DIRECTORY ${CMAKE_SOURCE_DIR} CALL egb_bpf_cross)
