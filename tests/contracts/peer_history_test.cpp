// SPDX-License-Identifier: BSL-1.0
#include <cotter/testing/laws/peer_history.hpp>

#include <cotter/policies/history/memory_history.hpp>
#include <cotter/policies/history/no_history.hpp>

#include <support/laws.hpp>

#include <map>
#include <string>

namespace {

using namespace cotter;

struct mistaken_for_the_host {
  std::map<std::string, leaf_traits> kept;
  leaf_traits recall(const target& whom) noexcept { return kept[std::string(whom.host)]; }
  void remember(const target& whom, const leaf_traits& leaf) noexcept {
    kept[std::string(whom.host)] = leaf;
  }
};

struct first_word_stays {
  std::map<std::pair<std::string, int>, leaf_traits> kept;
  leaf_traits recall(const target& whom) noexcept {
    const auto found = kept.find({std::string(whom.host), whom.port});
    return found == kept.end() ? leaf_traits{} : found->second;
  }
  void remember(const target& whom, const leaf_traits& leaf) noexcept {
    kept.emplace(std::pair(std::string(whom.host), whom.port), leaf);
  }
};

}  // namespace

TEST_CASE("the histories keep the laws of peer_history") {
  no_history nothing;
  require_laws(testing::check_peer_history_laws(nothing));
  memory_history<> few;
  require_laws(testing::check_peer_history_laws(few));
  memory_history<1> one;
  require_laws(testing::check_peer_history_laws(one));
  memory_history<64, 32> all;
  require_laws(testing::check_peer_history_laws(all));
}

TEST_CASE("the peer_history suite finds a history that breaks any one law") {
  mistaken_for_the_host ports_mixed;
  CHECK(testing::check_peer_history_laws(ports_mixed).broken("H2"));
  first_word_stays stale;
  require_broken(testing::check_peer_history_laws(stale), "H1");
}

TEST_CASE("memory_history forgets the target that was remembered longest ago") {
  memory_history<2, 16> history;
  const leaf_traits a{1, 1, {}, false};
  const leaf_traits b{2, 2, {}, false};
  history.remember({"a.example", 443}, a);
  history.remember({"b.example", 443}, b);
  history.remember({"a.example", 443}, a);
  history.remember({"c.example", 443}, b);
  CHECK(history.recall({"a.example", 443}) == a);
  CHECK_FALSE(history.recall({"b.example", 443}));
  CHECK(history.recall({"c.example", 443}) == b);
  history.remember({"a-host-that-is-too-long.example", 443}, b);
  CHECK_FALSE(history.recall({"a-host-that-is-too-long.example", 443}));
  history.remember({"", 443}, b);
  std::size_t known = 0;
  history.for_each([&](const target& whom, const leaf_traits& leaf) {
    ++known;
    CHECK(leaf == history.recall(whom));
  });
  CHECK(known == 2);
}
