# The libraries. All are headers; none pushes a warning, a macro or an option on its consumer.

add_library(cotter INTERFACE)
add_library(cotter::cotter ALIAS cotter)
target_compile_features(cotter INTERFACE cxx_std_20)
cotter_headers(cotter ${PROJECT_SOURCE_DIR}/include
  EXCLUDE "/include/cotter/net/" "/include/cotter/testing/")

# For people who write their own policy, backend or sink: clocks, scripted parts, the law suites.
add_library(cotter_testing INTERFACE)
add_library(cotter::testing ALIAS cotter_testing)
set_target_properties(cotter_testing PROPERTIES EXPORT_NAME testing)
target_link_libraries(cotter_testing INTERFACE cotter)
cotter_headers(cotter_testing ${PROJECT_SOURCE_DIR}/include ONLY "/include/cotter/testing/")

set(cotter_components testing)

if(COTTER_OPENSSL)
  find_package(OpenSSL 3.0 REQUIRED)
  add_library(cotter_openssl INTERFACE)
  add_library(cotter::openssl ALIAS cotter_openssl)
  set_target_properties(cotter_openssl PROPERTIES EXPORT_NAME openssl)
  target_link_libraries(cotter_openssl INTERFACE cotter OpenSSL::SSL OpenSSL::Crypto)
  cotter_headers(cotter_openssl ${PROJECT_SOURCE_DIR}/backends/openssl)
  list(APPEND cotter_components openssl)
endif()

if(COTTER_WOLFSSL)
  find_package(CotterWolfSSL REQUIRED)
  add_library(cotter_wolfssl INTERFACE)
  add_library(cotter::wolfssl ALIAS cotter_wolfssl)
  set_target_properties(cotter_wolfssl PROPERTIES EXPORT_NAME wolfssl)
  target_link_libraries(cotter_wolfssl INTERFACE cotter CotterWolfSSL::wolfssl)
  cotter_headers(cotter_wolfssl ${PROJECT_SOURCE_DIR}/backends/wolfssl)
  list(APPEND cotter_components wolfssl)
endif()

if(COTTER_MBEDTLS)
  find_package(CotterMbedTLS REQUIRED)
  add_library(cotter_mbedtls INTERFACE)
  add_library(cotter::mbedtls ALIAS cotter_mbedtls)
  set_target_properties(cotter_mbedtls PROPERTIES EXPORT_NAME mbedtls)
  target_link_libraries(cotter_mbedtls INTERFACE cotter CotterMbedTLS::mbedtls)
  cotter_headers(cotter_mbedtls ${PROJECT_SOURCE_DIR}/backends/mbedtls)
  list(APPEND cotter_components mbedtls)
endif()

if(COTTER_NET)
  find_package(CotterNet REQUIRED)
  add_library(cotter_net INTERFACE)
  add_library(cotter::net ALIAS cotter_net)
  set_target_properties(cotter_net PROPERTIES EXPORT_NAME net)
  target_link_libraries(cotter_net INTERFACE cotter CotterNet::asio CotterNet::wslay CotterNet::http_parser)
  cotter_headers(cotter_net ${PROJECT_SOURCE_DIR}/include
    ONLY "/include/cotter/net/" EXCLUDE "/include/cotter/net/boost/")
  # Boost.Asio's face of the same bodies: installed, verified only where Boost is (tests/net).
  file(GLOB_RECURSE cotter_boost_headers CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/include/cotter/net/boost/*.hpp)
  if(cotter_boost_headers)
    target_sources(cotter_net INTERFACE FILE_SET boost TYPE HEADERS
      BASE_DIRS ${PROJECT_SOURCE_DIR}/include FILES ${cotter_boost_headers})
  endif()
  list(APPEND cotter_components net)
endif()

if(COTTER_JSON)
  find_package(nlohmann_json 3.11 REQUIRED)
  add_library(cotter_json INTERFACE)
  add_library(cotter::json ALIAS cotter_json)
  set_target_properties(cotter_json PROPERTIES EXPORT_NAME json)
  target_link_libraries(cotter_json INTERFACE cotter nlohmann_json::nlohmann_json)
  cotter_headers(cotter_json ${PROJECT_SOURCE_DIR}/integrations/json)
  list(APPEND cotter_components json)
endif()
