// SPDX-License-Identifier: BSL-1.0
#include "pem.hpp"

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <algorithm>
#include <memory>

namespace cotter::command {

bool is_text(std::string_view octets_seen) {
  return std::none_of(octets_seen.begin(), octets_seen.end(), [](char c) {
    const auto u = static_cast<unsigned char>(c);
    return (u < 0x20 && (u < '\t' || u > '\r')) || u == 0x7f;
  });
}

std::size_t find_pem(std::string_view text) {
  constexpr std::string_view begin = "-----BEGIN ";
  for (std::size_t at = text.find(begin); at != std::string_view::npos;
       at = text.find(begin, at + 1)) {
    const bool starts_a_line = at == 0 || text[at - 1] == '\n' || text[at - 1] == '\r' ||
                               text.substr(0, at) == "\xef\xbb\xbf";
    if (starts_a_line) return is_text(text.substr(0, at)) ? at : std::string_view::npos;
  }
  return std::string_view::npos;
}

result<std::vector<std::uint8_t>> first_certificate(std::string_view pem) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> in(
      BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), &BIO_free);
  if (in == nullptr) return errc::out_of_memory;
  ERR_clear_error();
  for (;;) {
    char* name = nullptr;
    char* header = nullptr;
    unsigned char* data = nullptr;
    long size = 0;
    if (PEM_read_bio(in.get(), &name, &header, &data, &size) != 1) {
      const int why = ERR_GET_REASON(ERR_peek_last_error());
      ERR_clear_error();
      if (why == PEM_R_NO_START_LINE) return errc::pem_without_certificate;
      return why == PEM_R_BAD_END_LINE ? errc::truncated : errc::not_a_certificate;
    }
    const std::string_view label = name;
    const bool is_certificate = label == PEM_STRING_X509 || label == PEM_STRING_X509_OLD ||
                                label == PEM_STRING_X509_TRUSTED;
    std::vector<std::uint8_t> found;
    if (is_certificate) found.assign(data, data + size);
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_clear_free(data, static_cast<std::size_t>(size));  // it may have been a key
    if (is_certificate) return found;
  }
}

}  // namespace cotter::command
