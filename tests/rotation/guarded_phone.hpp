// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/cotter.hpp>
#include <cotter/json/signed_manifest.hpp>
#include <cotter/testing/manual_clock.hpp>

#include "phone.hpp"

#include <backends/support/client.hpp>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace rotation {

/// A phone with `Backend` for its handshakes and for the signatures of its manifests. Its clock is
/// the system's, as PKIX's is.
template <typename Backend>
class guarded_phone final : public phone {
  using manifest = cotter::json::signed_manifest<Backend>;

 public:
  guarded_phone(const std::string& key_set, const std::string& anchors_pem) {
    auto keys = cotter::json::trusted_keys::from_key_set<Backend>(key_set);
    if (!keys) throw std::runtime_error("no key set");
    keys_ = *std::move(keys);
    if (!context_.load_anchors(cotter::json::octets_of(anchors_pem))) {
      throw std::runtime_error("no anchors");
    }
    manifest_.emplace(keys_);
  }

  cotter::errc reload(const std::string& envelope) override {
    const auto taken = manifest_->reload(envelope, cotter::system_clock{}.now().wall);
    if (!taken) return taken.error().what;
    last_good_ = envelope;
    return cotter::errc::ok;
  }

  cotter::errc restart() override {
    const cotter::manifest_memory remembered = manifest_->memory();
    manifest_.emplace(keys_, remembered);
    return reload(last_good_);
  }

  answer call(peer::server& there) override { return call_guarded(there, breaker_); }

  answer call_impostor(peer::server& there) override {
    cotter::memory_breaker<> fresh;
    return call_guarded(there, fresh);
  }

  answer call_by_other_clock(peer::server& there, const std::string& pin,
                             cotter::instant standing) override {
    cotter::owned_pin_set pins;
    const std::vector<cotter::pin> only{*cotter::parse_pin(pin)};
    if (!pins.add(whom, only)) throw std::runtime_error("no pins");
    cotter::memory_breaker<> fresh;
    cotter::testing::manual_clock clock{standing};
    cotter::guard guard(pins, fresh, cotter::embedded_manifest{}, cotter::null_audit_sink{}, clock);
    return call_by(guard, there);
  }

 private:
  static constexpr cotter::target whom{host, 5061, cotter::identity::host};

  answer call_guarded(peer::server& there, cotter::memory_breaker<>& breaker) {
    cotter::guard guard(*manifest_, breaker, cotter::null_audit_sink{});
    return call_by(guard, there);
  }

  template <typename Guard>
  answer call_by(Guard& guard, peer::server& there) {
    answer given;
    auto admission = guard.admit(whom);
    if (!admission) {
      given.reason = admission.verdict().reason();
      return given;
    }
    typename Backend::client client(context_);
    const auto other_end = there.accept();
    auto connection = guard.attach(client.native(), *admission);
    cotter::step step{cotter::want::input, 0, {}};
    std::vector<std::uint8_t> held;
    for (bool moved = true; moved;) {
      if (step.next == cotter::want::input || step.next == cotter::want::output) {
        step = client.handshake();
      }
      moved = !client.pending().empty();
      lab::carry(client, *other_end);
      other_end->drive();
      const auto fresh = other_end->take_pending();
      held.insert(held.end(), fresh.begin(), fresh.end());
      const std::size_t taken = client.feed(held);
      held.erase(held.begin(), held.begin() + static_cast<std::ptrdiff_t>(taken));
      moved = moved || taken != 0;
    }
    const cotter::verdict verdict = connection.confirm();
    given.reason = verdict.reason();
    given.matched = verdict.matched();
    given.server_finished = other_end->finished();
    return given;
  }

  cotter::json::trusted_keys keys_{};
  typename Backend::context context_{};
  std::optional<manifest> manifest_{};
  std::string last_good_{};
  cotter::memory_breaker<> breaker_{};
};

template <typename Backend>
phone_model make_model(std::vector<int> versions) {
  return {std::string(Backend::name), std::move(versions),
          [](const std::string& key_set, const std::string& anchors_pem) -> std::unique_ptr<phone> {
            return std::make_unique<guarded_phone<Backend>>(key_set, anchors_pem);
          }};
}

}  // namespace rotation
