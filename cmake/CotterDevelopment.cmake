# What we ask of ourselves and of nobody else.

add_library(cotter_development INTERFACE)
target_compile_options(cotter_development INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast
  -Wnon-virtual-dtor -Woverloaded-virtual -Wcast-align -Wundef -Werror
  $<$<CXX_COMPILER_ID:GNU>:-Wduplicated-cond -Wlogical-op>
  # g++ 12 sees overlaps where a string is put before another (GCC 105651).
  $<$<AND:$<CXX_COMPILER_ID:GNU>,$<VERSION_LESS:$<CXX_COMPILER_VERSION>,13>>:-Wno-restrict>)

set(COTTER_SANITIZERS "" CACHE STRING "Comma-separated, as -fsanitize= takes them")
if(COTTER_SANITIZERS)
  add_compile_options(-fsanitize=${COTTER_SANITIZERS} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${COTTER_SANITIZERS})
endif()

set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)

find_program(COTTER_CCACHE ccache)
mark_as_advanced(COTTER_CCACHE)
if(COTTER_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${COTTER_CCACHE})
endif()
