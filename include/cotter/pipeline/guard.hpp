// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/concepts/sealer.hpp>
#include <cotter/pipeline/assessment.hpp>
#include <cotter/pipeline/connection.hpp>
#include <cotter/pipeline/diagnosis.hpp>
#include <cotter/pipeline/permit.hpp>
#include <cotter/pipeline/slots.hpp>
#include <cotter/policies/clock/system_clock.hpp>
#include <cotter/policies/lock/flag_lock.hpp>
#include <cotter/policies/notifier/no_notifier.hpp>
#include <cotter/values/audit_record.hpp>
#include <cotter/values/session_binding.hpp>
#include <cotter/values/target.hpp>
#include <cotter/values/verdict.hpp>

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace cotter {
inline namespace v0 {

/// Composes the slots and decides, once for all backends.
///
/// Slots are recognised by the concept they model, in any order; those passed as lvalues are
/// borrowed and must outlive the guard, rvalues are moved in. Needed: `pin_set`, `breaker`,
/// `manifest_source`, `audit_sink`. With defaults: `clock` (`system_clock`), `lock` (`flag_lock`),
/// `notifier` (`no_notifier`), `use_hasher<H>` (the backend's own), `allow_observation` (none),
/// `peer_history` (none: then refusals carry no diagnosis), `session_store` (none: then nothing is
/// resumed), `share_sessions` (none). One object may fill several slots.
///
/// Immovable; outlives its permits and connections. `admit` and connections may be used from
/// several threads unless the lock is `no_lock`; one connection belongs to one thread at a time.
template <typename... Slots>
class guard {
  static_assert((detail::any_slot<std::remove_cvref_t<Slots>> && ...),
                "cotter: a slot models none of the concepts in cotter/concepts/");
  static_assert(
      (std::is_constructible_v<Slots, Slots&&> && ...),
      "cotter: a slot that cannot be moved is passed as an lvalue, and outlives the guard");
  static_assert(detail::slot_count<detail::is_pin_set, Slots...> == 1,
                "cotter: a guard needs exactly one pin_set");
  static_assert(detail::slot_count<detail::is_manifest_source, Slots...> == 1,
                "cotter: a guard needs exactly one manifest_source");
  static_assert(detail::slot_count<detail::is_breaker, Slots...> == 1,
                "cotter: a guard needs exactly one breaker");
  static_assert(detail::slot_count<detail::is_audit_sink, Slots...> == 1,
                "cotter: a guard needs exactly one audit_sink");
  static_assert(detail::slot_count<detail::is_clock, Slots...> <= 1,
                "cotter: a guard takes at most one clock");
  static_assert(detail::slot_count<detail::is_lock, Slots...> <= 1,
                "cotter: a guard takes at most one lock");
  static_assert(detail::slot_count<detail::is_notifier, Slots...> <= 1,
                "cotter: a guard takes at most one notifier");
  static_assert(detail::slot_count<detail::is_use_hasher, Slots...> <= 1,
                "cotter: a guard takes at most one use_hasher");

  static_assert(detail::slot_count<detail::is_peer_history, Slots...> <= 1,
                "cotter: a guard takes at most one peer_history");
  static_assert(detail::slot_count<detail::is_allow_observation, Slots...> <= 1,
                "cotter: a guard takes allow_observation once");
  static_assert(detail::slot_count<detail::is_session_store, Slots...> <= 1,
                "cotter: a guard takes at most one session_store");
  static_assert(detail::slot_count<detail::is_share_sessions, Slots...> <= 1,
                "cotter: a guard takes share_sessions once");

  using pin_set_type = detail::slot_type<detail::is_pin_set, void*, Slots...>;
  using clock_type = detail::slot_type<detail::is_clock, system_clock, Slots...>;
  using lock_type = detail::slot_type<detail::is_lock, flag_lock, Slots...>;
  using notifier_type = detail::slot_type<detail::is_notifier, no_notifier, Slots...>;

  using manifest_type = detail::slot_type<detail::is_manifest_source, void*, Slots...>;
  using breaker_type = detail::slot_type<detail::is_breaker, void*, Slots...>;
  using sink_type = detail::slot_type<detail::is_audit_sink, void*, Slots...>;

  /// `owner_of`'s handle, or nothing.
  template <typename P>
  struct owner_of_pins {
    struct type {
      explicit operator bool() const noexcept { return false; }
      const pin_owner& operator*() const noexcept { return nobody; }
      pin_owner nobody{};
    };
  };
  template <owner_telling_pin_set P>
  struct owner_of_pins<P> {
    using type = std::remove_cvref_t<decltype(std::declval<const P&>().owner_of(
        std::declval<const pinned_target&>(), std::declval<const sha256_digest&>(),
        std::declval<const sha256_digest*>()))>;
  };

 public:
  using permit = basic_permit<guard>;
  static constexpr bool pins_may_change = reloadable_pin_set<std::remove_cv_t<pin_set_type>>;
  /// True if refusals carry a diagnosis.
  static constexpr bool diagnoses = detail::slot_count<detail::is_peer_history, Slots...> == 1;
  /// True if connections may be resumed.
  static constexpr bool resumes = detail::slot_count<detail::is_session_store, Slots...> == 1;
  /// True if the sink keeps the leaf of refusals.
  static constexpr bool keeps_leaf = leaf_wanting_sink<std::remove_cv_t<sink_type>>;
  using leaf_keeper = typename detail::keeper_or_none<std::remove_cv_t<sink_type>>::type;
  using owner_handle = typename owner_of_pins<std::remove_cv_t<pin_set_type>>::type;
  using pin_handle = std::remove_cvref_t<decltype(std::declval<const pin_set_type&>().find(
      std::declval<const target&>(), std::declval<const ip_address&>()))>;
  template <backend Backend>
  using hasher_for =
      typename detail::chosen_hasher<std::remove_cvref_t<Slots>...>::template type<Backend>;

  /// What `admit` answers: a permit, or the verdict that there is none.
  class [[nodiscard]] admission {
   public:
    [[nodiscard]] explicit operator bool() const noexcept { return permit_.valid(); }
    /// A permit that permits nothing if the admission was refused.
    [[nodiscard]] permit& operator*() noexcept { return permit_; }
    /// Why not; `unbound` while there is a permit, because nothing is decided yet.
    [[nodiscard]] const cotter::verdict& verdict() const noexcept { return verdict_; }
    /// What probably lies behind a refusal; nothing without a `peer_history`.
    [[nodiscard]] const cotter::diagnosis& diagnosis() const noexcept {
      if constexpr (diagnoses) {
        return diagnosis_;
      } else {
        static constexpr cotter::diagnosis none{};
        return none;
      }
    }

   private:
    friend guard;
    permit permit_{};
    cotter::verdict verdict_{};
    [[no_unique_address]] std::conditional_t<diagnoses, cotter::diagnosis, detail::nothing>
        diagnosis_{};
  };

  constexpr explicit guard(Slots... slots) noexcept : slots_(std::forward<Slots>(slots)...) {}
  guard(const guard&) = delete;
  guard& operator=(const guard&) = delete;

  /// Asks, before TCP, whether this target may be tried now, and reserves one attempt.
  ///
  /// `peer` is the address that will be connected to, if known: it may choose a region; if not, see
  /// `basic_permit::reached`. `network`
  /// is an id of the network the device is in, if the application knows one; it outlives the permit
  /// and the connection.
  ///
  /// While a target is locked under `lock_recovery::verified_probe`, one attempt per cooldown is
  /// admitted as a probe, see `basic_permit::probe`.
  ///
  /// Refused with `no_pins` (the host is not canonical, or is not in the pin set), with the
  /// manifest's own reason or `manifest_expired`, or with the breaker's. A refusal is audited.
  [[nodiscard]] admission admit(const target& whom, const ip_address& peer = {},
                                std::string_view network = {}) noexcept {
    admission answer;
    const manifest_standing standing = slot<detail::is_manifest_source>().current();
    time_reading at = clock_now();
    const instant told = at.wall;
    lift(at, standing);
    if constexpr (writes_changes) watch(told, at, standing);
    error detail{};
    reason why = fault_of(standing, at.wall);
    pin_handle found{};
    peer_address from{};
    if constexpr (regional) from = unwrap(peer);
    if (why == reason::none && (misspelt(whom, detail) || !pins_at(whom, from, found))) {
      why = reason::no_pins;
    }
    if (why == reason::none) {
      const breaker_key key{(*found).endpoint, network};
      lock().lock();
      reservation reserved = slot<detail::is_breaker>().reserve(key, at, standing.sequence);
      if (reserved.opened()) {
        const breaker_change opened{breaker_state::closed, 0, 0, false, breaker_state::locked};
        record_change(key, opened, at.wall, standing.sequence);
      }
      lock().unlock();
      why = reserved.refused();
      if (reserved.held()) {
        answer.permit_.grant(*this, std::move(found), whom.kind, from, network,
                             std::move(reserved));
        return answer;
      }
    }
    answer.verdict_ = verdict::refuse(why, detail);
    turn_away(answer, {whom, network}, told, at.wall, standing.sequence);
    return answer;
  }

  /// Guards one connection: the last thing before its handshake. Spends `one`.
  ///
  /// `session` is the TLS library's own handle (`SSL*`, `WOLFSSL*`, `mbedtls_ssl_context*`); its
  /// backend's header must have been included. See `connection` for what comes back.
  ///
  /// `anchors` says which trust anchors `session` has: a `context::anchors()`, or what the program
  /// calls its own. Without it nothing is resumed, nor kept to be resumed.
  template <typename Session>
  [[nodiscard]] auto attach(Session session, permit& one,
                            const anchors_identity& anchors = {}) noexcept {
    return connection<guard, typename backend_of<Session>::type>(*this, session, one, anchors);
  }
  template <typename Session>
  [[nodiscard]] auto attach(Session session, permit&& one,
                            const anchors_identity& anchors = {}) noexcept {
    return attach(session, one, anchors);
  }

  /// The clock's time, not earlier than the manifest was issued: a clock that was set back makes no
  /// expired certificate good.
  [[nodiscard]] time_reading now() const noexcept {
    time_reading at = clock_now();
    lift(at, slot<detail::is_manifest_source>().current());
    return at;
  }

  /// Opens a lock on an administrator's verified word, such as a `breaker_reset`, and writes it down.
  /// @errors those of the breaker's own `reset`; then nothing has changed
  template <typename Word>
  requires requires(breaker_type& breaking, const Word& word, time_reading at) {
    { breaking.reset(word, at) }
    noexcept->std::same_as<result<void>>;
  }
  [[nodiscard]] result<void> reset(const Word& word) noexcept {
    const breaker_key key{{word.host, word.port}, word.network};
    const time_reading at = now();
    const std::uint64_t sequence = slot<detail::is_manifest_source>().current().sequence;
    lock().lock();
    const breaker_state before = slot<detail::is_breaker>().state(key);
    const result<void> done = slot<detail::is_breaker>().reset(word, at);
    if (done) {
      record_change(key, {slot<detail::is_breaker>().state(key), 0, 0, false, before}, at.wall,
                    sequence);
    }
    lock().unlock();
    return done;
  }

  /// Writes down that an update of the manifest was not taken. One that was taken writes itself down
  /// at the next `admit`.
  void manifest_rejected([[maybe_unused]] const error& why) noexcept {
    [[maybe_unused]] const manifest_standing standing =
        slot<detail::is_manifest_source>().current();
    if constexpr (writes_changes) {
      audit_record what = about(audit_subject::manifest, now().wall, standing.sequence);
      what.manifest = manifest_change::rejected;
      what.detail = why;
      lock().lock();
      sink().record(what);
      lock().unlock();
    }
  }

 private:
  template <typename, backend>
  friend class connection;
  template <typename>
  friend class basic_permit;

  static constexpr bool compiled_in = canonical_pin_set<std::remove_cv_t<pin_set_type>>;
  static constexpr bool names_only = name_pin_set<std::remove_cv_t<pin_set_type>>;
  static constexpr bool regional = !regionless_pin_set<std::remove_cv_t<pin_set_type>>;
  using peer_address = std::conditional_t<regional, ip_address, detail::nothing>;
  static constexpr bool writes_changes = !decision_sink<std::remove_cv_t<sink_type>>;

  [[nodiscard]] static constexpr reason fault_of(const manifest_standing& standing,
                                                 instant now) noexcept {
    if (standing.problem != reason::none) return standing.problem;
    return now > standing.expires_at ? reason::manifest_expired : reason::none;
  }

  [[nodiscard]] bool allows(std::string_view library,
                            const library_version& running) const noexcept {
    if constexpr (runtime_restricting<std::remove_cv_t<manifest_type>>) {
      return slot<detail::is_manifest_source>().allows(library, running);
    } else {
      return true;
    }
  }

  static constexpr void lift(time_reading& at, const manifest_standing& standing) noexcept {
    if (at.wall < standing.issued_at) at.wall = standing.issued_at;
  }

  [[nodiscard]] static audit_record about(audit_subject subject, instant at,
                                          std::uint64_t sequence) noexcept {
    audit_record what;
    what.subject = subject;
    what.at = at;
    what.sequence = sequence;
    return what;
  }

  /// Writes down what has become of clock and manifest since the last attempt. `told` is the civil
  /// time of `at` before it was lifted.
  void watch(instant told, const time_reading& at, const manifest_standing& standing) noexcept {
    const time_reading raw{told, at.steady};
    lock().lock();
    const bool low = raw.wall < at.wall;
    const auto went =
        std::chrono::duration_cast<std::chrono::seconds>(raw.steady - seen_.raw.steady);
    const bool in_order =
        raw.steady >= seen_.raw.steady;  // else another thread has been here since
    const bool set_back =
        seen_.any && in_order && raw.wall + longest_correction < seen_.raw.wall + went;
    if ((low && !seen_.low) || set_back) {
      audit_record what = about(audit_subject::clock, at.wall, standing.sequence);
      what.clock = low ? clock_fault::below_floor : clock_fault::set_back;
      what.clock_says = raw.wall;
      sink().record(what);
    }
    if constexpr (pins_may_change) {
      const reason problem = fault_of(standing, at.wall);
      const bool fits = problem == reason::none;
      const bool newer = fits && (!seen_.manifest || standing.sequence > seen_.sequence);
      if (newer || (!fits && seen_.manifest)) {
        audit_record what = about(audit_subject::manifest, at.wall, standing.sequence);
        what.manifest = fits ? manifest_change::adopted : manifest_change::lapsed;
        what.lapsed = problem;
        sink().record(what);
      }
      if (standing.sequence >= seen_.sequence) {
        seen_.manifest = fits;
        seen_.sequence = standing.sequence;
      }
    }
    seen_.low = low;
    if (in_order || !seen_.any) seen_.raw = raw;
    seen_.any = true;
    lock().unlock();
  }

  /// True if no target can be spelled so; `detail` says why.
  [[nodiscard]] static bool misspelt([[maybe_unused]] const target& whom,
                                     [[maybe_unused]] error& detail) noexcept {
    if constexpr (!compiled_in) {
      if (const auto kind = classify_host(whom.host); !kind) {
        detail = kind.error();
      } else if (whom.port == 0) {
        detail.what = errc::invalid_port;
      }
    }
    return detail.what != errc::ok;
  }

  /// Finds the target; false if it is not there or the set breaks its own laws.
  [[nodiscard]] bool pins_at(const target& whom, const peer_address& peer,
                             pin_handle& found) const noexcept {
    if constexpr (regional) {
      found = slot<detail::is_pin_set>().find(whom, peer);
    } else {
      found = slot<detail::is_pin_set>().find(whom, {});
    }
    return static_cast<bool>(found) && (*found).endpoint.same_endpoint(whom) &&
           !(*found).pins.empty();
  }

  /// Leaves what the pins said, unless observation is allowed here, asked for by the manifest and not
  /// over: then what they would have refused is accepted as observed.
  void observe([[maybe_unused]] verdict& pinned) const noexcept {
    if constexpr (detail::slot_count<detail::is_allow_observation, Slots...> == 1) {
      const manifest_standing standing = slot<detail::is_manifest_source>().current();
      const instant at = now().wall;
      const bool about_pins =
          pinned.reason() == reason::pin_mismatch || pinned.reason() == reason::fallback_expired;
      if (about_pins && fault_of(standing, at) == reason::none && at <= standing.observe_until &&
          standing.observe_until - at <= longest_observation) {
        pinned = verdict::observe(pinned.reason());
      }
    }
  }

  /// The pins of a connection as they are now; those that are compiled in are the permit's.
  using latest_pins = std::conditional_t<compiled_in, detail::nothing, pin_handle>;

  /// What this moment's manifest and pins say of a leaf that was accepted before. The label of the
  /// answer is borrowed from `latest`, or from the permit's pins.
  [[nodiscard]] verdict reassess(const permit& one, const leaf_assessment& leaf,
                                 [[maybe_unused]] latest_pins& latest) const noexcept {
    const manifest_standing standing = slot<detail::is_manifest_source>().current();
    const instant at = now().wall;
    if (const reason why = fault_of(standing, at); why != reason::none) {
      return verdict::refuse(why);
    }
    if (at < leaf.not_before || at > leaf.not_after) return verdict::refuse(reason::validity);
    verdict answer;
    if constexpr (!compiled_in) {
      pin_handle found{};
      if (!pins_at(one.endpoint(), one.peer_, found) ||
          ((*found).wants(pin_form::spki) && !leaf.has_key)) {
        return verdict::refuse(reason::no_pins);
      }
      answer = detail::match(*found, leaf.fingerprint, leaf.key, at);
      latest = std::move(found);
    } else {
      answer = detail::match(one.pinned(), leaf.fingerprint, leaf.key, at);
    }
    observe(answer);
    return answer;
  }

  /// What a session must be bound to for this attempt; false if the guard cannot say who it is.
  template <typename Backend>
  [[nodiscard]] bool session_key_of(const permit& one, const anchors_identity& anchors,
                                    session_key& whose) noexcept requires resumes {
    whose.host = short_text<max_host_bytes>(one.endpoint().host);
    whose.port = one.endpoint().port;
    whose.kind = one.endpoint().kind;
    whose.anchors = anchors.digest;
    whose.backend = short_text<max_backend_name_bytes>(Backend::name);
    whose.library = Backend::version();
    lock().lock();
    if (!self_.known) identify<Backend>();
    const bool known = self_.known;
    whose.guard = self_.digest;
    lock().unlock();
    return known && anchors.known && !whose.host.view().empty() && !whose.backend.view().empty();
  }

  /// With the lock held: the name that guards share, or a number that no other guard has.
  template <typename Backend>
  void identify() noexcept {
    if constexpr (detail::slot_count<detail::is_share_sessions, Slots...> == 1) {
      const std::string_view name = slot<detail::is_share_sessions>().name;
      hasher_for<Backend> whole;
      if (name.empty() || !whole.prepare()) return;
      for (const char c : name) {
        const auto octet = static_cast<std::uint8_t>(c);
        whole.update({&octet, 1});
      }
      self_.known = whole.finish(self_.digest);
    } else if constexpr (sealer<Backend>) {
      self_.known = Backend::random_octets(self_.digest.octets);
    }
  }

  /// What this moment makes of a session: the pins of the permit, as of a leaf, or `unbound`. What is
  /// only observed is not resumed.
  [[nodiscard]] verdict judge(const permit& one, const session_key& whose,
                              const session_binding& bound) const noexcept {
    const instant at = now().wall;
    if (one.probe() || bound.whose != whose || bound.established_at > at ||
        at - bound.established_at > longest_session) {
      return {};
    }
    if (at < bound.not_before || at > bound.not_after) return verdict::refuse(reason::validity);
    if (one.pinned().wants(pin_form::spki) && !bound.has_key) return {};
    return detail::match(one.pinned(), bound.fingerprint, bound.key, at);
  }

  template <typename Use>
  [[nodiscard]] bool take_session(const session_key& whose, Use&& use) noexcept requires resumes {
    lock().lock();
    const bool found = slot<detail::is_session_store>().take(whose, use);
    lock().unlock();
    return found;
  }
  void put_session(const session_binding& bound, bytes_view octets) noexcept requires resumes {
    lock().lock();
    slot<detail::is_session_store>().put(bound, octets);
    lock().unlock();
  }
  [[nodiscard]] std::uint64_t sequence() const noexcept {
    return slot<detail::is_manifest_source>().current().sequence;
  }

  /// The end of an attempt: tells the breaker and writes it down. `what` says all that the connection
  /// knows, and in `outcome` what was found; the rest is added. `leaf` is remembered if it was
  /// accepted by a pin. `revoked`: an acceptance is taken back; the breaker has had its answer, the
  /// audit has not.
  void conclude(permit& one, audit_record& what, bool revoked,
                [[maybe_unused]] const leaf_traits* leaf = nullptr) noexcept {
    const manifest_standing standing = slot<detail::is_manifest_source>().current();
    const time_reading at = now();
    const reason why = what.outcome.reason();
    what.at = at.wall;
    what.sequence = standing.sequence;
    what.endpoint = one.endpoint();
    if (!revoked) {
      // Those of the permit accepted it; which ones refuse it now is the manifest's to say.
      what.region = one.pinned().region;
      what.pins = one.pinned().pins;
    }
    const breaker_key key{one.endpoint(), one.network_};
    const bool probe = one.probe();  // the breaker may empty the reservation
    auto& breaking = slot<detail::is_breaker>();
    breaker_change change{};
    lock().lock();
    if (one.issued_by(*this)) {
      if (!revoked && why == reason::pin_mismatch) {
        change = breaking.mismatch(one.reserved_, at);
      } else if (!revoked && what.outcome && what.outcome.matched() != matched::observed) {
        change = breaking.success(one.reserved_, at);
        if constexpr (diagnoses) {
          if (leaf != nullptr && *leaf) {
            slot<detail::is_peer_history>().remember(one.endpoint(), *leaf);
          }
        }
      } else {
        if (!revoked) breaking.release(one.reserved_);
        change.state = change.before = breaking.state(key);
      }
      if (why == reason::none && probe) what.outcome.lock();
      what.breaker = change.state;
      what.streak = change.streak;
      what.mismatches_24h = change.mismatches_24h;
    }
    sink().record(what);
    if (change.state != change.before || change.alert) {
      record_change(key, change, at.wall, standing.sequence);
    }
    lock().unlock();
    if (change.alert) notifier_slot().notify(key, change);
  }

  /// With the lock held.
  void record_change([[maybe_unused]] const breaker_key& key,
                     [[maybe_unused]] const breaker_change& change, [[maybe_unused]] instant at,
                     [[maybe_unused]] std::uint64_t sequence) noexcept {
    if constexpr (writes_changes) {
      audit_record what = about(audit_subject::breaker, at, sequence);
      what.endpoint = key.endpoint;
      what.breaker_before = change.before;
      what.breaker = change.state;
      what.streak = change.streak;
      what.mismatches_24h = change.mismatches_24h;
      what.alert = change.alert;
      sink().record(what);
    }
  }

  /// What probably lies behind a refusal that the connection is about to report. What is borrowed is
  /// borrowed from `owner`.
  [[nodiscard]] diagnosis explain(const permit& one, refusal_facts facts,
                                  const leaf_assessment& leaf,
                                  owner_handle& owner) noexcept requires diagnoses {
    const time_reading raw = clock_now();
    facts.now = now().wall;
    facts.clock_low = raw.wall < facts.now;
    if (one.valid() && facts.leaf) {
      lock().lock();
      facts.known = slot<detail::is_peer_history>().recall(one.endpoint());
      lock().unlock();
      const sha256_digest* key = leaf.has_key ? &leaf.key : nullptr;
      const auto allowed = [&](const pinned_target& by) {
        return static_cast<bool>(detail::match(by, leaf.fingerprint, leaf.key, facts.now)) &&
               by.knows(leaf.fingerprint, key);
      };
      if (leaf.has_fingerprint) {
        facts.pinned = allowed(one.pinned());
        pin_handle latest{};
        if constexpr (pins_may_change) {
          facts.newer_manifest =
              !facts.pinned && pins_at(one.endpoint(), one.peer_, latest) && allowed(*latest);
        }
        if constexpr (owner_telling_pin_set<std::remove_cv_t<pin_set_type>>) {
          if (!facts.pinned && !facts.newer_manifest) {
            owner = slot<detail::is_pin_set>().owner_of(one.pinned(), leaf.fingerprint, key);
            facts.owner = *owner;
          }
        }
      }
    }
    return diagnose(facts);
  }

  void release(reservation& reserved) noexcept {
    lock().lock();
    slot<detail::is_breaker>().release(reserved);
    lock().unlock();
  }

  void turn_away(admission& answer, const breaker_key& key, [[maybe_unused]] instant told,
                 instant at, std::uint64_t sequence) noexcept {
    const reason why = answer.verdict_.reason();
    audit_record what = about(audit_subject::decision, at, sequence);
    what.endpoint = key.endpoint;
    what.outcome = answer.verdict_;
    if constexpr (diagnoses) {
      refusal_facts facts;
      facts.why = why;
      facts.clock_low = told < at;
      what.diagnosis = answer.diagnosis_ = diagnose(facts);
    }
    lock().lock();
    what.breaker = why == reason::state_unavailable ? breaker_state::unknown
                   : why == reason::breaker_locked  ? breaker_state::locked
                                                    : slot<detail::is_breaker>().state(key);
    sink().record(what);
    lock().unlock();
  }

  template <template <typename> typename Is>
  auto& slot() noexcept {
    return std::get<detail::slot_index<Is, Slots...>()>(slots_);
  }
  template <template <typename> typename Is>
  const auto& slot() const noexcept {
    return std::get<detail::slot_index<Is, Slots...>()>(slots_);
  }
  time_reading clock_now() const noexcept {
    if constexpr (detail::slot_count<detail::is_clock, Slots...> == 1) {
      return slot<detail::is_clock>().now();
    } else {
      return clock_type{}.now();
    }
  }
  auto& sink() noexcept { return slot<detail::is_audit_sink>(); }
  auto& lock() noexcept {
    if constexpr (detail::slot_count<detail::is_lock, Slots...> == 1) {
      return slot<detail::is_lock>();
    } else {
      return default_lock_;
    }
  }
  auto& notifier_slot() noexcept {
    if constexpr (detail::slot_count<detail::is_notifier, Slots...> == 1) {
      return slot<detail::is_notifier>();
    } else {
      return default_notifier_;
    }
  }

  /// What was the case at the last attempt; behind the lock.
  struct observations {
    time_reading raw{};
    std::uint64_t sequence = 0;
    bool any = false;
    bool low = false;
    bool manifest = false;
  };
  /// Who the guard is to a session_store; behind the lock.
  struct own_identity {
    sha256_digest digest{};
    bool known = false;
  };
  std::tuple<Slots...> slots_;
  [[no_unique_address]] std::conditional_t<writes_changes, observations, detail::nothing> seen_{};
  [[no_unique_address]] std::conditional_t<resumes, own_identity, detail::nothing> self_{};
  [[no_unique_address]] std::conditional_t<detail::slot_count<detail::is_lock, Slots...> == 1,
                                           detail::nothing, lock_type>
      default_lock_{};
  [[no_unique_address]] std::conditional_t<detail::slot_count<detail::is_notifier, Slots...> == 1,
                                           detail::nothing, notifier_type>
      default_notifier_{};
};

template <typename... Slots>
guard(Slots&&...) -> guard<Slots...>;

}  // namespace v0
}  // namespace cotter
