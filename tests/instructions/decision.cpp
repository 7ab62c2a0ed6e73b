// SPDX-License-Identifier: BSL-1.0
#include "measured.hpp"

#include <cotter/cotter.hpp>
#include <cotter/testing/manual_clock.hpp>
#include <cotter/testing/scripted_backend.hpp>

#include <certificate/real_certificates.hpp>

#include <chrono>
#include <memory>
#include <random>
#include <vector>

using namespace cotter;
using namespace cotter::testing;
using instructions::must;

namespace {

/// A digest that costs nothing and tells sizes apart: what is counted is cotter's work around it.
class idle_hasher {
 public:
  [[nodiscard]] bool prepare() noexcept {
    total_ = 0;
    return true;
  }
  void update(bytes_view octets) noexcept { total_ += octets.size(); }
  [[nodiscard]] bool finish(sha256_digest& out) noexcept {
    out = of(total_);
    return true;
  }
  static sha256_digest of(std::size_t size_bytes) noexcept {
    sha256_digest digest;
    for (std::size_t i = 0; i < 4; ++i) {
      digest.octets[i] = static_cast<std::uint8_t>((size_bytes * 0x9e3779b1u) >> (8 * i));
    }
    return digest;
  }

 private:
  std::size_t total_ = 0;
};

using octets = std::vector<std::uint8_t>;

const octets& leaf_der() {
  static const octets one(std::begin(cotter_test::ecdsa_certificate),
                          std::end(cotter_test::ecdsa_certificate));
  return one;
}
/// The same certificate, its outer length in one octet more than DER allows.
const octets& leaf_ber() {
  static const octets one = [] {
    octets made{leaf_der()[0], 0x83, 0x00, leaf_der()[2], leaf_der()[3]};
    made.insert(made.end(), leaf_der().begin() + 4, leaf_der().end());
    must(read_form(made) && !read_form(made)->minimal_shell, "a BER shell");
    return made;
  }();
  return one;
}

constexpr target whom{"sip.example.com", 5061};
constexpr target domain{"example.com", 5061, identity::sip};

instant in_validity() {
  const auto form = read_form(leaf_der());
  return locate(*form).not_before + std::chrono::hours{1};
}

std::vector<pin> pins_of(std::size_t count) {
  std::mt19937 random(1);
  std::vector<pin> made(count);
  for (pin& one : made) {
    for (auto& octet : one.digest.octets) octet = static_cast<std::uint8_t>(random());
  }
  made.back().digest = idle_hasher::of(leaf_der().size());
  return made;
}

std::function<void()> reading(const octets& what) {
  return [&what] { must(static_cast<bool>(read_form(what)), "a form"); };
}

std::function<void()> naming(const target& one) {
  return [view = locate(*read_form(leaf_der())), one] { must(names_target(view, one), "named"); };
}

std::function<void()> matching(std::size_t count) {
  auto set = std::make_shared<owned_pin_set>();
  must(static_cast<bool>(set->add(whom, pins_of(count))), "added");
  return [set, held = set->find(whom, {}), digest = idle_hasher::of(leaf_der().size())] {
    must(detail::match(*held, digest, {}, instant{}).matched() == matched::primary, "a match");
  };
}

std::function<void()> assessing(const octets& what, int times) {
  return [&what, times, pins = pins_of(2), now = in_validity()] {
    const pinned_target pinned{whom, pins};
    for (int i = 0; i < times; ++i) {
      idle_hasher certificate;
      idle_hasher key;
      const auto found = assess(what, pinned, whom, now, certificate, key);
      must(found.fault == reason::none, "assessed");
    }
  };
}

/// From admit to confirm, and the end of the connection; `pinned` or refused.
std::function<void()> deciding(bool pinned) {
  struct world {
    owned_pin_set pins;
    memory_breaker<2> breaker{breaker_config{20, 10, std::chrono::milliseconds{0}, {}}};
    ring_audit_sink<4> audit;
    manual_clock clock{in_validity()};
  };
  auto w = std::make_shared<world>();
  auto some = pins_of(2);
  if (!pinned) some.back().digest.octets[31] ^= 1;
  must(static_cast<bool>(w->pins.add(whom, some)), "added");
  return [w, pinned] {
    guard guarding{w->pins,  w->breaker, embedded_manifest{},      w->audit,
                   w->clock, no_lock{},  use_hasher<idle_hasher>{}};
    auto admission = guarding.admit(whom);
    must(static_cast<bool>(admission), "admitted");
    scripted_session session;
    auto guarded = guarding.attach(&session, *admission);
    must(session.play({bytes_view(leaf_der())}) == pinned, "played");
    must(static_cast<bool>(guarded.confirm()) == pinned, "confirmed");
  };
}

}  // namespace

int main(int count, char** arguments) {
  return instructions::run(count, arguments,
                           {
                               {"form", [] { return reading(leaf_der()); }},
                               {"form-ber", [] { return reading(leaf_ber()); }},
                               {"locate",
                                [] {
                                  return [form = *read_form(leaf_der())] {
                                    must(locate(form).located(field::san), "located");
                                  };
                                }},
                               {"names-host", [] { return naming(whom); }},
                               {"names-sip", [] { return naming(domain); }},
                               {"names-ip",
                                [] {
                                  return naming({"2001:db8::7", 443});
                                }},
                               {"match-2", [] { return matching(2); }},
                               {"match-100", [] { return matching(100); }},
                               {"match-10000", [] { return matching(10'000); }},
                               {"assess", [] { return assessing(leaf_der(), 1); }},
                               {"assess-ber", [] { return assessing(leaf_ber(), 1); }},
                               {"assess-twice", [] { return assessing(leaf_der(), 2); }},
                               {"accepted", [] { return deciding(true); }},
                               {"refused", [] { return deciding(false); }},
                           });
}
