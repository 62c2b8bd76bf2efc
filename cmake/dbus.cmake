# SPDX-License-Identifier: Apache-2.0
# dbus/*.xml is the API. The daemon's adaptors and the client's proxies are generated from it.

set(EGB_DBUS_FOLDER ${CMAKE_BINARY_DIR}/dbus)
file(MAKE_DIRECTORY ${EGB_DBUS_FOLDER})

# egb_dbus_generate(NAME FILE): NAME_adaptor.hpp and NAME_proxy.hpp.
function(egb_dbus_generate name file)
    set(adaptor ${EGB_DBUS_FOLDER}/${name}_adaptor.hpp)
    set(proxy ${EGB_DBUS_FOLDER}/${name}_proxy.hpp)
    add_custom_command(OUTPUT ${adaptor} ${proxy}
        COMMAND ${EGB_XML2CPP} ${CMAKE_SOURCE_DIR}/dbus/${file} --adaptor=${adaptor} --proxy=${proxy}
        DEPENDS ${CMAKE_SOURCE_DIR}/dbus/${file} VERBATIM)
    set_property(GLOBAL APPEND PROPERTY EGB_DBUS_HEADERS ${adaptor} ${proxy})
endfunction()

egb_dbus_generate(manager org.eghostbuster1.Manager.xml)
egb_dbus_generate(kind org.eghostbuster1.Kind.xml)
egb_dbus_generate(log_control org.freedesktop.LogControl1.xml)

get_property(headers GLOBAL PROPERTY EGB_DBUS_HEADERS)
add_custom_target(dbus_headers DEPENDS ${headers})
foreach(side adaptors proxies)
    add_library(egb_dbus_${side} INTERFACE)
    add_dependencies(egb_dbus_${side} dbus_headers)
    target_include_directories(egb_dbus_${side} SYSTEM INTERFACE ${EGB_DBUS_FOLDER})
    target_link_libraries(egb_dbus_${side} INTERFACE PkgConfig::sdbus)
endforeach()
