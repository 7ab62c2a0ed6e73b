// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/embedded.hpp>
#include <cotter/concepts/engine.hpp>
#include <cotter/pipeline/self_test.hpp>

#include "check.hpp"

#include <array>
#include <string_view>

/// What a phone does: fixed pins, a breaker, a ring, one backend; both ends in memory.
namespace phone {

/// A pin's text for a digest, changed in its last bit or not.
consteval std::array<char, 76> spelled(const std::uint8_t (&digest)[32], std::uint8_t change) {
  std::array<char, 76> text{};
  constexpr std::string_view prefix = "cert-sha256:";
  for (std::size_t i = 0; i < prefix.size(); ++i) text[i] = prefix[i];
  for (std::size_t i = 0; i < 32; ++i) {
    const unsigned octet = digest[i] ^ (i == 31 ? change : 0u);
    text[12 + 2 * i] = "0123456789abcdef"[octet >> 4];
    text[13 + 2 * i] = "0123456789abcdef"[octet & 0xf];
  }
  return text;
}
inline constexpr auto right_text = spelled(cotter::self_test_pki::leaf_sha256, 0);
inline constexpr auto wrong_text = spelled(cotter::self_test_pki::leaf_sha256, 1);

inline constexpr std::uint16_t right_port = 443;
inline constexpr std::uint16_t wrong_port = 444;  // pinned to something else
inline constexpr cotter::fixed_pin_set pins{
    cotter::fixed_target{cotter::self_test_pki::host, right_port,
                         cotter::primary({right_text.data(), right_text.size()})},
    cotter::fixed_target{cotter::self_test_pki::host, wrong_port,
                         cotter::primary({wrong_text.data(), wrong_text.size()})}};

struct outcome {
  cotter::verdict verdict{};
  bool server_finished = false;
  bool data_arrived = false;
};

template <cotter::backend Backend, typename Guard>
outcome call(Guard& guarding, std::uint16_t port) {
  namespace pki = cotter::self_test_pki;
  outcome result;
  typename Backend::context context;
  if (!context.valid() || !context.load_anchors(pki::anchor)) return result;
  typename Backend::client client(context);
  typename Backend::server server(pki::leaf, pki::leaf_key);
  auto admission = guarding.admit({pki::host, port});
  if (!admission) {
    result.verdict = admission.verdict();
    return result;
  }
  auto connection = guarding.attach(client.native(), *admission);
  cotter::step mine{cotter::want::input, 0, {}};
  cotter::step theirs{cotter::want::input, 0, {}};
  const auto open = [](const cotter::step& s) {
    return s.next == cotter::want::input || s.next == cotter::want::output;
  };
  for (int flight = 0; flight < 32 && (open(mine) || open(theirs)); ++flight) {
    if (open(mine)) mine = client.handshake();
    cotter::detail::carry(client, server);
    if (open(theirs)) theirs = server.handshake();
    cotter::detail::carry(server, client);
  }
  result.server_finished = theirs.next == cotter::want::nothing;
  result.verdict = connection.confirm();
  if (!result.verdict) {
    result.verdict = connection.verdict();
    return result;
  }
  const std::array<std::uint8_t, 2> text{'h', 'i'};
  std::array<std::uint8_t, 8> read{};
  static_cast<void>(client.write(text));
  cotter::detail::carry(client, server);
  const cotter::step got = server.read(read);
  result.data_arrived = got.size_bytes == 2 && read[0] == 'h' && read[1] == 'i';
  return result;
}

/// The whole test of one backend.
template <cotter::backend Backend>
int run() {
  using namespace cotter;
  checks check;
  ring_audit_sink<4> audit;
  memory_breaker<2, 64> breaker{breaker_config{2, 1, std::chrono::milliseconds{0}, {}}};
  guard guarding{pins, breaker, embedded_manifest{}, audit, no_lock{}};

  const outcome good = call<Backend>(guarding, right_port);
  check.that(static_cast<bool>(good.verdict), "a pinned server is accepted");
  check.that(good.verdict.matched() == matched::primary, "it is accepted by its primary pin");
  check.that(good.server_finished && good.data_arrived, "application data arrive");
  check.that(audit.recorded() == 1 && audit.at(0).why == reason::none, "that is written down");

  for (int i = 0; i < 2; ++i) {
    const outcome bad = call<Backend>(guarding, wrong_port);
    check.that(bad.verdict.reason() == reason::pin_mismatch, "another server is a pin_mismatch");
    check.that(!bad.server_finished, "it gets no Finished");
    check.that(bad.verdict.has_fingerprint(), "its fingerprint is known");
  }
  const outcome locked = call<Backend>(guarding, wrong_port);
  check.that(locked.verdict.reason() == reason::breaker_locked, "two mismatches lock");
  check.that(audit.recorded() == 4 && audit.at(3).why == reason::breaker_locked,
             "that is written down, too");
  check.that(static_cast<bool>(call<Backend>(guarding, right_port).verdict),
             "the lock is of one target");

  check.that(self_test<Backend>().passed, "the self-test passes");
  if (check.failed != 0) std::fprintf(stderr, "backend: %s\n", Backend::build().data());
  return check.status();
}

}  // namespace phone
