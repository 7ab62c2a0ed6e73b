// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/cotter.hpp>

#include <cotter/policies/session/memory_session_store.hpp>
#include <cotter/testing/manual_clock.hpp>
#include <cotter/testing/recording_sink.hpp>

#include <backends/support/client.hpp>
#include <support/catch.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

/// A guard that resumes, over a real TLS library and a server in memory, everything in the test's hand.
namespace lab {

using namespace std::chrono_literals;
using cotter::reason;

using octets = std::vector<std::uint8_t>;

/// A memory_session_store that shows what is in it and lets it be changed.
struct open_store : cotter::memory_session_store<32, 8> {
  struct kept {
    cotter::session_binding binding;
    octets session;
  };
  std::vector<kept> all() const {
    std::vector<kept> found;
    for_each([&](const cotter::session_binding& binding, cotter::bytes_view session) {
      found.push_back({binding, octets(session.begin(), session.end())});
    });
    return found;
  }
  /// Changes what each is bound to.
  template <typename Change>
  void rebind(Change change) {
    const auto before = all();
    clear();
    for (kept one : before) {
      change(one.binding);
      put(one.binding, one.session);
    }
  }
};

/// A manifest that says what it is told to say.
struct told_manifest {
  cotter::manifest_standing standing{reason::none, 1, {}, cotter::no_expiry};
  cotter::manifest_standing current() const noexcept { return standing; }
};

/// What came of one connection.
struct resumption_outcome {
  cotter::verdict verdict{};
  bool admitted = true;
  bool client_finished = false;
  bool server_finished = false;
  bool server_resumed = false;
  bool audited_resumed = false;
  bool answered = false;  ///< the client read what the server said
  std::size_t application_bytes = 0;
};

/// A pin, its role and its window.
struct pinned {
  std::string leaf = "good";
  cotter::pin_role role = cotter::pin_role::primary;
  cotter::instant not_after = cotter::no_expiry;
  bool by_key = false;
};

template <typename Backend, typename Store = open_store, typename... More>
struct phone {
  using guard_type = cotter::guard<cotter::owned_pin_set&, watched_breaker&, told_manifest&,
                                   cotter::testing::recording_sink&, cotter::testing::manual_clock&,
                                   Store&, More...>;

  cotter::owned_pin_set pins;
  watched_breaker breaker;
  told_manifest manifest;
  cotter::testing::recording_sink sink;
  cotter::testing::manual_clock clock{
      std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()), 100h};
  Store* store;
  typename Backend::context context;
  std::unique_ptr<guard_type> guard;

  phone(Store& in, More... more) : store(&in) {
    pin();
    REQUIRE(context.load_anchors_file(file("ca.pem").c_str()));
    guard = std::make_unique<guard_type>(pins, breaker, manifest, sink, clock, *store, more...);
  }

  void pin(std::vector<pinned> wanted = {{}}) {
    pins = cotter::owned_pin_set();
    std::vector<cotter::pin> all;
    for (const pinned& one : wanted) {
      const std::string pem = file(one.leaf + ".pem");
      all.push_back(
          *cotter::parse_pin(one.by_key ? peer::key_pin(pem) : peer::certificate_pin(pem)));
      all.back().role = one.role;
      all.back().not_after = one.not_after;
    }
    for (const char* host : {"localhost", "127.0.0.1"}) {
      REQUIRE(pins.add({host, 443}, all));
      REQUIRE(pins.add({host, 5061}, all));
    }
  }

  /// One whole connection. `before` and `after` are called with the session before and after attach,
  /// `confirmed` with the session and the connection between confirm and the first read.
  template <typename Before, typename After, typename Confirmed>
  resumption_outcome call(peer::server& server, const cotter::target& whom, Before before,
                          After after, Confirmed confirmed) {
    return call(server, whom, context, before, after, confirmed);
  }
  template <typename Before, typename After, typename Confirmed>
  resumption_outcome call(peer::server& server, const cotter::target& whom,
                          typename Backend::context& with, Before before, After after,
                          Confirmed confirmed) {
    resumption_outcome seen;
    auto admission = guard->admit(whom);
    if (!admission) {
      seen.verdict = admission.verdict();
      seen.admitted = false;
      return seen;
    }
    typename Backend::client client(with);
    auto there = server.accept();
    before(client.native());
    {
      auto connection = guard->attach(client.native(), *admission, with.anchors());
      after(client.native());
      std::vector<std::uint8_t> held;
      seen.client_finished = shake_hands(client, *there, held).next == cotter::want::nothing;
      seen.verdict = connection.confirm().with_label({});
      confirmed(client.native(), connection);
      if (seen.verdict) {
        static constexpr std::string_view text = "OPTIONS";
        (void)client.write({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
        carry(client, *there);
        there->drive();
        there->send("200");
        carry_back(*there, client, held);
        std::array<std::uint8_t, 16> plain{};
        cotter::step got = client.read(plain);
        for (int tries = 0; tries < 4 && got.next == cotter::want::output; ++tries) {
          carry(client, *there);
          got = client.read(plain);
        }
        seen.answered = got.size_bytes == 3;
        connection.keep_sessions();
      }
      seen.server_finished = there->finished();
      seen.server_resumed = there->finished() && there->resumed();
      seen.application_bytes = there->application_bytes();
      (void)client.shutdown();
      carry(client, *there);
      there->drive();
    }
    if (!sink.decisions().empty()) seen.audited_resumed = sink.decisions().back().resumed;
    return seen;
  }
  resumption_outcome call(peer::server& server, const cotter::target& whom = {"localhost", 443}) {
    return call(server, whom, leave_alone, leave_alone, leave_alone);
  }
  template <typename After>
  resumption_outcome call_after_attach(peer::server& server, After after) {
    return call(server, {"localhost", 443}, leave_alone, after, leave_alone);
  }
};
template <typename Backend, typename Store>
using phone_on = phone<Backend, Store>;

inline void full(const resumption_outcome& seen, cotter::matched by = cotter::matched::primary) {
  INFO("verdict " << to_string(seen.verdict.reason()));
  CHECK(seen.verdict);
  CHECK(seen.verdict.matched() == by);
  CHECK(seen.server_finished);
  CHECK_FALSE(seen.server_resumed);
  CHECK_FALSE(seen.audited_resumed);
  CHECK(seen.application_bytes == 7);
  CHECK(seen.answered);
}
inline void resumed(const resumption_outcome& seen, cotter::matched by = cotter::matched::primary) {
  INFO("verdict " << to_string(seen.verdict.reason()) << ", native "
                  << seen.verdict.detail().native);
  CHECK(seen.verdict);
  CHECK(seen.verdict.matched() == by);
  CHECK(seen.verdict.has_fingerprint());
  CHECK(seen.server_finished);
  CHECK(seen.server_resumed);
  CHECK(seen.audited_resumed);
  CHECK(seen.application_bytes == 7);
  CHECK(seen.answered);
}
/// Refused by a full handshake that never got the client's Finished.
inline void refused(const resumption_outcome& seen, reason why) {
  INFO("verdict " << to_string(seen.verdict.reason()));
  CHECK(seen.verdict.reason() == why);
  CHECK_FALSE(seen.server_finished);
  CHECK(seen.application_bytes == 0);
}

}  // namespace lab
