// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/cotter.hpp>

#include "peer.hpp"

#include <array>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// A guarded client of any backend against a `peer`, with places to interfere.
namespace lab {

/// A file of the lab's PKI (tests/lab/make-pki.sh), made by a CTest fixture.
inline std::string file(const std::string& name) {
  const char* directory = std::getenv("COTTER_LAB_PKI");
  return std::string(directory == nullptr ? "pki" : directory) + "/" + name;
}

/// A breaker that remembers what it was told.
class watched_breaker : public cotter::memory_breaker<> {
 public:
  using memory_breaker<>::memory_breaker;

  cotter::breaker_change mismatch(cotter::reservation& held, cotter::time_reading now) noexcept {
    ++mismatches;
    return last = memory_breaker<>::mismatch(held, now);
  }
  cotter::breaker_change success(cotter::reservation& held, cotter::time_reading now) noexcept {
    ++successes;
    return last = memory_breaker<>::success(held, now);
  }
  void release(cotter::reservation& held) noexcept {
    ++releases;
    memory_breaker<>::release(held);
  }

  int mismatches = 0;
  int successes = 0;
  int releases = 0;
  cotter::breaker_change last{};
};

struct request {
  std::string host = "localhost";
  cotter::identity kind = cotter::identity::host;
  std::string anchors = "ca.pem";
  std::string pin = peer::certificate_pin(file("good.pem"));
  std::string second_pin{};
  cotter::pin_role second_role = cotter::pin_role::fallback;
  cotter::instant second_not_after = cotter::no_expiry;
  watched_breaker* breaker = nullptr;  ///< null for one of its own
};

struct outcome {
  cotter::verdict verdict{};     ///< what confirm said
  bool client_finished = false;  ///< the client's handshake step completed
  bool server_finished = false;  ///< the server has the client's Finished
  bool server_resumed = false;
  std::size_t application_bytes =
      0;  ///< what reached the server, although the client tried to write
  std::string server_name{};
  std::string answer{};  ///< what the client read afterwards
  std::vector<cotter::reason> audited{};
  cotter::breaker_state breaker = cotter::breaker_state::closed;
};

inline peer::options serve(const std::string& name, int version = 0) {
  peer::options how;
  how.chain_file = file(name + ".pem");
  how.key_file = file(name + ".key");
  how.version = version;
  return how;
}

template <typename Client>
void carry(Client& client, peer::connection& server) {
  for (auto octets = client.pending(); !octets.empty(); octets = client.pending()) {
    const std::size_t taken = server.feed(octets);
    client.sent(taken);
    if (taken == 0) break;
  }
}

template <typename Client>
void carry_back(peer::connection& server, Client& client, std::vector<std::uint8_t>& held) {
  const auto fresh = server.take_pending();
  held.insert(held.end(), fresh.begin(), fresh.end());
  const std::size_t taken = client.feed(held);
  held.erase(held.begin(), held.begin() + static_cast<std::ptrdiff_t>(taken));
}

/// Drives both sides until neither goes on; returns the client's last step. What is left of the
/// server's octets stays in `held`.
template <typename Client>
cotter::step shake_hands(Client& client, peer::connection& server,
                         std::vector<std::uint8_t>& held) {
  cotter::step step{cotter::want::input, 0, {}};
  for (int flight = 0; flight < 40; ++flight) {
    if (step.next == cotter::want::input || step.next == cotter::want::output) {
      step = client.handshake();
    }
    carry(client, server);
    server.drive();
    carry_back(server, client, held);
  }
  return step;
}

/// Runs one connection. `before` is called with the session and its context before attach, `after`
/// after it and before the handshake; `confirmed` between confirm and the client's first write.
template <typename Backend, typename Before, typename After, typename Confirmed>
outcome run(peer::server& server, const request& wanted, typename Backend::context& context,
            Before before, After after, Confirmed confirmed) {
  outcome seen;
  cotter::owned_pin_set pins;
  std::array<cotter::pin, 2> both{};
  both[0] = *cotter::parse_pin(wanted.pin);
  std::size_t count = 1;
  if (!wanted.second_pin.empty()) {
    both[1] = *cotter::parse_pin(wanted.second_pin);
    both[1].role = wanted.second_role;
    both[1].not_after = wanted.second_not_after;
    count = 2;
  }
  const cotter::target whom{wanted.host, 443, wanted.kind};
  (void)pins.add(whom, std::span<const cotter::pin>(both).first(count));
  watched_breaker fresh;
  watched_breaker& breaking = wanted.breaker != nullptr ? *wanted.breaker : fresh;
  cotter::callback_audit_sink sink{[&](const cotter::audit_record& what) noexcept {
    if (what.subject == cotter::audit_subject::decision) {
      seen.audited.push_back(what.outcome.reason());
    }
  }};
  cotter::guard guard(pins, breaking, cotter::embedded_manifest{}, sink);

  auto admission = guard.admit(whom);
  if (!admission) {
    seen.verdict = admission.verdict();
    return seen;
  }
  typename Backend::client client(context);
  auto there = server.accept();
  before(client.native());
  {
    auto connection = guard.attach(client.native(), *admission);
    after(client.native());

    std::vector<std::uint8_t> held;
    const cotter::step step = shake_hands(client, *there, held);
    seen.client_finished = step.next == cotter::want::nothing;
    seen.verdict = connection.confirm();
    confirmed(client.native(), *there);
    if (seen.verdict || !seen.client_finished) {
      // A refused handshake must not let a single octet out, however hard the application tries.
      static constexpr std::string_view text = "OPTIONS sip:localhost SIP/2.0\r\n\r\n";
      (void)client.write({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
    }
    carry(client, *there);
    there->drive();
    if (seen.verdict) {
      there->send("SIP/2.0 200 OK\r\n\r\n");
      carry_back(*there, client, held);
      std::array<std::uint8_t, 256> plain{};
      cotter::step got = client.read(plain);
      for (int tries = 0; tries < 4 && got.next == cotter::want::output; ++tries) {
        carry(client, *there);
        got = client.read(plain);
      }
      seen.answer.assign(plain.begin(),
                         plain.begin() + static_cast<std::ptrdiff_t>(got.size_bytes));
    }
    seen.server_finished = there->finished();
    seen.server_resumed = there->resumed();
    seen.application_bytes = there->application_bytes();
    seen.server_name = there->server_name();
  }
  seen.breaker = breaking.state({whom, {}});
  return seen;
}

inline constexpr auto leave_alone = [](auto&&...) {};

template <typename Backend, typename Before, typename After>
outcome run(peer::server& server, const request& wanted, Before before, After after) {
  typename Backend::context context;
  if (!context.load_anchors_file(file(wanted.anchors).c_str())) return {};
  return run<Backend>(server, wanted, context, before, after, leave_alone);
}

template <typename Backend>
outcome run(const peer::options& how, const request& wanted = {}) {
  peer::server server(how);
  return run<Backend>(server, wanted, leave_alone, leave_alone);
}

}  // namespace lab
