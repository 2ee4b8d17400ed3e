# How every target of this project is compiled. Nothing here reaches the users of the library.

set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin")

# The build type decides about optimisation; without one a build would be neither fast nor debuggable.
if(PROJECT_IS_TOP_LEVEL AND NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Debug, Release, RelWithDebInfo or MinSizeRel" FORCE)
endif()

if(PROJECT_IS_TOP_LEVEL AND NOT DEFINED CMAKE_CXX_COMPILER_LAUNCHER)
  find_program(WORKER_RUNTIME_CCACHE ccache)
  mark_as_advanced(WORKER_RUNTIME_CCACHE)
  if(WORKER_RUNTIME_CCACHE)
    set(CMAKE_CXX_COMPILER_LAUNCHER "${WORKER_RUNTIME_CCACHE}")
  endif()
endif()

set(worker_runtime_warnings
    -Wall
    -Wextra
    -Wpedantic
    -Wcast-align
    -Wconversion
    -Wdouble-promotion
    -Wextra-semi
    -Wformat=2
    -Wimplicit-fallthrough
    -Wnon-virtual-dtor
    -Wold-style-cast
    -Woverloaded-virtual
    -Wshadow
    -Wsign-conversion
    -Wundef
    -Wunused
    # Option structs are filled by name, the rest keeps its defaults: that is what they are for.
    -Wno-missing-field-initializers)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # False alarms of g++ 12 on the unused alternatives of every std::variant; clang's analysis does this job.
  list(APPEND worker_runtime_warnings -Wno-maybe-uninitialized)
endif()

# g++ inlines less as a source grows, and those of a unity build are large: a tenth more instructions for an input.
set(worker_runtime_optimisation
    "$<$<AND:$<CXX_COMPILER_ID:GNU>,$<CONFIG:Release>>:SHELL:--param large-unit-insns=100000>")

# Language, warnings, optimisation, visibility: for every target of ours.
function(worker_runtime_configure target)
  target_compile_features(${target} PUBLIC cxx_std_20)
  target_compile_options(${target} PRIVATE ${worker_runtime_warnings} ${worker_runtime_optimisation})
  set_target_properties(
    ${target} PROPERTIES CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
endfunction()

# The same for programs in C: they link our C++, so C++ links them.
function(worker_runtime_configure_c target)
  target_compile_features(${target} PRIVATE c_std_99)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wconversion -Wstrict-prototypes)
  set_target_properties(${target} PROPERTIES C_EXTENSIONS OFF LINKER_LANGUAGE CXX)
endfunction()

# A component of the library, from the sources of the current directory:
#   worker_runtime_NAME_objects   the code, compiled once; tests link it to reach the internals
#   worker_runtime_NAME_static    the archive
#   worker_runtime_NAME_shared    the shared library
#   worker_runtime_NAME, worker_runtime::NAME   one of the two, as BUILD_SHARED_LIBS says
# DEPENDS names components whose public headers it uses, PRIVATE_LIBRARIES what it hides from users,
# PRIVATE_HEADERS header-only libraries that no user needs to have.
function(worker_runtime_add_component name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "DEPENDS;PRIVATE_LIBRARIES;PRIVATE_HEADERS")
  set(prefix worker_runtime_${name})
  file(GLOB sources CONFIGURE_DEPENDS *.cpp *.h)
  file(GLOB_RECURSE headers CONFIGURE_DEPENDS include/*.h)

  add_library(${prefix}_objects OBJECT ${sources} ${headers})
  worker_runtime_configure(${prefix}_objects)
  set_target_properties(${prefix}_objects PROPERTIES POSITION_INDEPENDENT_CODE ON LINKER_LANGUAGE CXX)
  target_include_directories(${prefix}_objects PUBLIC include PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
  list(TRANSFORM arg_DEPENDS REPLACE "(.+)" "worker_runtime_\\1_static" OUTPUT_VARIABLE depends)
  target_link_libraries(
    ${prefix}_objects
    PUBLIC ${depends} Threads::Threads
    PRIVATE ${arg_PRIVATE_LIBRARIES} ${arg_PRIVATE_HEADERS})

  foreach(kind static shared)
    string(TOUPPER ${kind} kind_keyword)
    set(target ${prefix}_${kind})
    add_library(${target} ${kind_keyword} $<TARGET_OBJECTS:${prefix}_objects> ${headers})
    target_compile_features(${target} PUBLIC cxx_std_20)
    target_include_directories(
      ${target} PUBLIC $<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}/include>
                       $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
    list(TRANSFORM arg_DEPENDS REPLACE "(.+)" "worker_runtime_\\1_${kind}" OUTPUT_VARIABLE depends)
    target_link_libraries(
      ${target}
      PUBLIC ${depends} Threads::Threads
      PRIVATE ${arg_PRIVATE_LIBRARIES})
    set_target_properties(
      ${target}
      PROPERTIES LINKER_LANGUAGE CXX
                 OUTPUT_NAME ${prefix}
                 EXPORT_NAME ${name}
                 VERSION ${PROJECT_VERSION}
                 SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}
                 INSTALL_RPATH "$ORIGIN")
  endforeach()

  if(BUILD_SHARED_LIBS)
    set(chosen shared)
    set(other static)
  else()
    set(chosen static)
    set(other shared)
  endif()
  add_library(${prefix} ALIAS ${prefix}_${chosen})
  add_library(worker_runtime::${name} ALIAS ${prefix}_${chosen})
  if(NOT PROJECT_IS_TOP_LEVEL)
    set_target_properties(${prefix}_${other} PROPERTIES EXCLUDE_FROM_ALL ON)
  endif()
endfunction()
