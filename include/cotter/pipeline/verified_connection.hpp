// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/concepts/backend.hpp>
#include <cotter/concepts/clock.hpp>
#include <cotter/pipeline/assessment.hpp>
#include <cotter/pipeline/connection.hpp>
#include <cotter/policies/clock/system_clock.hpp>
#include <cotter/values/diagnosis.hpp>
#include <cotter/values/handshake.hpp>
#include <cotter/values/pin.hpp>
#include <cotter/values/target.hpp>
#include <cotter/values/verdict.hpp>

#include <cstdint>
#include <span>
#include <utility>

namespace cotter {
inline namespace v0 {

/// Whom a program's own collector has to prove to be, see `verified_connection`.
template <clock Clock = system_clock>
struct verified_peer {
  target endpoint{};            ///< canonical, see `classify_host`; the host is borrowed
  std::span<const pin> pins{};  ///< borrowed; none are refused, as everywhere, unless `unpinned`
  bool unpinned = false;        ///< chain, name and validity are all that is asked
  Clock time{};
};

/// A connection to a program's own collector, not to a pinned target: no guard, no manifest, no
/// breaker, no audit. So reports about refusals do not depend on the pins that they complain about,
/// and beget no events of their own. Never for the traffic that a guard is there for.
///
/// Accepts only if the library finds no fault in the chain, and cotter itself none in the leaf's
/// form, validity and name; nothing switches these off. If there are pins, one that is live matches
/// too. An acceptance of a peer that is `unpinned` says `matched::primary` with an empty label; without
/// that word a peer without pins is refused (`no_pins`).
///
/// Immovable: the TLS library points into it. It dies before the session handle; what `peer` borrows
/// outlives it.
template <backend Backend, clock Clock = system_clock>
class verified_connection final : public connection_base, private handshake_observer {
 public:
  using session = typename Backend::session;

  /// Attaches, the last thing before the handshake. If the session is unfit or the host not
  /// canonical, then the session's handshake cannot succeed and `verdict()` says why.
  verified_connection(session handle, const verified_peer<Clock>& peer) noexcept : peer_(peer) {
    const result<host_kind> kind = classify_host(peer_.endpoint.host);
    // Every backend refuses an empty host, and with it the session.
    const target whom = kind ? peer_.endpoint : target{};
    const result<void> attached = Backend::attach(handle, whom, *this, attachment_);
    if (!kind) {
      refuse(verdict_type::refuse(reason::hostname, kind.error()));
    } else if (!attached) {
      refuse(verdict_type::refuse(reason::backend_unfit, attached.error()));
    }
  }

  ~verified_connection() override { Backend::detach(attachment_); }

  [[nodiscard]] cotter::verdict confirm() noexcept override {
    if (phase_ == phase::refused) return verdict_;
    const handshake_facts facts = Backend::inspect(attachment_);
    const error native{errc::ok, 0, facts.native};
    if (!facts.finished) return with_leaf(verdict_type::refuse(reason::unbound, native));
    if (facts.resumed) {
      refuse(verdict_type::refuse(reason::resumption_unbound, native));
    } else if (!facts.hooks_intact || !facts.authenticated ||
               (phase_ != phase::pending && phase_ != phase::confirmed)) {
      refuse(verdict_type::refuse(reason::backend_unfit, native));
    } else if (phase_ == phase::pending) {
      verdict_ = with_leaf(accepted_);
      phase_ = phase::confirmed;
    }
    return verdict_;
  }

  [[nodiscard]] cotter::verdict reassess() noexcept override {
    if (const verdict_type asked = confirm(); !asked) return asked;
    const instant now = peer_.time.now().wall;
    if (now < assessment_.not_before || now > assessment_.not_after) {
      refuse(verdict_type::refuse(reason::validity));
      return verdict_;
    }
    const verdict_type pinned =
        judged(detail::match(pinned_target(), assessment_.fingerprint, assessment_.key, now));
    if (pinned) {
      verdict_ = with_leaf(pinned);
    } else {
      refuse(pinned);
    }
    return verdict_;
  }

  [[nodiscard]] const cotter::verdict& verdict() const noexcept override { return verdict_; }
  /// None: there is nothing to compare the leaf with.
  [[nodiscard]] const cotter::diagnosis& diagnosis() const noexcept override { return diagnosis_; }

 private:
  using verdict_type = cotter::verdict;
  enum class phase : std::uint8_t { attached, started, leaf_seen, pending, confirmed, refused };

  void on_start() noexcept override {
    if (phase_ == phase::refused) return;
    if (phase_ == phase::pending || phase_ == phase::confirmed) {
      // A second handshake on this connection: its verdict would be another one's.
      refuse(verdict_type::refuse(reason::backend_unfit));
      return;
    }
    assessment_ = {};
    if (!certificate_hasher_.prepare() ||
        (pinned_target().wants(pin_form::spki) && !key_hasher_.prepare())) {
      refuse(verdict_type::refuse(reason::backend_unfit, {errc::out_of_memory, 0, 0}));
      return;
    }
    phase_ = phase::started;
  }

  void on_leaf(bytes_view der) noexcept override {
    if (phase_ == phase::refused) return;
    if (phase_ != phase::started) {
      refuse(verdict_type::refuse(reason::backend_unfit));
      return;
    }
    assessment_ = assess(der, pinned_target(), peer_.endpoint, peer_.time.now().wall,
                         certificate_hasher_, key_hasher_);
    phase_ = phase::leaf_seen;
  }

  [[nodiscard]] bool on_chain(chain_outcome chain) noexcept override {
    if (phase_ == phase::refused) return false;
    if (phase_ != phase::leaf_seen) {
      refuse(verdict_type::refuse(reason::backend_unfit));
      return false;
    }
    reason why = assessment_.fault;
    if (why == reason::none && !chain.trusted) why = reason::pkix;
    if (why != reason::none) {
      error detail = assessment_.detail;
      detail.native = chain.native;
      refuse(verdict_type::refuse(why, detail));
      return false;
    }
    accepted_ = judged(assessment_.pinned);
    if (!accepted_) {
      refuse(accepted_);
      return false;
    }
    phase_ = phase::pending;
    return true;
  }

  [[nodiscard]] cotter::pinned_target pinned_target() const noexcept {
    cotter::pinned_target asked;
    asked.endpoint = peer_.endpoint;
    asked.pins = peer_.pins;
    return asked;
  }
  /// What the pins say, where there are any.
  [[nodiscard]] verdict_type judged(const verdict_type& by_pins) const noexcept {
    if (!peer_.pins.empty()) return by_pins;
    return peer_.unpinned ? verdict_type::accept(matched::primary)
                          : verdict_type::refuse(reason::no_pins);
  }
  [[nodiscard]] verdict_type with_leaf(const verdict_type& why) const noexcept {
    return assessment_.has_fingerprint ? why.with_fingerprint(assessment_.fingerprint) : why;
  }
  void refuse(const verdict_type& why) noexcept {
    phase_ = phase::refused;
    verdict_ = with_leaf(why);
  }

  const verified_peer<Clock> peer_;
  typename Backend::attachment attachment_{};
  typename Backend::hasher certificate_hasher_{};
  typename Backend::hasher key_hasher_{};
  leaf_assessment assessment_{};
  verdict_type accepted_{};
  verdict_type verdict_{};
  cotter::diagnosis diagnosis_{};
  phase phase_ = phase::attached;
};

}  // namespace v0
}  // namespace cotter
