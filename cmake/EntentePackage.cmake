# SPDX-License-Identifier: Apache-2.0
# What a plugin author needs of an installation: a CMake package and a pkg-config file beside the header.
include(CMakePackageConfigHelpers)

set(ENTENTE_CMAKEDIR ${CMAKE_INSTALL_LIBDIR}/cmake/entente)
set(ENTENTE_HEADER_DIR ${CMAKE_INSTALL_INCLUDEDIR})
set(ENTENTE_PLUGIN_DIR ${CMAKE_INSTALL_LIBDIR}/entente/plugins)
configure_package_config_file(cmake/entente-config.cmake.in ${CMAKE_CURRENT_BINARY_DIR}/package/entente-config.cmake
  INSTALL_DESTINATION ${ENTENTE_CMAKEDIR} PATH_VARS ENTENTE_HEADER_DIR ENTENTE_PLUGIN_DIR)
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/package/entente-config-version.cmake COMPATIBILITY SameMajorVersion)
# A build tree serves as well: -DCMAKE_PREFIX_PATH=BUILD, which is what `entente plugin new` says where it runs in one.
set(ENTENTE_HEADER_DIR ${CMAKE_SOURCE_DIR}/include)
set(ENTENTE_PLUGIN_DIR ${CMAKE_BINARY_DIR}/plugins)
configure_package_config_file(cmake/entente-config.cmake.in ${CMAKE_BINARY_DIR}/lib/cmake/entente/entente-config.cmake
  INSTALL_DESTINATION lib/cmake/entente INSTALL_PREFIX ${CMAKE_BINARY_DIR} PATH_VARS ENTENTE_HEADER_DIR ENTENTE_PLUGIN_DIR)
configure_file(${CMAKE_CURRENT_BINARY_DIR}/package/entente-config-version.cmake
  ${CMAKE_BINARY_DIR}/lib/cmake/entente/entente-config-version.cmake COPYONLY)
file(RELATIVE_PATH ENTENTE_PC_UP /${CMAKE_INSTALL_LIBDIR}/pkgconfig /) # the installation may be moved
configure_file(cmake/entente.pc.in ${CMAKE_CURRENT_BINARY_DIR}/package/entente.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/package/entente-config.cmake
  ${CMAKE_CURRENT_BINARY_DIR}/package/entente-config-version.cmake DESTINATION ${ENTENTE_CMAKEDIR} COMPONENT plugin-author)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/package/entente.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig
  COMPONENT plugin-author)
