# Run by cpack over what it is about to pack: manual pages and changelogs are compressed.
file(GLOB_RECURSE pages "${CPACK_TEMPORARY_DIRECTORY}/*.1" "${CPACK_TEMPORARY_DIRECTORY}/changelog"
     "${CPACK_TEMPORARY_DIRECTORY}/changelog.Debian")
list(FILTER pages INCLUDE REGEX "/(share/man/man1/[^/]*|changelog|changelog\\.Debian)$")
foreach(page IN LISTS pages)
  execute_process(COMMAND gzip --best --no-name --force "${page}" COMMAND_ERROR_IS_FATAL ANY)
endforeach()
