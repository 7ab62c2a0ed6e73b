// SPDX-License-Identifier: BSL-1.0
#include "pages.hpp"

namespace cotter::command {

namespace {

constexpr page event_page(audit_type what, std::string_view meaning, std::string_view confirm,
                          std::string_view action) {
  return {to_string(what), word_kind::event, meaning, confirm, action, counting::none, {}};
}

}  // namespace

page explain(audit_type what) noexcept {
  switch (what) {
    case audit_type::accepted:
      return event_page(
          what,
          "One attempt was accepted: chain, name, time and a pin. It says which pin, which "
          "certificate, which TLS library.",
          "`cotter connect URL --pin PIN` from the same place gives the same fingerprint.",
          "nothing; pins that only ever match as fallback say that a rotation is waiting to be "
          "finished");
    case audit_type::resumed:
      return event_page(
          what,
          "One attempt was accepted by a session in the place of a certificate, bound to an "
          "earlier verdict of this guard.",
          "The event names the session's fingerprint; an accepted event of the same target came "
          "before it.",
          "nothing; resumptions without an acceptance before them would be a defect: report them");
    case audit_type::would_refuse:
      return event_page(what,
                        "The manifest only observes: the pins said no, and the connection went on. "
                        "When observeUntil is past, the same is refused.",
                        "`cotter manifest show FILE` prints observeUntil; reason in the event is "
                        "what will count.",
                        "treat it as the refusal it will be, before observeUntil: `cotter explain` "
                        "has a page for its reason and its diagnosis");
    case audit_type::refused:
      return event_page(
          what,
          "One attempt was refused, before TCP or in the handshake. reason says why, the diagnosis "
          "what probably lies behind it, suppressed_count how many more were like it.",
          "`cotter connect URL --pin PIN` from the same place, and the page of its reason.",
          "go by the reason's page; many devices with the same fingerprint are one cause, a single "
          "device is its network or itself");
    case audit_type::breaker:
      return event_page(
          what,
          "The breaker changed its state for a target, an alert is due, or a lock was opened. "
          "breaker_before and breaker are the states; streak and mismatches_24h the counts.",
          "`cotter breaker status --state FILE` prints the same.",
          "for a lock: the refusals before it say what was seen; open it only when that is "
          "understood");
    case audit_type::manifest:
      return event_page(
          what,
          "A manifest came into force (adopted), was not taken (rejected, the last good one "
          "stays), or ended without a successor (lapsed).",
          "`cotter manifest verify FILE --trust-key KEY` gives the code that the event has.",
          "for rejected: deploy a good one, the device works on with the old one until that "
          "expires. For lapsed: deploy at once, the device refuses to connect");
    case audit_type::clock:
      return event_page(
          what,
          "The device's clock cannot be right: before a time that is proven (below_floor), or set "
          "back by more than a minute while running (set_back).",
          "`date -u` and `timedatectl` on the device; clock_says is what it claimed, at what is "
          "believed instead.",
          "set the clock; if it was set back on purpose, ask who did: expired certificates and "
          "resets are what that would revive");
    case audit_type::loss:
      return event_page(what,
                        "Events were dropped because a bound was reached: suppressed_count of them "
                        "since the time it names. Verdicts were not affected.",
                        "`cotter audit status DIR` prints dropped; ring sinks count their own.",
                        "drain more often, or allow the spool more room (`cotter audit init DIR "
                        "--max-bytes N`); find out why the collector was away");
  }
  return {};
}

}  // namespace cotter::command
