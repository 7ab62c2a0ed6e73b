// SPDX-License-Identifier: BSL-1.0
#include <cotter/pipeline/permit.hpp>

#include "bench.hpp"

#include <type_traits>
#include <vector>

using namespace bench;

static_assert(!std::is_copy_constructible_v<guard_type::permit>);
static_assert(!std::is_copy_assignable_v<guard_type::permit>);
static_assert(std::is_nothrow_move_constructible_v<guard_type::permit>);
static_assert(std::is_nothrow_default_constructible_v<guard_type::permit>);

TEST_CASE("a permit names the target in the pin set's words, and the asker's kind of identity") {
  world w;
  std::string host = "localhost";
  auto admission = w.guarding.admit({host, 443, identity::sip});
  host.assign(host.size(), '!');
  CHECK((*admission).endpoint().host == "localhost");
  CHECK((*admission).endpoint().kind == identity::sip);
  CHECK((*admission).pinned().pins.size() == 1);
  CHECK((*admission).issued_by(w.guarding));
}

TEST_CASE("a permit that nobody gave permits nothing") {
  world w;
  const guard_type::permit none;
  CHECK_FALSE(none.valid());
  CHECK(none.endpoint().host.empty());
  CHECK(none.pinned().pins.empty());
  CHECK_FALSE(none.issued_by(w.guarding));
}

TEST_CASE("a permit that was moved from permits nothing and names nobody") {
  world w;
  guard_type::permit one = w.permit();
  const guard_type::permit two = std::move(one);
  CHECK(two.valid());
  CHECK_FALSE(one.valid());
  CHECK(one.endpoint().host.empty());
  CHECK(one.endpoint().port == 0);
  CHECK(one.pinned().pins.empty());

  guard_type::permit three;
  three = w.permit();
  guard_type::permit four;
  four = std::move(three);
  CHECK(four.valid());
  CHECK(three.endpoint().host.empty());
}

TEST_CASE("a permit that is not used gives its attempt back, uncounted") {
  world w;
  {
    std::vector<guard_type::permit> all;
    for (int i = 0; i < 3; ++i) all.push_back(w.permit());
    CHECK(w.guarding.admit(whom).verdict().reason() == reason::breaker_cooling);
  }
  CHECK(w.guarding.admit(whom));
  CHECK(w.streak() == 0);
}

TEST_CASE("a permit that is replaced gives its attempt back") {
  world w;
  guard_type::permit one = w.permit();
  guard_type::permit two = w.permit();
  guard_type::permit three = w.permit();
  CHECK_FALSE(w.guarding.admit(whom));
  one = std::move(two);
  CHECK(w.guarding.admit(whom));
}

TEST_CASE("a permit serves one attach") {
  world w;
  auto permit = w.permit();
  scripted_session first, second;
  auto good = w.guarding.attach(&first, permit);
  auto late = w.guarding.attach(&second, permit);
  CHECK(late.verdict().reason() == reason::backend_unfit);
  CHECK(late.verdict().detail().what == errc::permit_spent);
  CHECK_FALSE(second.play({leaf("good")}));
  CHECK_FALSE(second.attached());
  CHECK_FALSE(late.confirm());
  CHECK(w.decisions() == 1);
  CHECK(w.last().host.empty());

  CHECK(first.play({leaf("good")}));
  CHECK(good.confirm());
}

TEST_CASE("a permit may be passed on as an rvalue") {
  world w;
  scripted_session session;
  auto guarded = w.guarding.attach(&session, w.permit());
  CHECK(session.play({leaf("good")}));
  CHECK(guarded.confirm());
}

TEST_CASE("a permit of another guard permits nothing here, and is given back there") {
  world here, there;
  std::vector<guard_type::permit> all;
  for (int i = 0; i < 3; ++i) all.push_back(there.permit());
  {
    scripted_session session;
    auto guarded = here.guarding.attach(&session, all[0]);
    CHECK(guarded.verdict().reason() == reason::backend_unfit);
    CHECK(guarded.verdict().detail().what == errc::permit_foreign);
    CHECK_FALSE(session.play({leaf("good")}));
    CHECK_FALSE(guarded.confirm());
    CHECK(here.decisions() == 1);
    CHECK(here.streak() == 0);
    CHECK_FALSE(there.guarding.admit(whom));
  }
  CHECK(there.guarding.admit(whom));
  CHECK(there.decisions() == 1);
}
