// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/cotter.hpp>
#include <cotter/pipeline/self_test_pki.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

/// Feeds a guarded client what a hostile server sends in place of TLS.
///
/// Properties: it ends; no handshake completes; nothing is confirmed; nothing can be written or read.
template <typename Backend>
void garbage_is_no_server(cotter::bytes_view in) {
  static typename Backend::context context;
  static const bool loaded =
      static_cast<bool>(context.load_anchors(cotter::bytes_view(cotter::self_test_pki::anchor)));
  if (!loaded) std::abort();
  static const cotter::pin pin{};
  static cotter::owned_pin_set pins;
  static const bool added = static_cast<bool>(pins.add({"localhost", 443}, {&pin, 1}));
  if (!added) std::abort();
  cotter::memory_breaker<1> breaking;
  cotter::guard guard(pins, breaking, cotter::embedded_manifest{}, cotter::null_audit_sink{});

  auto admission = guard.admit({"localhost", 443});
  typename Backend::client client(context);
  if (!admission || !client.valid()) std::abort();
  auto connection = guard.attach(client.native(), *admission);
  cotter::step step = client.handshake();
  for (std::size_t at = 0;
       step.next != cotter::want::failed && step.next != cotter::want::nothing;) {
    client.sent(client.pending().size());
    if (at == in.size()) {
      client.end_of_input();
    } else {
      const std::size_t taken = client.feed(in.subspan(at));
      at += taken;
    }
    step = client.handshake();
  }
  if (step.next == cotter::want::nothing || connection.confirm()) std::abort();
  std::array<std::uint8_t, 64> plain{};
  if (client.read(plain).next == cotter::want::nothing) std::abort();
}
