// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "../problem.hpp"

#include <cotter/posix/audit_cursor.hpp>
#include <cotter/posix/audit_spool_reader.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace cotter::command {

/// Reads all that a spool still has, and leaves everything as it is. Nothing waits for it: what a
/// drainer removes meanwhile it does not see.
class spool_view {
 public:
  /// From the beginning of what there is; or, of what `output` has not had, if that is not empty.
  [[nodiscard]] std::optional<problem> open(const std::string& directory,
                                            std::string_view output = {});

  /// When an output may be offered events again.
  [[nodiscard]] static posix::audit_retry retry_of(const std::string& directory,
                                                   std::string_view output);

  /// The next events, borrowed until the next call; none if there are none now. Returns why not.
  [[nodiscard]] std::optional<problem> next(std::span<const audit_event>& out);

 private:
  std::string directory_{};
  std::unique_ptr<posix::basic_audit_spool_reader<>> reader_{};
};

}  // namespace cotter::command
