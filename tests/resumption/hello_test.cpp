// SPDX-License-Identifier: BSL-1.0
#include <cotter/values/hello.hpp>

#include <cotter/values/hello_tap.hpp>

#include <support/catch.hpp>

#include <cstdint>
#include <initializer_list>
#include <vector>

using namespace cotter;

namespace {

using octets = std::vector<std::uint8_t>;

octets joined(std::initializer_list<octets> parts) {
  octets all;
  for (const octets& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}
octets number(std::size_t value, int size) {
  octets made;
  for (int i = size - 1; i >= 0; --i) made.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
  return made;
}
octets vector_of(int length_octets, const octets& body) {
  return joined({number(body.size(), length_octets), body});
}
octets extension(std::size_t type, const octets& body) {
  return joined({number(type, 2), vector_of(2, body)});
}
octets message(std::uint8_t type, const octets& body) {
  return joined({{type}, vector_of(3, body)});
}
octets client(const octets& id, const octets& extensions) {
  return message(1, joined({{3, 3},
                            octets(32, 7),
                            vector_of(1, id),
                            vector_of(2, {0x13, 1}),
                            vector_of(1, {0}),
                            vector_of(2, extensions)}));
}
octets server(const octets& extensions, const octets& random = octets(32, 9)) {
  return message(
      2, joined({{3, 3}, random, vector_of(1, {}), {0x13, 1}, {0}, vector_of(2, extensions)}));
}
octets psk(std::initializer_list<octets> identities) {
  octets all;
  for (const octets& one : identities) all = joined({all, vector_of(2, one), number(0, 4)});
  return extension(41, joined({vector_of(2, all), vector_of(2, vector_of(1, octets(32, 1)))}));
}
octets record(std::uint8_t type, const octets& body) {
  return joined({{type, 3, 3}, vector_of(2, body)});
}

const octets id(32, 0xaa);
const octets ticket{1, 2, 3, 4};
const octets other{5, 6, 7, 8};

bool as_offered(const hello_watch::expectation& wanted, std::initializer_list<octets> hellos) {
  hello_watch watch;
  for (const octets& one : hellos) watch.on_client_hello(one, wanted);
  return watch.as_offered();
}

}  // namespace

TEST_CASE("a ClientHello is as offered if it offers the one session, and nothing beside it") {
  const hello_watch::expectation recent{true, ticket, id};
  CHECK(as_offered(recent, {client(id, psk({ticket}))}));
  CHECK_FALSE(as_offered(recent, {client(id, psk({other}))}));
  CHECK_FALSE(as_offered(recent, {client(id, psk({ticket, other}))}));
  CHECK_FALSE(as_offered(recent, {client(id, psk({other, ticket}))}));
  CHECK_FALSE(as_offered(recent, {client(id, {})}));
  CHECK_FALSE(as_offered(recent, {client(id, joined({extension(35, other), psk({ticket})}))}));
  CHECK_FALSE(as_offered(recent, {client(id, joined({extension(42, {}), psk({ticket})}))}));

  const hello_watch::expectation by_ticket{false, ticket, id};
  CHECK(as_offered(by_ticket, {client(other, extension(35, ticket))}));
  CHECK_FALSE(as_offered(by_ticket, {client(other, extension(35, other))}));
  CHECK_FALSE(as_offered(by_ticket, {client(other, extension(35, {}))}));
  CHECK_FALSE(
      as_offered(by_ticket, {client(other, joined({extension(35, ticket), psk({other})}))}));

  const hello_watch::expectation by_id{false, {}, id};
  CHECK(as_offered(by_id, {client(id, {})}));
  CHECK(as_offered(by_id, {client(id, extension(35, {}))}));
  CHECK_FALSE(as_offered(by_id, {client(octets(32, 1), {})}));
  CHECK_FALSE(as_offered(by_id, {client(id, extension(35, other))}));
  CHECK_FALSE(as_offered(by_id, {client(id, psk({other}))}));

  const hello_watch::expectation nothing{};
  CHECK_FALSE(as_offered(nothing, {client(id, {})}));
  CHECK_FALSE(as_offered(nothing, {client({}, {})}));
  CHECK_FALSE(as_offered(nothing, {client(id, extension(35, ticket))}));
}

TEST_CASE("after a HelloRetryRequest both ClientHellos count") {
  const hello_watch::expectation recent{true, ticket, {}};
  CHECK(as_offered(recent, {client(id, psk({ticket})), client(id, psk({ticket}))}));
  CHECK_FALSE(as_offered(recent, {client(id, psk({ticket})), client(id, psk({other}))}));
  CHECK_FALSE(as_offered(recent, {client(id, psk({other})), client(id, psk({ticket}))}));
  CHECK_FALSE(as_offered(recent, {client(id, {}), client(id, psk({ticket}))}));
}

TEST_CASE("what is no ClientHello, or a broken one, is not as offered") {
  const hello_watch::expectation recent{true, ticket, {}};
  const octets whole = client(id, psk({ticket}));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CHECK_FALSE(as_offered(
        recent, {octets(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size))}));
  }
  octets longer = whole;
  longer.push_back(0);
  CHECK_FALSE(as_offered(recent, {longer}));
  octets another = whole;
  another[0] = 2;
  CHECK_FALSE(as_offered(recent, {another}));
  CHECK_FALSE(as_offered(recent, {whole, longer}));
}

TEST_CASE("a ServerHello proves what its extensions say, once") {
  hello_watch watch;
  CHECK_FALSE(watch.extended_master_secret());
  CHECK_FALSE(watch.key_share());
  const octets retry(detail::retry_random.begin(), detail::retry_random.end());
  watch.on_server_hello(server(extension(51, {0, 29}), retry));
  CHECK_FALSE(watch.key_share());
  CHECK_FALSE(watch.server_seen());
  watch.on_server_hello(server(joined({extension(23, {}), extension(41, {0, 0})})));
  CHECK(watch.server_seen());
  CHECK(watch.extended_master_secret());
  CHECK_FALSE(watch.key_share());
  watch.on_server_hello(server(extension(51, {0, 29})));
  CHECK_FALSE(watch.key_share());

  hello_watch other_one;
  other_one.on_server_hello(server(extension(51, octets(36, 1))));
  CHECK(other_one.key_share());
  CHECK_FALSE(other_one.extended_master_secret());

  hello_watch none;
  octets broken = server(extension(23, {}));
  broken.pop_back();
  none.on_server_hello(broken);
  CHECK_FALSE(none.extended_master_secret());
}

TEST_CASE("the tap finds the hellos in records of any cut") {
  const octets hello = client(id, psk({ticket}));
  const octets answer = server(joined({extension(23, {}), extension(51, octets(36, 1))}));
  const std::size_t half = hello.size() / 2;
  const auto middle = static_cast<std::ptrdiff_t>(half);
  const octets sent =
      joined({record(22, octets(hello.begin(), hello.begin() + middle)), record(20, {1}),
              record(22, octets(hello.begin() + middle, hello.end()))});
  const octets received =
      joined({record(21, {1, 0}), record(22, joined({answer, message(11, octets(40, 3))}))});
  for (std::size_t step = 1; step < 40; step += 3) {
    hello_tap tap;
    tap.wanted = {true, ticket, {}};
    for (std::size_t at = 0; at < sent.size(); at += step) {
      tap.sent(bytes_view(sent).subspan(at, std::min(step, sent.size() - at)));
    }
    for (std::size_t at = 0; at < received.size(); at += step) {
      tap.received(bytes_view(received).subspan(at, std::min(step, received.size() - at)));
    }
    CHECK(tap.watch.as_offered());
    CHECK(tap.watch.extended_master_secret());
    CHECK(tap.watch.key_share());
    tap.sent(record(22, client(id, psk({other}))));
    CHECK(
        tap.watch.as_offered());  // the server has answered: what comes now is no hello of this one
  }
}

TEST_CASE("a hello that does not end proves nothing, and is not kept for ever") {
  hello_tap tap;
  tap.wanted = {true, ticket, {}};
  const octets endless = joined({{22, 3, 3, 0xff, 0xff, 2, 0xff, 0xff, 0xff}, octets(60'000, 1)});
  tap.received(endless);
  CHECK_FALSE(tap.watch.server_seen());
  tap.received(record(22, server(extension(23, {}))));
  CHECK_FALSE(tap.watch.server_seen());
}
