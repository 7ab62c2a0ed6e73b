// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/cotter.hpp>

#include "exact_server.hpp"
#include "trial.hpp"

#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace agreement {

inline std::string hex(std::span<const std::uint8_t> in) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string out;
  for (const std::uint8_t octet : in) {
    out += digits[octet >> 4];
    out += digits[octet & 15];
  }
  return out;
}

/// SHA-256 in hex, by the backend's own hasher.
template <typename Backend>
std::string sha256_hex(cotter::bytes_view in) {
  typename Backend::hasher hasher;
  cotter::sha256_digest digest;
  if (!hasher.prepare()) return {};
  hasher.update(in);
  return hasher.finish(digest) ? hex(digest.octets) : std::string();
}

/// A guarded client of `Backend`. Contexts are made once per CA bundle. `Interfere` is called with
/// the native session between attach and handshake.
template <typename Backend, typename Interfere>
class guarded_trial {
 public:
  explicit guarded_trial(Interfere interfere) : interfere_(std::move(interfere)) {}

  answer operator()(const question& asked) {
    answer given;
    auto& context = contexts_[asked.anchors_pem];
    if (!context) {
      context = std::make_unique<typename Backend::context>();
      if (!context->load_anchors(octets_of(asked.anchors_pem)))
        given.reason = "unfit_trust_anchors";
    }

    cotter::owned_pin_set pins;
    std::vector<cotter::pin> wanted;
    for (const std::string& each : asked.pins) wanted.push_back(*cotter::parse_pin(each));
    const cotter::target whom{asked.host, 443, cotter::identity::host};
    (void)pins.add(whom, wanted);
    cotter::memory_breaker<> breaker;
    cotter::guard guard(pins, breaker, cotter::embedded_manifest{}, cotter::null_audit_sink{});
    auto admission = guard.admit(whom);
    if (!admission) {
      given.reason = to_string(admission.verdict().reason());
      return given;
    }

    exact::server server(
        {asked.leaf, asked.sound_leaf, asked.key_pkcs8, asked.intermediates, asked.version});
    typename Backend::client client(*context);
    auto connection = guard.attach(client.native(), *admission);
    interfere_(client.native());
    const cotter::step last = shake_hands(client, server);
    const cotter::verdict verdict = connection.confirm();

    given.accepted = static_cast<bool>(verdict);
    given.server_finished = server.finished();
    given.reason = to_string(verdict.reason());
    given.detail = cotter::code(verdict.detail().what);
    given.native = verdict.detail().native != 0 ? verdict.detail().native : last.why.native;
    if (verdict.has_fingerprint()) given.fingerprint = hex(verdict.fingerprint().octets);
    return given;
  }

 private:
  static cotter::bytes_view octets_of(std::string_view text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
  }

  /// Until neither side has anything more to say.
  static cotter::step shake_hands(typename Backend::client& client, exact::server& server) {
    cotter::step last{cotter::want::input, 0, {}};
    exact::octets held;
    for (bool moved = true; moved;) {
      moved = false;
      if (last.next == cotter::want::input || last.next == cotter::want::output) {
        last = client.handshake();
      }
      for (auto out = client.pending(); !out.empty(); out = client.pending()) {
        server.feed(out);
        client.sent(out.size());
        moved = true;
      }
      server.drive();
      const exact::octets fresh = server.take_pending();
      held.insert(held.end(), fresh.begin(), fresh.end());
      const std::size_t taken = client.feed(held);
      held.erase(held.begin(), held.begin() + static_cast<std::ptrdiff_t>(taken));
      moved = moved || taken != 0;
    }
    return last;
  }

  Interfere interfere_;
  std::map<std::string, std::unique_ptr<typename Backend::context>> contexts_;
};

template <typename Backend, typename Exported, typename Interfere>
backend make_backend(std::vector<int> versions, Exported exported, Interfere interfere) {
  auto trial = std::make_shared<guarded_trial<Backend, Interfere>>(std::move(interfere));
  return {std::string(Backend::name), std::string(Backend::build()), std::move(versions),
          [trial](const question& asked) { return (*trial)(asked); }, std::move(exported)};
}

template <typename Backend, typename Exported>
backend make_backend(std::vector<int> versions, Exported exported) {
  return make_backend<Backend>(std::move(versions), std::move(exported), [](auto) {});
}

}  // namespace agreement
