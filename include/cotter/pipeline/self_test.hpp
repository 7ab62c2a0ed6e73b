// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/concepts/engine.hpp>
#include <cotter/pipeline/guard.hpp>
#include <cotter/pipeline/self_test_pki.hpp>
#include <cotter/policies/audit/null_audit_sink.hpp>
#include <cotter/policies/breaker/memory_breaker.hpp>
#include <cotter/policies/lock/no_lock.hpp>
#include <cotter/policies/manifest/embedded_manifest.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

namespace cotter {
inline namespace v0 {

/// One handshake of a self-test.
struct self_test_case {
  std::string_view name{};
  reason expected = reason::none;  ///< `none`: must be accepted
  reason seen = reason::unbound;
  bool passed = false;
};

/// What a backend proved of itself.
struct self_test_report {
  bool passed = false;  ///< every case passed
  bool server_side_available = false;
  std::string_view advice{};  ///< what to do if not; static storage
  std::array<self_test_case, 5> cases{};
};

namespace detail {

/// One target with one pin, for the length of a self-test.
class self_test_pins {
 public:
  class handle {
   public:
    constexpr handle() noexcept = default;
    constexpr explicit handle(const pinned_target* found) noexcept : found_(found) {}
    constexpr explicit operator bool() const noexcept { return found_ != nullptr; }
    constexpr const pinned_target& operator*() const noexcept { return *found_; }

   private:
    const pinned_target* found_ = nullptr;
  };

  self_test_pins(std::string_view host, const sha256_digest& digest) noexcept
      : pin_{digest, pin_form::certificate, pin_role::primary, no_expiry, "self-test"},
        target_{{host, 443, identity::host}, {&pin_, 1}} {}
  self_test_pins(const self_test_pins&) = delete;
  self_test_pins& operator=(const self_test_pins&) = delete;

  [[nodiscard]] handle find(const target& whom, const ip_address&) const noexcept {
    return target_.endpoint.same_endpoint(whom) ? handle(&target_) : handle();
  }

 private:
  pin pin_;
  pinned_target target_;
};

template <typename From, typename To>
void carry(From& from, To& to) noexcept {
  for (bytes_view octets = from.pending(); !octets.empty(); octets = from.pending()) {
    const std::size_t taken = to.feed(octets);
    from.sent(taken);
    if (taken == 0) return;
  }
}

template <typename Backend>
self_test_case self_test_handshake(std::string_view name, reason expected, bytes_view anchor,
                                   bytes_view leaf, std::string_view host,
                                   const sha256_digest& pinned,
                                   const sha256_digest& presented) noexcept {
  self_test_case one{name, expected, reason::backend_unfit, false};
  typename Backend::context context;
  if (!context.valid() || !context.load_anchors(anchor)) return one;
  typename Backend::client client(context);
  typename Backend::server server(leaf, self_test_pki::leaf_key);
  if (!client.valid() || !server.valid()) return one;

  const self_test_pins pins(host, pinned);
  memory_breaker<1, 64> breaking;
  guard self(pins, breaking, embedded_manifest{}, null_audit_sink{}, no_lock{});
  auto admission = self.admit({host, 443});
  if (!admission) return one;
  auto connection = self.attach(client.native(), *admission);

  step client_step{want::input, 0, {}};
  step server_step{want::input, 0, {}};
  const auto open = [](const step& s) { return s.next == want::input || s.next == want::output; };
  for (int flight = 0; flight < 32 && (open(client_step) || open(server_step)); ++flight) {
    if (open(client_step)) client_step = client.handshake();
    carry(client, server);
    if (open(server_step)) server_step = server.handshake();
    carry(server, client);
  }

  const verdict outcome = connection.confirm();
  one.seen = outcome ? reason::none : connection.verdict().reason();
  // The server must have the client's Finished exactly when the verdict accepts.
  const bool finished = server_step.next == want::nothing;
  one.passed = one.seen == expected && finished == (expected == reason::none) &&
               outcome.has_fingerprint() && outcome.fingerprint() == presented;
  return one;
}

}  // namespace detail

/// Proves that this build of a backend enforces: five handshakes in memory, of which one must be
/// accepted with a known fingerprint and four be refused, each for its own reason. Takes some
/// milliseconds, uses the library's heap, touches no network and no file.
///
/// A library built without its server side cannot be its own peer: then nothing has passed, and
/// `advice` says where else to look.
template <backend Backend>
[[nodiscard]] self_test_report self_test() noexcept {
  self_test_report report;
  report.server_side_available = Backend::has_server;
  if constexpr (!Backend::has_server) {
    report.advice =
        "this TLS library was built without its server side: run `cotter selftest` on a "
        "machine that has one, against the same version";
    return report;
  } else {
    namespace pki = self_test_pki;
    sha256_digest good;
    sha256_digest expired;
    std::copy(std::begin(pki::leaf_sha256), std::end(pki::leaf_sha256), good.octets.begin());
    std::copy(std::begin(pki::expired_leaf_sha256), std::end(pki::expired_leaf_sha256),
              expired.octets.begin());
    sha256_digest wrong = good;
    wrong.octets[31] ^= 1;

    report.cases = {
        detail::self_test_handshake<Backend>("pinned and trusted", reason::none, pki::anchor,
                                             pki::leaf, pki::host, good, good),
        detail::self_test_handshake<Backend>("wrong pin", reason::pin_mismatch, pki::anchor,
                                             pki::leaf, pki::host, wrong, good),
        detail::self_test_handshake<Backend>("wrong CA", reason::pkix, pki::other_anchor, pki::leaf,
                                             pki::host, good, good),
        detail::self_test_handshake<Backend>("wrong name", reason::hostname, pki::anchor, pki::leaf,
                                             "other.invalid", good, good),
        detail::self_test_handshake<Backend>("expired", reason::validity, pki::anchor,
                                             pki::expired_leaf, pki::host, expired, expired),
    };
    report.passed = true;
    for (const self_test_case& one : report.cases) report.passed = report.passed && one.passed;
    if (!report.passed) {
      report.advice = "this TLS library does not enforce what cotter asks of it: do not use it";
    }
    return report;
  }
}

}  // namespace v0
}  // namespace cotter
