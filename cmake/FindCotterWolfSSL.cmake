# Debian's wolfSSL has a pkg-config file and no CMake package.
find_path(CotterWolfSSL_INCLUDE_DIR wolfssl/options.h)
find_library(CotterWolfSSL_LIBRARY wolfssl)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(CotterWolfSSL
  REQUIRED_VARS CotterWolfSSL_LIBRARY CotterWolfSSL_INCLUDE_DIR)
mark_as_advanced(CotterWolfSSL_INCLUDE_DIR CotterWolfSSL_LIBRARY)
if(CotterWolfSSL_FOUND AND NOT TARGET CotterWolfSSL::wolfssl)
  # libwolfssl exports six of OpenSSL's names: whoever links both puts OpenSSL first.
  add_library(CotterWolfSSL::wolfssl UNKNOWN IMPORTED)
  set_target_properties(CotterWolfSSL::wolfssl PROPERTIES
    IMPORTED_LOCATION ${CotterWolfSSL_LIBRARY}
    INTERFACE_INCLUDE_DIRECTORIES ${CotterWolfSSL_INCLUDE_DIR})
endif()
