// SPDX-License-Identifier: BSL-1.0
#include <cotter/testing/laws/session_store.hpp>

#include <cotter/policies/session/memory_session_store.hpp>
#include <cotter/policies/session/stored_sessions.hpp>
#include <cotter/policies/store/memory_store.hpp>

#include <support/laws.hpp>

#include <memory>
#include <utility>
#include <vector>

namespace {

using namespace cotter;

/// A store that keeps its laws, but for what a test changes.
struct honest {
  std::vector<std::pair<session_binding, std::vector<std::uint8_t>>> kept;

  void put(const session_binding& binding, bytes_view octets) noexcept {
    if (kept.size() == 8) kept.erase(kept.begin());
    kept.emplace_back(binding, std::vector<std::uint8_t>(octets.begin(), octets.end()));
  }
  template <typename Use>
  bool take(const session_key& whose, Use&& use) noexcept {
    for (auto at = kept.begin(); at != kept.end(); ++at) {
      if (!(at->first.whose == whose)) continue;
      const auto one = *at;
      kept.erase(at);
      use(one.first, one.second);
      return true;
    }
    return false;
  }
};

struct mixes_guards : honest {
  template <typename Use>
  bool take(session_key whose, Use&& use) noexcept {
    for (const auto& one : kept) {
      if (one.first.whose.same_target(whose)) whose.guard = one.first.whose.guard;
    }
    return honest::take(whose, use);
  }
};

struct gives_twice : honest {
  template <typename Use>
  bool take(const session_key& whose, Use&& use) noexcept {
    for (const auto& one : kept) {
      if (one.first.whose == whose) return use(one.first, one.second), true;
    }
    return false;
  }
};

struct grows : honest {
  void put(const session_binding& binding, bytes_view octets) noexcept {
    kept.emplace_back(binding, std::vector<std::uint8_t>(octets.begin(), octets.end()));
  }
};

}  // namespace

TEST_CASE("the session stores keep the laws of session_store") {
  honest model;
  require_laws(testing::check_session_store_laws(model));
  auto memory = std::make_unique<memory_session_store<>>();
  require_laws(testing::check_session_store_laws(*memory));
  memory_session_store<1, 1> one;
  require_laws(testing::check_session_store_laws(one));
  fixed_session_store<> fixed;
  require_laws(testing::check_session_store_laws(fixed));
  memory_store<> place;
  REQUIRE(place.create({}, {}));
  auto stored = std::make_unique<stored_sessions<memory_store<>, 8192>>(place);
  require_laws(testing::check_session_store_laws(*stored));
}

TEST_CASE("the session_store suite finds a store that breaks any one law") {
  mixes_guards mixed;
  require_broken(testing::check_session_store_laws(mixed), "D1");
  gives_twice again;
  CHECK(testing::check_session_store_laws(again).broken("D2"));
  grows endless;
  require_broken(testing::check_session_store_laws(endless), "D3");
}
