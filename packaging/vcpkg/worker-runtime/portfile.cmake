# An overlay port: it builds the tree that it stands in. See packaging/README.md.
get_filename_component(SOURCE_PATH "${CURRENT_PORT_DIR}/../../.." ABSOLUTE)

vcpkg_check_features(OUT_FEATURE_OPTIONS features
                     FEATURES fs-store WORKER_RUNTIME_FS_STORE tool WORKER_RUNTIME_CLI)
vcpkg_find_acquire_program(PKGCONFIG)
vcpkg_cmake_configure(SOURCE_PATH "${SOURCE_PATH}" OPTIONS ${features} "-DPKG_CONFIG_EXECUTABLE=${PKGCONFIG}")
vcpkg_cmake_install()
vcpkg_cmake_config_fixup(PACKAGE_NAME worker_runtime CONFIG_PATH lib/cmake/worker_runtime)
vcpkg_fixup_pkgconfig()
if("tool" IN_LIST FEATURES)
  vcpkg_copy_tools(TOOL_NAMES worker-runtime AUTO_CLEAN)
endif()

# An installation has both kinds of library, a triplet has one.
if(VCPKG_LIBRARY_LINKAGE STREQUAL "static")
  set(other "lib/libworker_runtime_*.so*" "debug/lib/libworker_runtime_*.so*" "share/worker_runtime/*-shared*.cmake")
else()
  set(other "lib/libworker_runtime_*.a" "debug/lib/libworker_runtime_*.a" "share/worker_runtime/*-static*.cmake")
endif()
list(TRANSFORM other PREPEND "${CURRENT_PACKAGES_DIR}/")
file(GLOB other ${other})
file(REMOVE ${other})
file(REMOVE_RECURSE "${CURRENT_PACKAGES_DIR}/debug/include" "${CURRENT_PACKAGES_DIR}/debug/share")
vcpkg_install_copyright(FILE_LIST "${SOURCE_PATH}/LICENSE")
