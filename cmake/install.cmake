# What `cmake --install` delivers: per component of the library its headers, both kinds of library, a .pc file
# and a CMake package; and the command-line tool with its manual pages. The COMPONENT of each rule says into which
# Debian package it goes: cmake/package.cmake.

if(NOT PROJECT_IS_TOP_LEVEL)
  return()
endif()
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/worker_runtime)

# worker_runtime_install_component(NAME DESCRIPTION text [REQUIRES "other .pc files"]
#                                  [LIBS_PRIVATE "what a static link needs besides"])
function(worker_runtime_install_component name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "DESCRIPTION;REQUIRES;LIBS_PRIVATE" "")
  foreach(kind static shared)
    set(export worker_runtime_${name}_${kind})
    install(TARGETS worker_runtime_${name}_${kind} EXPORT ${export}
            ARCHIVE COMPONENT development
            LIBRARY COMPONENT libraries NAMELINK_COMPONENT development)
    install(EXPORT ${export} NAMESPACE worker_runtime:: DESTINATION ${package_dir}
            FILE worker_runtime-${name}-${kind}.cmake COMPONENT development)
  endforeach()
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/${name}/include/ TYPE INCLUDE COMPONENT development)

  # Found from where the file stands, so that an installed tree can be moved.
  set(pc_dir ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
  if(IS_ABSOLUTE "${CMAKE_INSTALL_LIBDIR}")
    set(pc_libdir ${CMAKE_INSTALL_LIBDIR})
    set(pc_prefix ${CMAKE_INSTALL_PREFIX})
  else()
    file(RELATIVE_PATH up "/${pc_dir}" "/")
    string(REGEX REPLACE "/$" "" up "${up}")
    set(pc_prefix "\${pcfiledir}/${up}")
    set(pc_libdir "\${prefix}/${CMAKE_INSTALL_LIBDIR}")
  endif()
  if(IS_ABSOLUTE "${CMAKE_INSTALL_INCLUDEDIR}")
    set(pc_includedir ${CMAKE_INSTALL_INCLUDEDIR})
  else()
    set(pc_includedir "\${prefix}/${CMAKE_INSTALL_INCLUDEDIR}")
  endif()
  configure_file(${PROJECT_SOURCE_DIR}/cmake/component.pc.in
                 ${PROJECT_BINARY_DIR}/worker_runtime_${name}.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/worker_runtime_${name}.pc DESTINATION ${pc_dir}
          COMPONENT development)
endfunction()

worker_runtime_install_component(core DESCRIPTION "Runtime for long-lived workers, in memory")
if(WORKER_RUNTIME_FS_STORE)
  worker_runtime_install_component(
    fs_store
    DESCRIPTION "Persistent store for worker_runtime, in plain JSON files"
    REQUIRES "worker_runtime_core = ${PROJECT_VERSION}"
    LIBS_PRIVATE "-lsimdjson -lisal")
  worker_runtime_install_component(
    c
    DESCRIPTION "C interface of worker_runtime, for bindings of other languages"
    REQUIRES "worker_runtime_fs_store = ${PROJECT_VERSION}"
    LIBS_PRIVATE "-lstdc++")
endif()

configure_package_config_file(
  cmake/worker_runtime-config.cmake.in ${PROJECT_BINARY_DIR}/worker_runtime-config.cmake
  INSTALL_DESTINATION ${package_dir}
  NO_SET_AND_CHECK_MACRO)
# Before 1.0 a minor version may change the API.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/worker_runtime-config-version.cmake
                                 COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/worker_runtime-config.cmake
              ${PROJECT_BINARY_DIR}/worker_runtime-config-version.cmake
        DESTINATION ${package_dir} COMPONENT development)

if(TARGET worker_runtime_cli)
  install(TARGETS worker_runtime_cli COMPONENT tool)
  file(GLOB manual_pages CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/docs/man/*.1)
  install(FILES ${manual_pages} DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT tool)
  install(DIRECTORY ${PROJECT_BINARY_DIR}/cli/share/man/ DESTINATION ${CMAKE_INSTALL_MANDIR} COMPONENT tool)
  install(DIRECTORY ${PROJECT_BINARY_DIR}/cli/share/bash-completion ${PROJECT_BINARY_DIR}/cli/share/zsh
                    ${PROJECT_BINARY_DIR}/cli/share/fish
          DESTINATION ${CMAKE_INSTALL_DATAROOTDIR} COMPONENT tool)
endif()
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE TYPE DOC COMPONENT license)
if(WORKER_RUNTIME_FS_STORE)
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/docs/schema TYPE DOC COMPONENT tool FILES_MATCHING PATTERN *.json)
endif()

include(cmake/package.cmake)
