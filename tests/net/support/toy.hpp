// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/concepts/engine.hpp>
#include <cotter/pipeline/guard.hpp>
#include <cotter/policies/breaker/memory_breaker.hpp>
#include <cotter/policies/manifest/embedded_manifest.hpp>
#include <cotter/policies/pin_set/owned_pin_set.hpp>
#include <cotter/testing/manual_clock.hpp>
#include <cotter/testing/recording_sink.hpp>
#include <cotter/testing/scripted_backend.hpp>

#include <net/support/frames.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

// A toy in place of a TLS library: records of one letter, two octets of length, and a payload.
//
//   client: H hello, F Finished, D data, U answer to a key update, C close_notify, A fatal alert
//   server: S everything up to its Finished, D data, K key update, C close_notify
//
// Nothing is encrypted, so that a test reads on the wire exactly what left the engine.
namespace toy {

/// A self-signed leaf for DNS:toy.example and DNS:localhost (`openssl req -x509 -newkey ec`).
inline constexpr std::uint8_t leaf[] = {
    0x30, 0x82, 0x01, 0x96, 0x30, 0x82, 0x01, 0x3c, 0xa0, 0x03, 0x02, 0x01,
    0x02, 0x02, 0x14, 0x56, 0x85, 0x05, 0x6c, 0xbf, 0x86, 0x49, 0x48, 0x02,
    0x3c, 0xcc, 0x37, 0xe5, 0x36, 0x48, 0x25, 0xe1, 0xac, 0xa9, 0xd4, 0x30,
    0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02, 0x30,
    0x0e, 0x31, 0x0c, 0x30, 0x0a, 0x06, 0x03, 0x55, 0x04, 0x03, 0x0c, 0x03,
    0x74, 0x6f, 0x79, 0x30, 0x20, 0x17, 0x0d, 0x32, 0x36, 0x31, 0x31, 0x32,
    0x31, 0x30, 0x32, 0x32, 0x37, 0x34, 0x39, 0x5a, 0x18, 0x0f, 0x32, 0x31,
    0x32, 0x36, 0x31, 0x30, 0x32, 0x38, 0x30, 0x32, 0x32, 0x37, 0x34, 0x39,
    0x5a, 0x30, 0x0e, 0x31, 0x0c, 0x30, 0x0a, 0x06, 0x03, 0x55, 0x04, 0x03,
    0x0c, 0x03, 0x74, 0x6f, 0x79, 0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04, 0x7e, 0xc6, 0x50, 0x71,
    0x49, 0x42, 0x7a, 0x7c, 0xea, 0xd1, 0x81, 0x5c, 0xa9, 0x60, 0x33, 0x5e,
    0x2e, 0x4f, 0x49, 0x37, 0x9c, 0xe9, 0x02, 0x54, 0x7a, 0x49, 0x88, 0x76,
    0xaa, 0x4c, 0x37, 0x8c, 0xe9, 0x31, 0x34, 0x46, 0x18, 0x52, 0x6d, 0x58,
    0x69, 0xc1, 0x10, 0x33, 0x95, 0xad, 0x98, 0x82, 0x47, 0x93, 0x1d, 0x8d,
    0xab, 0x72, 0x85, 0x0d, 0xf9, 0x53, 0x18, 0x1a, 0x90, 0xe8, 0x30, 0xf5,
    0xa3, 0x76, 0x30, 0x74, 0x30, 0x1d, 0x06, 0x03, 0x55, 0x1d, 0x0e, 0x04,
    0x16, 0x04, 0x14, 0x62, 0x43, 0x19, 0x19, 0x69, 0x16, 0x1d, 0xcb, 0xc5,
    0x2b, 0x14, 0x55, 0x92, 0x81, 0x56, 0x38, 0x7d, 0xbc, 0xaf, 0x99, 0x30,
    0x1f, 0x06, 0x03, 0x55, 0x1d, 0x23, 0x04, 0x18, 0x30, 0x16, 0x80, 0x14,
    0x62, 0x43, 0x19, 0x19, 0x69, 0x16, 0x1d, 0xcb, 0xc5, 0x2b, 0x14, 0x55,
    0x92, 0x81, 0x56, 0x38, 0x7d, 0xbc, 0xaf, 0x99, 0x30, 0x0f, 0x06, 0x03,
    0x55, 0x1d, 0x13, 0x01, 0x01, 0xff, 0x04, 0x05, 0x30, 0x03, 0x01, 0x01,
    0xff, 0x30, 0x21, 0x06, 0x03, 0x55, 0x1d, 0x11, 0x04, 0x1a, 0x30, 0x18,
    0x82, 0x0b, 0x74, 0x6f, 0x79, 0x2e, 0x65, 0x78, 0x61, 0x6d, 0x70, 0x6c,
    0x65, 0x82, 0x09, 0x6c, 0x6f, 0x63, 0x61, 0x6c, 0x68, 0x6f, 0x73, 0x74,
    0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02,
    0x03, 0x48, 0x00, 0x30, 0x45, 0x02, 0x21, 0x00, 0xbe, 0xbe, 0x96, 0x25,
    0x99, 0x7f, 0x98, 0x46, 0xd3, 0x52, 0x06, 0xfa, 0xa4, 0xdd, 0xf4, 0x79,
    0x70, 0xce, 0x74, 0x2a, 0xe7, 0x3b, 0xc7, 0x84, 0x2b, 0x8b, 0x4b, 0x6b,
    0x05, 0x6d, 0x2b, 0x57, 0x02, 0x20, 0x67, 0xc3, 0xce, 0xbd, 0x1b, 0x01,
    0x65, 0x91, 0x25, 0x18, 0xbc, 0x6a, 0xbd, 0x76, 0x8d, 0x06, 0x7b, 0x67,
    0xff, 0xf4, 0x5f, 0x94, 0x93, 0x67, 0x45, 0xbe, 0xaf, 0x18, 0x63, 0x3a,
    0x69, 0xd2
};

inline std::string record(char kind, std::string_view payload = {}) {
  std::string out(1, kind);
  out += static_cast<char>(payload.size() >> 8);
  out += static_cast<char>(payload.size() & 0xff);
  return out.append(payload);
}

/// Takes one whole record off the front of `in`; its letter, or 0 if it is not all there.
inline char take(std::string& in, std::string& payload) {
  if (in.size() < 3) return 0;
  const std::size_t size = static_cast<std::size_t>(static_cast<unsigned char>(in[1])) << 8 |
                           static_cast<unsigned char>(in[2]);
  if (in.size() < 3 + size) return 0;
  const char kind = in[0];
  payload = in.substr(3, size);
  in.erase(0, 3 + size);
  return kind;
}

/// The scripted backend of cotter::testing, with an engine.
struct backend : cotter::testing::scripted_backend {
  static constexpr std::string_view name = "toy";

  struct context {
    bool random(std::span<std::uint8_t> out) noexcept { return frames::random(nullptr, out); }

    cotter::testing::scripted_handshake script{cotter::bytes_view(leaf)};
    std::size_t room_bytes =
        64;  ///< that the engine takes at once: small, so that feeding takes turns
  };
  class client;
  static bool sha1(cotter::bytes_view in, std::span<std::uint8_t, 20> out) noexcept {
    return frames::sha1(nullptr, in, out);
  }
};

class backend::client {
 public:
  explicit client(context& from) noexcept : from_(&from) {}

  [[nodiscard]] cotter::testing::scripted_session* native() noexcept { return &session_; }

  [[nodiscard]] cotter::step handshake() noexcept {
    if (!greeted_) {
      greeted_ = true;
      put('H');
      return {cotter::want::output, 0, {}};
    }
    std::string payload;
    switch (next(payload)) {
      case 0: return starved();
      case 'S':
        if (!session_.play(from_->script)) return fail(cotter::errc::tls_failure);
        put('F');
        return {cotter::want::nothing, 0, {}};
      default: return fail(cotter::errc::tls_failure);
    }
  }
  [[nodiscard]] cotter::step read(std::span<std::uint8_t> out) noexcept {
    while (plain_.empty()) {
      if (closed_) return {cotter::want::failed, 0, {cotter::errc::tls_closed, 0, 0}};
      std::string payload;
      switch (next(payload)) {
        case 0: return starved();
        case 'D': plain_ = payload; break;
        case 'K': put('U'); break;
        case 'C': closed_ = true; break;
        default: return fail(cotter::errc::tls_failure);
      }
    }
    const std::size_t size = plain_.size() < out.size() ? plain_.size() : out.size();
    for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<std::uint8_t>(plain_[i]);
    plain_.erase(0, size);
    return {cotter::want::nothing, size, {}};
  }
  [[nodiscard]] cotter::step write(cotter::bytes_view in) noexcept {
    put('D', frames::text(in));
    return {cotter::want::nothing, in.size(), {}};
  }
  [[nodiscard]] cotter::step shutdown() noexcept {
    put('C');
    return {cotter::want::nothing, 0, {}};
  }
  [[nodiscard]] std::size_t feed(cotter::bytes_view in) noexcept {
    const std::size_t size = in.size() < from_->room_bytes ? in.size() : from_->room_bytes;
    in_.append(frames::text(in.first(size)));
    return size;
  }
  void end_of_input() noexcept { ended_ = true; }
  [[nodiscard]] cotter::bytes_view pending() noexcept {
    // In two pieces, as a ring buffer would.
    return frames::octets(out_).first(out_.size() - out_.size() / 3);
  }
  void sent(std::size_t size) noexcept { out_.erase(0, size); }

 private:
  void put(char kind, std::string_view payload = {}) { out_ += record(kind, payload); }
  char next(std::string& payload) { return take(in_, payload); }
  [[nodiscard]] cotter::step starved() const noexcept {
    if (!ended_) return {cotter::want::input, 0, {}};
    return {cotter::want::failed, 0, {cotter::errc::tls_truncated, 0, 0}};
  }
  cotter::step fail(cotter::errc why) {
    put('A');
    return {cotter::want::failed, 0, {why, 0, 42}};
  }

  context* from_;
  cotter::testing::scripted_session session_;
  std::string in_;
  std::string out_;
  std::string plain_;
  bool greeted_ = false;
  bool closed_ = false;
  bool ended_ = false;
};

static_assert(cotter::backend<backend>);
static_assert(cotter::engine<backend::client>);

/// A guard that pins `leaf` for toy.example and localhost on the ports given.
struct guarded {
  explicit guarded(bool right_pin = true, std::uint16_t port = 443) {
    cotter::pin one;
    one.digest = cotter::testing::not_sha256::of(cotter::bytes_view(leaf));
    if (!right_pin) one.digest.octets[0] = static_cast<std::uint8_t>(one.digest.octets[0] ^ 1);
    for (const char* host : {"toy.example", "localhost"}) {
      static_cast<void>(pins.add({host, port}, {&one, 1}));
    }
  }

  cotter::owned_pin_set pins;
  cotter::memory_breaker<> breaker{cotter::breaker_config{}};
  cotter::testing::recording_sink sink;
  // Inside the leaf's validity, whatever this machine believes.
  cotter::testing::manual_clock clock{
      cotter::instant{std::chrono::sys_days{std::chrono::year{2027} / 1 / 1}}};
  cotter::guard<cotter::owned_pin_set&, cotter::memory_breaker<>&, cotter::embedded_manifest,
                cotter::testing::recording_sink&, cotter::testing::manual_clock&>
      guard{pins, breaker, cotter::embedded_manifest{}, sink, clock};

  [[nodiscard]] auto permit(const char* host = "toy.example", std::uint16_t port = 443) {
    auto admission = guard.admit({host, port});
    return std::move(*admission);
  }
};

}  // namespace toy
