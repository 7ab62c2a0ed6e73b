// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/certificate/issuance.hpp>
#include <cotter/concepts/backend.hpp>
#include <cotter/pipeline/assessment.hpp>
#include <cotter/pipeline/diagnosis.hpp>
#include <cotter/pipeline/permit.hpp>
#include <cotter/pipeline/slots.hpp>
#include <cotter/values/audit_record.hpp>
#include <cotter/values/diagnosis.hpp>
#include <cotter/values/handshake.hpp>
#include <cotter/values/session_binding.hpp>
#include <cotter/values/verdict.hpp>

#include <cstdint>
#include <type_traits>
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

  /// Hands the sessions that this connection got since the last call to the guard's `session_store`,
  /// so that a later connection may resume them; does nothing before `confirm` has accepted, and
  /// nothing without a store. In TLS 1.3 they come with what is read: to be called after reads and
  /// before the connection is closed. `tls_stream` does so by itself.
  virtual void keep_sessions() noexcept {}

  /// What is known so far. Accepts only after `confirm` did.
  [[nodiscard]] virtual const cotter::verdict& verdict() const noexcept = 0;

  /// What probably lies behind a refusal, or behind what an observed acceptance would have been
  /// refused for; for people. Nothing otherwise, and nothing from a guard without a `peer_history`.
  /// Borrowed from the connection.
  [[nodiscard]] virtual const cotter::diagnosis& diagnosis() const noexcept = 0;

 protected:
  connection_base() noexcept = default;
};

namespace detail {

/// What a connection knows for its diagnosis.
template <typename OwnerHandle>
struct diagnosing {
  leaf_traits traits{};
  bool names_target = false;
  OwnerHandle owner{};
  cotter::diagnosis found{};
};
struct not_diagnosing {};

/// What a connection knows of the session it resumes, and of those it may leave behind.
struct resuming {
  session_key whose{};
  session_binding bound{};  ///< what was offered; once confirmed, what new sessions inherit
  bool allowed = false;
  bool offered = false;
  bool resumed = false;
  bool keeps = false;
};
struct not_resuming {};

}  // namespace detail

/// A connection of `Backend` under `Guard`, made by `guard::attach`. Immovable: the TLS library
/// points into it. It dies before the session handle and before the guard.
template <typename Guard, backend Backend>
class connection final : public connection_base, private handshake_observer {
 public:
  using session = typename Backend::session;

  /// Attaches; spends `permit`. If the permit is spent or foreign, or the session unfit, then the
  /// session's handshake cannot succeed and `verdict()` says why.
  connection(Guard& guard, session handle, typename Guard::permit& permit,
             [[maybe_unused]] const anchors_identity& anchors = {}) noexcept
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
    } else if constexpr (resumes) {
      offer_session(anchors);
    }
  }

  /// An attempt whose handshake began and came to no decision is written down as refused: a leaf that
  /// the library could not read, and a server that could not prove to have the key, leave no other
  /// trace.
  ~connection() override {
    if (phase_ == phase::started || phase_ == phase::leaf_seen || phase_ == phase::pending) {
      const bool unreadable = assessment_.fault == reason::malformed_certificate;
      refuse(verdict_type::refuse(unreadable ? reason::malformed_certificate : reason::unbound,
                                  unreadable ? assessment_.detail : error{}));
    }
    Backend::detach(attachment_);
  }

  [[nodiscard]] cotter::verdict confirm() noexcept override {
    if (phase_ == phase::refused) return verdict_;
    const handshake_facts facts = Backend::inspect(attachment_);
    const error native{errc::ok, 0, facts.native};
    if (!facts.finished) return with_leaf(verdict_type::refuse(reason::unbound, native));
    if (facts.resumed && !may_be_resumed(facts)) {
      refuse(verdict_type::refuse(reason::resumption_unbound, native));
    } else if (!facts.hooks_intact || !facts.authenticated ||
               (phase_ != phase::pending && phase_ != phase::confirmed &&
                !(facts.resumed && phase_ == phase::started))) {
      refuse(verdict_type::refuse(reason::backend_unfit, native));
    } else if (phase_ != phase::confirmed) {
      verdict_ = with_leaf(assessment_.pinned);
      if (permit_.probe()) verdict_.lock();
      phase_ = verdict_ ? phase::confirmed : phase::refused;
      bind(facts);
      conclude(assessment_.pinned, false);
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

  void keep_sessions() noexcept override {
    if constexpr (resumes) {
      if (phase_ != phase::confirmed || !sessions_.keeps) return;
      const handshake_facts facts = Backend::inspect(attachment_);
      if (!facts.finished || !facts.hooks_intact || !facts.authenticated ||
          facts.resumed != sessions_.resumed) {
        return;
      }
      Backend::collect(attachment_, [this](bytes_view octets) noexcept {
        session_binding one = sessions_.bound;
        if (digest(octets, one.octets)) guard_.put_session(one, octets);
      });
    }
  }

  [[nodiscard]] const cotter::verdict& verdict() const noexcept override { return verdict_; }

  [[nodiscard]] const cotter::diagnosis& diagnosis() const noexcept override {
    if constexpr (Guard::diagnoses) {
      return diagnosing_.found;
    } else {
      static constexpr cotter::diagnosis none{};
      return none;
    }
  }

 private:
  using verdict_type = cotter::verdict;
  using digest_context = typename Guard::template hasher_for<Backend>;
  /// Pins that may change may come to ask for the key.
  static constexpr bool keeps_key = Guard::pins_may_change || Guard::diagnoses || Guard::resumes;
  static constexpr bool resumes = Guard::resumes && resuming_backend<Backend>;
  /// How many stored sessions are looked at before the handshake is a full one.
  static constexpr int most_offers = 8;
  enum class phase : std::uint8_t { attached, started, leaf_seen, pending, confirmed, refused };

  void on_start() noexcept override {
    if (phase_ == phase::refused) return;
    if (phase_ == phase::pending || phase_ == phase::confirmed) {
      // A second handshake on this connection: its verdict would be another one's.
      refuse(verdict_type::refuse(reason::backend_unfit));
      return;
    }
    assessment_ = {};
    if constexpr (Guard::keeps_leaf) leaf_.drop();
    bool ready = certificate_hasher_.prepare();
    if constexpr (!reusable_hasher<digest_context>) {
      const bool wants_key = keeps_key || permit_.pinned().wants(pin_form::spki);
      ready = ready && (!wants_key || key_hasher_.prepare());
    }
    if (!ready) {
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
    assessment_ = assess<!Guard::names_only>(der, permit_.pinned(), permit_.endpoint(), guard_.now().wall,
                         certificate_hasher_, key_hasher(), keeps_key);
    if constexpr (Guard::keeps_leaf) {
      if (assessment_.fault != reason::none || !assessment_.pinned) leaf_.keep(der);
    }
    if constexpr (Guard::diagnoses) {
      const result<certificate_form> form = read_form(der);
      const certificate_view view = form ? locate(*form) : certificate_view{};
      diagnosing_.traits = traits_of(view);
      diagnosing_.names_target = names_target(view, permit_.endpoint());
    }
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
      refuse(verdict_type::refuse(why, detail), &chain);
      return false;
    }
    const verdict_type& found = assessment_.pinned;
    guard_.observe(assessment_.pinned);
    if (!found) {
      refuse(found, &chain);
      return false;
    }
    if (permit_.probe() && found.matched() != matched::primary) {
      refuse(verdict_type::refuse(reason::breaker_locked));
      return false;
    }
    if (found.matched() == matched::observed) explain(found.would_refuse(), &chain);
    phase_ = phase::pending;
    return true;
  }

  [[nodiscard]] digest_context& key_hasher() noexcept {
    if constexpr (reusable_hasher<digest_context>) {
      return certificate_hasher_;
    } else {
      return key_hasher_;
    }
  }

  void offer_session([[maybe_unused]] const anchors_identity& anchors) noexcept {
    if constexpr (resumes) {
      detail::resuming& own = sessions_;
      if (permit_.probe() || !anchors.known ||
          !guard_.template session_key_of<Backend>(permit_, anchors, own.whose)) {
        return;
      }
      own.allowed = Backend::allow_sessions(attachment_);
      for (int i = 0; own.allowed && !own.offered && i < most_offers; ++i) {
        const auto use = [this](const session_binding& bound, bytes_view octets) noexcept {
          sha256_digest found{};
          if (!guard_.judge(permit_, sessions_.whose, bound) || !digest(octets, found) ||
              found != bound.octets || !Backend::offer(attachment_, octets)) {
            return;
          }
          sessions_.bound = bound;
          sessions_.offered = true;
        };
        if (!guard_.take_session(own.whose, use)) break;
      }
    }
  }

  /// Decides about a handshake without a certificate: again, with the pins and the time of now.
  [[nodiscard]] bool may_be_resumed([[maybe_unused]] const handshake_facts& facts) noexcept {
    if constexpr (resumes) {
      const session_binding& bound = sessions_.bound;
      if (!facts.offered || !sessions_.offered || facts.version != bound.version) return false;
      if (phase_ == phase::confirmed) return sessions_.resumed;
      if (phase_ != phase::started) return false;
      const verdict_type found = guard_.judge(permit_, sessions_.whose, bound);
      if (!found) return false;
      assessment_.fault = reason::none;
      assessment_.pinned = found;
      assessment_.fingerprint = bound.fingerprint;
      assessment_.has_fingerprint = true;
      assessment_.key = bound.key;
      assessment_.has_key = bound.has_key;
      assessment_.not_before = bound.not_before;
      assessment_.not_after = bound.not_after;
      sessions_.resumed = true;
      return true;
    } else {
      return false;
    }
  }

  /// What sessions of this connection will be bound to. Those of a resumed one inherit all of it, the
  /// time of the full handshake too: no chain of renewals outlives that by more than a day.
  void bind([[maybe_unused]] const handshake_facts& facts) noexcept {
    if constexpr (resumes) {
      detail::resuming& own = sessions_;
      own.keeps = own.allowed && facts.resumable && verdict_ &&
                  verdict_.matched() != matched::observed && !permit_.probe();
      if (own.resumed || !own.keeps) return;
      session_binding& bound = own.bound;
      bound = {};
      bound.whose = own.whose;
      bound.fingerprint = assessment_.fingerprint;
      bound.key = assessment_.key;
      bound.has_key = assessment_.has_key;
      bound.not_before = assessment_.not_before;
      bound.not_after = assessment_.not_after;
      bound.version = facts.version;
      bound.established_at = guard_.now().wall;
      bound.sequence = guard_.sequence();
    }
  }

  [[nodiscard]] static bool digest(bytes_view octets, sha256_digest& out) noexcept {
    digest_context whole{};
    if (!whole.prepare()) return false;
    whole.update(octets);
    return whole.finish(out);
  }

  [[nodiscard]] verdict_type with_leaf(const verdict_type& why) const noexcept {
    return assessment_.has_fingerprint ? why.with_fingerprint(assessment_.fingerprint) : why;
  }

  void refuse(const verdict_type& why, const chain_outcome* chain = nullptr) noexcept {
    const bool concluded = phase_ == phase::confirmed;
    phase_ = phase::refused;
    verdict_ = with_leaf(why);
    explain(why.reason(), chain);
    conclude(verdict_, concluded);
  }

  void explain(reason why, const chain_outcome* chain) noexcept {
    if constexpr (Guard::diagnoses) {
      refusal_facts facts;
      facts.why = why;
      facts.chain_known = chain != nullptr;
      facts.chain_trusted = chain != nullptr && chain->trusted;
      facts.names_target = diagnosing_.names_target;
      facts.not_before = assessment_.not_before;
      facts.leaf = diagnosing_.traits;
      diagnosing_.found = guard_.explain(permit_, facts, assessment_, diagnosing_.owner);
    }
  }

  /// Writes down, with all that this connection can say, and tells the breaker.
  void conclude(const verdict_type& outcome, bool revoked) noexcept {
    audit_record what;
    what.outcome = with_leaf(outcome);
    what.backend = Backend::name;
    what.backend_version = Backend::version();
    if (assessment_.not_before <= assessment_.not_after) {
      what.leaf_not_before = assessment_.not_before;
      what.leaf_not_after = assessment_.not_after;
    }
    if constexpr (resumes) what.resumed = sessions_.resumed;
    if constexpr (Guard::keeps_leaf) what.leaf = leaf_.octets();
    if constexpr (Guard::diagnoses) {
      what.diagnosis = diagnosing_.found;
      guard_.conclude(permit_, what, revoked, &diagnosing_.traits);
    } else {
      guard_.conclude(permit_, what, revoked);
    }
  }

  Guard& guard_;
  typename Guard::permit permit_;
  typename Backend::attachment attachment_{};
  digest_context certificate_hasher_{};
  [[no_unique_address]] std::conditional_t<reusable_hasher<digest_context>, detail::nothing,
                                           digest_context>
      key_hasher_{};
  leaf_assessment assessment_{};
  [[no_unique_address]] typename Guard::latest_pins latest_{};
  verdict_type verdict_{};
  phase phase_ = phase::attached;
  [[no_unique_address]] typename Guard::leaf_keeper leaf_{};
  [[no_unique_address]] std::conditional_t<
      Guard::diagnoses, detail::diagnosing<typename Guard::owner_handle>, detail::not_diagnosing>
      diagnosing_{};
  [[no_unique_address]] std::conditional_t<resumes, detail::resuming, detail::not_resuming>
      sessions_{};
};

}  // namespace v0
}  // namespace cotter
