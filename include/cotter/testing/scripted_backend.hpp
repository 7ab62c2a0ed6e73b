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

#include <cstdint>
#include <string_view>

namespace cotter {
inline namespace v0 {
namespace testing {

/// Facts of a handshake that went as it should: all good, full, finished.
inline constexpr handshake_facts good_facts{true, false, true, true, 0};

/// A whole handshake, as a TLS library would report it.
struct scripted_handshake {
  bytes_view leaf{};                  ///< outlives the call that plays it
  chain_outcome chain{true, 0};
  bool peer_finishes = true;          ///< false: a server that cannot prove possession of the key
  handshake_facts facts = good_facts; ///< `finished` counts only if the peer finishes
};

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

static_assert(backend<testing::scripted_backend>);

}  // namespace v0
}  // namespace cotter
