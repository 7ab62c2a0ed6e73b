// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/concepts/backend.hpp>
#include <cotter/testing/not_sha256.hpp>
#include <cotter/values/bytes_view.hpp>
#include <cotter/values/error.hpp>
#include <cotter/values/handshake.hpp>
#include <cotter/values/result.hpp>
#include <cotter/values/runtime.hpp>
#include <cotter/values/target.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace cotter {
inline namespace v0 {
namespace testing {

/// Facts of a handshake that went as it should: all good, full, finished.
inline constexpr handshake_facts good_facts{true, false, true, true, 0};

/// A whole handshake, as a TLS library would report it.
struct scripted_handshake {
  bytes_view leaf{};  ///< outlives the call that plays it
  chain_outcome chain{true, 0};
  bool peer_finishes = true;           ///< false: a server that cannot prove possession of the key
  handshake_facts facts = good_facts;  ///< `finished` counts only if the peer finishes
};

/// Facts of a handshake that resumed what was offered.
inline constexpr handshake_facts resumed_facts{true, true, true, true,
                                               0,    true, true, tls_version::tls1_3};

/// A TLS session that does what a test tells it.
///
/// `play` behaves as a backend that keeps its laws. The single calls below it break them at will, so
/// that a test sees what the pipeline makes of a library that is defective or was tampered with.
class scripted_session {
 public:
  scripted_session() noexcept = default;
  scripted_session(const scripted_session&) = delete;
  scripted_session& operator=(const scripted_session&) = delete;

  /// Makes the next `attach` fail with `why`.
  void fail_attach(errc why) noexcept { attach_problem_ = why; }

  /// Plays one handshake. True if it completed: then the peer got Finished.
  bool play(const scripted_handshake& script) noexcept {
    if (observer_ == nullptr || begun_) return false;
    start();
    leaf(script.leaf);
    const bool may_go_on = chain(script.chain);
    facts_ = script.facts;
    facts_.finished = may_go_on && script.peer_finishes && script.facts.finished;
    return facts_.finished;
  }

  void start() noexcept {
    begun_ = true;
    if (observer_ != nullptr) observer_->on_start();
  }
  void leaf(bytes_view der) noexcept {
    if (observer_ != nullptr) observer_->on_leaf(der);
  }
  /// What the observer answers; false without one.
  [[nodiscard]] bool chain(chain_outcome outcome) noexcept {
    return observer_ != nullptr && observer_->on_chain(outcome);
  }
  /// What `inspect` will say.
  void set_facts(const handshake_facts& facts) noexcept { facts_ = facts; }

  /// Plays a handshake in which the server takes what was offered: nobody is asked.
  void resume(const handshake_facts& facts = resumed_facts) noexcept {
    start();
    facts_ = facts;
  }
  /// What `collect` will give, once; outlives the call. Up to 64 octets can be offered again.
  void give_session(bytes_view octets) noexcept { gives_ = octets; }
  /// Makes `allow_sessions` or `offer` say no.
  void allow_sessions(bool yes) noexcept { may_allow_ = yes; }
  void take_offers(bool yes) noexcept { takes_ = yes; }
  [[nodiscard]] bool sessions_allowed() const noexcept { return allowed_; }
  /// What was offered last; empty if nothing.
  [[nodiscard]] bytes_view offered() const noexcept {
    return bytes_view(offered_).first(offered_bytes_);
  }
  /// How often something was to be offered.
  [[nodiscard]] int offers() const noexcept { return offers_; }

  /// True between `attach` and `detach`.
  [[nodiscard]] bool attached() const noexcept { return observer_ != nullptr; }
  /// The target of the last attach; borrowed from whoever attached.
  [[nodiscard]] const target& attached_to() const noexcept { return whom_; }

 private:
  friend struct scripted_backend;
  handshake_observer* observer_ = nullptr;
  target whom_{};
  handshake_facts facts_{};
  errc attach_problem_ = errc::ok;
  bool begun_ = false;
  bool may_allow_ = true;
  bool takes_ = true;
  bool allowed_ = false;
  bytes_view gives_{};
  std::array<std::uint8_t, 64> offered_{};
  std::size_t offered_bytes_ = 0;
  int offers_ = 0;
};

/// A backend without a TLS library: drives a guard through every decision it can make. Its hasher is
/// `not_sha256`: a pin for `octets` has the digest `not_sha256::of(octets)`.
struct scripted_backend {
  static constexpr std::string_view name = "scripted";
  using session = scripted_session*;
  using hasher = not_sha256;

  struct attachment {
    attachment() noexcept = default;
    attachment(const attachment&) = delete;
    attachment& operator=(const attachment&) = delete;

    scripted_session* session = nullptr;
  };

  /// @errors what `fail_attach` was given; `unfit_session` (null, begun, or attached already);
  ///   `invalid_host`
  static result<void> attach(session handle, const target& whom, handshake_observer& observer,
                             attachment& state) noexcept {
    if (handle == nullptr || handle->begun_ || handle->observer_ != nullptr) {
      return errc::unfit_session;
    }
    const errc scripted = handle->attach_problem_;
    const auto kind = classify_host(whom.host);
    if (scripted != errc::ok || !kind) {
      handle->begun_ = true;
      return scripted != errc::ok ? error{scripted} : kind.error();
    }
    handle->observer_ = &observer;
    handle->whom_ = whom;
    state.session = handle;
    return {};
  }

  static library_version version() noexcept { return {1, 2, 3}; }

  static handshake_facts inspect(const attachment& state) noexcept {
    return state.session == nullptr ? handshake_facts{} : state.session->facts_;
  }

  static bool allow_sessions(attachment& state) noexcept {
    if (state.session == nullptr) return false;
    return state.session->allowed_ = state.session->may_allow_;
  }
  static bool offer(attachment& state, bytes_view octets) noexcept {
    if (state.session == nullptr) return false;
    scripted_session& to = *state.session;
    ++to.offers_;
    if (!to.allowed_ || !to.takes_ || octets.size() > to.offered_.size()) return false;
    std::copy(octets.begin(), octets.end(), to.offered_.begin());
    to.offered_bytes_ = octets.size();
    return true;
  }
  template <typename Each>
  static void collect(attachment& state, Each&& each) noexcept {
    if (state.session == nullptr || !state.session->allowed_) return;
    const bytes_view octets = state.session->gives_;
    state.session->gives_ = {};
    if (!octets.empty()) each(octets);
  }

  static void detach(attachment& state) noexcept {
    if (state.session == nullptr) return;
    state.session->observer_ = nullptr;
    state.session->begun_ = true;
    state.session = nullptr;
  }
};

}  // namespace testing

template <>
struct backend_of<testing::scripted_session*> {
  using type = testing::scripted_backend;
};

static_assert(resuming_backend<testing::scripted_backend>);

}  // namespace v0
}  // namespace cotter
