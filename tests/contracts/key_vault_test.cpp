// SPDX-License-Identifier: BSL-1.0
#include <cotter/testing/laws/key_vault.hpp>

#include <cotter/testing/laws/sealer.hpp>
#include <cotter/testing/memory_vault.hpp>

#include <support/laws.hpp>

namespace {

using namespace cotter;
using testing::memory_vault;

/// memory_vault with one thing wrong, in the words of the law it breaks.
enum class fault {
  none,
  makes_a_key,        // V1
  misnames_absence,   // V1
  changes_the_key,    // V1
  gives_nothing,      // V1
  counts_for_itself,  // V2
  counts_nothing,     // V2
  goes_back,          // V3
  jumps,              // V3
  misnames_a_jump,    // V3
  goes_and_refuses,   // V3
};

template <fault Fault>
struct faulty {
  memory_vault& good;
  std::uint8_t changes = 0;
  std::uint64_t own = 0;

  rollback_resistance resistance() const noexcept { return good.resistance(); }
  result<void> key(seal_key& out) noexcept {
    const result<void> got = good.key(out);
    if (Fault == fault::makes_a_key && !got) return out.octets[0] = 1, result<void>();
    if (Fault == fault::misnames_absence && !got) return errc::state_damaged;
    if (Fault == fault::changes_the_key && got) out.octets[5] = changes++;
    if (Fault == fault::gives_nothing) out = {};
    return got;
  }
  result<std::uint64_t> counter() noexcept {
    if (Fault == fault::counts_for_itself) return own;
    if (Fault == fault::counts_nothing) return std::uint64_t{0};
    return good.counter();
  }
  result<void> advance(std::uint64_t to) noexcept {
    if (Fault == fault::goes_back && to < *good.counter())
      return good.set_counter(to), result<void>();
    if (Fault == fault::jumps && to > *good.counter()) return good.set_counter(to), result<void>();
    const result<void> moved = good.advance(to);
    if (moved) own = to;
    if (Fault == fault::misnames_a_jump && !moved) return errc::too_large;
    if (Fault == fault::goes_and_refuses && !moved) good.set_counter(to);
    return moved;
  }
};

template <fault Fault>
testing::law_report check(rollback_resistance declared = rollback_resistance::hardware) {
  memory_vault vault(declared);
  faulty<Fault> first{vault}, second{vault};
  return testing::check_key_vault_laws<faulty<Fault>>({first, second, [&] {
                                                         vault.create(
                                                             testing::detail::seal_law_key());
                                                         return result<void>();
                                                       }});
}

}  // namespace

TEST_CASE("memory_vault keeps the laws of key_vault, whatever it declares") {
  for (const rollback_resistance declared :
       {rollback_resistance::none, rollback_resistance::partial,
        rollback_resistance::other_principal, rollback_resistance::hardware}) {
    INFO(to_string(declared));
    memory_vault vault(declared);
    require_laws(testing::check_key_vault_laws<memory_vault>(
        {vault, vault, [&] {
           vault.create(testing::detail::seal_law_key());
           return result<void>();
         }}));
  }
}

TEST_CASE("memory_vault fails as it is told to") {
  memory_vault vault(rollback_resistance::hardware);
  vault.create(testing::detail::seal_law_key());
  vault.fail(errc::state_busy);
  seal_key key;
  CHECK(vault.key(key).error().what == errc::state_busy);
  CHECK(vault.counter().error().what == errc::state_busy);
  CHECK(vault.advance(1).error().what == errc::state_busy);
  vault.fail(errc::ok);
  CHECK(vault.key(key));
}

TEST_CASE("the key_vault suite finds a vault that breaks any one law") {
  require_laws(check<fault::none>());
  CHECK(check<fault::makes_a_key>().broken("V1"));
  require_broken(check<fault::misnames_absence>(), "V1");
  require_broken(check<fault::changes_the_key>(), "V1");
  require_broken(check<fault::gives_nothing>(), "V1");
  CHECK(check<fault::counts_for_itself>().broken("V2"));
  CHECK(check<fault::counts_nothing>().broken("V2"));
  CHECK(check<fault::goes_back>().broken("V3"));
  CHECK(check<fault::jumps>().broken("V3"));
  require_broken(check<fault::misnames_a_jump>(), "V3");
  CHECK(check<fault::goes_and_refuses>().broken("V3"));
  require_broken(check<fault::misnames_a_jump>(), "V3");
  CHECK(check<fault::misnames_absence>(rollback_resistance::none).broken("V1"));
}
