# Catch2 version 3 if found, else version 2; tests/support/catch.hpp hides the rest.
find_package(Catch2 REQUIRED)

if(Catch2_VERSION VERSION_LESS 3)
  add_library(cotter_catch_main STATIC ${PROJECT_SOURCE_DIR}/tests/support/catch_main.cpp)
  target_link_libraries(cotter_catch_main PUBLIC Catch2::Catch2)
  # What Catch2 can print depends on the standard; its half and ours must agree.
  target_compile_features(cotter_catch_main PUBLIC cxx_std_20)
else()
  add_library(cotter_catch_main INTERFACE)
  target_link_libraries(cotter_catch_main INTERFACE Catch2::Catch2WithMain)
endif()
include(Catch)

# cotter_add_test(NAME SOURCES... [LIBRARIES ...] [LABELS ...] [FIXTURES ...] [ENVIRONMENT ...] [WHOLE])
#   one executable; every TEST_CASE becomes a CTest test named NAME: <case>, with the labels.
#   WHOLE runs the executable as one test instead (cheaper where there are many tiny cases).
function(cotter_add_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "WHOLE" "" "LIBRARIES;LABELS;FIXTURES;ENVIRONMENT")
  add_executable(${name} ${arg_UNPARSED_ARGUMENTS})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_link_libraries(${name} PRIVATE cotter::cotter cotter::testing cotter_development
    cotter_catch_main ${arg_LIBRARIES})
  # A name that Catch2 does not find is a test that has not run: it ends well all the same.
  set(properties TIMEOUT 120 FAIL_REGULAR_EXPRESSION "No test(s ran| cases matched)")
  if(arg_LABELS)
    # Catch2's discovery flattens a list inside a property and loses what comes after it: one label
    # that holds all the words is found by `ctest -L` for each of them.
    list(JOIN arg_LABELS "-" label)
    list(APPEND properties LABELS ${label})
  endif()
  if(arg_FIXTURES)
    list(APPEND properties FIXTURES_REQUIRED "${arg_FIXTURES}")
  endif()
  if(arg_ENVIRONMENT)
    list(APPEND properties ENVIRONMENT "${arg_ENVIRONMENT}")
  endif()
  if(arg_WHOLE)
    add_test(NAME ${name} COMMAND ${name})
    set_tests_properties(${name} PROPERTIES ${properties})
  else()
    catch_discover_tests(${name} TEST_PREFIX "${name}: " PROPERTIES ${properties}
      DISCOVERY_MODE PRE_TEST)
  endif()
endfunction()
