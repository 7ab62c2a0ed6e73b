// SPDX-License-Identifier: BSL-1.0
#include <cotter/values/pin.hpp>

#include <support/catch.hpp>

#include <string>
#include <string_view>

using namespace cotter;

namespace {

constexpr std::string_view hex = "00112233445566778899aabbccddeeff0123456789abcdef0123456789abcdef";
// The same 32 octets, and 32 zeros: computed with coreutils' base64.
constexpr std::string_view b64 = "ABEiM0RVZneImaq7zN3u/wEjRWeJq83vASNFZ4mrze8=";

const std::string certificate = "cert-sha256:" + std::string(hex);
const std::string key = "spki-sha256:" + std::string(hex);
const std::string curl = "sha256//" + std::string(b64);
const std::string okhttp = "sha256/" + std::string(b64);
const std::string hpkp = "pin-sha256=\"" + std::string(b64) + "\"";
const std::string tlsa_certificate = "1 0 1 " + std::string(hex);
const std::string tlsa_key = "1 1 1 " + std::string(hex);

std::size_t fault_in(const std::string& text) {
  const result<pin> parsed = parse_pin(text);
  CHECK_FALSE(parsed);
  CHECK(parsed.error().what == errc::invalid_pin);
  return parsed.error().offset_bytes;
}

static_assert(
    parse_pin("cert-sha256:"
              "00112233445566778899aabbccddeeff0123456789abcdef0123456789abcdef"));
static_assert(parse_pin("sha256//ABEiM0RVZneImaq7zN3u/wEjRWeJq83vASNFZ4mrze8=")->form ==
              pin_form::spki);
static_assert(!parse_pin(hex), "a bare digest does not say what it is of");
static_assert(!parse_pin(""));

}  // namespace

TEST_CASE("a pin is read from each spelling and says what it was taken over") {
  const auto of_certificate = parse_pin(certificate);
  REQUIRE(of_certificate);
  CHECK(of_certificate->form == pin_form::certificate);
  CHECK(of_certificate->role == pin_role::primary);
  CHECK(of_certificate->not_after == no_expiry);
  CHECK(of_certificate->label.empty());
  CHECK(of_certificate->digest.octets[0] == 0x00);
  CHECK(of_certificate->digest.octets[1] == 0x11);
  CHECK(of_certificate->digest.octets[31] == 0xef);

  const auto of_key = parse_pin(key);
  REQUIRE(of_key);
  CHECK(of_key->form == pin_form::spki);

  const auto as_curl = parse_pin(curl);
  REQUIRE(as_curl);
  CHECK(as_curl->form == pin_form::spki);
  CHECK(as_curl->digest == of_key->digest);
}

TEST_CASE("what others write for a key or a certificate means the same pin") {
  for (const std::string& text : {okhttp, hpkp, tlsa_key}) {
    INFO(text);
    const auto parsed = parse_pin(text);
    REQUIRE(parsed);
    CHECK(parsed->form == pin_form::spki);
    CHECK(parsed->digest == parse_pin(key)->digest);
    CHECK(parsed->role == pin_role::primary);
    CHECK(parsed->not_after == no_expiry);
    CHECK(parsed->label.empty());
  }
  const auto of_certificate = parse_pin(tlsa_certificate);
  REQUIRE(of_certificate);
  CHECK(of_certificate->form == pin_form::certificate);
  CHECK(of_certificate->digest == parse_pin(certificate)->digest);
}

TEST_CASE("one slash or two: a digest that begins with a slash is OkHttp's, never curl's") {
  // 43 digits, the first of them a slash, look like curl's spelling of 42.
  const std::string slash = "sha256/" + std::string("/") + std::string(b64.substr(1));
  CHECK(fault_in(slash) == slash.size() - 1);
  CHECK(parse_pin("sha256//" + std::string("/") + std::string(b64.substr(1))));
}

TEST_CASE("TLSA data that names an authority, or that nobody else vouches for, is refused") {
  for (const char* usage : {"0", "2", "3", "4", "255", "PKIX-EE"}) {
    for (const char* selector : {"0", "1"}) {
      CHECK(fault_in(usage + std::string(" ") + selector + " 1 " + std::string(hex)) == 0);
    }
  }
  // Another selector, another matching type, another way to write numbers or to separate them.
  for (const char* begin : {"1 2 1 ", "1 0 0 ", "1 0 2 ", "1 1 2 ", "01 0 1 ", "1  0 1 ",
                            "1\t0\t1\t", "101 ", "1 0 1"}) {
    CHECK(fault_in(begin + std::string(hex)) == 0);
  }
}

TEST_CASE("the other spellings are refused at the first character at fault, too") {
  CHECK(fault_in("sha256/") == 7);
  CHECK(fault_in("sha256/!" + std::string(b64.substr(1))) == 7);
  CHECK(fault_in(okhttp + " ") == okhttp.size());
  CHECK(fault_in("SHA256/" + std::string(b64)) == 0);

  CHECK(fault_in("pin-sha256=") == 0);
  CHECK(fault_in("pin-sha256=" + std::string(b64)) == 0);
  CHECK(fault_in("pin-sha256=\"") == 12);
  CHECK(fault_in("pin-sha256=\"\"") == 12);
  CHECK(fault_in("pin-sha256=\"!\"") == 12);
  CHECK(fault_in("pin-sha256=\"A!") == 13);
  CHECK(fault_in(hpkp.substr(0, hpkp.size() - 1)) == hpkp.size() - 1);
  CHECK(fault_in(hpkp + ";") == hpkp.size());
  CHECK(fault_in(hpkp + "\"") == hpkp.size());
  CHECK(fault_in("pin-sha256=\"" + std::string(b64) + "A\"") == hpkp.size() - 1);

  CHECK(fault_in("1 0 1 ") == 6);
  CHECK(fault_in("1 1 1 " + std::string(b64)) == 9);
  CHECK(fault_in(tlsa_key + " ") == tlsa_key.size());
  CHECK(fault_in("1 1 1  " + std::string(hex)) == 6);
}

TEST_CASE("a pin that is too short and wrong is refused where it is wrong") {
  CHECK(fault_in("cert-sha256:zz") == 12);
  CHECK(fault_in("sha256//A!") == 9);
}

TEST_CASE("hexadecimal digits may be of either case") {
  std::string upper = certificate;
  for (std::size_t i = 12; i < upper.size(); ++i) {
    if (upper[i] >= 'a') upper[i] = static_cast<char>(upper[i] - 32);
  }
  REQUIRE(parse_pin(upper));
  CHECK(parse_pin(upper)->digest == parse_pin(certificate)->digest);
}

TEST_CASE("a malformed pin is refused, with the offset of the first character at fault") {
  CHECK(fault_in("") == 0);
  CHECK(fault_in(std::string(hex)) == 0);
  CHECK(fault_in("sha1//" + std::string(b64)) == 0);
  CHECK(fault_in("CERT-SHA256:" + std::string(hex)) == 0);
  CHECK(fault_in(" " + certificate) == 0);

  CHECK(fault_in("cert-sha256:") == 12);
  CHECK(fault_in(certificate.substr(0, certificate.size() - 1)) == certificate.size() - 1);
  CHECK(fault_in(certificate + "0") == certificate.size());
  CHECK(fault_in(certificate + "\n") == certificate.size());
  std::string bad = key;
  bad[20] = 'g';
  CHECK(fault_in(bad) == 20);
}

TEST_CASE("base64 is one spelling of 32 octets and no other") {
  CHECK(fault_in(curl.substr(0, curl.size() - 1)) == curl.size() - 1);  // without padding
  CHECK(fault_in(curl + "=") == curl.size());
  std::string url = curl;
  url[url.find('/', 8)] = '_';
  CHECK(fault_in(url) == url.find('_'));
  std::string inner = curl;
  inner[20] = '=';
  CHECK(fault_in(inner) == 20);
  std::string unpadded = curl;
  unpadded.back() = 'A';
  CHECK(fault_in(unpadded) == curl.size() - 1);
}

TEST_CASE("the two spare bits of base64 are zero, or one digest would have four spellings") {
  // The last digit before the padding is `8`, value 60: 61 to 63 differ in the spare bits alone.
  const std::size_t last = curl.size() - 2;
  REQUIRE(curl[last] == '8');
  for (const char spare : {'9', '+', '/'}) {
    std::string other = curl;
    other[last] = spare;
    CHECK(fault_in(other) == last);
  }
}

TEST_CASE("a target wants a digest only if some pin is of its form") {
  const pin pins[] = {pin{}, pin{}};
  const pinned_target certificates{{"a", 1}, pins};
  CHECK(certificates.wants(pin_form::certificate));
  CHECK_FALSE(certificates.wants(pin_form::spki));
  CHECK_FALSE(pinned_target{}.wants(pin_form::certificate));
}
