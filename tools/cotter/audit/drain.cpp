// SPDX-License-Identifier: BSL-1.0
#include "audit_verbs.hpp"
#include "outputs.hpp"
#include "spool_view.hpp"
#include "trail.hpp"
#include "until_told.hpp"

#include "../documents.hpp"

#include <cotter/posix/audit_drainer.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace cotter::command {

namespace {

using namespace std::chrono_literals;
using wrong = std::optional<problem>;

/// Hands events on, and counts what those that were settled tell of losses.
class counting_sender {
 public:
  explicit counting_sender(event_sender& to) : to_(to) {}

  [[nodiscard]] delivery deliver(std::span<const audit_event> events,
                                 std::chrono::steady_clock::time_point deadline) {
    const delivery done = to_.deliver(events, deadline);
    for (const audit_event& one : events.first(std::min(done.settled, events.size()))) {
      if (type_of(one.what) != audit_type::loss) continue;
      const bool damaged = one.what.detail.what == errc::spool_damaged;
      (damaged ? damaged_ : dropped_) += one.what.suppressed_count;
    }
    return done;
  }
  [[nodiscard]] std::uint64_t dropped() const noexcept { return dropped_; }
  [[nodiscard]] std::uint64_t damaged() const noexcept { return damaged_; }

 private:
  event_sender& to_;
  std::uint64_t dropped_ = 0;
  std::uint64_t damaged_ = 0;
};

using reader = posix::basic_audit_spool_reader<>;

wrong open_reader(const std::string& directory, reader& from) {
  if (const auto made = reader::enroll(directory, from.output());
      !made && made.error().what != errc::state_exists) {
    if (made.error().what == errc::invalid_value) {
      problem p = describe_usage("--output: no name of an output", "audit drain");
      p.expected = "1 to 32 of a-z, 0-9 and the hyphen";
      return p;
    }
    return describe_spool(made.error(), directory);
  }
  if (const auto opened = from.open(); !opened) return describe_spool(opened.error(), directory);
  return {};
}

class drain_run {
 public:
  drain_run(const audit_drain_options& options, audit_output& to, reader& from, format how)
      : options_(options), to_(to), from_(from), sender_(*to.sender), how_(how) {}

  /// One turn. Returns how long to wait before the next one makes sense.
  std::chrono::milliseconds turn() {
    posix::audit_drainer drainer(from_, sender_);
    const auto seconds = std::chrono::duration<double>(options_.deadline_s);
    const auto report =
        drainer.drain(std::chrono::steady_clock::now() +
                      std::chrono::duration_cast<std::chrono::steady_clock::duration>(seconds));
    withheld_ = withheld_ || report.withheld != 0;
    left_ =
        report.why.what != errc::ok || report.next_attempt != instant{} || report.left_bytes != 0;
    const wrong fault = fault_of(report);
    // While following, a turn in which nothing happened is not worth a line.
    const bool quiet =
        options_.follow && fault == std::nullopt && report.delivered == 0 && report.withheld == 0;
    if (!quiet) say(report, fault);
    if (report.next_attempt == instant{}) return 1s;
    const auto wait = std::max<std::chrono::seconds>(report.next_attempt - current_time(), 0s);
    return std::max<std::chrono::milliseconds>(wait, 100ms);
  }

  [[nodiscard]] exit_code worst() const noexcept {
    if (sender_.dropped() != 0 || sender_.damaged() != 0) return exit_code::refused;
    return left_ || withheld_ ? exit_code::warning : exit_code::ok;
  }

 private:
  [[nodiscard]] wrong fault_of(const posix::audit_drain_report& report) const {
    if (report.why.what == errc::ok) return {};
    const reason refused = to_.sender->refused();
    const bool unproven = report.why.what == errc::tls_failure && refused != reason::none &&
                          refused != reason::unbound;
    problem p = unproven ? describe(refused, to_.about) : describe(report.why.what, to_.about);
    switch (report.why.what) {
      case errc::timeout:
      case errc::connect_failed:
      case errc::resolve_failed:
        p.action = "check where --to leads; the events stay in the spool and are offered again";
        break;
      default: break;
    }
    if (report.why.what == errc::spool_damaged || report.why.what == errc::state_unwritable ||
        report.why.what == errc::state_unreadable) {
      p = describe(report.why.what, options_.directory);
    }
    p.native = report.status != 0 ? static_cast<std::int32_t>(report.status) : report.why.native;
    return p;
  }

  void say(const posix::audit_drain_report& report, const wrong& fault) const {
    if (fault) write_diagnostic("audit drain", *fault);
    const bool waits = report.next_attempt != instant{};
    if (how_ == format::json_lines) {
      json line{{"output", to_.name},
                {"to", to_.about},
                {"delivered", report.delivered},
                {"withheld", report.withheld},
                {"left_bytes", report.left_bytes},
                {"dropped", sender_.dropped()},
                {"damaged", sender_.damaged()},
                {"status", report.status == 0 ? json(nullptr) : json(report.status)},
                {"next_attempt", waits ? json(rfc3339(report.next_attempt)) : json(nullptr)}};
      if (fault) line["error"] = to_json(*fault);
      write_line(line);
      return;
    }
    std::string text = printable(to_.about) + "  " + std::to_string(report.delivered) +
                       " delivered as " + to_.name;
    if (report.withheld != 0) {
      text +=
          "\n  withheld     " + std::to_string(report.withheld) + " about the collector's own host";
    }
    if (report.left_bytes != 0) {
      text += "\n  left         " + std::to_string(report.left_bytes) + " octets of events";
    }
    if (sender_.dropped() != 0) {
      text += "\n  dropped      " + std::to_string(sender_.dropped()) + " events, before";
    }
    if (sender_.damaged() != 0) {
      text += "\n  damaged      " + std::to_string(sender_.damaged()) + " records";
    }
    if (waits) text += "\n  next attempt " + rfc3339(report.next_attempt);
    write_text(text + "\n");
  }

  const audit_drain_options& options_;
  audit_output& to_;
  reader& from_;
  counting_sender sender_;
  format how_;
  bool left_ = false;
  bool withheld_ = false;  ///< another output has to tell of those
};

exit_code failed(const problem& fault, format how) {
  write_diagnostic("audit drain", fault);
  if (how == format::json_lines) write_line({{"error", to_json(fault)}});
  return exit_code::no_verdict;
}

}  // namespace

exit_code withdraw_audit(const audit_withdraw_options& options, format how) {
  const auto done = reader::withdraw(options.directory, options.output);
  if (!done) {
    problem p = describe_spool(done.error(), options.directory);
    if (done.error().what == errc::state_absent) {
      p.seen = "no output of that name, or no spool";
      p.action = "`cotter audit status` lists them";
    }
    write_diagnostic("audit withdraw", p);
    if (how == format::json_lines) write_line({{"error", to_json(p)}});
    return exit_code::no_verdict;
  }
  if (how == format::json_lines) {
    write_line({{"output", options.output}, {"withdrawn", true}});
  } else {
    write_text(printable(options.output) + " is withdrawn: nothing waits for it any more\n");
  }
  return exit_code::ok;
}

exit_code drain_audit(const audit_drain_options& options, format how) {
  // Before a resolver's thread can be made.
  const until_told ended(options.follow);
  audit_output to;
  if (const wrong fault = open_output(options, to)) return failed(*fault, how);
  reader from(options.directory, to.name);
  if (const wrong fault = open_reader(options.directory, from)) return failed(*fault, how);
  if (from.restarted()) {
    write_note("the progress of " + to.name + " could not be read: all that is there goes again");
  }
  if (options.now) from.retry().wait = 0s;
  drain_run run(options, to, from, how);
  auto pause = run.turn();
  while (options.follow && !ended.within(pause)) pause = run.turn();
  return run.worst();
}

}  // namespace cotter::command
