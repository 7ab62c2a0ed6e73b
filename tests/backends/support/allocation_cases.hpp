// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "client.hpp"
#include "counting_malloc.hpp"

#include <cotter/policies/manifest/live_manifest.hpp>

#include <support/catch.hpp>

namespace lab {

/// A backend with a counter between it and the pipeline: what lies between a call of the observer
/// and its return is the decision, and nothing of the TLS library.
template <typename Backend>
struct counted {
  static constexpr std::string_view name = Backend::name;
  using session = typename Backend::session;
  using hasher = typename Backend::hasher;

  class counter final : public cotter::handshake_observer {
   public:
    void on_start() noexcept override { decides->on_start(); }
    void on_leaf(cotter::bytes_view der) noexcept override {
      const std::size_t before = heap::allocations();
      decides->on_leaf(der);
      allocations() += heap::allocations() - before;
      ++decisions();
    }
    bool on_chain(cotter::chain_outcome chain) noexcept override {
      const std::size_t before = heap::allocations();
      const bool may = decides->on_chain(chain);
      allocations() += heap::allocations() - before;
      ++decisions();
      return may;
    }
    cotter::handshake_observer* decides = nullptr;
  };
  struct attachment {
    typename Backend::attachment inner{};
    counter between{};
  };
  static std::size_t& allocations() {
    static std::size_t count = 0;
    return count;
  }
  static std::size_t& decisions() {
    static std::size_t count = 0;
    return count;
  }

  static cotter::result<void> attach(session s, const cotter::target& whom,
                                     cotter::handshake_observer& observer,
                                     attachment& state) noexcept {
    state.between.decides = &observer;
    return Backend::attach(s, whom, state.between, state.inner);
  }
  static cotter::library_version version() noexcept { return Backend::version(); }
  static cotter::handshake_facts inspect(const attachment& state) noexcept {
    return Backend::inspect(state.inner);
  }
  static void detach(attachment& state) noexcept { Backend::detach(state.inner); }
};

/// One attempt, counted from `admit` to `confirm` wherever cotter is at work.
template <typename Backend, typename Guard>
void accepts_without_the_heap(Guard& guard, typename Backend::context& context, const char* leaf,
                              int version) {
  using counting = counted<Backend>;
  peer::server server(serve(leaf, version));
  std::size_t before = heap::allocations();
  auto admission = guard.admit({"localhost", 443});
  const std::size_t admitting = heap::allocations() - before;
  REQUIRE(admission);
  typename Backend::client client(context);
  auto there = server.accept();
  cotter::connection<Guard, counting> connection(guard, client.native(), *admission);

  counting::allocations() = counting::decisions() = 0;
  std::vector<std::uint8_t> held;
  (void)shake_hands(client, *there, held);
  before = heap::allocations();
  const cotter::verdict verdict = connection.confirm();
  const std::size_t confirming = heap::allocations() - before;
  CHECK(verdict);
  CHECK(counting::decisions() == 2);
  CHECK(admitting == 0);
  CHECK(counting::allocations() == 0);
  CHECK(confirming == 0);
}

template <typename Backend>
void decides_without_the_heap(int version) {
  typename Backend::context context;
  REQUIRE(context.load_anchors_file(file("ca.pem").c_str()));
  for (const char* leaf : {"good", "rsa", "large"}) {
    for (const bool by_key : {false, true}) {
      INFO(leaf << (by_key ? ", key pin" : ", certificate pin") << ", version " << version);
      const std::string pem = file(std::string(leaf) + ".pem");
      const auto pin = *cotter::parse_pin(by_key ? peer::key_pin(pem) : peer::certificate_pin(pem));
      cotter::owned_pin_set pins;
      REQUIRE(pins.add({"localhost", 443}, {&pin, 1}));
      cotter::memory_breaker<> breaking;
      cotter::ring_audit_sink<8> ring;
      {
        cotter::guard guard(pins, breaking, cotter::embedded_manifest{}, ring);
        accepts_without_the_heap<Backend>(guard, context, leaf, version);
      }

      cotter::pin_manifest document;
      document.sequence = 1;
      document.issued_at = cotter::library_made_at;
      document.expires_at = cotter::no_expiry;
      document.targets.resize(1);
      document.targets[0].host = "localhost";
      document.targets[0].port = 443;
      document.targets[0].pins = {{pin}};
      cotter::live_manifest live;
      REQUIRE(live.adopt(document, cotter::library_made_at));
      cotter::guard guard(live, breaking, ring);
      accepts_without_the_heap<Backend>(guard, context, leaf, version);
    }
  }
}

/// The counter counts: without this, zero would mean nothing.
inline void the_counter_counts() {
  const std::size_t before = heap::allocations();
  const auto one = std::make_unique<std::uint8_t>();
  CHECK(heap::allocations() == before + (one == nullptr ? 0 : 1));
}

}  // namespace lab
