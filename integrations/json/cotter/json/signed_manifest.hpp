// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/concepts/manifest_source.hpp>
#include <cotter/concepts/pin_set.hpp>
#include <cotter/json/manifest.hpp>
#include <cotter/json/trusted_keys.hpp>
#include <cotter/json/verify.hpp>
#include <cotter/policies/manifest/live_manifest.hpp>
#include <cotter/values/verdict.hpp>

#include <algorithm>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace cotter {
inline namespace v0 {
namespace json {

/// What a guard answers while the only manifest it was offered has been refused like this.
[[nodiscard]] constexpr reason reason_of(errc what) noexcept {
  switch (what) {
    case errc::bad_signature:
    case errc::unknown_signer:
    case errc::duplicate_signature:
    case errc::threshold_not_met:
    case errc::unsupported_key:
    case errc::key_set_untrusted: return reason::manifest_signature;
    case errc::key_set_rollback:
    case errc::key_set_gap:
    case errc::sequence_rollback:
    case errc::sequence_reused: return reason::manifest_rollback;
    case errc::document_expired: return reason::manifest_expired;
    default: return reason::manifest_invalid;
  }
}

/// A signed manifest and the keys it is verified with: `V` is the TLS library that verifies, which
/// need not be the one that connects. One object for the slots `pin_set` and `manifest_source`:
///
///     cotter::json::signed_manifest<cotter::backends::openssl> manifest{*keys, remembered};
///     if (auto taken = manifest.reload(text, now); !taken) report(taken.error());
///     cotter::guard g{manifest, breaker, sink};
///
/// A manifest is taken whole or not at all; the last good one stays. Any number of threads may
/// reload, update and read; reading takes no lock and allocates nothing. Immovable.
template <document_library V>
class signed_manifest {
 public:
  static constexpr bool reloadable = true;

  /// `remembered` is what `memory()` gave last, perhaps to another process.
  /// @throws std::bad_alloc
  explicit signed_manifest(trusted_keys keys, const manifest_memory& remembered = {})
      : keys_(std::move(keys)), live_(remembered) {
    keys_.resume(remembered);
  }

  /// Verifies, reads and takes a manifest into force. `now` is the time by the program's clock; it
  /// is lifted to the latest time known. On an error nothing changes, but that `current` says why
  /// while no manifest is in force.
  ///
  /// @errors those of `verify`, `read_manifest`, and `live_manifest::adopt`
  read_outcome<void> reload(std::string_view envelope_text, instant now) noexcept {
    auto outcome = detail::shielded([&]() -> read_outcome<void> {
      const std::lock_guard held(mutex_);
      const auto verified =
          verify<V>(envelope_text, role::manifest, keys_, std::max(now, floor_by(keys_)));
      if (!verified) return verified.error();
      const auto manifest = read_manifest(*verified);
      if (!manifest) return manifest.error();
      if (const auto taken = live_.adopt(*manifest, now); !taken) {
        detail::refuse(taken.error().what, pointer_of(taken.error().what),
                       "a manifest that follows the one in force, and is in force itself");
      }
      return {};
    });
    if (!outcome) {
      static_cast<void>(detail::shielded([&]() -> read_outcome<void> {
        live_.refuse(reason_of(outcome.error().what));
        return {};
      }));
    }
    return outcome;
  }

  /// Follows key sets, see `trusted_keys::update`. The manifest in force stays. Key sets that leave
  /// fewer of the old signers than their threshold need not outlast the latest time known, which those
  /// signers may have put into the far future: after such a set, the clock alone counts.
  read_outcome<void> update_keys(std::span<const std::string_view> chain, instant now) noexcept {
    return detail::shielded([&]() -> read_outcome<void> {
      const std::lock_guard held(mutex_);
      trusted_keys followed = keys_;
      auto outcome = followed.template update<V>(chain, std::max(now, live_.memory().latest));
      if (outcome.error().what == errc::document_expired) {
        // By a time that a lost key may have signed. Only keys that replace those may forget it.
        followed = keys_;
        const auto again = followed.template update<V>(chain, std::max(now, library_made_at));
        if (again && floor_by(followed) == library_made_at) outcome = again;
      }
      if (outcome) keys_ = std::move(followed);
      return outcome;
    });
  }
  read_outcome<void> update_keys(std::string_view text, instant now) noexcept {
    return update_keys(std::span(&text, 1), now);
  }

  /// What to remember over a restart. Changes with each manifest and key set that is taken.
  [[nodiscard]] manifest_memory memory() const {
    const std::lock_guard held(mutex_);
    manifest_memory out = live_.memory();
    out.key_set_version = std::max(out.key_set_version, keys_.version());
    out.latest = floor_by(keys_);
    out.epoch = std::max(out.epoch, keys_.epoch());
    return out;
  }
  /// @throws std::bad_alloc
  [[nodiscard]] trusted_keys keys() const {
    const std::lock_guard held(mutex_);
    return keys_;
  }
  /// The manifest in force; null before the first.
  [[nodiscard]] std::shared_ptr<const pin_manifest> document() const noexcept {
    return live_.document();
  }

  /// @see manifest_source
  [[nodiscard]] manifest_standing current() const noexcept { return live_.current(); }
  [[nodiscard]] bool allows(std::string_view library,
                            const library_version& running) const noexcept {
    return live_.allows(library, running);
  }
  /// @see pin_set
  [[nodiscard]] live_manifest::handle find(const target& whom,
                                           const ip_address& peer) const noexcept {
    return live_.find(whom, peer);
  }

 private:
  /// The time that manifests under these keys cannot be put before.
  [[nodiscard]] instant floor_by(const trusted_keys& keys) const noexcept {
    const manifest_memory known = live_.memory();
    return keys.epoch() > known.epoch ? library_made_at : known.latest;
  }

  static std::string pointer_of(errc what) {
    switch (what) {
      case errc::sequence_rollback:
      case errc::sequence_reused: return "/sequence";
      case errc::document_expired: return "/expires";
      case errc::observation_too_long: return "/observeUntil";
      default: return {};
    }
  }

  mutable std::mutex mutex_{};
  trusted_keys keys_;
  live_manifest live_;
};

}  // namespace json
}  // namespace v0
}  // namespace cotter
