# tpm2-tss has pkg-config files and no CMake package.
find_path(CotterTSS2_INCLUDE_DIR tss2/tss2_esys.h)
find_library(CotterTSS2_esys tss2-esys)
find_library(CotterTSS2_mu tss2-mu)
find_library(CotterTSS2_tctildr tss2-tctildr)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(CotterTSS2
  REQUIRED_VARS CotterTSS2_esys CotterTSS2_mu CotterTSS2_tctildr CotterTSS2_INCLUDE_DIR)
mark_as_advanced(CotterTSS2_INCLUDE_DIR CotterTSS2_esys CotterTSS2_mu CotterTSS2_tctildr)
if(CotterTSS2_FOUND AND NOT TARGET CotterTSS2::esys)
  add_library(CotterTSS2::esys UNKNOWN IMPORTED)
  set_target_properties(CotterTSS2::esys PROPERTIES
    IMPORTED_LOCATION ${CotterTSS2_esys}
    INTERFACE_INCLUDE_DIRECTORIES ${CotterTSS2_INCLUDE_DIR}
    INTERFACE_LINK_LIBRARIES "${CotterTSS2_mu};${CotterTSS2_tctildr}")
endif()
