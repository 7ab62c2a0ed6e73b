// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/concepts/key_vault.hpp>
#include <cotter/concepts/sealer.hpp>
#include <cotter/concepts/session_store.hpp>
#include <cotter/policies/session/stored_sessions.hpp>
#include <cotter/posix/sealed_file_store.hpp>
#include <cotter/values/bytes_view.hpp>
#include <cotter/values/result.hpp>
#include <cotter/values/session_binding.hpp>
#include <cotter/values/store.hpp>

#include <cstddef>
#include <utility>

namespace cotter {
inline namespace v0 {
namespace posix {

/// Sessions in a file, sealed under a vault's key as `sealed_file_store` does; see `stored_sessions`.
/// `options.name` is another one than any other store's under the same key. The vault is borrowed,
/// and vouches for no other state. Guards that are to resume after a restart need the slot
/// `share_sessions`.
///
/// A file that was changed, that is another user's or another store's, that the vault knows to be
/// old, or for which there is no key gives nothing; then every handshake is a full one.
template <sealer Backend, key_vault Vault, std::size_t Bytes = max_image_bytes,
          std::size_t PerTarget = 4, typename Calls = system_calls>
class sealed_session_file {
 public:
  sealed_session_file(const sealed_file_options& where, Vault& vault) : file_(where, vault) {}
  sealed_session_file(const sealed_session_file&) = delete;
  sealed_session_file& operator=(const sealed_session_file&) = delete;

  /// Makes the file, empty, for the first time.
  /// @errors see `sealed_file_store::create`
  [[nodiscard]] result<void> create() noexcept { return file_.create({}); }
  /// @see state_store
  [[nodiscard]] rollback_resistance resistance() const noexcept { return file_.resistance(); }

  /// @see session_store
  void put(const session_binding& binding, bytes_view octets) noexcept {
    sessions_.put(binding, octets);
  }
  template <typename Use>
  bool take(const session_key& whose, Use&& use) noexcept {
    return sessions_.take(whose, std::forward<Use>(use));
  }

 private:
  using file = sealed_file_store<Backend, Vault, Bytes, 1, Calls>;
  file file_;
  stored_sessions<file, Bytes, PerTarget> sessions_{file_};
};

}  // namespace posix
}  // namespace v0
}  // namespace cotter
