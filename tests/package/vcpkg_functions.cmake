# Stand-ins for the functions of vcpkg that the port calls, and the port run with them:
#   cmake -DPORT=DIR -DOUT=DIR -DLINKAGE=static|dynamic -DFEATURES="a;b" -P vcpkg_functions.cmake
# OUT/packages is what vcpkg would install. Dependencies come from the system; there is no debug build.
cmake_minimum_required(VERSION 3.25)

set(CURRENT_PORT_DIR ${PORT})
set(CURRENT_PACKAGES_DIR ${OUT}/packages)
set(VCPKG_LIBRARY_LINKAGE ${LINKAGE})
set(build_dir ${OUT}/build)

function(run)
  execute_process(COMMAND ${ARGV} COMMAND_ERROR_IS_FATAL ANY OUTPUT_QUIET)
endfunction()

function(vcpkg_check_features)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "OUT_FEATURE_OPTIONS" "FEATURES")
  set(options "")
  while(arg_FEATURES)
    list(POP_FRONT arg_FEATURES feature switch)
    if(feature IN_LIST FEATURES)
      list(APPEND options -D${switch}=ON)
    else()
      list(APPEND options -D${switch}=OFF)
    endif()
  endwhile()
  set(${arg_OUT_FEATURE_OPTIONS} "${options}" PARENT_SCOPE)
endfunction()

function(vcpkg_find_acquire_program program)
  find_program(found NAMES pkg-config REQUIRED)
  set(${program} ${found} PARENT_SCOPE)
endfunction()

function(vcpkg_cmake_configure)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "SOURCE_PATH" "OPTIONS")
  if(LINKAGE STREQUAL "dynamic")
    list(APPEND arg_OPTIONS -DBUILD_SHARED_LIBS=ON)
  else()
    list(APPEND arg_OPTIONS -DBUILD_SHARED_LIBS=OFF)
  endif()
  run(${CMAKE_COMMAND} -S ${arg_SOURCE_PATH} -B ${build_dir} -G Ninja -DCMAKE_BUILD_TYPE=Release
      -DCMAKE_INSTALL_PREFIX=${CURRENT_PACKAGES_DIR} -DCMAKE_INSTALL_LIBDIR=lib ${arg_OPTIONS})
endfunction()

function(vcpkg_cmake_install)
  run(${CMAKE_COMMAND} --build ${build_dir} --target install)
endfunction()

# Moves the package's own files, whose paths are relative to where they stand.
function(vcpkg_cmake_config_fixup)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "PACKAGE_NAME;CONFIG_PATH" "")
  set(share ${CURRENT_PACKAGES_DIR}/share/${arg_PACKAGE_NAME})
  file(MAKE_DIRECTORY ${CURRENT_PACKAGES_DIR}/share)
  file(RENAME ${CURRENT_PACKAGES_DIR}/${arg_CONFIG_PATH} ${share})
  file(REMOVE_RECURSE ${CURRENT_PACKAGES_DIR}/lib/cmake)
  file(GLOB files ${share}/*.cmake)
  foreach(file IN LISTS files)
    file(READ ${file} text)
    # Three levels down to two: "lib/cmake/NAME" is "share/NAME" now.
    string(REPLACE "\${CMAKE_CURRENT_LIST_DIR}/../../../" "\${CMAKE_CURRENT_LIST_DIR}/../../" text "${text}")
    string(REGEX REPLACE "(get_filename_component\\(_IMPORT_PREFIX \"\\\${_IMPORT_PREFIX}\" PATH\\)\n)(get_filename_component\\(_IMPORT_PREFIX \"\\\${_IMPORT_PREFIX}\" PATH\\)\n)" "\\1" text "${text}")
    file(WRITE ${file} "${text}")
  endforeach()
endfunction()

function(vcpkg_fixup_pkgconfig)
endfunction()

function(vcpkg_copy_tools)
  cmake_parse_arguments(PARSE_ARGV 0 arg "AUTO_CLEAN" "" "TOOL_NAMES")
  foreach(tool IN LISTS arg_TOOL_NAMES)
    file(COPY ${CURRENT_PACKAGES_DIR}/bin/${tool} DESTINATION ${CURRENT_PACKAGES_DIR}/tools/worker-runtime)
    file(REMOVE ${CURRENT_PACKAGES_DIR}/bin/${tool})
  endforeach()
endfunction()

function(vcpkg_install_copyright)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "" "FILE_LIST")
  file(COPY ${arg_FILE_LIST} DESTINATION ${CURRENT_PACKAGES_DIR}/share/worker-runtime)
endfunction()

include(${PORT}/portfile.cmake)
