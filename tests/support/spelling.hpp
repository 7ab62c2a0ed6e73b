// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "catch.hpp"

#include <set>
#include <span>
#include <string_view>
#include <type_traits>

/// Fails unless the first enumerators of `Enum` are spelled `words`, all different, in lower case
/// with underscores, and the value after them has no spelling.
template <typename Enum, typename Spell>
void require_spellings(std::span<const std::string_view> words, Spell spell) {
  using number = std::underlying_type_t<Enum>;
  std::set<std::string_view> seen;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string_view word = spell(static_cast<Enum>(static_cast<number>(i)));
    CHECK(word == words[i]);
    CHECK(seen.insert(word).second);
    CHECK_FALSE(word.empty());
    CHECK(word.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") ==
          std::string_view::npos);
  }
  CHECK(spell(static_cast<Enum>(static_cast<number>(words.size()))) == "unknown");
}
