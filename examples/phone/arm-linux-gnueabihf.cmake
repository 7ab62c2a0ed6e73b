# For 32-bit ARM Linux with Debian's g++-arm-linux-gnueabihf. COTTER_SYSROOT names a folder that
# scripts/cross-sysroot made; the C library is the compiler's own.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR armv7l)
set(CMAKE_C_COMPILER arm-linux-gnueabihf-gcc)
set(CMAKE_CXX_COMPILER arm-linux-gnueabihf-g++)

list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES COTTER_SYSROOT)
if(NOT IS_DIRECTORY "${COTTER_SYSROOT}/usr/include")
  message(FATAL_ERROR "COTTER_SYSROOT is no sysroot: run `scripts/cross-sysroot armhf DIR` and give "
    "-DCOTTER_SYSROOT=DIR")
endif()
set(CMAKE_FIND_ROOT_PATH ${COTTER_SYSROOT} /usr/arm-linux-gnueabihf)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
