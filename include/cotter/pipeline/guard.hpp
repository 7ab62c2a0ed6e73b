// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/pipeline/assessment.hpp>
#include <cotter/pipeline/connection.hpp>
#include <cotter/pipeline/permit.hpp>
#include <cotter/pipeline/slots.hpp>
#include <cotter/policies/clock/system_clock.hpp>
#include <cotter/policies/lock/flag_lock.hpp>
#include <cotter/policies/notifier/no_notifier.hpp>
#include <cotter/values/audit_record.hpp>
#include <cotter/values/target.hpp>
#include <cotter/values/verdict.hpp>

#include <cstddef>
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
/// `notifier` (`no_notifier`), `use_hasher<H>` (the backend's own), `allow_observation` (none). One
/// object may fill several slots.
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

  static_assert(detail::slot_count<detail::is_allow_observation, Slots...> <= 1,
                "cotter: a guard takes allow_observation once");

  using pin_set_type = detail::slot_type<detail::is_pin_set, void*, Slots...>;
  using clock_type = detail::slot_type<detail::is_clock, system_clock, Slots...>;
  using lock_type = detail::slot_type<detail::is_lock, flag_lock, Slots...>;
  using notifier_type = detail::slot_type<detail::is_notifier, no_notifier, Slots...>;

  using manifest_type = detail::slot_type<detail::is_manifest_source, void*, Slots...>;

 public:
  using permit = basic_permit<guard>;
  static constexpr bool pins_may_change = reloadable_pin_set<std::remove_cv_t<pin_set_type>>;
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

   private:
    friend guard;
    permit permit_{};
    cotter::verdict verdict_{};
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
    const time_reading at = now();
    const manifest_standing standing = slot<detail::is_manifest_source>().current();
    if (const reason why = fault_of(standing, at.wall); why != reason::none) {
      return turn_away(std::move(answer), whom, why);
    }
    if (const auto kind = classify_host(whom.host); !kind || whom.port == 0) {
      const error detail = kind ? error{errc::invalid_port, 0, 0} : kind.error();
      return turn_away(std::move(answer), whom, reason::no_pins, detail);
    }
    pin_handle found{};
    if (!pins_at(whom, unwrap(peer), found)) {
      return turn_away(std::move(answer), whom, reason::no_pins);
    }
    lock().lock();
    reservation reserved =
        slot<detail::is_breaker>().reserve({(*found).endpoint, network}, at, standing.sequence);
    lock().unlock();
    if (!reserved.held()) return turn_away(std::move(answer), whom, reserved.refused());
    answer.permit_ =
        permit(*this, std::move(found), whom.kind, unwrap(peer), network, std::move(reserved));
    return answer;
  }

  /// Guards one connection: the last thing before its handshake. Spends `one`.
  ///
  /// `session` is the TLS library's own handle (`SSL*`, `WOLFSSL*`, `mbedtls_ssl_context*`); its
  /// backend's header must have been included. See `connection` for what comes back.
  template <typename Session>
  [[nodiscard]] auto attach(Session session, permit& one) noexcept {
    return connection<guard, typename backend_of<Session>::type>(*this, session, one);
  }
  template <typename Session>
  [[nodiscard]] auto attach(Session session, permit&& one) noexcept {
    return attach(session, one);
  }

  /// The clock's time, not earlier than the manifest was issued: a clock that was set back makes no
  /// expired certificate good.
  [[nodiscard]] time_reading now() const noexcept {
    time_reading at = clock_now();
    const instant floor = slot<detail::is_manifest_source>().current().issued_at;
    if (at.wall < floor) at.wall = floor;
    return at;
  }

 private:
  template <typename, backend>
  friend class connection;
  template <typename>
  friend class basic_permit;

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

  /// Finds the target; false if it is not there or the set breaks its own laws.
  [[nodiscard]] bool pins_at(const target& whom, const ip_address& peer,
                             pin_handle& found) const noexcept {
    found = slot<detail::is_pin_set>().find(whom, peer);
    return static_cast<bool>(found) && (*found).endpoint.same_endpoint(whom) &&
           !(*found).pins.empty();
  }

  /// What the pins said, unless observation is allowed here, asked for by the manifest and not over:
  /// then what they would have refused is accepted as observed.
  [[nodiscard]] verdict observed(const verdict& pinned) const noexcept {
    if constexpr (detail::slot_count<detail::is_allow_observation, Slots...> == 1) {
      const manifest_standing standing = slot<detail::is_manifest_source>().current();
      const instant at = now().wall;
      const bool about_pins =
          pinned.reason() == reason::pin_mismatch || pinned.reason() == reason::fallback_expired;
      if (about_pins && fault_of(standing, at) == reason::none && at <= standing.observe_until &&
          standing.observe_until - at <= longest_observation) {
        return verdict::observe(pinned.reason());
      }
    }
    return pinned;
  }

  /// What this moment's manifest and pins say of a leaf that was accepted before. The label of the
  /// answer is borrowed from `latest`.
  [[nodiscard]] verdict reassess(const permit& one, const leaf_assessment& leaf,
                                 pin_handle& latest) const noexcept {
    const instant at = now().wall;
    const manifest_standing standing = slot<detail::is_manifest_source>().current();
    if (const reason why = fault_of(standing, at); why != reason::none) {
      return verdict::refuse(why);
    }
    if (at < leaf.not_before || at > leaf.not_after) return verdict::refuse(reason::validity);
    pin_handle found{};
    if (!pins_at(one.endpoint(), one.peer_, found) ||
        ((*found).wants(pin_form::spki) && !leaf.has_key)) {
      return verdict::refuse(reason::no_pins);
    }
    const verdict answer = observed(detail::match(*found, leaf.fingerprint, leaf.key, at));
    latest = std::move(found);
    return answer;
  }

  /// What the program is told of an attempt that `found` ends: of a probe, that the target is locked,
  /// whatever it found. Not one octet of application data follows it.
  [[nodiscard]] static verdict told(const permit& one, const verdict& found) noexcept {
    if (!one.probe() || !found) return found;
    const verdict locked = verdict::refuse(reason::breaker_locked);
    return found.has_fingerprint() ? locked.with_fingerprint(found.fingerprint()) : locked;
  }

  /// The end of an attempt: tells the breaker and writes it down.
  void conclude(permit& one, const verdict& outcome, std::string_view backend) noexcept {
    if (!one.issued_by(*this)) {
      record(one.endpoint(), outcome, backend, breaker_state::closed);
      return;
    }
    const verdict heard = told(one, outcome);
    const breaker_key key{one.endpoint(), one.network_};
    const time_reading at = now();
    auto& breaking = slot<detail::is_breaker>();
    breaker_change change{};
    lock().lock();
    if (outcome && outcome.matched() != matched::observed) {
      change = breaking.success(one.reserved_, at);
    } else if (outcome.reason() == reason::pin_mismatch) {
      change = breaking.mismatch(one.reserved_, at);
    } else {
      breaking.release(one.reserved_);
      change.state = breaking.state(key);
    }
    slot<detail::is_audit_sink>().record({at.wall, one.endpoint(), backend, heard, change.state});
    lock().unlock();
    if (change.alert) notifier_slot().notify(key, change);
  }

  /// An acceptance taken back: the breaker has had its answer, the audit has not.
  void revoke(permit& one, const verdict& outcome, std::string_view backend) noexcept {
    lock().lock();
    const breaker_state state = slot<detail::is_breaker>().state({one.endpoint(), one.network_});
    lock().unlock();
    record(one.endpoint(), outcome, backend, state);
  }

  void release(reservation& reserved) noexcept {
    lock().lock();
    slot<detail::is_breaker>().release(reserved);
    lock().unlock();
  }

  void record(const target& whom, const verdict& outcome, std::string_view backend,
              breaker_state state) noexcept {
    const instant at = now().wall;
    lock().lock();
    slot<detail::is_audit_sink>().record({at, whom, backend, outcome, state});
    lock().unlock();
  }

  admission turn_away(admission&& answer, const target& whom, reason why,
                      error detail = {}) noexcept {
    answer.verdict_ = verdict::refuse(why, detail);
    const breaker_state state = why == reason::breaker_locked    ? breaker_state::locked
                                : why == reason::breaker_cooling ? breaker_state::cooling
                                                                 : breaker_state::closed;
    record(whom, answer.verdict_, {}, state);
    return std::move(answer);
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

  struct nothing {};
  std::tuple<Slots...> slots_;
  [[no_unique_address]] std::conditional_t<detail::slot_count<detail::is_lock, Slots...> == 1,
                                           nothing, lock_type>
      default_lock_{};
  [[no_unique_address]] std::conditional_t<detail::slot_count<detail::is_notifier, Slots...> == 1,
                                           nothing, notifier_type>
      default_notifier_{};
};

template <typename... Slots>
guard(Slots&&...) -> guard<Slots...>;

}  // namespace v0
}  // namespace cotter
