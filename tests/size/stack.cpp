// SPDX-License-Identifier: BSL-1.0
#include <backend.hpp>

#include <cotter/embedded.hpp>
#include <cotter/pipeline/self_test_pki.hpp>

#include <ucontext.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <string_view>

// How deep the stack gets in each step of an accepting connection, painted beforehand. The hasher is the
// TLS library's; the library's own frames around the hook are not there.
namespace {

namespace pki = cotter::self_test_pki;
using namespace cotter;

consteval std::array<char, 76> spelled(const std::uint8_t (&digest)[32]) {
  std::array<char, 76> text{};
  constexpr std::string_view prefix = "cert-sha256:";
  for (std::size_t i = 0; i < prefix.size(); ++i) text[i] = prefix[i];
  for (std::size_t i = 0; i < 32; ++i) {
    text[12 + 2 * i] = "0123456789abcdef"[digest[i] >> 4];
    text[13 + 2 * i] = "0123456789abcdef"[digest[i] & 0xf];
  }
  return text;
}
constexpr auto pin_text = spelled(pki::leaf_sha256);
constexpr fixed_pin_set pins{
    fixed_target{pki::host, 5061, primary({pin_text.data(), pin_text.size()})}};

/// A session without a network: the backend's hasher under a handshake that is called for.
struct quiet_session {
  handshake_observer* observer = nullptr;
  bool finished = false;
};
struct quiet_backend {
  static constexpr std::string_view name = "quiet";
  using session = quiet_session*;
  using hasher = backend::hasher;
  struct attachment {
    quiet_session* to = nullptr;
  };
  static library_version version() noexcept { return backend::version(); }
  static result<void> attach(session s, const target&, handshake_observer& observer,
                             attachment& held) noexcept {
    s->observer = &observer;
    held.to = s;
    return {};
  }
  static handshake_facts inspect(const attachment& held) noexcept {
    return {held.to->finished, false, true, true, 0};
  }
  static void detach(attachment& held) noexcept { held.to = nullptr; }
};

constexpr std::uint8_t paint = 0xa5;
alignas(16) std::array<std::uint8_t, 256 * 1024> stack;
ucontext_t here;
ucontext_t there;
void (*job)();

void run() { job(); }

/// The octets of stack that `what` touches.
std::size_t depth_of(void (*what)()) {
  stack.fill(paint);
  job = what;
  getcontext(&there);
  there.uc_stack.ss_sp = stack.data();
  there.uc_stack.ss_size = stack.size();
  there.uc_link = &here;
  makecontext(&there, &run, 0);
  swapcontext(&here, &there);
  const auto deepest = std::find_if(stack.begin(), stack.end(), [](auto o) { return o != paint; });
  return static_cast<std::size_t>(stack.end() - deepest);
}

memory_breaker<1, 64> breaking;
ring_audit_sink<8> audit;
guard guarding{pins, breaking, embedded_manifest{}, audit, no_lock{}};
using guard_type = decltype(guarding);
quiet_session wire;
connection<guard_type, quiet_backend>* connected;
bool good = true;

void nothing() {}
void admit() {
  good = good && guarding.admit({pki::host, 5061}).verdict().reason() == reason::unbound;
}
void start() { wire.observer->on_start(); }
void decide() {
  wire.observer->on_leaf(pki::leaf);
  wire.finished = wire.observer->on_chain({true, 0});
}
void confirm() { good = good && connected->confirm(); }

}  // namespace

template <>
struct cotter::backend_of<quiet_session*> {
  using type = quiet_backend;
};

int main() {
  std::size_t deepest[4]{};
  // Twice: the first time a library may look things up.
  for (int round = 0; round < 2; ++round) {
    wire = {};
    const std::size_t none = depth_of(nothing);
    deepest[0] = std::max(deepest[0], depth_of(admit) - none);
    auto permit = guarding.admit({pki::host, 5061});
    if (!permit) return 1;
    auto one = guarding.attach(&wire, *permit);
    connected = &one;
    deepest[1] = std::max(deepest[1], depth_of(start) - none);
    deepest[2] = std::max(deepest[2], depth_of(decide) - none);
    deepest[3] = std::max(deepest[3], depth_of(confirm) - none);
  }
  std::printf("%zu %zu %zu %zu\n", deepest[0], deepest[1], deepest[2], deepest[3]);
  return good ? 0 : 1;
}
