// SPDX-License-Identifier: BSL-1.0
#include <cotter/certificate/names.hpp>

#include <support/catch.hpp>
#include "certificates.hpp"
#include "real_certificates.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace {

using cotter::bytes_view;
using cotter::identity;
using namespace cotter_test;

constexpr bool speaks(const octets& names, std::string_view host, identity kind = identity::host) {
  cotter::certificate_view view;
  view.san = names;
  view.problems[static_cast<std::size_t>(cotter::field::san)] = {};
  return cotter::names_target(view, {host, 443, kind});
}

struct naming {
  std::string_view presented;
  std::string_view host;
  bool matches;
};

// RFC 9525 6.3
constexpr naming dns_names[] = {
    {"sip.example.com", "sip.example.com", true},
    {"SIP.Example.COM", "sip.example.com", true},
    {"example.com", "sip.example.com", false},
    {"sip.example.com", "example.com", false},
    {"xsip.example.com", "sip.example.com", false},
    {"sip.example.com.", "sip.example.com", false},  // trailing dot
    {".sip.example.com", "sip.example.com", false},
    {"", "sip.example.com", false},
    {"sip.example.com\0", "sip.example.com", true},  // the literal ends before the NUL
    {"sip\\.example.com", "sip.example.com", false},
    {"sip.example.com ", "sip.example.com", false},
    {"s\xC4\xB1p.example.com", "sip.example.com", false},
    {"\xD3ip.example.com", "sip.example.com", false},  // S with the high bit set
    {"xn--bcher-kva.example", "xn--bcher-kva.example", true},
    {"XN--BCHER-KVA.example", "xn--bcher-kva.example", true},
    {"b\xC3\xBC"
     "cher.example",
     "xn--bcher-kva.example", false},
    {"[ip.example.com", "{ip.example.com", false},  // not canonical, and 32 apart
    {"localhost", "localhost", true},
    {"my_host.example.com", "my_host.example.com", true},
    // wildcards
    {"*.example.com", "sip.example.com", true},
    {"*.EXAMPLE.com", "sip.example.com", true},
    {"*.example.com", "xn--bcher-kva.example.com", true},
    {"*.example.com", "example.com", false},
    {"*.example.com", "a.sip.example.com", false},
    {"*.example.com.", "sip.example.com", false},
    {"*.*.com", "sip.example.com", false},
    {"*.*", "sip.example", false},
    {"**.example.com", "sip.example.com", false},
    {"*", "localhost", false},
    {"*", "sip.example.com", false},
    {"*.", "localhost", false},
    {"*.com", "example.com", false},
    {"s*.example.com", "sip.example.com", false},
    {"*p.example.com", "sip.example.com", false},
    {"s*p.example.com", "sip.example.com", false},
    {"sip.*.com", "sip.example.com", false},
    {"sip.example.*", "sip.example.com", false},
    {"xn--*.example.com", "xn--bcher-kva.example.com", false},
    {"*example.com", "sip.example.com", false},
    {"*.co.uk", "example.co.uk", true},  // public suffixes are not ours to know
    {"*.example.com", "*.example.com", false},
};

constexpr bool all_dns_names() {
  for (const naming& each : dns_names) {
    if (speaks(general_names(dns(each.presented)), each.host) != each.matches) return false;
  }
  return true;
}
static_assert(all_dns_names());

TEST_CASE("a DNS name is compared as RFC 9525 says") {
  for (const naming& each : dns_names) {
    INFO(each.presented << " for " << each.host);
    CHECK(speaks(general_names(dns(each.presented)), each.host) == each.matches);
  }
}

constexpr bool embedded_nul_never_matches() {
  const octets nul_inside = tlv(0x82, text("sip.example.com"), hex("00"), text(".evil.example"));
  const octets nul_behind = tlv(0x82, text("sip.example.com"), hex("00"));
  const octets nul_wildcard = tlv(0x82, text("*.example.com"), hex("00"));
  return !speaks(general_names(nul_inside), "sip.example.com") &&
         !speaks(general_names(nul_behind), "sip.example.com") &&
         !speaks(general_names(nul_wildcard), "sip.example.com") &&
         !speaks(general_names(nul_behind), "sip.example.com", identity::sip);
}
static_assert(embedded_nul_never_matches());

TEST_CASE("a name with NUL in it is no name") { CHECK(embedded_nul_never_matches()); }

constexpr bool only_canonical_targets_are_named() {
  const octets names =
      general_names(dns("sip.example.com"), dns("*.example.com"), dns("*.example"));
  for (const std::string_view host :
       {"", "SIP.example.com", "sip.example.com.", ".example.com", "sip..example.com",
        "-a.example.com", "sip.example.com:443", "b\xC3\xBC.example.com", "[2001:db8::7]"}) {
    if (speaks(names, host) || speaks(names, host, identity::sip)) return false;
  }
  return true;
}
static_assert(only_canonical_targets_are_named());

TEST_CASE("a target that is not canonical is named by nobody") {
  CHECK(only_canonical_targets_are_named());
}

constexpr bool any_of_several_names_will_do() {
  const octets names = general_names(dns("a.example"), dns("sip.example.com"), dns("b.example"));
  return speaks(names, "a.example") && speaks(names, "sip.example.com") &&
         speaks(names, "b.example") && !speaks(names, "c.example");
}
static_assert(any_of_several_names_will_do());

TEST_CASE("one name of several is enough") { CHECK(any_of_several_names_will_do()); }

// --- addresses, RFC 9525 6.4 ---

constexpr bool addresses_match_octet_by_octet() {
  const octets v4 = general_names(ip("c0000207"));
  const octets v6 = general_names(ip("20010db8000000000000000000000007"));
  const octets mapped = general_names(ip("00000000000000000000ffffc0000207"));
  return speaks(v4, "192.0.2.7") && !speaks(v4, "192.0.2.8") && speaks(v6, "2001:db8::7") &&
         !speaks(v6, "2001:db8::8") && !speaks(v4, "2001:db8::7") && !speaks(v6, "192.0.2.7") &&
         !speaks(mapped, "192.0.2.7") &&
         // with a mask, as in name constraints; cut; empty
         !speaks(general_names(ip("c0000207ffffffff")), "192.0.2.7") &&
         !speaks(general_names(ip("c00002")), "192.0.2.7") &&
         !speaks(general_names(ip("")), "192.0.2.7") &&
         // an address never matches a name, nor a name an address
         !speaks(general_names(dns("192.0.2.7")), "192.0.2.7") &&
         !speaks(general_names(dns("2001:db8::7")), "2001:db8::7") &&
         !speaks(general_names(dns("*.0.2.7")), "192.0.2.7") &&
         !speaks(general_names(ip("c0000207")), "sip.example.com") &&
         !speaks(general_names(uri("https://192.0.2.7")), "192.0.2.7") &&
         speaks(general_names(dns("192.0.2.7"), ip("c0000207")), "192.0.2.7");
}
static_assert(addresses_match_octet_by_octet());

TEST_CASE("an address is compared with iPAddress alone, octet by octet") {
  CHECK(addresses_match_octet_by_octet());
}

constexpr bool other_names_do_not_count_for_a_host() {
  return !speaks(general_names(tlv(0x81, text("sip.example.com"))), "sip.example.com") &&
         !speaks(general_names(uri("sip:sip.example.com")), "sip.example.com") &&
         !speaks(general_names(uri("https://sip.example.com/")), "sip.example.com") &&
         !speaks(general_names(uri("sip.example.com")), "sip.example.com") &&
         !speaks(general_names(tlv(0xa4, common_name("sip.example.com"))), "sip.example.com") &&
         !speaks(general_names(tlv(0x88, text("sip.example.com"))), "sip.example.com") &&
         !speaks(general_names(tlv(0xa0, hex("06 01 2a"), tlv(0xa0, dns("sip.example.com")))),
                 "sip.example.com");
}
static_assert(other_names_do_not_count_for_a_host());

TEST_CASE("other kinds of names do not speak for a host") {
  CHECK(other_names_do_not_count_for_a_host());
}

constexpr bool a_common_name_does_not_count() {
  tbs_parts parts;
  parts.subject = common_name("sip.example.com");
  parts.extensions = {};
  const octets tbs = parts.element();
  const auto view = cotter::locate(tbs);
  return view.located(cotter::field::san) &&
         !cotter::names_target(view, {"sip.example.com", 443, identity::host}) &&
         !cotter::names_target(view, {"sip.example.com", 443, identity::sip});
}
static_assert(a_common_name_does_not_count());

TEST_CASE("the common name speaks for nobody") { CHECK(a_common_name_does_not_count()); }

constexpr bool unlocated_names_do_not_count() {
  const octets names = general_names(dns("sip.example.com"));
  tbs_parts parts;
  parts.extensions = tlv(0xa3, tlv(0x30, extension(san_oid(), names), extension(san_oid(), names)));
  const octets tbs = parts.element();
  const auto twice = cotter::locate(tbs);
  cotter::certificate_view unlocated;
  unlocated.san = names;
  return !cotter::names_target(twice, {"sip.example.com", 443, identity::host}) &&
         !cotter::names_target(unlocated, {"sip.example.com", 443, identity::host}) &&
         !cotter::names_target({}, {"sip.example.com", 443, identity::host});
}
static_assert(unlocated_names_do_not_count());

TEST_CASE("a subjectAltName that is twice there or not located speaks for nobody") {
  CHECK(unlocated_names_do_not_count());
}

constexpr bool an_unknown_identity_is_refused() {
  const octets names = general_names(dns("sip.example.com"), uri("sip:sip.example.com"));
  return !speaks(names, "sip.example.com", static_cast<identity>(7));
}
static_assert(an_unknown_identity_is_refused());

TEST_CASE("a kind of identity that does not exist is named by nobody") {
  CHECK(an_unknown_identity_is_refused());
}

// --- malformed lists ---

constexpr bool malformed_lists_speak_for_nobody() {
  const octets good = dns("sip.example.com");
  const octets lists[] = {
      {},
      hex("30 00"),
      tlv(0x31, good),
      good,
      join(general_names(good), hex("05 00")),
      general_names(good, hex("82")),
      general_names(good, hex("82 05 61")),
      general_names(good, hex("82 80 00 00")),
      general_names(good, hex("82 ff")),
      general_names(good, hex("00 00")),
      general_names(good, hex("0c 01 61")),        // no GeneralName is universal
      general_names(good, hex("89 01 61")),        // [9]
      general_names(good, hex("42 01 61")),        // application
      general_names(good, hex("a2 03 82 01 61")),  // dNSName in pieces
      general_names(good, hex("a6 03 86 01 61")),
      general_names(good, hex("a7 06 87 04 c0000207")),
      general_names(good, hex("80 01 61")),  // otherName is a structure
      general_names(good, hex("84 01 61")),  // directoryName is explicit
      general_names(tlv(0xa2, good)),
  };
  for (const octets& list : lists) {
    if (speaks(list, "sip.example.com") || speaks(list, "sip.example.com", identity::sip)) {
      return false;
    }
  }
  return true;
}
static_assert(malformed_lists_speak_for_nobody());

TEST_CASE("one malformed name spoils the list") { CHECK(malformed_lists_speak_for_nobody()); }

constexpr bool odd_spellings_are_read() {
  return speaks(general_names(tlv_long(0x82, 3, text("sip.example.com"))), "sip.example.com") &&
         speaks(tlv_indefinite(0x30, dns("sip.example.com")), "sip.example.com") &&
         speaks(general_names(tlv(0xa4, common_name("x")), tlv(0xa0, hex("06 01 2a")), tlv(0xa3),
                              tlv(0xa5), tlv(0x88, hex("2a")), tlv(0x81, text("a@b")),
                              dns("sip.example.com")),
                "sip.example.com");
}
static_assert(odd_spellings_are_read());

TEST_CASE("lengths in odd spellings and names of every kind do not get in the way") {
  CHECK(odd_spellings_are_read());
}

// --- SIP, RFC 5922 ---

constexpr naming sip_uris[] = {
    {"sip:example.com", "example.com", true},
    {"SIP:Example.COM", "example.com", true},
    {"sip:example.com:5061", "example.com", true},
    {"sip:example.com;transport=tls", "example.com", true},
    {"sip:example.com:5061;transport=tls?subject=x", "example.com", true},
    {"sip:example.com?subject=x", "example.com", true},
    {"sip:192.0.2.7", "192.0.2.7", true},
    {"sip:[2001:db8::7]", "2001:db8::7", true},
    {"sip:[2001:DB8:0::7]:5061", "2001:db8::7", true},
    {"sip:2001:db8::7", "2001:db8::7", false},
    {"sip:[192.0.2.7]", "192.0.2.7", false},
    {"sip:[2001:db8::7", "2001:db8::7", false},
    {"sip:[2001:db8::7]x", "2001:db8::7", false},
    {"sip:192.0.2.8", "192.0.2.7", false},
    {"sips:example.com", "example.com", false},
    {"im:example.com", "example.com", false},
    {"https://example.com", "example.com", false},
    {"sip://example.com", "example.com", false},
    {"example.com", "example.com", false},
    {"sip:", "example.com", false},
    {"sip", "example.com", false},
    {"", "example.com", false},
    {"sip:alice@example.com", "example.com", false},
    {"sip:@example.com", "example.com", false},
    {"sip:example.com@evil.example", "example.com", false},
    {"sip:evil.example;x=@example.com", "example.com", false},
    {"sip:example.com;x=a@b", "example.com", false},
    {"sip:example.com:", "example.com", false},
    {"sip:example.com:x", "example.com", false},
    {"sip:example.com:5061x", "example.com", false},
    {"sip:example.com/", "example.com", false},
    {"sip:example.com.", "example.com", false},
    {"sip:.example.com", "example.com", false},
    {"sip:*.example.com", "sip.example.com", false},
    {"sip:*.example.com", "example.com", false},
    {"sip:example.com", "sip.example.com", false},
    {"sip:sip.example.com", "example.com", false},
    {"sip: example.com", "example.com", false},
    {"sip:e%78ample.com", "example.com", false},
    {"sip:;example.com", "example.com", false},
};

constexpr bool all_sip_uris() {
  for (const naming& each : sip_uris) {
    if (speaks(general_names(uri(each.presented)), each.host, identity::sip) != each.matches) {
      return false;
    }
  }
  return true;
}
static_assert(all_sip_uris());

TEST_CASE("a SIP URI names a domain as RFC 5922 says") {
  for (const naming& each : sip_uris) {
    INFO(each.presented << " for " << each.host);
    CHECK(speaks(general_names(uri(each.presented)), each.host, identity::sip) == each.matches);
  }
}

constexpr bool dns_names_count_only_without_sip_domains() {
  const octets name = dns("example.com");
  const auto speaks_sip = [](const octets& names) {
    return speaks(names, "example.com", identity::sip);
  };
  return speaks_sip(general_names(name)) && speaks_sip(general_names(dns("EXAMPLE.com"))) &&
         // what is no SIP domain identity does not get in the way
         speaks_sip(general_names(name, uri("https://other.example"))) &&
         speaks_sip(general_names(name, uri("sips:other.example"))) &&
         speaks_sip(general_names(uri("sip:alice@other.example"), name)) &&
         // one that is does, wherever it stands and whatever its host
         !speaks_sip(general_names(name, uri("sip:other.example"))) &&
         !speaks_sip(general_names(uri("sip:other.example"), name)) &&
         !speaks_sip(general_names(uri("sip:"), name)) &&
         !speaks_sip(general_names(uri("sip:*.example.com"), name)) &&
         speaks_sip(general_names(uri("sip:other.example"), uri("sip:example.com")));
}
static_assert(dns_names_count_only_without_sip_domains());

TEST_CASE("a DNS name names a SIP domain only where no SIP URI does") {
  CHECK(dns_names_count_only_without_sip_domains());
}

constexpr bool sip_knows_no_wildcards_and_no_addresses() {
  return !speaks(general_names(dns("*.example.com")), "sip.example.com", identity::sip) &&
         !speaks(general_names(ip("c0000207")), "192.0.2.7", identity::sip) &&
         !speaks(general_names(dns("192.0.2.7")), "192.0.2.7", identity::sip);
}
static_assert(sip_knows_no_wildcards_and_no_addresses());

TEST_CASE("SIP domains know neither wildcards nor iPAddress") {
  CHECK(sip_knows_no_wildcards_and_no_addresses());
}

// --- a whole certificate ---

constexpr bool a_real_certificate_speaks() {
  const auto view = cotter::locate(*cotter::read_form(ecdsa_certificate));
  const auto names = [&view](std::string_view host, identity kind) {
    return cotter::names_target(view, {host, 443, kind});
  };
  return names("sip.example.com", identity::host) && names("a.example.net", identity::host) &&
         names("192.0.2.7", identity::host) && names("2001:db8::7", identity::host) &&
         names("example.com", identity::sip) && !names("example.com", identity::host) &&
         !names("sip.example.com", identity::sip) && !names("example.net", identity::host) &&
         !names("192.0.2.8", identity::host);
}
static_assert(a_real_certificate_speaks());

TEST_CASE("a real certificate speaks for its own names and no others") {
  CHECK(a_real_certificate_speaks());
}

std::vector<std::uint8_t> many_names(std::size_t count, std::string_view last) {
  std::vector<std::uint8_t> content;
  for (std::size_t i = 0; i < count; ++i) {
    const octets one =
        i + 1 == count ? dns(last) : dns("host-" + std::to_string(i) + ".a-long-label.example.com");
    content.insert(content.end(), one.data, one.data + one.size);
  }
  std::vector<std::uint8_t> out{0x30, 0x82, static_cast<std::uint8_t>(content.size() >> 8),
                                static_cast<std::uint8_t>(content.size())};
  out.insert(out.end(), content.begin(), content.end());
  return out;
}

TEST_CASE("a thousand names cost a thousand times one") {
  const auto ask = [](const std::vector<std::uint8_t>& san, bool expected) {
    cotter::certificate_view view;
    view.san = san;
    view.problems[static_cast<std::size_t>(cotter::field::san)] = {};
    auto best = std::chrono::steady_clock::duration::max();
    for (int run = 0; run < 15; ++run) {
      const auto begin = std::chrono::steady_clock::now();
      bool all = true;
      for (int i = 0; i < 20; ++i) {
        all =
            all && cotter::names_target(view, {"sip.example.com", 443, identity::host}) == expected;
      }
      const auto spent = std::chrono::steady_clock::now() - begin;
      REQUIRE(all);
      if (spent < best) best = spent;
    }
    return best;
  };
  const auto hundred = ask(many_names(100, "sip.example.com"), true);
  const auto thousand = ask(many_names(1'000, "sip.example.com"), true);
  CHECK(ask(many_names(1'000, "other.example.com"), false).count() > 0);
  // Ten times the names; quadratic would be a hundred times the time.
  CHECK(thousand < 40 * hundred);
}

}  // namespace
