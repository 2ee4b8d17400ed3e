# Everything that this project takes from others, each with its reason. Core takes nothing but the
# platform's threads; a part that is switched off is not searched for.

# Core: waiters and the group commit.
set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)

if(WORKER_RUNTIME_FS_STORE)
  # Reading JSON: validates UTF-8 and structure at gigabytes a second, so verify and open are bound by the disk.
  find_package(simdjson REQUIRED)
  # Writing JSON: a streaming writer into our own buffer; headers only.
  find_package(RapidJSON REQUIRED)
  # CRC-32C of every line: picks the processor's fastest instructions when the program starts.
  find_package(PkgConfig REQUIRED)
  pkg_check_modules(isal REQUIRED IMPORTED_TARGET libisal)

  add_library(worker_runtime_rapidjson INTERFACE)
  # Its package has a target of this name, or, as Debian's, the directory alone.
  if(TARGET rapidjson)
    target_link_libraries(worker_runtime_rapidjson INTERFACE rapidjson)
  else()
    target_include_directories(worker_runtime_rapidjson SYSTEM INTERFACE ${RAPIDJSON_INCLUDE_DIRS})
  endif()
  target_compile_definitions(worker_runtime_rapidjson INTERFACE RAPIDJSON_HAS_STDSTRING=1)
endif()

if(WORKER_RUNTIME_CLI)
  # Command line: subcommands, validation and help from one declaration; headers only.
  find_package(CLI11 REQUIRED)
  # `search --regex`: time that is linear in the text, whatever the pattern.
  find_package(PkgConfig REQUIRED)
  pkg_check_modules(re2 REQUIRED IMPORTED_TARGET re2)
  # The data of `report`, compressed.
  find_package(ZLIB REQUIRED)
endif()

if(WORKER_RUNTIME_TESTS OR WORKER_RUNTIME_FUZZ)
  # Tests in C++; fuzzers use some of their helpers.
  find_package(GTest REQUIRED)
endif()
if(WORKER_RUNTIME_TESTS)
  # The checks of sources and packages in Python.
  find_package(Python3 REQUIRED COMPONENTS Interpreter)
endif()

if(WORKER_RUNTIME_BENCHMARKS)
  # Benchmarks: repetitions and statistics.
  find_package(benchmark REQUIRED)
endif()

if(WORKER_RUNTIME_FUZZ AND NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  message(FATAL_ERROR "WORKER_RUNTIME_FUZZ needs clang (libFuzzer); use the preset `fuzz`.")
endif()
