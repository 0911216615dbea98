# suite_tests(TARGET PREFIX LABEL TIMEOUT)
#
# One CTest test for each GoogleTest suite of a program, PREFIX.Suite: what a suite sets up, as a
# PostgreSQL, is set up once for all its tests, and nobody waits for a process a test. The suites are
# asked for after each build of the program. (gtest_discover_tests makes a test of each TEST.)
set(_suite_list_script "${CMAKE_CURRENT_LIST_DIR}/ListSuites.cmake")

function(suite_tests target prefix label timeout)
  set(list "${CMAKE_CURRENT_BINARY_DIR}/${target}_suites.cmake")
  add_custom_command(TARGET ${target} POST_BUILD BYPRODUCTS "${list}" VERBATIM
    COMMAND "${CMAKE_COMMAND}" -D "PROGRAM=$<TARGET_FILE:${target}>" -D "LIST=${list}" -D "PREFIX=${prefix}"
            -D "LABEL=${label}" -D "TIMEOUT=${timeout}" -P "${_suite_list_script}")
  set(include "${CMAKE_CURRENT_BINARY_DIR}/${target}_include.cmake")
  file(WRITE "${include}"
    "if(EXISTS \"${list}\")\n  include(\"${list}\")\nelse()\n  add_test(${prefix}.not_built ${target}_not_built)\n"
    "  set_tests_properties(${prefix}.not_built PROPERTIES LABELS ${label})\nendif()\n")
  set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES "${include}")
endfunction()
