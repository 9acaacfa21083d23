# SPDX-License-Identifier: Apache-2.0
# What `cmake --install` lays down besides the programs and plugins (ent_program, ent_plugin) and what a plugin author needs
# (EntentePackage.cmake): the Python package, the rulebook, the documents. The tree may be moved as a whole: every part
# finds the others by its own place.

set(ENTENTE_SCRIPTS_DIR share/entente/scripts) # core/config/install.c looks here
install(DIRECTORY scripts/entente scripts/rulebook DESTINATION ${ENTENTE_SCRIPTS_DIR} PATTERN __pycache__ EXCLUDE)
# The worker that runs the rules may not write: what is not compiled now would be compiled at each of its starts.
install(CODE "
  execute_process(COMMAND /usr/bin/python3 -m compileall -q -s \"\$ENV{DESTDIR}\"
    \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${ENTENTE_SCRIPTS_DIR}\" COMMAND_ERROR_IS_FATAL ANY)")

install(FILES README.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY docs examples DESTINATION ${CMAKE_INSTALL_DOCDIR} PATTERN store EXCLUDE PATTERN build EXCLUDE)

# The units, with the programs where this installation has them. Not enabled: docs/operating.md says what comes before.
foreach(unit entente.service entente-backup.service entente-backup.timer)
  file(READ examples/systemd/${unit} text)
  string(REPLACE /usr/local/bin/ ${CMAKE_INSTALL_FULL_BINDIR}/ text "${text}")
  string(REPLACE /usr/local/share/doc/entente/ ${CMAKE_INSTALL_FULL_DOCDIR}/ text "${text}")
  file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/systemd/${unit} "${text}")
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/systemd/${unit} DESTINATION lib/systemd/system COMPONENT service)
endforeach()
install(FILES examples/systemd/entente.sysusers DESTINATION lib/sysusers.d RENAME entente.conf COMPONENT service)
