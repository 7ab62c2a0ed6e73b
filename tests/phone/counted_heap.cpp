// SPDX-License-Identifier: BSL-1.0
#include <dlfcn.h>
#include <link.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>

// Preloaded into a program as it is: says at its end on stderr how often the program's own code asked
// for memory, and how often the libraries did.
extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* old, std::size_t size);
}

namespace {

std::uintptr_t program_begin = 0;
std::uintptr_t program_end = 0;
unsigned long of_program = 0;
unsigned long of_libraries = 0;

/// The program itself comes first.
int find_program(dl_phdr_info* object, std::size_t, void*) {
  for (int i = 0; i < object->dlpi_phnum; ++i) {
    const ElfW(Phdr)& part = object->dlpi_phdr[i];
    if (part.p_type != PT_LOAD) continue;
    const std::uintptr_t begin = object->dlpi_addr + part.p_vaddr;
    if (program_begin == 0 || begin < program_begin) program_begin = begin;
    if (begin + part.p_memsz > program_end) program_end = begin + part.p_memsz;
  }
  return 1;
}

void count(const void* caller) {
  if (program_end == 0) dl_iterate_phdr(&find_program, nullptr);
  const auto at = reinterpret_cast<std::uintptr_t>(caller);
  ++(at >= program_begin && at < program_end ? of_program : of_libraries);
}

[[gnu::destructor]] void tell() {
  char line[96];
  const int n = std::snprintf(line, sizeof line, "heap: program %lu libraries %lu\n", of_program,
                              of_libraries);
  static_cast<void>(!write(STDERR_FILENO, line, static_cast<std::size_t>(n)));
}

}  // namespace

extern "C" {
void* malloc(std::size_t size) {
  count(__builtin_return_address(0));
  return __libc_malloc(size);
}
void* calloc(std::size_t elements, std::size_t size) {
  count(__builtin_return_address(0));
  return __libc_calloc(elements, size);
}
void* realloc(void* old, std::size_t size) {
  count(__builtin_return_address(0));
  return __libc_realloc(old, size);
}
}
