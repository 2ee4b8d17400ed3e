# Runs PROGRAM with DIRECTORY, made anew and empty, as its only argument; fails as it fails.
file(REMOVE_RECURSE "${DIRECTORY}")
file(MAKE_DIRECTORY "${DIRECTORY}")
execute_process(COMMAND "${PROGRAM}" "${DIRECTORY}" RESULT_VARIABLE result)
if(NOT result STREQUAL "0")
  message(FATAL_ERROR "${PROGRAM} ended with ${result}; its directory was ${DIRECTORY}")
endif()
file(REMOVE_RECURSE "${DIRECTORY}")
