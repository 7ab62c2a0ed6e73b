# An exported package with a component per backend:
#   find_package(cotter 0.1 REQUIRED COMPONENTS openssl net)
set(cotter_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/cotter)

function(cotter_install_target target)
  get_target_property(sets ${target} INTERFACE_HEADER_SETS)
  set(file_sets)
  foreach(set IN LISTS sets)
    list(APPEND file_sets FILE_SET ${set} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
  endforeach()
  install(TARGETS ${target} EXPORT ${target}_targets ${file_sets})
  install(EXPORT ${target}_targets NAMESPACE cotter:: DESTINATION ${cotter_package_dir})
endfunction()

cotter_install_target(cotter)
foreach(component IN LISTS cotter_components)
  cotter_install_target(cotter_${component})
endforeach()

configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/cotterConfig.cmake.in
  ${PROJECT_BINARY_DIR}/cotterConfig.cmake INSTALL_DESTINATION ${cotter_package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/cotterConfigVersion.cmake
  COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES ${PROJECT_BINARY_DIR}/cotterConfig.cmake ${PROJECT_BINARY_DIR}/cotterConfigVersion.cmake
    cmake/FindCotterWolfSSL.cmake cmake/FindCotterMbedTLS.cmake cmake/FindCotterNet.cmake
    cmake/FindCotterTSS2.cmake cmake/FindCotterLibsecret.cmake
  DESTINATION ${cotter_package_dir})
install(FILES LICENSE README.md CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR})

# The service that keeps keys and counters for other users' programs, and the one that delivers a
# user's audit trail; systemd also looks below /usr/local.
if(COTTER_COMMAND AND COTTER_POSIX)
  set(cotter_units ${PROJECT_SOURCE_DIR}/integrations/posix/systemd)
  foreach(unit IN ITEMS cotter-vault.service cotter-audit@.service)
    configure_file(${cotter_units}/${unit}.in ${PROJECT_BINARY_DIR}/${unit} @ONLY)
    install(FILES ${PROJECT_BINARY_DIR}/${unit} DESTINATION lib/systemd/system)
  endforeach()
  install(FILES ${cotter_units}/cotter-vault.socket DESTINATION lib/systemd/system)
endif()
