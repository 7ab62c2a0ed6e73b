// SPDX-License-Identifier: BSL-1.0
#include <cotter/testing/scripted_backend.hpp>

#include <cotter/testing/recording_observer.hpp>

#include <support/catch.hpp>

#include <array>
#include <cstdint>

namespace {

using namespace cotter;
using namespace cotter::testing;

constexpr std::array<std::uint8_t, 3> leaf{1, 2, 3};
constexpr target whom{"localhost", 443};

struct attached {
  scripted_session session;
  recording_observer observer;
  scripted_backend::attachment state;
  result<void> outcome = scripted_backend::attach(&session, whom, observer, state);

  ~attached() { scripted_backend::detach(state); }
};

}  // namespace

// The same laws as tests/contracts/*_test.cpp check over TLS, without a peer.
TEST_CASE("scripted_backend attaches to a fresh session once, and to nothing else (B1)") {
  attached one;
  CHECK(one.outcome);
  scripted_backend::attachment other;
  CHECK(scripted_backend::attach(&one.session, whom, one.observer, other).error().what ==
        errc::unfit_session);
  CHECK(scripted_backend::attach(nullptr, whom, one.observer, other).error().what ==
        errc::unfit_session);

  scripted_session begun;
  begun.start();
  CHECK_FALSE(scripted_backend::attach(&begun, whom, one.observer, other));
  scripted_session unnamed;
  CHECK_FALSE(scripted_backend::attach(&unnamed, {"NOT.canonical", 1}, one.observer, other));
  CHECK_FALSE(unnamed.play({leaf}));
  scripted_session failing;
  failing.fail_attach(errc::out_of_memory);
  CHECK(scripted_backend::attach(&failing, whom, one.observer, other).error().what ==
        errc::out_of_memory);
  CHECK_FALSE(failing.play({leaf}));
}

TEST_CASE("scripted_backend reports start, leaf and chain, and obeys (B2, B3, B4)") {
  attached good;
  CHECK(good.session.play({leaf}));
  CHECK(good.observer.calls() == "slc");
  CHECK(good.observer.leaf() == std::vector<std::uint8_t>{1, 2, 3});
  CHECK(scripted_backend::inspect(good.state).finished);

  attached untrusted;
  CHECK_FALSE(untrusted.session.play({leaf, {false, 19}}));
  CHECK_FALSE(untrusted.observer.outcome().trusted);
  CHECK(untrusted.observer.outcome().native == 19);
  CHECK_FALSE(scripted_backend::inspect(untrusted.state).finished);

  attached keyless;
  CHECK_FALSE(keyless.session.play({leaf, {true, 0}, false}));
  CHECK_FALSE(scripted_backend::inspect(keyless.state).finished);
}

TEST_CASE("scripted_backend leaves nothing behind and no handshake possible (B6)") {
  attached one;
  scripted_backend::detach(one.state);
  CHECK_FALSE(one.session.attached());
  CHECK_FALSE(one.session.play({leaf}));
  CHECK(one.observer.calls().empty());
  CHECK_FALSE(scripted_backend::inspect(one.state).hooks_intact);
}
