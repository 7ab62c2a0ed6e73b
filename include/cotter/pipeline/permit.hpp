// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/values/pin.hpp>
#include <cotter/values/reservation.hpp>

#include <string_view>
#include <utility>

namespace cotter {
inline namespace v0 {

/// Leave to try once: a target found, its pins, and one reserved attempt. Move-only; one that is
/// never used gives its attempt back, uncounted, when it dies. It dies before its guard.
template <typename Guard>
class basic_permit {
 public:
  /// Permits nothing.
  basic_permit() noexcept = default;
  basic_permit(basic_permit&& other) noexcept
      : guard_(std::exchange(other.guard_, nullptr)),
        handle_(std::move(other.handle_)),
        endpoint_(std::exchange(other.endpoint_, {})),
        peer_(other.peer_),
        network_(std::exchange(other.network_, {})),
        reserved_(std::move(other.reserved_)) {}
  basic_permit& operator=(basic_permit&& other) noexcept {
    if (this != &other) {
      give_back();
      guard_ = std::exchange(other.guard_, nullptr);
      handle_ = std::move(other.handle_);
      endpoint_ = std::exchange(other.endpoint_, {});
      peer_ = other.peer_;
      network_ = std::exchange(other.network_, {});
      reserved_ = std::move(other.reserved_);
    }
    return *this;
  }
  ~basic_permit() { give_back(); }

  /// True until it is moved from.
  [[nodiscard]] bool valid() const noexcept { return guard_ != nullptr; }
  [[nodiscard]] bool issued_by(const Guard& guard) const noexcept { return guard_ == &guard; }

  /// Tells the address that TCP has reached, where it was not known to `admit`: it chooses the
  /// region. To be called before `attach`. If the target is gone since, or has no pins there, the
  /// permit keeps what `admit` found.
  void reached([[maybe_unused]] const ip_address& peer) noexcept {
    if (!valid()) return;
    if constexpr (Guard::regional) peer_ = unwrap(peer);
    handle found{};
    if (!guard_->pins_at(endpoint_, peer_, found)) return;
    handle_ = std::move(found);
    endpoint_.host = (*handle_).endpoint.host;
  }

  /// True if the target is locked, and this attempt may only show whether it can be opened: it ends
  /// with `breaker_locked` even if all is well, and the next one is admitted.
  [[nodiscard]] bool probe() const noexcept { return valid() && reserved_.probe(); }

  /// The target as the pin set spells it; empty if not `valid()`.
  [[nodiscard]] const target& endpoint() const noexcept { return endpoint_; }
  /// Its pins; none if not `valid()`.
  [[nodiscard]] const pinned_target& pinned() const noexcept {
    static constexpr pinned_target nothing{};
    return valid() ? *handle_ : nothing;
  }

 private:
  friend Guard;
  using handle = typename Guard::pin_handle;

  using peer_address = typename Guard::peer_address;

  /// Permits. Only one that permits nothing.
  void grant(Guard& guard, handle&& found, identity kind, const peer_address& peer,
             std::string_view network, reservation&& reserved) noexcept {
    guard_ = &guard;
    handle_ = std::move(found);
    endpoint_ = {(*handle_).endpoint.host, (*handle_).endpoint.port, kind};
    peer_ = peer;
    network_ = network;
    reserved_ = std::move(reserved);
  }

  void give_back() noexcept {
    if (guard_ != nullptr && reserved_.held()) guard_->release(reserved_);
  }

  Guard* guard_ = nullptr;
  handle handle_{};
  target endpoint_{};
  [[no_unique_address]] peer_address peer_{};
  std::string_view network_{};
  reservation reserved_{};
};

}  // namespace v0
}  // namespace cotter
