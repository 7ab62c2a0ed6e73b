// SPDX-License-Identifier: BSL-1.0
#include <cotter/json/manifest.hpp>

#include <json/support/documents.hpp>
#include <support/catch.hpp>

#include <chrono>
#include <random>
#include <string>
#include <vector>

namespace json = cotter::json;

namespace {

class dice {
 public:
  explicit dice(unsigned seed) : source_(seed) {}
  std::uint64_t upto(std::uint64_t most) { return source_() % (most + 1); }
  bool coin() { return upto(1) == 1; }

 private:
  std::mt19937_64 source_;
};

cotter::instant random_time(dice& d) {
  return json::first_timestamp +
         std::chrono::seconds{static_cast<std::int64_t>(d.upto(60ull * 366 * 86'400))};
}

std::string random_label(dice& d) {
  static const std::string pieces[] = {"edge", " ", "\"", "\\", "/", "\xc3\xa9", "\xf0\x9f\x94\x92",
                                       "~1",   "%", "0"};
  std::string out = "l";
  for (std::uint64_t i = d.upto(6); i > 0; --i) out += pieces[d.upto(9)];
  return out;
}

cotter::manifest_pin random_pin(dice& d, cotter::pin_role as, bool must_end) {
  cotter::manifest_pin out;
  for (auto& octet : out.value.digest.octets) octet = static_cast<std::uint8_t>(d.upto(255));
  out.value.form = d.coin() ? cotter::pin_form::spki : cotter::pin_form::certificate;
  out.value.role = as;
  if (d.coin()) out.label = random_label(d);
  if (as == cotter::pin_role::fallback) {
    const auto end = d.upto(2);
    if (end == 0) out.offline_backup = true;
    if (end == 1 || (end == 2 && must_end)) out.value.not_after = random_time(d);
  }
  return out;
}

std::vector<cotter::manifest_pin> random_pins(dice& d, bool must_end) {
  std::vector<cotter::manifest_pin> out;
  for (std::uint64_t i = 1 + d.upto(2); i > 0; --i) {
    out.push_back(random_pin(d, cotter::pin_role::primary, must_end));
  }
  for (std::uint64_t i = d.upto(2); i > 0; --i) {
    out.push_back(random_pin(d, cotter::pin_role::fallback, must_end));
  }
  return out;
}

cotter::ip_prefix random_prefix(dice& d, std::uint8_t nonce) {
  cotter::ip_prefix out;
  out.network.size_bytes = d.coin() ? 4 : 16;
  out.network.octets[0] = 0x20;
  out.network.octets[1] = nonce;
  out.length_bits = static_cast<std::uint8_t>(16 + d.upto(out.network.size_bytes * 8u - 16u));
  for (unsigned i = 16; i < out.length_bits; ++i) {
    if (d.coin()) {
      out.network.octets[i / 8] =
          static_cast<std::uint8_t>(out.network.octets[i / 8] | (0x80u >> (i % 8)));
    }
  }
  return out;
}

cotter::pin_manifest random_manifest(dice& d) {
  cotter::pin_manifest out;
  const bool complete = d.upto(3) != 0;
  if (d.coin()) out.version = random_label(d);
  if (complete) {
    out.sequence = 1 + d.upto(cotter::highest_sequence - 1);
    out.issued_at = random_time(d);
    out.expires_at =
        out.issued_at + std::chrono::seconds{static_cast<std::int64_t>(d.upto(1u << 30))};
    if (d.coin()) out.observe_until = out.issued_at + std::chrono::days{d.upto(30)};
  }
  for (std::uint64_t i = 0; i <= d.upto(3); ++i) {
    cotter::manifest_target one;
    one.host = "h" + std::to_string(i) + (d.coin() ? ".example.com" : "-x.xn--bcher-kva.example");
    if (d.upto(9) == 0) one.host = "2001:db8::" + std::to_string(i + 1);
    one.port = static_cast<std::uint16_t>(1 + d.upto(65'534));
    if (d.coin()) one.rotation_window_days = static_cast<std::uint16_t>(1 + d.upto(365));
    const bool must_end = complete && one.rotation_window_days;
    const bool own = d.coin();
    if (own) one.pins = random_pins(d, must_end);
    const std::uint64_t regions = own ? d.upto(2) : 1 + d.upto(2);
    for (std::uint64_t r = 0; r < regions; ++r) {
      cotter::manifest_region made;
      made.name = "r" + std::to_string(r) + random_label(d);
      made.is_default = !own && r == 0;
      if (!made.is_default || d.coin()) {
        made.prefixes.push_back(random_prefix(d, static_cast<std::uint8_t>(2 * r)));
        if (d.coin())
          made.prefixes.push_back(random_prefix(d, static_cast<std::uint8_t>(2 * r + 1)));
      }
      made.pins = random_pins(d, must_end);
      one.regions.push_back(std::move(made));
    }
    out.targets.push_back(std::move(one));
  }
  for (std::uint64_t i = d.upto(2); i > 0; --i) {
    const auto part = [&] { return static_cast<std::uint16_t>(d.upto(0xfffe)); };
    cotter::manifest_runtime range;
    range.library = i == 1 ? "openssl" : "wolfssl";
    if (d.coin()) range.at_least = {static_cast<std::uint16_t>(d.upto(5)), part(), part()};
    if (d.coin()) range.below = {static_cast<std::uint16_t>(6 + d.upto(5)), part(), part()};
    out.runtimes.push_back(range);
  }
  out.breaker.max_consecutive_failures = static_cast<std::uint8_t>(1 + d.upto(99));
  out.breaker.alert_threshold =
      static_cast<std::uint8_t>(1 + d.upto(out.breaker.max_consecutive_failures - 1u));
  out.breaker.cooldown = std::chrono::seconds{static_cast<std::int64_t>(d.upto(31'622'400))};
  if (d.coin()) out.recovery = cotter::lock_recovery::verified_probe;
  if (d.coin()) out.reporting_endpoint = "https://siem.example.com:8443/a?b=%20c";
  return out;
}

bool same(const std::vector<cotter::manifest_pin>& a, const std::vector<cotter::manifest_pin>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
    return x.value.digest == y.value.digest && x.value.form == y.value.form &&
           x.value.role == y.value.role && x.value.not_after == y.value.not_after &&
           x.label == y.label && x.offline_backup == y.offline_backup;
  });
}

bool same(const cotter::manifest_target& a, const cotter::manifest_target& b) {
  return a.host == b.host && a.port == b.port && a.rotation_window_days == b.rotation_window_days &&
         same(a.pins, b.pins) &&
         std::equal(a.regions.begin(), a.regions.end(), b.regions.begin(), b.regions.end(),
                    [](const auto& x, const auto& y) {
                      return x.name == y.name && x.prefixes == y.prefixes &&
                             x.is_default == y.is_default && same(x.pins, y.pins);
                    });
}

bool same(const cotter::pin_manifest& a, const cotter::pin_manifest& b) {
  return a.version == b.version && a.sequence == b.sequence && a.issued_at == b.issued_at &&
         a.expires_at == b.expires_at && a.observe_until == b.observe_until &&
         a.recovery == b.recovery && a.reporting_endpoint == b.reporting_endpoint &&
         a.breaker.max_consecutive_failures == b.breaker.max_consecutive_failures &&
         a.breaker.alert_threshold == b.breaker.alert_threshold &&
         a.breaker.cooldown == b.breaker.cooldown &&
         std::equal(a.runtimes.begin(), a.runtimes.end(), b.runtimes.begin(), b.runtimes.end(),
                    [](const auto& x, const auto& y) {
                      return x.library == y.library && x.at_least == y.at_least &&
                             x.below == y.below;
                    }) &&
         std::equal(a.targets.begin(), a.targets.end(), b.targets.begin(), b.targets.end(),
                    [](const auto& x, const auto& y) { return same(x, y); });
}

}  // namespace

TEST_CASE("a thousand manifests are written, read and the same") {
  for (unsigned seed = 0; seed < 1000; ++seed) {
    dice d(seed);
    const cotter::pin_manifest made = random_manifest(d);
    const auto text = json::write_manifest(made);
    INFO("seed " << seed << ": " << cotter::code(text.error().what) << " at "
                 << text.error().pointer);
    REQUIRE(text);
    const auto read = json::read_authored_manifest(*text);
    REQUIRE(read);
    INFO(*text);
    REQUIRE(same(read->manifest, made));
    REQUIRE(read->unknown.empty());
    REQUIRE(*json::write_manifest(read->manifest) == *text);
    if (made.sequence != 0) REQUIRE(same(*json::read_manifest(*text), made));
  }
}

TEST_CASE("a manifest cut or changed anywhere is refused or read, never worse") {
  dice d(4711);
  const std::string text = *json::write_manifest(random_manifest(d));
  std::size_t read = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (json::read_authored_manifest(text.substr(0, at))) ++read;
    std::string changed = text;
    changed[at] = static_cast<char>(d.upto(255));
    const auto outcome = json::read_authored_manifest(changed);
    if (outcome) CHECK(json::write_manifest(*outcome));
  }
  // Only the line feed at the end may go.
  CHECK(read == 1);
}
