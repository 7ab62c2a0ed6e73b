// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/concepts/backend.hpp>
#include <cotter/pipeline/assessment.hpp>
#include <cotter/pipeline/permit.hpp>
#include <cotter/values/handshake.hpp>
#include <cotter/values/verdict.hpp>

#include <cstdint>
#include <utility>

namespace cotter {
inline namespace v0 {

/// One guarded connection, whichever the backend and the guard.
class connection_base {
 public:
  connection_base(const connection_base&) = delete;
  connection_base& operator=(const connection_base&) = delete;
  virtual ~connection_base() = default;

  /// The last word, to be asked for after the handshake and before the first application octet.
  ///
  /// Accepts only if the peer's Finished has been verified in a handshake that this connection
  /// decided, and everything `attach` installed is still in force. Called before the handshake is
  /// over it refuses with `unbound` and may be called again. Once it has accepted, later calls look
  /// again at what can still change (hooks, renegotiation) and may take it back, never the reverse.
  ///
  /// A probe of a locked target is refused with `breaker_locked` even if everything was well; if it
  /// was, on a primary pin, then the next attempt is admitted.
  [[nodiscard]] virtual cotter::verdict confirm() noexcept = 0;

  /// Asks again for a connection that has lived for a while, after a reload or once a day: would the
  /// manifest, the pins and the leaf's validity of this moment accept it? The breaker is not asked.
  ///
  /// Refuses where `confirm` does. What it refuses is refused for good, and the program closes it;
  /// the breaker does not count it. May change which pin accepts.
  [[nodiscard]] virtual cotter::verdict reassess() noexcept = 0;

  /// What is known so far. Accepts only after `confirm` did.
  [[nodiscard]] virtual const cotter::verdict& verdict() const noexcept = 0;

 protected:
  connection_base() noexcept = default;
};

/// A connection of `Backend` under `Guard`, made by `guard::attach`. Immovable: the TLS library
/// points into it. It dies before the session handle and before the guard.
template <typename Guard, backend Backend>
class connection final : public connection_base, private handshake_observer {
 public:
  using session = typename Backend::session;

  /// Attaches; spends `permit`. If the permit is spent or foreign, or the session unfit, then the
  /// session's handshake cannot succeed and `verdict()` says why.
  connection(Guard& guard, session handle, typename Guard::permit& permit) noexcept
      : guard_(guard), permit_(std::move(permit)) {
    error problem{};
    if (!permit_.valid()) {
      problem.what = errc::permit_spent;
    } else if (!permit_.issued_by(guard)) {
      problem.what = errc::permit_foreign;
    }
    const result<void> attached = Backend::attach(handle, permit_.endpoint(), *this, attachment_);
    if (problem.what == errc::ok && !attached) problem = attached.error();
    if (problem.what != errc::ok) {
      refuse(verdict_type::refuse(reason::backend_unfit, problem));
    } else if (!guard.allows(Backend::name, Backend::version())) {
      refuse(verdict_type::refuse(reason::runtime_mismatch));
    }
  }

  ~connection() override { Backend::detach(attachment_); }

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
      const verdict_type found = accepted_.with_fingerprint(assessment_.fingerprint);
      verdict_ = Guard::told(permit_, found);
      phase_ = verdict_ ? phase::confirmed : phase::refused;
      guard_.conclude(permit_, found, Backend::name);
    }
    return verdict_;
  }

  [[nodiscard]] cotter::verdict reassess() noexcept override {
    if (const verdict_type asked = confirm(); !asked) return asked;
    verdict_type now = guard_.reassess(permit_, assessment_, latest_);
    if (now && !guard_.allows(Backend::name, Backend::version())) {
      now = verdict_type::refuse(reason::runtime_mismatch);
    }
    if (now) {
      verdict_ = with_leaf(now);
    } else {
      refuse(now);
    }
    return verdict_;
  }

  [[nodiscard]] const cotter::verdict& verdict() const noexcept override { return verdict_; }

 private:
  using verdict_type = cotter::verdict;
  using digest_context = typename Guard::template hasher_for<Backend>;
  /// Pins that may change may come to ask for the key.
  static constexpr bool keeps_key = Guard::pins_may_change;
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
        ((keeps_key || permit_.pinned().wants(pin_form::spki)) && !key_hasher_.prepare())) {
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
    assessment_ = assess(der, permit_.pinned(), permit_.endpoint(), guard_.now().wall,
                         certificate_hasher_, key_hasher_, keeps_key);
    phase_ = phase::leaf_seen;
  }

  [[nodiscard]] bool on_chain(chain_outcome chain) noexcept override {
    if (phase_ == phase::refused) return false;
    if (phase_ != phase::leaf_seen) {
      refuse(verdict_type::refuse(reason::backend_unfit));
      return false;
    }
    // The leaf's own fault is named before the chain's: libraries differ in which they report
    // first.
    reason why = assessment_.fault;
    if (why == reason::none && !chain.trusted) why = reason::pkix;
    if (why != reason::none) {
      error detail = assessment_.detail;
      detail.native = chain.native;
      refuse(verdict_type::refuse(why, detail));
      return false;
    }
    accepted_ = guard_.observed(assessment_.pinned);
    if (!accepted_) {
      refuse(accepted_);
      return false;
    }
    if (permit_.probe() && accepted_.matched() != matched::primary) {
      refuse(verdict_type::refuse(reason::breaker_locked));
      return false;
    }
    phase_ = phase::pending;
    return true;
  }

  [[nodiscard]] verdict_type with_leaf(const verdict_type& why) const noexcept {
    return assessment_.has_fingerprint ? why.with_fingerprint(assessment_.fingerprint) : why;
  }

  void refuse(const verdict_type& why) noexcept {
    const bool concluded = phase_ == phase::confirmed;
    phase_ = phase::refused;
    verdict_ = with_leaf(why);
    if (concluded) {
      guard_.revoke(permit_, verdict_, Backend::name);
    } else {
      guard_.conclude(permit_, verdict_, Backend::name);
    }
  }

  Guard& guard_;
  typename Guard::permit permit_;
  typename Backend::attachment attachment_{};
  digest_context certificate_hasher_{};
  digest_context key_hasher_{};
  leaf_assessment assessment_{};
  typename Guard::pin_handle latest_{};
  verdict_type accepted_{};
  verdict_type verdict_{};
  phase phase_ = phase::attached;
};

}  // namespace v0
}  // namespace cotter
