# cmake -DSOURCE=... -DBUILD=... -DGENERATOR=... -DCOMPILER=... [-DPREFIX=...] [-DCOMPONENT=...]
#   [-DCOTTER_SOURCE=...] [-DEXPECT_FAILURE=REGEX] -P check.cmake
# Configures, builds and runs a consumer from nothing.
cmake_minimum_required(VERSION 3.25)
file(REMOVE_RECURSE ${BUILD})

execute_process(
  COMMAND ${CMAKE_COMMAND} -S ${SOURCE} -B ${BUILD} -G ${GENERATOR}
    -DCMAKE_CXX_COMPILER=${COMPILER} -DCMAKE_PREFIX_PATH=${PREFIX} -DCOMPONENT=${COMPONENT}
    -DCOTTER_SOURCE=${COTTER_SOURCE} -DCMAKE_FIND_USE_PACKAGE_REGISTRY=OFF
  RESULT_VARIABLE result OUTPUT_VARIABLE said ERROR_VARIABLE said)
if(EXPECT_FAILURE)
  if(result EQUAL 0 OR NOT said MATCHES "${EXPECT_FAILURE}")
    message(FATAL_ERROR "it should have failed, saying \"${EXPECT_FAILURE}\":\n${said}")
  endif()
  return()
endif()
if(result EQUAL 0)
  execute_process(COMMAND ${CMAKE_COMMAND} --build ${BUILD}
    RESULT_VARIABLE result OUTPUT_VARIABLE said ERROR_VARIABLE said)
endif()
if(NOT result EQUAL 0)
  message(FATAL_ERROR "${said}")
endif()
execute_process(COMMAND ${BUILD}/consumer RESULT_VARIABLE result)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "the consumer was built and failed: ${result}")
endif()
