// SPDX-License-Identifier: BSL-1.0
// Input: a file given to `cotter fingerprint`.
// Properties: a file that RFC 7468 allows to be written is read, as a strict reader reads it; what is
// read comes back if written anew. Twin: where OpenSSL finds a certificate too, it is the same one.
#include "../tools/cotter/pem.hpp"

#include "demand.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace {

using octets = std::vector<std::uint8_t>;

struct freeing {
  void operator()(BIO* held) const noexcept { BIO_free(held); }
  void operator()(X509* held) const noexcept { X509_free(held); }
};
using owned_bio = std::unique_ptr<BIO, freeing>;
using owned_certificate = std::unique_ptr<X509, freeing>;

bool drop_prefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

/// The 24 bits of four characters and how many octets they are; none if they are not canonical.
std::optional<int> decode_quantum(std::string_view four, octets& out) {
  constexpr std::string_view digits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const int padding = four.ends_with("==") ? 2 : four.ends_with("=") ? 1 : 0;
  std::uint32_t bits = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    const std::size_t digit = digits.find(four[i]);
    const bool is_padding = i >= 4 - static_cast<std::size_t>(padding);
    if (!is_padding && digit == std::string_view::npos) return {};
    bits = bits << 6 | (is_padding ? 0 : static_cast<std::uint32_t>(digit));
  }
  if (padding != 0 && (bits & (padding == 2 ? 0xffffu : 0xffu)) != 0) return {};
  const int size = 3 - padding;
  for (int i = 0; i < size; ++i) out.push_back(static_cast<std::uint8_t>(bits >> (16 - 8 * i)));
  return size;
}

/// `stricttextualmsg` of RFC 7468 3, line ends as in Unix, one certificate and nothing else.
std::optional<octets> read_strictly(std::string_view text) {
  if (!drop_prefix(text, "-----BEGIN CERTIFICATE-----\n")) return {};
  octets out;
  for (bool more = true; more;) {
    const std::string_view line = text.substr(0, text.find('\n'));
    if (line.empty() || line.size() > 64 || line.size() % 4 != 0) return {};
    for (std::size_t at = 0; at < line.size(); at += 4) {
      const auto size = decode_quantum(line.substr(at, 4), out);
      if (!size) return {};
      more = *size == 3;
      if (!more && at + 4 != line.size()) return {};
    }
    if (!drop_prefix(text, line) || !drop_prefix(text, "\n")) return {};
    more = more && line.size() == 64 && !text.starts_with("-");
  }
  if (!drop_prefix(text, "-----END CERTIFICATE-----\n") || !text.empty()) return {};
  return out;
}

owned_bio reading(std::string_view text) {
  owned_bio in(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  demand(in != nullptr, "no memory");
  return in;
}

/// OpenSSL's lines end with a line feed only, or after 254 octets, and begin after no other mark.
bool is_plain(std::string_view preamble) {
  std::size_t line = 0;
  for (const char c : preamble) {
    line = c == '\n' ? 0 : line + 1;
    if (c == '\r' || line > 250) return false;
  }
  return !preamble.starts_with("\xef\xbb\xbf");
}

void compare_with_openssl(std::string_view text, const octets& own) {
  const owned_bio in = reading(text);
  int no_passphrase = 0;
  const auto refuse = [](char*, int, int, void*) { return -1; };
  const owned_certificate other(PEM_read_bio_X509(in.get(), nullptr, refuse, &no_passphrase));
  const unsigned char* at = own.data();
  const owned_certificate parsed(d2i_X509(nullptr, &at, static_cast<long>(own.size())));
  if (other != nullptr && parsed != nullptr) {
    demand(X509_cmp(other.get(), parsed.get()) == 0, "another certificate than OpenSSL's");
  }
  demand(other == nullptr || parsed != nullptr, "OpenSSL's certificate is not in what we read");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t at = cotter::command::find_pem(text);
  const auto strict = read_strictly(text);
  if (strict) demand(at == 0, "strict PEM is not taken for PEM");
  if (at == std::string_view::npos) return 0;
  demand(text.substr(at).starts_with("-----BEGIN "), "no block where one begins");
  demand(cotter::command::is_text(text.substr(0, at)), "PEM behind what is no text");

  const auto own = cotter::command::first_certificate(text.substr(at));
  if (strict) demand(own && *own == *strict, "strict PEM is read as something else");
  if (!own) return 0;
  compare_with_openssl(text.substr(at), *own);
  if (is_plain(text.substr(0, at))) compare_with_openssl(text, *own);

  const owned_bio out(BIO_new(BIO_s_mem()));
  demand(out != nullptr && PEM_write_bio(out.get(), "CERTIFICATE", "", own->data(),
                                         static_cast<long>(own->size())) > 0,
         "cannot be written anew");
  char* written = nullptr;
  const long written_size = BIO_get_mem_data(out.get(), &written);
  const std::string_view anew(written, static_cast<std::size_t>(written_size));
  const auto again = cotter::command::first_certificate(anew);
  demand(again && *again == *own, "written anew it is something else");
  demand(read_strictly(anew) == *own, "what OpenSSL writes is not strict");
  ERR_clear_error();
  return 0;
}
