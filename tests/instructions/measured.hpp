// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdio>
#include <functional>
#include <map>
#include <string>

/// Where callgrind looks: it counts while this runs, and nothing else.
extern "C" [[gnu::noinline]] void cotter_measured(const std::function<void()>& one);

namespace instructions {

/// Runs one case by its name, twice: the first time prepares what is prepared once in a process.
/// Each `arrange` sets the scene and gives what is counted. `arguments[1]` is the name; without one
/// the names are printed.
inline int run(int count, char** arguments,
               const std::map<std::string, std::function<std::function<void()>()>>& cases) {
  if (count < 2) {
    for (const auto& [name, arrange] : cases) std::puts(name.c_str());
    return 0;
  }
  const auto found = cases.find(arguments[1]);
  if (found == cases.end()) {
    std::fprintf(stderr, "no case %s\n", arguments[1]);
    return 2;
  }
  found->second()();
  cotter_measured(found->second());
  return 0;
}

/// Ends the process if what was measured did not happen.
inline void must(bool so, const char* what) {
  if (so) return;
  std::fprintf(stderr, "did not happen: %s\n", what);
  std::exit(1);
}

}  // namespace instructions
