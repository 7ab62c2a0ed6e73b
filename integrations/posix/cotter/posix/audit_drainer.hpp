// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/concepts/audit_sender.hpp>
#include <cotter/posix/audit_spool_reader.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <new>
#include <span>

namespace cotter {
inline namespace v0 {
namespace posix {

/// How a drainer goes about it.
struct audit_drain_options {
  std::size_t max_events = 100;        ///< in one delivery, at least 1
  std::size_t max_bytes = 256u << 10;  ///< of encoded records in one delivery
  std::chrono::seconds first_wait{1};  ///< after one failure; doubled by each one after it
  std::chrono::seconds longest_wait{300};
  /// The longest that a receiver can ask to be left alone.
  std::chrono::seconds longest_wish{24 * 60 * 60};
};

/// What came of a drain.
struct audit_drain_report {
  std::uint64_t delivered = 0;
  std::uint64_t withheld = 0;    ///< settled and never sent: about the receiver's own host
  std::uint64_t left_bytes = 0;  ///< of segments before the output: 0 if it has everything
  error why{};                   ///< why not all was delivered; `ok` if nothing failed
  std::uint32_t status = 0;      ///< the receiver's own code for that; 0 if it has none
  instant next_attempt{};        ///< nothing is sent before; the epoch: at any time
};

/// Where the drainer's jitter comes from: a number that receivers cannot foresee and other
/// installations do not share.
struct system_jitter {
  template <typename Calls>
  [[nodiscard]] static std::uint64_t draw() noexcept {
    std::uint64_t drawn = 0;
    if (Calls::random(&drawn, sizeof drawn) != static_cast<ssize_t>(sizeof drawn)) return 0;
    return drawn;
  }
};

/// Delivers what an output has not had, when the program says so: on no thread of its own, and never
/// within a handshake.
///
/// The cursor goes on by what the sender has settled, and is saved after each delivery: an event
/// whose delivery was interrupted is delivered again with the same id. After a failure the output is
/// left alone for a time that doubles, from `first_wait` to `longest_wait`, of which a random part of
/// up to one half is jitter; longer if the receiver asks for it, up to `longest_wish`. The wait
/// outlives the process, and no clock that is set back makes it longer.
///
/// A server whose certificate is large or strange could have chosen it so that a receiver will not have
/// the event, and holds up the rest for good. After HTTP status 400, 413 and 422 half as many are
/// offered at once, down to one; after any answer that was an error, from the third time on, one. Where
/// that one is not taken either, it is offered without its leaf. An event that is not taken without
/// its leaf stays, and what comes after it waits: nothing that was kept is thrown away.
///
/// Reader and sender are borrowed; the reader is open.
template <audit_sender Sender, typename Calls = audit_calls, typename Jitter = system_jitter>
class audit_drainer {
 public:
  using steady = std::chrono::steady_clock;

  audit_drainer(basic_audit_spool_reader<Calls>& reader, Sender& sender,
                const audit_drain_options& options = {}) noexcept
      : reader_(reader),
        sender_(sender),
        options_(options),
        batch_(std::max<std::size_t>(options.max_events, 1)) {}

  /// Delivers as many batches as there are or as fit before `deadline`. Never throws `bad_alloc`:
  /// it is `out_of_memory` in the report.
  audit_drain_report drain(steady::time_point deadline) {
    return drain(deadline, instant{std::chrono::seconds{Calls::seconds()}});
  }
  /// The same, where the program says what civil time it is.
  audit_drain_report drain(steady::time_point deadline, instant now) {
    audit_drain_report report;
    const steady::time_point began = steady::now();
    try {
      const auto later = [&] {
        return now + std::chrono::duration_cast<std::chrono::seconds>(steady::now() - began);
      };
      while (one_batch(deadline, later, report)) {
      }
      report.left_bytes = reader_.left_bytes();
      if (report.why.what == errc::timeout && report.left_bytes == 0) report.why = {};
    } catch (const std::bad_alloc&) {
      report.why = {errc::out_of_memory, 0, 0};
    }
    return report;
  }

 private:
  /// How many failures in a row may be the receiver's own.
  static constexpr std::uint32_t patience = 3;
  /// What a receiver says to content that it will not have.
  static constexpr bool about_content(std::uint32_t status) noexcept {
    return status == 400 || status == 413 || status == 422;
  }

  /// False if there is no more to be done now.
  template <typename Now>
  bool one_batch(steady::time_point deadline, const Now& now, audit_drain_report& report) {
    audit_retry& retry = reader_.retry();
    const std::chrono::seconds wait = retry.left(now());
    if (wait.count() > 0) {
      report.next_attempt = now() + wait;
      return false;
    }
    if (steady::now() >= deadline) {
      report.why = {errc::timeout, 0, 0};
      return false;
    }
    const auto batch = reader_.next(batch_, options_.max_bytes);
    if (!batch || batch->empty()) {
      report.why = batch ? reader_.why() : batch.error();
      // Segments that hold nothing to deliver may have been passed.
      if (const result<void> saved = reader_.save(); !saved) report.why = saved.error();
      return false;
    }
    delivery done = deliver(*batch, deadline);
    const bool answered =
        done.why.what == errc::report_refused || done.why.what == errc::report_truncated;
    const bool suspect = about_content(done.status) || (answered && retry.failures >= patience);
    if (batch->size() == 1 && done.settled == 0 && suspect && !batch->front().what.leaf.empty()) {
      audit_event shorter = batch->front();
      shorter.what.leaf = {};
      done = deliver(std::span(&shorter, 1), deadline);
    }
    done.settled = std::min(done.settled, batch->size());
    done.withheld = std::min(done.withheld, done.settled);
    reader_.settle(done.settled);
    const bool whole = done.settled == batch->size();
    if (!whole && done.why.what == errc::ok) done.why = {errc::timeout, 0, 0};
    const bool halve = !whole && about_content(done.status) && batch->size() - done.settled > 1;
    if (halve) {
      batch_ = std::max<std::size_t>(std::min(batch_, batch->size()) / 2, 1);
    } else if (whole) {
      retry = {};
      batch_ = std::min(batch_ * 2, std::max<std::size_t>(options_.max_events, 1));
    } else {
      if (done.settled != 0) retry.failures = 0;
      put_off(retry, done, now());
      if (answered && retry.failures >= patience) batch_ = 1;
      report.next_attempt = retry.not_before;
    }
    report.delivered += done.settled - done.withheld;
    report.withheld += done.withheld;
    report.why = whole || halve ? error{} : done.why;
    report.status = whole || halve ? 0 : done.status;
    // A cursor that cannot be kept would have everything delivered again, and again.
    if (const result<void> saved = reader_.save(); !saved) {
      report.why = saved.error();
      return false;
    }
    return whole || halve;
  }

  delivery deliver(std::span<const audit_event> batch, steady::time_point deadline) {
    try {
      return sender_.deliver(batch, deadline);
    } catch (const std::bad_alloc&) {
      delivery none;
      none.why = {errc::out_of_memory, 0, 0};
      return none;
    }
  }

  void put_off(audit_retry& retry, const delivery& done, instant now) noexcept {
    using std::chrono::seconds;
    if (retry.failures < 64) ++retry.failures;
    const std::int64_t most = std::max<std::int64_t>(options_.longest_wait.count() / 2, 1);
    std::int64_t wait = std::max<std::int64_t>(options_.first_wait.count(), 1);
    for (std::uint32_t i = 1; i < retry.failures && wait < most; ++i) wait *= 2;
    wait = std::min(wait, most);
    const auto jitter = static_cast<std::int64_t>(Jitter::template draw<Calls>() %
                                                  (static_cast<std::uint64_t>(wait) + 1));
    const std::int64_t wish = std::min(done.retry_after, options_.longest_wish).count();
    retry.wait = seconds{std::max(wait, wish) + jitter};
    if (wish > 0) retry.wait = std::min(retry.wait, std::max(options_.longest_wish, seconds{wait}));
    retry.not_before = now + retry.wait;
  }

  basic_audit_spool_reader<Calls>& reader_;
  Sender& sender_;
  audit_drain_options options_;
  std::size_t batch_;
};

}  // namespace posix
}  // namespace v0
}  // namespace cotter
