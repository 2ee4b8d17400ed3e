# Configures the project with fs-store off while every third-party package is hidden, and looks into the cache
# for any that was searched for all the same.
file(REMOVE_RECURSE "${BINARY}")
set(packages simdjson RapidJSON CLI11 PkgConfig GTest benchmark Python3)
list(TRANSFORM packages REPLACE "(.+)" "-DCMAKE_DISABLE_FIND_PACKAGE_\\1=ON" OUTPUT_VARIABLE hidden)
execute_process(
  COMMAND "${CMAKE_COMMAND}" -S "${SOURCE}" -B "${BINARY}" -G Ninja -DCMAKE_CXX_COMPILER=${COMPILER}
          -DWORKER_RUNTIME_FS_STORE=OFF ${hidden}
  OUTPUT_VARIABLE output ERROR_VARIABLE output RESULT_VARIABLE result)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "core alone does not configure:\n${output}")
endif()
file(STRINGS "${BINARY}/CMakeCache.txt" searched REGEX "^(simdjson|RapidJSON|CLI11|PKG_CONFIG|isal|GTest|benchmark)_")
if(searched)
  message(FATAL_ERROR "searched for with fs-store off: ${searched}")
endif()
file(REMOVE_RECURSE "${BINARY}")
