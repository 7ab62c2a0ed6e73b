// SPDX-License-Identifier: BSL-1.0
// Property: the fields that are located lie inside the TBSCertificate, in the order of RFC 5280;
// the others have no octets and are not valid at any time. The input is read as a TBSCertificate,
// and as a certificate.
// Twin: of a certificate that OpenSSL parses too, whatever we locate is what OpenSSL has. Not the
// other way round: OpenSSL reads more than we do (strings in pieces, times without seconds).
#include "../tests/certificate/properties.hpp"

#include "demand.hpp"

#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace {

using cotter::bytes_view;
using cotter::certificate_view;
using cotter::field;

template <typename T, void (*Free)(T*)>
struct freed_by {
  void operator()(T* held) const noexcept { Free(held); }
};
template <typename T, void (*Free)(T*)>
using owned = std::unique_ptr<T, freed_by<T, Free>>;
using owned_certificate = owned<X509, &X509_free>;
using owned_key = owned<X509_PUBKEY, &X509_PUBKEY_free>;
using owned_names = owned<GENERAL_NAMES, &GENERAL_NAMES_free>;

void demand_none(std::string_view fault) { demand(fault.empty(), fault); }

bytes_view octets_of(const ASN1_STRING* text) {
  return {ASN1_STRING_get0_data(text), static_cast<std::size_t>(ASN1_STRING_length(text))};
}

template <typename T, typename Encode>
std::vector<std::uint8_t> encoded(const T* what, Encode encode) {
  unsigned char* octets = nullptr;
  const int size = encode(what, &octets);
  std::vector<std::uint8_t> out;
  if (size > 0) out.assign(octets, octets + size);
  OPENSSL_free(octets);
  return out;
}

cotter::instant instant_of(const ASN1_TIME* time) {
  std::tm parts{};
  demand(ASN1_TIME_to_tm(time, &parts) == 1, "a time that OpenSSL cannot read");
  using namespace std::chrono;
  const year_month_day date{year{parts.tm_year + 1900},
                            month{static_cast<unsigned>(parts.tm_mon + 1)},
                            day{static_cast<unsigned>(parts.tm_mday)}};
  return cotter::instant{sys_days{date} + hours{parts.tm_hour} + minutes{parts.tm_min} +
                         seconds{parts.tm_sec}};
}

void compare_name(bytes_view own, const X509_NAME* other, std::string_view why) {
  const unsigned char* octets = nullptr;
  std::size_t size = 0;
  demand(X509_NAME_get0_der(other, &octets, &size) == 1, why);
  demand(cotter_test::equal(own, {octets, size}), why);
}

/// OpenSSL keeps no octets of a key but makes them anew: ours go the same way.
void compare_key(bytes_view own, const X509_PUBKEY* other) {
  const unsigned char* at = own.data();
  const owned_key parsed(d2i_X509_PUBKEY(nullptr, &at, static_cast<long>(own.size())));
  demand(parsed != nullptr && at == own.data() + own.size(), "no key where OpenSSL has one");
  demand(encoded(parsed.get(), &i2d_X509_PUBKEY) == encoded(other, &i2d_X509_PUBKEY),
         "another key than OpenSSL's");
}

bool names(const certificate_view& view, std::string_view host) {
  return cotter::names_target(view, {host, 443, cotter::identity::host});
}

/// The names that OpenSSL reads, one by one, and whom they name. A list is nothing to OpenSSL if some
/// otherName or directoryName is malformed inside, where we do not look.
void compare_names(const certificate_view& view, X509* other) {
  const owned_names list(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(other, NID_subject_alt_name, nullptr, nullptr)));
  if (list == nullptr) return;
  if (names(view, "vectors.example")) {
    const unsigned flags =
        X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS;
    demand(X509_check_host(other, "vectors.example", 0, flags, nullptr) == 1,
           "named, but not for OpenSSL");
  }
  cotter::der::reader own(view.san);
  const auto sequence = own.next();
  demand(static_cast<bool>(sequence), "no list where OpenSSL has one");
  cotter::der::reader each(*sequence);
  bool all_sound = true;
  for (int i = 0; i < sk_GENERAL_NAME_num(list.get()); ++i) {
    const auto name = each.next();
    demand(static_cast<bool>(name), "fewer names than OpenSSL's");
    const GENERAL_NAME* theirs = sk_GENERAL_NAME_value(list.get(), i);
    demand(name->tag().number() == static_cast<std::uint32_t>(theirs->type),
           "another kind of name");
    all_sound = all_sound && cotter::detail::is_general_name(name->tag());
    const bool is_text = theirs->type == GEN_EMAIL || theirs->type == GEN_DNS ||
                         theirs->type == GEN_URI || theirs->type == GEN_IPADD;
    if (is_text && !name->tag().constructed()) {
      demand(cotter_test::equal(name->content(), octets_of(theirs->d.ia5)), "another name");
    }
  }
  demand(each.at_end(), "more names than OpenSSL's");
  if (!all_sound) return;
  for (int i = 0; i < sk_GENERAL_NAME_num(list.get()); ++i) {
    const GENERAL_NAME* theirs = sk_GENERAL_NAME_value(list.get(), i);
    if (theirs->type != GEN_DNS) continue;
    const bytes_view text = octets_of(theirs->d.dNSName);
    const std::string host(text.begin(), text.end());
    const auto kind = cotter::classify_host(host);
    if (kind && *kind == cotter::host_kind::dns_name) demand(names(view, host), "a name unnamed");
  }
}

void compare_san(const certificate_view& view, X509* other) {
  const int at = X509_get_ext_by_NID(other, NID_subject_alt_name, -1);
  demand((at < 0) == view.san.empty(), "subjectAltName for one of the two alone");
  if (at < 0) return;
  demand(X509_get_ext_by_NID(other, NID_subject_alt_name, at) < 0, "subjectAltName twice");
  const ASN1_OCTET_STRING* value = X509_EXTENSION_get_data(X509_get_ext(other, at));
  demand(cotter_test::equal(view.san, octets_of(value)), "another subjectAltName than OpenSSL's");
  compare_names(view, other);
}

void compare(const certificate_view& view, X509* other) {
  if (view.version != 0) {
    demand(view.version == X509_get_version(other) + 1, "another version than OpenSSL's");
  }
  if (view.located(field::serial)) {
    // A tag, a length, and the content, which OpenSSL accepts in its shortest form alone.
    const auto serial = encoded(X509_get0_serialNumber(other), &i2d_ASN1_INTEGER);
    cotter::der::reader in(serial);
    const auto number = in.next();
    demand(number && cotter_test::equal(view.serial, number->content()),
           "another serial than OpenSSL's");
  }
  if (view.located(field::issuer)) {
    compare_name(view.issuer, X509_get_issuer_name(other), "another issuer than OpenSSL's");
  }
  if (view.located(field::validity)) {
    demand(view.not_before == instant_of(X509_get0_notBefore(other)), "another notBefore");
    demand(view.not_after == instant_of(X509_get0_notAfter(other)), "another notAfter");
  }
  if (view.located(field::subject)) {
    compare_name(view.subject, X509_get_subject_name(other), "another subject than OpenSSL's");
  }
  if (view.located(field::spki)) compare_key(view.spki, X509_get_X509_PUBKEY(other));
  if (view.located(field::san)) compare_san(view, other);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const bytes_view input(data, size);
  demand_none(cotter_test::fault_in_view(input));
  const auto form = cotter::read_form(input);
  if (!form) return 0;
  demand_none(cotter_test::fault_in_view(form->tbs));
  const unsigned char* at = data;
  const owned_certificate other(d2i_X509(nullptr, &at, static_cast<long>(size)));
  if (other != nullptr) compare(cotter::locate(*form), other.get());
  ERR_clear_error();
  return 0;
}
