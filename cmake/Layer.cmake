# layer(NAME SOURCES … HEADERS … USES … LIBRARIES … TESTS …)
#
# One static library per folder of src/. USES names the folders it may include, so these lines
# together are the include picture of the project; LIBRARIES are outside libraries. TESTS are
# GoogleTest files beside the units; they become one program NAME_test.
function(layer name)
  cmake_parse_arguments(ARG "" "" "SOURCES;HEADERS;USES;LIBRARIES;TESTS" ${ARGN})
  add_library(re_dms_${name} STATIC ${ARG_SOURCES})
  target_sources(re_dms_${name} PUBLIC FILE_SET HEADERS BASE_DIRS "${CMAKE_SOURCE_DIR}/src" FILES ${ARG_HEADERS})
  list(TRANSFORM ARG_USES PREPEND re_dms_)
  target_link_libraries(re_dms_${name} PUBLIC ${ARG_USES} ${ARG_LIBRARIES})
  if(ARG_TESTS)
    add_executable(${name}_test ${ARG_TESTS})
    target_link_libraries(${name}_test PRIVATE re_dms_${name} GTest::gmock GTest::gtest_main)
    suite_tests(${name}_test ${name} unit 900)
    add_dependencies(sanitized_programs ${name}_test)
  endif()
endfunction()
