// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>

namespace cotter::command {

/// SIGTERM and SIGINT as something to wait for, as long as it lives; without `armed` they end the
/// process as ever.
class until_told {
 public:
  explicit until_told(bool armed);
  ~until_told();
  until_told(const until_told&) = delete;
  until_told& operator=(const until_told&) = delete;

  /// Waits at most so long; true if one has come.
  [[nodiscard]] bool within(std::chrono::milliseconds longest) const;

 private:
  int signals_ = -1;
};

}  // namespace cotter::command
