// SPDX-License-Identifier: BSL-1.0
#include <cotter/certificate/form.hpp>
#include <cotter/certificate/view.hpp>

#include <support/catch.hpp>
#include <vectors/vectors_file.hpp>

#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <initializer_list>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace {

using vectors_file::octets;
using vectors_file::sha256_hex;
using vectors_file::write_form_c;

template <auto Free>
struct freed_by {
  template <typename T>
  void operator()(T* p) const noexcept {
    Free(p);
  }
};
template <typename T, auto Free>
using owned = std::unique_ptr<T, freed_by<Free>>;
using owned_x509 = owned<X509, X509_free>;

const vectors_file::file& file() {
  static const vectors_file::file read = vectors_file::read(COTTER_TEST_VECTORS "/vectors.json");
  return read;
}

octets to_octets(cotter::bytes_view view) { return {view.begin(), view.end()}; }

/// `i2d` of OpenSSL as octets.
template <typename T, typename F>
octets encode(F i2d, T* value) {
  unsigned char* out = nullptr;
  const int size = i2d(value, &out);
  octets copied(out, out + (size > 0 ? size : 0));
  OPENSSL_free(out);
  return copied;
}

/// `d2i` of OpenSSL over all of `in`; null if something is left.
template <typename T, auto Free, typename F>
owned<T, Free> decode_all(F d2i, cotter::bytes_view in) {
  const unsigned char* at = in.data();
  owned<T, Free> found(d2i(nullptr, &at, static_cast<long>(in.size())));
  if (at != in.data() + in.size()) found.reset();
  ERR_clear_error();
  return found;
}

owned_x509 parse(const octets& der) {
  const unsigned char* at = der.data();
  owned_x509 found(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  ERR_clear_error();
  return found;
}

struct parsed {
  const vectors_file::vector* vector;
  cotter::certificate_form form;
  cotter::certificate_view view;
  owned_x509 x509;
};

/// Every vector that has a form C and that OpenSSL parses.
const std::vector<parsed>& parsed_by_both() {
  static const std::vector<parsed> all = [] {
    std::vector<parsed> made;
    for (const auto& vector : file().vectors) {
      const auto form = cotter::read_form(vector.der);
      if (!form) continue;
      owned_x509 x509 = parse(vector.der);
      if (x509) made.push_back({&vector, *form, cotter::locate(*form), std::move(x509)});
    }
    return made;
  }();
  return all;
}

bool is_one_of(const vectors_file::vector& vector, std::initializer_list<std::string_view> slugs) {
  return std::find(slugs.begin(), slugs.end(), vector.name.substr(vector.name.find('/') + 1)) !=
         slugs.end();
}

/// The view does not say where a key is that lies in several pieces; OpenSSL joins them.
bool has_no_located_key(const vectors_file::vector& vector) {
  return is_one_of(vector, {"key-in-pieces"});
}

/// Nor does it read names in pieces or behind such a key, nor names that something follows.
bool has_no_located_names(const vectors_file::vector& vector) {
  return has_no_located_key(vector) ||
         is_one_of(vector, {"extension-value-in-pieces", "extension-value-followed-by-a-zero"});
}

/// i2d_X509 writes an EXTERNAL as if it were primitive: what it gives has no form C.
bool is_broken_by_i2d(const vectors_file::vector& vector) {
  return is_one_of(vector,
                   {"algorithm-with-external-constructed", "algorithms-with-external-and-signed"});
}

cotter::instant to_instant(const ASN1_TIME* time) {
  tm fields{};
  REQUIRE(ASN1_TIME_to_tm(time, &fields) == 1);
  using namespace std::chrono;
  return cotter::instant{
      sys_days{year{fields.tm_year + 1900} / (fields.tm_mon + 1) / fields.tm_mday} +
      hours{fields.tm_hour} + minutes{fields.tm_min} + seconds{fields.tm_sec}};
}

/// As RFC 5280 4.1.2.5 wants it, says OpenSSL.
bool is_strict(const ASN1_TIME* time) {
  const owned<ASN1_TIME, ASN1_TIME_free> parsed_time(ASN1_TIME_new());
  const octets text(ASN1_STRING_get0_data(time),
                    ASN1_STRING_get0_data(time) + ASN1_STRING_length(time));
  const std::string terminated(text.begin(), text.end());
  const bool strict = terminated.find('\0') == std::string::npos &&
                      ASN1_TIME_set_string_X509(parsed_time.get(), terminated.c_str()) == 1;
  ERR_clear_error();
  return strict;
}

}  // namespace

TEST_CASE("There are vectors of every kind of key, and refusals of every kind that form C has") {
  std::set<std::string> keys;
  std::set<std::string> codes;
  for (const auto& vector : file().vectors) {
    keys.insert(vector.key);
    codes.insert(vector.refused);
  }
  CHECK(file().vectors.size() >= 1000);
  CHECK(keys == std::set<std::string>{"rsa2048", "p256", "p384", "ed25519"});
  CHECK(codes == std::set<std::string>{
                     "", "empty_input", "too_large", "too_deep", "truncated", "unexpected_tag",
                     "invalid_tag", "invalid_length", "missing_end_of_contents", "missing_element",
                     "extra_element", "constructed_bit_string", "unused_bits", "empty_signature"});
}

TEST_CASE("Every vector has the form C, or the refusal, that the independent implementation says") {
  for (const auto& vector : file().vectors) {
    INFO(vector.name);
    const auto form = cotter::read_form(vector.der);
    CHECK(std::string(form ? "" : cotter::code(form.error().what)) == vector.refused);
    if (!form) continue;
    const octets written = write_form_c(*form);
    CHECK(sha256_hex(written) == vector.form_c_sha256);
    CHECK(written.size() == cotter::form_size_bytes(*form));
    CHECK(form->canonical == (written == vector.der));
  }
}

TEST_CASE("Form C of form C is itself, and keeps TBSCertificate") {
  for (const auto& vector : file().vectors) {
    const auto form = cotter::read_form(vector.der);
    if (!form) continue;
    INFO(vector.name);
    const octets once = write_form_c(*form);
    const auto again = cotter::read_form(once);
    REQUIRE(again);
    CHECK(again->canonical);
    CHECK(to_octets(again->tbs) == to_octets(form->tbs));
    CHECK(write_form_c(*again) == once);
  }
}

TEST_CASE("Every cut of a sound certificate is refused") {
  for (const auto& vector : file().vectors) {
    if (vector.name != "p256/sound" && vector.name != "p256/outer-and-algorithm-indefinite")
      continue;
    for (std::size_t size = 0; size < vector.der.size(); ++size) {
      INFO(vector.name << " cut to " << size);
      CHECK_FALSE(cotter::read_form(cotter::bytes_view(vector.der).first(size)));
    }
  }
}

// Not that encoding itself: i2d_X509 keeps the inside of algorithm parameters as it came.
TEST_CASE("Where OpenSSL parses a vector, form C of its own encoding is the same form C") {
  CHECK(parsed_by_both().size() > 500);
  for (const parsed& each : parsed_by_both()) {
    INFO(each.vector->name);
    const octets theirs = encode(i2d_X509, each.x509.get());
    const auto form = cotter::read_form(theirs);
    CHECK(bool(form) == !is_broken_by_i2d(*each.vector));
    if (!form) continue;
    CHECK(write_form_c(*form) == write_form_c(each.form));
  }
}

TEST_CASE("Where OpenSSL parses a vector, its signature holds if and only if the vector says so") {
  for (const parsed& each : parsed_by_both()) {
    const X509_ALGOR* outer = nullptr;
    const ASN1_BIT_STRING* bits = nullptr;
    X509_get0_signature(&bits, &outer, each.x509.get());
    if (X509_ALGOR_cmp(outer, X509_get0_tbs_sigalg(each.x509.get())) != 0) continue;
    INFO(each.vector->name);
    const owned_x509 issuer = parse(each.vector->intermediates == 0
                                        ? file().anchors.at(each.vector->key)
                                        : file().intermediates.at(each.vector->intermediates - 1));
    const bool valid = X509_verify(each.x509.get(), X509_get0_pubkey(issuer.get())) == 1;
    ERR_clear_error();
    CHECK(valid == each.vector->signature_valid);
  }
}

TEST_CASE("Where OpenSSL parses a vector, the view finds the same serial number and names") {
  for (const parsed& each : parsed_by_both()) {
    INFO(each.vector->name);
    if (each.view.located(cotter::field::serial)) {
      const auto header =
          cotter::der::encode_header(cotter::der::tags::integer, each.view.serial.size());
      octets whole = to_octets(header.octets());
      whole.insert(whole.end(), each.view.serial.begin(), each.view.serial.end());
      const auto serial = decode_all<ASN1_INTEGER, ASN1_INTEGER_free>(d2i_ASN1_INTEGER, whole);
      const bool padded = !serial;  // X.690 8.3.2; OpenSSL has kept the value all the same
      CHECK(
          (padded || ASN1_INTEGER_cmp(serial.get(), X509_get0_serialNumber(each.x509.get())) == 0));
    }
    for (const auto f : {cotter::field::issuer, cotter::field::subject}) {
      CHECK(each.view.located(f));
      const bool issuer = f == cotter::field::issuer;
      const auto name = decode_all<X509_NAME, X509_NAME_free>(
          d2i_X509_NAME, issuer ? each.view.issuer : each.view.subject);
      REQUIRE(name);
      CHECK(X509_NAME_cmp(name.get(), issuer ? X509_get_issuer_name(each.x509.get())
                                             : X509_get_subject_name(each.x509.get())) == 0);
    }
  }
}

TEST_CASE(
    "Where OpenSSL parses a vector, the view finds the same validity, or it is not RFC 5280's") {
  for (const parsed& each : parsed_by_both()) {
    INFO(each.vector->name);
    const ASN1_TIME* before = X509_get0_notBefore(each.x509.get());
    const ASN1_TIME* after = X509_get0_notAfter(each.x509.get());
    const bool located = each.view.located(cotter::field::validity);
    CHECK(located == (is_strict(before) && is_strict(after)));
    if (!located) continue;
    CHECK(each.view.not_before == to_instant(before));
    CHECK(each.view.not_after == to_instant(after));
  }
}

TEST_CASE("Where OpenSSL parses a vector, the view finds the same public key") {
  for (const parsed& each : parsed_by_both()) {
    INFO(each.vector->name);
    const octets theirs = encode(i2d_X509_PUBKEY, X509_get_X509_PUBKEY(each.x509.get()));
    CHECK(each.view.located(cotter::field::spki) == !has_no_located_key(*each.vector));
    if (has_no_located_key(*each.vector)) continue;
    const auto ours = decode_all<X509_PUBKEY, X509_PUBKEY_free>(d2i_X509_PUBKEY, each.view.spki);
    REQUIRE(ours);
    CHECK(encode(i2d_X509_PUBKEY, ours.get()) == theirs);
  }
}

TEST_CASE("Where OpenSSL parses a vector, the view finds the same alternative names") {
  for (const parsed& each : parsed_by_both()) {
    INFO(each.vector->name);
    int state = 0;
    const owned<GENERAL_NAMES, GENERAL_NAMES_free> theirs(static_cast<GENERAL_NAMES*>(
        X509_get_ext_d2i(each.x509.get(), NID_subject_alt_name, &state, nullptr)));
    ERR_clear_error();
    if (state == -1) {
      CHECK((!each.view.located(cotter::field::san) || each.view.san.empty()));
      continue;
    }
    if (!theirs) {  // twice, or no GeneralNames
      CHECK((!each.view.located(cotter::field::san) ||
             !decode_all<GENERAL_NAMES, GENERAL_NAMES_free>(d2i_GENERAL_NAMES, each.view.san)));
      continue;
    }
    CHECK(each.view.located(cotter::field::san) == !has_no_located_names(*each.vector));
    if (has_no_located_names(*each.vector)) continue;
    const auto ours =
        decode_all<GENERAL_NAMES, GENERAL_NAMES_free>(d2i_GENERAL_NAMES, each.view.san);
    REQUIRE(ours);
    CHECK(encode(i2d_GENERAL_NAMES, ours.get()) == encode(i2d_GENERAL_NAMES, theirs.get()));
  }
}

TEST_CASE("Every root of this system is its own form C") {
  for (const auto& entry : std::filesystem::directory_iterator("/etc/ssl/certs")) {
    if (entry.path().extension() != ".pem") continue;
    INFO(entry.path());
    const owned<std::FILE, std::fclose> in(std::fopen(entry.path().c_str(), "r"));
    REQUIRE(in);
    char* name = nullptr;
    char* header = nullptr;
    unsigned char* der = nullptr;
    long size = 0;
    REQUIRE(PEM_read(in.get(), &name, &header, &der, &size) == 1);
    const octets copied(der, der + size);
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_free(der);
    const auto form = cotter::read_form(copied);
    REQUIRE(form);
    CHECK(form->canonical);
    CHECK(write_form_c(*form) == copied);
    const cotter::certificate_view view = cotter::locate(*form);
    cotter::for_each_unlocated(view, [](std::string_view field) { FAIL_CHECK(field); });
  }
}
