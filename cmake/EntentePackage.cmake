# SPDX-License-Identifier: Apache-2.0
# What a plugin author needs of an installation: a CMake package and a pkg-config file beside the header.
include(CMakePackageConfigHelpers)

set(ENTENTE_CMAKEDIR ${CMAKE_INSTALL_LIBDIR}/cmake/entente)
configure_package_config_file(cmake/entente-config.cmake.in ${CMAKE_CURRENT_BINARY_DIR}/package/entente-config.cmake
  INSTALL_DESTINATION ${ENTENTE_CMAKEDIR} PATH_VARS CMAKE_INSTALL_INCLUDEDIR CMAKE_INSTALL_LIBDIR)
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/package/entente-config-version.cmake COMPATIBILITY SameMajorVersion)
file(RELATIVE_PATH ENTENTE_PC_UP /${CMAKE_INSTALL_LIBDIR}/pkgconfig /) # the installation may be moved
configure_file(cmake/entente.pc.in ${CMAKE_CURRENT_BINARY_DIR}/package/entente.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/package/entente-config.cmake
  ${CMAKE_CURRENT_BINARY_DIR}/package/entente-config-version.cmake DESTINATION ${ENTENTE_CMAKEDIR} COMPONENT plugin-author)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/package/entente.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig
  COMPONENT plugin-author)
