# Writes LIST, what CTest reads: a test for each suite that PROGRAM names (SuiteTests.cmake).
execute_process(COMMAND "${PROGRAM}" --gtest_list_tests OUTPUT_VARIABLE output COMMAND_ERROR_IS_FATAL ANY)
# A suite's line ends its name with a dot; its tests are indented below.
string(REGEX MATCHALL "(^|\n)[A-Za-z0-9_/]+\\." lines "${output}")
if(NOT lines)
  message(FATAL_ERROR "${PROGRAM} names no test suite")
endif()
set(tests "")
foreach(line IN LISTS lines)
  string(REGEX REPLACE "[\n.]" "" suite "${line}")
  string(APPEND tests
    "add_test(\"${PREFIX}.${suite}\" \"${PROGRAM}\" \"--gtest_filter=${suite}.*\")\n"
    "set_tests_properties(\"${PREFIX}.${suite}\" PROPERTIES LABELS \"${LABEL}\" TIMEOUT ${TIMEOUT})\n")
endforeach()
file(WRITE "${LIST}" "${tests}")
