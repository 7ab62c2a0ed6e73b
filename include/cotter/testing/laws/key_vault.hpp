// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/concepts/key_vault.hpp>
#include <cotter/testing/law_report.hpp>
#include <cotter/values/error.hpp>
#include <cotter/values/sealing.hpp>
#include <cotter/values/store.hpp>

#include <array>
#include <cstdint>
#include <functional>
#include <string>

namespace cotter {
inline namespace v0 {
namespace testing {

inline constexpr std::array<law_by_review, 2> key_vault_laws_by_review{{
    {"V4", "what another user or the hardware withholds is shown by the tests of each vault"},
    {"V5", "the concept demands noexcept; how long it blocks is the vault's own documentation"},
}};

/// One vault and two ways to it, for one run of a suite. It holds no key yet.
template <key_vault V>
struct key_vault_material {
  /// Two vault objects on the same key and counter; `second` as a program sees it that started later.
  V& first;
  V& second;
  /// Gives it a key.
  std::function<result<void>()> create{};
};

/// Checks V1 to V3 on what it is lent.
template <key_vault V>
[[nodiscard]] law_report check_key_vault_laws(key_vault_material<V> lent) {
  law_report report;
  const auto spelled = [](const auto& answer) { return std::string(code(answer.error().what)); };

  for (int again = 0; again < 2; ++again) {
    seal_key none;
    const result<void> got = lent.first.key(none);
    report.check("V1", "without a key there is none, and asking does not make one: state_absent",
                 got.error().what == errc::state_absent, spelled(got));
    report.check("V1", "a key that is not there is not invented", none.octets == seal_key{}.octets);
  }
  const result<void> made = lent.create();
  report.check("V1", "a key is made on purpose", static_cast<bool>(made), spelled(made));

  seal_key key, same, later;
  const result<void> first = lent.first.key(key);
  report.check("V1", "a key that was made is given", static_cast<bool>(first), spelled(first));
  report.check("V1", "a key is not all zero", key.octets != seal_key{}.octets);
  const bool both = lent.first.key(same) && lent.second.key(later);
  report.check("V1", "a key stays the same",
               both && same.octets == key.octets && later.octets == key.octets);

  const result<std::uint64_t> start = lent.first.counter();
  report.check("V2", "a counter is given", static_cast<bool>(start), spelled(start));
  if (lent.first.resistance() == rollback_resistance::none) {
    const result<void> nothing = lent.first.advance(*start + 1);
    const result<std::uint64_t> after = lent.second.counter();
    report.check("V2", "where nothing is vouched for the counter is 0", *start == 0 && *after == 0);
    report.check("V3", "where nothing is vouched for advance does nothing",
                 static_cast<bool>(nothing), spelled(nothing));
    return report;
  }
  std::uint64_t at = *start;
  for (int step = 0; step < 5; ++step) {
    V& who = step % 2 == 0 ? lent.first : lent.second;
    const result<void> moved = who.advance(at + 1);
    report.check("V3", "a counter goes forward by one", static_cast<bool>(moved), spelled(moved));
    ++at;
    for (V* reader : {&lent.first, &lent.second}) {
      const result<std::uint64_t> now = reader->counter();
      report.check("V2", "a counter is what it was last made, for whomever asks", now && *now == at,
                   std::to_string(*now) + " of " + std::to_string(at));
    }
  }
  for (const std::uint64_t wrong : {at, at + 2, at + 1000, at - 1, std::uint64_t{0}}) {
    const result<void> moved = lent.first.advance(wrong);
    report.check("V3",
                 "a counter goes to the next number and to no other: state_rolled_back",
                 moved.error().what == errc::state_rolled_back,
                 std::to_string(at) + " to " + std::to_string(wrong) + ": " + spelled(moved));
    const result<std::uint64_t> now = lent.second.counter();
    report.check("V3", "a counter that did not move is where it was", now && *now == at,
                 std::to_string(*now));
  }
  return report;
}

}  // namespace testing
}  // namespace v0
}  // namespace cotter
