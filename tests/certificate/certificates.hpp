// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <der/octets.hpp>

#include <string_view>

// A small certificate, put together from parts that a test may replace one by one.
namespace cotter_test {

// ecdsa-with-SHA256, no parameters
constexpr octets ecdsa_algorithm() { return tlv(0x30, hex("06 08 2a8648ce3d040302")); }
// sha256WithRSAEncryption, NULL
constexpr octets rsa_algorithm() { return tlv(0x30, hex("06 09 2a864886f70d01010b"), hex("0500")); }

constexpr octets common_name(std::string_view value) {
  return tlv(0x30, tlv(0x31, tlv(0x30, hex("06 03 550403"), tlv(0x0c, text(value)))));
}

constexpr octets utc(std::string_view value) { return tlv(0x17, text(value)); }
constexpr octets generalized(std::string_view value) { return tlv(0x18, text(value)); }

constexpr octets extension(const octets& oid, const octets& value) {
  return tlv(0x30, tlv(0x06, oid), tlv(0x04, value));
}
constexpr octets san_oid() { return hex("551d11"); }

// GeneralName, RFC 5280 4.2.1.6
constexpr octets dns(std::string_view name) { return tlv(0x82, text(name)); }
constexpr octets uri(std::string_view name) { return tlv(0x86, text(name)); }
constexpr octets ip(std::string_view address_in_hex) { return tlv(0x87, hex(address_in_hex)); }

template <typename... Names>
constexpr octets general_names(const Names&... names) {
  return tlv(0x30, names...);
}

struct tbs_parts {
  octets version = hex("a0 03 02 01 02");
  octets serial = hex("02 01 05");
  octets signature = ecdsa_algorithm();
  octets issuer = common_name("issuer");
  octets validity = tlv(0x30, utc("260101000000Z"), utc("271231235959Z"));
  octets subject = common_name("subject");
  octets spki = tlv(0x30, hex("30 05 06 03 2b6570"), tlv(0x03, hex("00 11223344")));
  octets unique_ids{};
  octets extensions = tlv(0xa3, tlv(0x30, extension(hex("551d0f"), hex("03 02 07 80")),
                                    extension(san_oid(), general_names(dns("sip.example.com")))));
  octets trailer{};

  constexpr octets content() const {
    return join(version, serial, signature, issuer, validity, subject, spki, unique_ids, extensions,
                trailer);
  }
  constexpr octets element() const { return tlv(0x30, content()); }
};

constexpr octets ecdsa_signature() { return tlv(0x03, hex("00 30 06 02 01 11 02 01 22")); }

struct certificate_parts {
  octets tbs = tbs_parts{}.element();
  octets algorithm = ecdsa_algorithm();
  octets signature = ecdsa_signature();

  constexpr octets content() const { return join(tbs, algorithm, signature); }
  constexpr octets element() const { return tlv(0x30, content()); }
};

}  // namespace cotter_test
