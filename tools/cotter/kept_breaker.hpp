// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "vault.hpp"

#include <cotter/concepts/sealer.hpp>
#include <cotter/policies/breaker/stored_breaker.hpp>
#include <cotter/posix/sealed_file_store.hpp>

#include <cstddef>
#include <optional>
#include <string>

namespace cotter::command {

/// Where a breaker's state is, as typed.
struct state_options {
  std::string file{};
  std::string vault{};  ///< empty: a key file beside the state
  std::string name = "cotter";
  std::string id{};  ///< hex; empty: whichever store is there
};

/// As many targets and networks as one state file of the command knows.
inline constexpr std::size_t stored_keys = 64;
inline constexpr std::size_t stored_key_bytes = 288;
using command_ledger = breaker_ledger<stored_keys, stored_key_bytes>;

template <sealer Backend>
using command_store =
    posix::sealed_file_store<Backend, any_vault, command_ledger::image_bytes, stored_keys>;

template <sealer Backend>
using command_breaker = stored_breaker<command_store<Backend>, stored_keys, stored_key_bytes>;

/// State on the disk and what it needs; nothing is opened before it is asked.
template <sealer Backend>
struct kept_breaker {
  kept_breaker(const posix::sealed_file_options& where, any_vault keys,
               const breaker_config& config = {},
               lock_recovery recovery = lock_recovery::administrator)
      : vault(std::move(keys)), store(where, vault), breaker(store, config, recovery) {}

  any_vault vault;
  command_store<Backend> store;
  command_breaker<Backend> breaker;
};

/// What the options mean: the vault, and the place, which borrows from them. Returns `usage`.
[[nodiscard]] std::optional<problem> read_state_options(const state_options& options,
                                                        posix::sealed_file_options& where,
                                                        any_vault& vault);

}  // namespace cotter::command
