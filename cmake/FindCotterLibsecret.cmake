# libsecret and the GLib below it have pkg-config files and no CMake package.
find_package(PkgConfig QUIET)
if(PkgConfig_FOUND)
  pkg_check_modules(CotterLibsecret_PC QUIET IMPORTED_TARGET libsecret-1)
endif()
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(CotterLibsecret
  REQUIRED_VARS CotterLibsecret_PC_LINK_LIBRARIES VERSION_VAR CotterLibsecret_PC_VERSION)
if(CotterLibsecret_FOUND AND NOT TARGET CotterLibsecret::libsecret)
  add_library(CotterLibsecret::libsecret INTERFACE IMPORTED)
  set_target_properties(CotterLibsecret::libsecret PROPERTIES
    INTERFACE_LINK_LIBRARIES PkgConfig::CotterLibsecret_PC)
endif()
