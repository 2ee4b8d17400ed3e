# What `cpack` makes: of the build in build/release a tarball that can be unpacked anywhere; of the one in
# build/package, whose prefix is /usr, three Debian packages: libworker-runtime0.1, libworker-runtime-dev,
# worker-runtime.

set(soname_version ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
set(library_package libworker-runtime${soname_version})
set(CPACK_PACKAGE_NAME worker-runtime)
set(CPACK_PACKAGE_VENDOR "the worker-runtime authors")
set(CPACK_PACKAGE_CONTACT "the worker-runtime authors <worker-runtime@noreply.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_PACKAGE_DIRECTORY ${PROJECT_SOURCE_DIR}/build/packages)
set(CPACK_RESOURCE_FILE_LICENSE ${PROJECT_SOURCE_DIR}/LICENSE)
set(CPACK_STRIP_FILES ON)

if(NOT CMAKE_INSTALL_PREFIX STREQUAL "/usr")
  set(CPACK_GENERATOR TGZ)
  include(CPack)
  return()
endif()

set(CPACK_GENERATOR DEB)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_ALL libraries development tool)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# The packaged libraries need each other.
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${PROJECT_BINARY_DIR}/core ${PROJECT_BINARY_DIR}/fs_store)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS_POLICY ">=")

set(about "A Runtime keeps many long-lived Workers, such as agents, jobs and bots, accepts
their input, and records a transcript per Worker and one ordered event log, in
memory or in plain JSON files that survive crashes and power cuts.")

set(CPACK_DEBIAN_LIBRARIES_PACKAGE_NAME ${library_package})
set(CPACK_DEBIAN_LIBRARIES_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_LIBRARIES_PACKAGE_CONTROL_EXTRA ${PROJECT_SOURCE_DIR}/packaging/triggers)
# Three libraries of one version that belong together; and the scripts are CPack's, which has no option for the
# trigger that does the same.
file(WRITE ${PROJECT_BINARY_DIR}/${library_package}
     "${library_package}: package-name-doesnt-match-sonames\n${library_package}: maintscript-calls-ldconfig\n")
install(FILES ${PROJECT_BINARY_DIR}/${library_package} DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/lintian/overrides
        COMPONENT libraries EXCLUDE_FROM_ALL)
set(CPACK_DEBIAN_LIBRARIES_DESCRIPTION "durable runtime for long-lived workers (shared libraries)\n${about}")

set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libworker-runtime-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS "${library_package} (= ${PROJECT_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE})")
# A program that links the archive of fs-store needs these as well.
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_RECOMMENDS "libsimdjson-dev, libisal-dev, pkg-config")
set(CPACK_DEBIAN_DEVELOPMENT_DESCRIPTION
    "durable runtime for long-lived workers (development files)\n${about}\n.\nHeaders, archives, CMake package and pkg-config files, for C++ and C.")

set(CPACK_DEBIAN_TOOL_PACKAGE_NAME worker-runtime)
set(CPACK_DEBIAN_TOOL_PACKAGE_SECTION utils)
set(CPACK_DEBIAN_TOOL_DESCRIPTION
    "durable runtime for long-lived workers (command-line tool)\n${about}\n.\nThis package has the tool to look at, drive, check and mend such stores.")

# Debian wants compressed pages, and in every package its licence and what changed in it.
set(CPACK_PRE_BUILD_SCRIPTS ${PROJECT_SOURCE_DIR}/packaging/compress-pages.cmake)
string(TIMESTAMP now "%a, %d %b %Y %H:%M:%S +0000" UTC)
set(debian_changelog ${PROJECT_BINARY_DIR}/changelog.Debian)
file(WRITE ${debian_changelog}
     "worker-runtime (${PROJECT_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE}) unstable; urgency=medium

  * Release ${PROJECT_VERSION}; what is new stands in changelog.gz.

 -- ${CPACK_PACKAGE_CONTACT}  ${now}
")
set(copyright ${PROJECT_BINARY_DIR}/copyright)
file(READ ${PROJECT_SOURCE_DIR}/LICENSE license)
string(REPLACE "\n\n" "\n.\n" license "${license}")
string(REPLACE "\n" "\n " license "${license}")
string(STRIP "${license}" license)
file(WRITE ${copyright} "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: worker-runtime

Files: *
Copyright: 2026 the worker-runtime authors
License: Expat
 ${license}
")
foreach(component libraries development tool)
  string(TOUPPER ${component} key)
  set(directory ${CMAKE_INSTALL_DATAROOTDIR}/doc/${CPACK_DEBIAN_${key}_PACKAGE_NAME})
  install(FILES ${copyright} ${debian_changelog} DESTINATION ${directory} COMPONENT ${component} EXCLUDE_FROM_ALL)
  install(FILES ${PROJECT_SOURCE_DIR}/CHANGELOG.md DESTINATION ${directory} COMPONENT ${component} RENAME changelog
          EXCLUDE_FROM_ALL)
endforeach()

include(CPack)
