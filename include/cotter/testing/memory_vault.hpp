// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/concepts/key_vault.hpp>
#include <cotter/values/result.hpp>
#include <cotter/values/sealing.hpp>
#include <cotter/values/store.hpp>

#include <cstdint>

namespace cotter {
inline namespace v0 {
namespace testing {

/// A vault in memory that declares what a test wants it to. It protects nothing.
class memory_vault {
 public:
  explicit memory_vault(rollback_resistance declared = rollback_resistance::none) noexcept
      : declared_(declared) {}

  /// Gives it a key, copied.
  void create(const seal_key& key) noexcept {
    key_ = seal_key(key.octets);
    has_key_ = true;
  }
  /// From now on everything but `resistance` fails with `why`; `ok` ends that.
  void fail(errc why) noexcept { failing_ = why; }
  /// Sets the counter as only an attacker can.
  void set_counter(std::uint64_t to) noexcept { counter_ = to; }

  /// @see key_vault
  [[nodiscard]] rollback_resistance resistance() const noexcept { return declared_; }
  [[nodiscard]] result<void> key(seal_key& out) noexcept {
    if (failing_ != errc::ok) return failing_;
    if (!has_key_) return errc::state_absent;
    out = seal_key(key_.octets);
    return {};
  }
  [[nodiscard]] result<std::uint64_t> counter() noexcept {
    if (failing_ != errc::ok) return failing_;
    return counter_;
  }
  [[nodiscard]] result<void> advance(std::uint64_t to) noexcept {
    if (failing_ != errc::ok) return failing_;
    if (declared_ == rollback_resistance::none) return {};
    if (to != counter_ + 1) return errc::state_rolled_back;
    counter_ = to;
    return {};
  }

 private:
  seal_key key_{};
  std::uint64_t counter_ = 0;
  rollback_resistance declared_;
  errc failing_ = errc::ok;
  bool has_key_ = false;
};

static_assert(key_vault<memory_vault>);

}  // namespace testing
}  // namespace v0
}  // namespace cotter
