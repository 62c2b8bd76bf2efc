# SPDX-License-Identifier: Apache-2.0
# `cmake --install` puts everything where a distribution expects it, and asks the distribution where that is.

# egb_ask(VARIABLE PACKAGE NAME): a folder out of a .pc file, below our own prefix.
function(egb_ask variable package name)
    pkg_get_variable(folder ${package} ${name} DEFINE_VARIABLES prefix=${CMAKE_INSTALL_PREFIX}
        rootprefix=${CMAKE_INSTALL_PREFIX} root_prefix=${CMAKE_INSTALL_PREFIX}
        datarootdir=${CMAKE_INSTALL_FULL_DATAROOTDIR} datadir=${CMAKE_INSTALL_FULL_DATADIR})
    if(NOT folder)
        message(FATAL_ERROR "${package}.pc does not say where ${name} is")
    endif()
    set(${variable} ${folder} PARENT_SCOPE)
endfunction()

egb_ask(EGB_UNIT_DIR systemd systemd_system_unit_dir)
egb_ask(EGB_PRESET_DIR systemd systemd_system_preset_dir)
egb_ask(EGB_SYSUSERS_DIR systemd sysusers_dir)
egb_ask(EGB_TMPFILES_DIR systemd tmpfiles_dir)
egb_ask(EGB_CATALOG_DIR systemd catalog_dir)

install(TARGETS eghostbusterd DESTINATION ${CMAKE_INSTALL_SBINDIR})
install(TARGETS ghostctl DESTINATION ${CMAKE_INSTALL_BINDIR})

set(units ${CMAKE_SOURCE_DIR}/units)
configure_file(${units}/eghostbuster.service.in ${CMAKE_BINARY_DIR}/eghostbuster.service @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/eghostbuster.service DESTINATION ${EGB_UNIT_DIR})
install(FILES ${units}/80-eghostbuster.preset DESTINATION ${EGB_PRESET_DIR})
install(FILES ${units}/eghostbuster.sysusers DESTINATION ${EGB_SYSUSERS_DIR} RENAME eghostbuster.conf)
install(FILES ${units}/eghostbuster.tmpfiles DESTINATION ${EGB_TMPFILES_DIR} RENAME eghostbuster.conf)
install(FILES ${units}/eghostbuster.catalog DESTINATION ${EGB_CATALOG_DIR})
install(FILES ${units}/eghostbuster.conf DESTINATION ${CMAKE_INSTALL_FULL_SYSCONFDIR}/eghostbuster)
install(DIRECTORY DESTINATION ${CMAKE_INSTALL_FULL_SYSCONFDIR}/eghostbuster/eghostbuster.conf.d)

set(dbus ${CMAKE_SOURCE_DIR}/dbus)
set(dbus_share ${CMAKE_INSTALL_DATADIR}/dbus-1)
install(FILES ${dbus}/org.eghostbuster1.Manager.xml ${dbus}/org.eghostbuster1.Kind.xml
    DESTINATION ${dbus_share}/interfaces)
install(FILES ${dbus}/org.eghostbuster1.conf DESTINATION ${dbus_share}/system.d)
install(FILES ${dbus}/org.eghostbuster1.service DESTINATION ${dbus_share}/system-services)
install(FILES ${dbus}/eghostbuster-units.rules ${dbus}/eghostbuster-private.conf
    DESTINATION ${CMAKE_INSTALL_DATADIR}/eghostbuster)
install(FILES ${dbus}/org.eghostbuster1.policy DESTINATION ${CMAKE_INSTALL_DATADIR}/polkit-1/actions)

set(completions ${CMAKE_SOURCE_DIR}/cli/completions)
install(FILES ${completions}/ghostctl.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions
    RENAME ghostctl)
set(EGB_ZSH_FOLDER ${CMAKE_INSTALL_DATADIR}/zsh/site-functions CACHE STRING "Where zsh looks for completions")
install(FILES ${completions}/_ghostctl DESTINATION ${EGB_ZSH_FOLDER})
install(FILES ${completions}/ghostctl.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)

foreach(page ghostctl.1 eghostbuster.conf.5 eghostbusterd.8)
    string(REGEX MATCH "[0-9]$" section ${page})
    configure_file(${CMAKE_SOURCE_DIR}/docs/man/${page}.in ${CMAKE_BINARY_DIR}/man/${page} @ONLY)
    install(FILES ${CMAKE_BINARY_DIR}/man/${page} DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section})
endforeach()
install(FILES ${CMAKE_SOURCE_DIR}/README.md ${CMAKE_SOURCE_DIR}/CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
