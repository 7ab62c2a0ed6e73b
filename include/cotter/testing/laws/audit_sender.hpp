// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/concepts/audit_sender.hpp>
#include <cotter/testing/law_report.hpp>
#include <cotter/values/audit_event.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace cotter {
inline namespace v0 {
namespace testing {

inline constexpr std::array<law_by_review, 1> audit_sender_laws_by_review{{
    {"D4", "that no memory settles nothing: by review of what stands before the first allocation"},
}};

/// A sender and what its receiver would tell, for one run of a suite. The receiver has nothing yet.
template <audit_sender S>
struct audit_sender_material {
  S& sender;
  /// What the receiver has, in the order in which it came, each event as often as it came, and with the
  /// text that it came with. It has had the time to look.
  std::function<std::vector<std::string>()> received{};
  /// Takes the receiver away, or makes it take nothing (`true`), and brings it back.
  std::function<void(bool)> withhold{};
  /// The receiver's own host; empty: it has none.
  std::string own_host{};
  /// How long the sender may take to see that the receiver is back.
  std::chrono::milliseconds patience{2000};
};

namespace detail {

/// Events with text of their own.
class law_events {
 public:
  law_events(std::uint64_t first, std::size_t count, std::string_view host) {
    texts_.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
      texts_.push_back(std::string(host));
      audit_event one;
      one.id.origin.fill(0xd1);
      one.id.number = first + i;
      one.what.at = instant{std::chrono::seconds{1'800'000'000}};
      one.what.endpoint = {texts_.back(), 5061};
      one.what.outcome = verdict::refuse(reason::pin_mismatch);
      all_.push_back(one);
    }
  }
  [[nodiscard]] std::span<const audit_event> all() const noexcept { return all_; }
  void overwrite() {
    for (std::string& text : texts_) text.assign(text.size(), '!');
  }
  audit_event& operator[](std::size_t i) { return all_[i]; }

 private:
  std::vector<std::string> texts_;
  std::vector<audit_event> all_;
};

inline std::string law_id(const audit_event& event) {
  std::array<char, event_id_chars> text;
  return {text.data(), to_chars(event.id, text)};
}

/// How often each of `events` was received. An id that begins another one is told from it by what
/// follows.
inline std::vector<std::size_t> times_received(const std::vector<std::string>& received,
                                               std::span<const audit_event> events) {
  std::vector<std::size_t> out;
  for (const audit_event& one : events) {
    const std::string id = law_id(one);
    out.push_back(static_cast<std::size_t>(
        std::count_if(received.begin(), received.end(), [&](const std::string& text) {
          for (std::size_t at = text.find(id); at != text.npos; at = text.find(id, at + 1)) {
            const std::size_t end = at + id.size();
            if (end == text.size() || text[end] < '0' || text[end] > '9') return true;
          }
          return false;
        })));
  }
  return out;
}

inline bool all_are(const std::vector<std::size_t>& counts, std::size_t wanted) {
  return std::all_of(counts.begin(), counts.end(), [&](std::size_t n) { return n == wanted; });
}

inline std::string seen(const delivery& one, std::size_t of) {
  return std::to_string(one.settled) + " of " + std::to_string(of) + " settled, " +
         std::to_string(one.withheld) + " withheld, " + std::string(code(one.why.what));
}

}  // namespace detail

/// Checks D1 to D5, as far as they show with one receiver that comes and goes.
template <audit_sender S>
[[nodiscard]] law_report check_audit_sender_laws(audit_sender_material<S> lent) {
  using clock = std::chrono::steady_clock;
  constexpr std::string_view host = "sender.law.example";
  constexpr std::chrono::milliseconds slack{500};  // for a machine that has other things to do
  law_report report;
  const auto soon = [&] { return clock::now() + lent.patience; };

  const delivery none = lent.sender.deliver({}, soon());
  report.check("D1", "of no events none is settled, and nothing is wrong",
               none.settled == 0 && none.withheld == 0 && none.why.what == errc::ok,
               detail::seen(none, 0));

  detail::law_events first(1, 3, host);
  const delivery sent = lent.sender.deliver(first.all(), soon());
  report.check("D1", "a receiver that takes events settles all of them",
               sent.settled == 3 && sent.why.what == errc::ok, detail::seen(sent, 3));
  report.check("D1", "what is settled is at the receiver, once",
               detail::all_are(detail::times_received(lent.received(), first.all()), 1));
  report.check("D3", "an event about another host is not withheld", sent.withheld == 0,
               detail::seen(sent, 3));
  first.overwrite();
  const std::vector<std::string> kept = lent.received();
  report.check("D4", "an event is sent with its text, and nothing of it is kept to be sent later",
               std::all_of(kept.begin(), kept.end(), [&](const std::string& text) {
                 return text.find(host) != text.npos && text.find("!!!!") == text.npos;
               }));

  lent.withhold(true);
  detail::law_events second(10, 4, host);
  for (const int milliseconds : {0, 100}) {
    const std::chrono::milliseconds time{milliseconds};
    const auto began = clock::now();
    const delivery failed = lent.sender.deliver(second.all(), began + time);
    const auto took = clock::now() - began;
    report.check("D1", "without a receiver nothing is settled, and it is said why",
                 failed.settled == 0 && failed.why.what != errc::ok, detail::seen(failed, 4));
    report.check("D2", "without a receiver it is over by the deadline", took <= time + slack,
                 std::to_string(took / std::chrono::milliseconds{1}) + " ms");
  }
  lent.withhold(false);

  delivery back;
  const auto until = soon();
  do {
    back = lent.sender.deliver(second.all(), until);
  } while (back.settled == 0 && clock::now() < until);
  report.check("D1", "a receiver that is back settles all of them",
               back.settled == 4 && back.why.what == errc::ok, detail::seen(back, 4));
  const auto counts = detail::times_received(lent.received(), second.all());
  report.check("D1", "what is settled is at the receiver, at least once",
               std::all_of(counts.begin(), counts.end(), [](std::size_t n) { return n > 0; }));

  const delivery again = lent.sender.deliver(second.all(), soon());
  const auto twice = detail::times_received(lent.received(), second.all());
  bool same_ids = again.settled == 4;
  for (std::size_t i = 0; i < twice.size(); ++i) same_ids = same_ids && twice[i] == counts[i] + 1;
  report.check("D5", "an event that is offered again is sent with the same id", same_ids,
               detail::seen(again, 4));

  detail::law_events own(20, 3, lent.own_host.empty() ? std::string(host) : lent.own_host);
  own[0].what.endpoint.host = own[2].what.endpoint.host = host;
  const std::size_t foreign = lent.own_host.empty() ? 3 : 2;
  const delivery mixed = lent.sender.deliver(own.all(), soon());
  report.check("D3", "an event about the receiver's own host is settled, counted, and not sent",
               mixed.settled == 3 && mixed.withheld == 3 - foreign, detail::seen(mixed, 3));
  const auto arrived = detail::times_received(lent.received(), own.all());
  report.check("D3", "an event about the receiver's own host is settled, counted, and not sent",
               arrived[0] == 1 && arrived[2] == 1 && arrived[1] == (foreign == 3 ? 1u : 0u));
  return report;
}

}  // namespace testing
}  // namespace v0
}  // namespace cotter
