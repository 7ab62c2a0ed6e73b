# Standalone Asio, wslay and nodejs's http_parser, as Debian packages them.
find_package(Threads REQUIRED)
find_path(CotterNet_ASIO_INCLUDE_DIR asio.hpp)
find_path(CotterNet_WSLAY_INCLUDE_DIR wslay/wslay.h)
find_library(CotterNet_WSLAY_LIBRARY wslay)
find_path(CotterNet_HTTP_PARSER_INCLUDE_DIR http_parser.h)
find_library(CotterNet_HTTP_PARSER_LIBRARY http_parser)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(CotterNet
  REQUIRED_VARS CotterNet_ASIO_INCLUDE_DIR CotterNet_WSLAY_LIBRARY CotterNet_WSLAY_INCLUDE_DIR
    CotterNet_HTTP_PARSER_LIBRARY CotterNet_HTTP_PARSER_INCLUDE_DIR)
mark_as_advanced(CotterNet_ASIO_INCLUDE_DIR CotterNet_WSLAY_INCLUDE_DIR CotterNet_WSLAY_LIBRARY
  CotterNet_HTTP_PARSER_INCLUDE_DIR CotterNet_HTTP_PARSER_LIBRARY)
if(CotterNet_FOUND AND NOT TARGET CotterNet::asio)
  add_library(CotterNet::asio INTERFACE IMPORTED)
  set_target_properties(CotterNet::asio PROPERTIES
    INTERFACE_INCLUDE_DIRECTORIES ${CotterNet_ASIO_INCLUDE_DIR}
    INTERFACE_LINK_LIBRARIES Threads::Threads)
  foreach(name wslay http_parser)
    string(TOUPPER ${name} upper)
    add_library(CotterNet::${name} UNKNOWN IMPORTED)
    set_target_properties(CotterNet::${name} PROPERTIES
      IMPORTED_LOCATION ${CotterNet_${upper}_LIBRARY}
      INTERFACE_INCLUDE_DIRECTORIES ${CotterNet_${upper}_INCLUDE_DIR})
  endforeach()
endif()
