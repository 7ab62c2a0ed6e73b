# mbedTLS 2.28 has neither a pkg-config file nor a CMake package; 3.x has both, found all the same.
find_path(CotterMbedTLS_INCLUDE_DIR mbedtls/ssl.h)
find_library(CotterMbedTLS_tls mbedtls)
find_library(CotterMbedTLS_x509 mbedx509)
find_library(CotterMbedTLS_crypto mbedcrypto)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(CotterMbedTLS
  REQUIRED_VARS CotterMbedTLS_tls CotterMbedTLS_x509 CotterMbedTLS_crypto CotterMbedTLS_INCLUDE_DIR)
mark_as_advanced(CotterMbedTLS_INCLUDE_DIR CotterMbedTLS_tls CotterMbedTLS_x509 CotterMbedTLS_crypto)
if(CotterMbedTLS_FOUND AND NOT TARGET CotterMbedTLS::mbedtls)
  add_library(CotterMbedTLS::mbedtls UNKNOWN IMPORTED)
  set_target_properties(CotterMbedTLS::mbedtls PROPERTIES
    IMPORTED_LOCATION ${CotterMbedTLS_tls}
    INTERFACE_INCLUDE_DIRECTORIES ${CotterMbedTLS_INCLUDE_DIR}
    INTERFACE_LINK_LIBRARIES "${CotterMbedTLS_x509};${CotterMbedTLS_crypto}")
endif()
