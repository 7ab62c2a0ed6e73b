// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "problem.hpp"

#include <cotter/concepts/key_vault.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace cotter::command {

/// Any of the vaults that this binary knows.
class vault_face {
 public:
  vault_face(const vault_face&) = delete;
  vault_face& operator=(const vault_face&) = delete;
  virtual ~vault_face() = default;

  /// Makes key and counter; never replaces any.
  [[nodiscard]] virtual result<void> create() noexcept = 0;
  [[nodiscard]] virtual rollback_resistance resistance() const noexcept = 0;
  [[nodiscard]] virtual result<void> key(seal_key& out) noexcept = 0;
  [[nodiscard]] virtual result<std::uint64_t> counter() noexcept = 0;
  [[nodiscard]] virtual result<void> advance(std::uint64_t to) noexcept = 0;

 protected:
  vault_face() = default;
};

/// A `key_vault` that was chosen on the command line.
class any_vault {
 public:
  any_vault() = default;
  explicit any_vault(std::unique_ptr<vault_face> one) : one_(std::move(one)) {}

  [[nodiscard]] result<void> create() noexcept {
    return one_ ? one_->create() : errc::state_absent;
  }
  [[nodiscard]] rollback_resistance resistance() const noexcept {
    return one_ ? one_->resistance() : rollback_resistance::none;
  }
  [[nodiscard]] result<void> key(seal_key& out) noexcept {
    return one_ ? one_->key(out) : errc::state_absent;
  }
  [[nodiscard]] result<std::uint64_t> counter() noexcept {
    if (!one_) return errc::state_absent;
    return one_->counter();
  }
  [[nodiscard]] result<void> advance(std::uint64_t to) noexcept {
    return one_ ? one_->advance(to) : errc::state_absent;
  }

 private:
  std::unique_ptr<vault_face> one_{};
};

static_assert(key_vault<any_vault>);

/// What `--vault` takes, for people.
[[nodiscard]] std::string vault_spellings();

/// Finds the vault that `text` spells: `file:PATH`, `service:SOCKET[#NAME]`, and what else this binary
/// was built with. Nothing of it is opened yet. Returns `usage` if it is none of these.
[[nodiscard]] std::optional<problem> find_vault(std::string_view text, any_vault& out);

}  // namespace cotter::command
