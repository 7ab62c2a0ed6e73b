// SPDX-License-Identifier: BSL-1.0
#include "trail.hpp"

#include "../output.hpp"

#include <cotter/posix/audit_spool.hpp>

#include <string>

namespace cotter::command {

struct command_sink::spool {
  spool(const std::string& directory, const posix::audit_spool_options& options)
      : sink(directory, options) {}

  posix::audit_spool sink;
};

command_sink::command_sink() = default;
command_sink::~command_sink() = default;

std::optional<problem> command_sink::open(const trail_options& options) {
  if (options.directory.empty()) return {};
  to_ = std::make_unique<spool>(options.directory,
                                posix::audit_spool_options{.client = options.client});
  const result<void> opened = to_->sink.open();
  if (opened) return {};
  switch (opened.error().what) {
    case errc::too_large: {
      problem p = describe_usage("--client-id: too long", "connect");
      p.action = "give at most " + std::to_string(posix::max_audit_client_bytes) + " octets";
      return p;
    }
    // Records are dropped and counted then; a verdict does not depend on the trail.
    case errc::spool_full:
    case errc::state_unwritable:
    case errc::state_unreadable: return {};
    default: break;
  }
  problem p = describe_spool(opened.error(), options.directory);
  p.in_command_line = true;
  return p;
}

void command_sink::record(const audit_record& what) noexcept {
  if (to_ != nullptr) to_->sink.record(what);
}

std::optional<problem> command_sink::close(const trail_options& options) {
  if (to_ == nullptr) return {};
  to_->sink.close();
  const std::uint64_t dropped = to_->sink.dropped();
  if (dropped == 0) return {};
  problem p = describe_spool(to_->sink.why(), options.directory);
  p.seen += "; " + std::to_string(dropped) + (dropped == 1 ? " event was" : " events were") +
            " dropped, and counted where that could be written";
  return p;
}

problem describe_spool(const error& e, const std::string& directory) {
  problem p = describe(e.what, directory);
  p.native = e.native;
  if (e.what == errc::state_absent) {
    p.expected = "a spool that `cotter audit init` made";
    p.action = "make it with `cotter audit init DIR`; if it was there, find out who removed it";
  }
  return p;
}

exit_code report_trail(command_sink& trail, const trail_options& options) {
  const auto trouble = trail.close(options);
  if (!trouble) return exit_code::ok;
  write_diagnostic("--audit", *trouble);
  return exit_code::warning;
}

}  // namespace cotter::command
