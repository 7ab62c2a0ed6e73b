// SPDX-License-Identifier: BSL-1.0
#include "certificates.hpp"

#include "output.hpp"
#include "pem.hpp"

#include <cotter/backends/openssl.hpp>
#include <cotter/certificate/form.hpp>
#include <cotter/certificate/view.hpp>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <array>
#include <memory>
#include <utility>

namespace cotter::command {

namespace {

problem at_offset(const error& e) {
  problem p = describe(e.what);
  p.offset_bytes = e.offset_bytes;
  return p;
}

/// RFC 4514, what is not ASCII escaped as octets of UTF-8.
std::optional<std::string> name_text(bytes_view name) {
  const unsigned char* at = name.data();
  const std::unique_ptr<X509_NAME, decltype(&X509_NAME_free)> parsed(
      d2i_X509_NAME(nullptr, &at, static_cast<long>(name.size())), &X509_NAME_free);
  const std::unique_ptr<BIO, decltype(&BIO_free)> out(BIO_new(BIO_s_mem()), &BIO_free);
  std::optional<std::string> text;
  if (parsed != nullptr && out != nullptr && at == name.data() + name.size() &&
      X509_NAME_print_ex(out.get(), parsed.get(), 0, XN_FLAG_RFC2253) >= 0) {
    char* octets_out = nullptr;
    const long size = BIO_get_mem_data(out.get(), &octets_out);
    text.emplace(octets_out, static_cast<std::size_t>(size));
  }
  ERR_clear_error();
  return text;
}

/// What OpenSSL alone is asked: whether it is a CA's, and who issued it.
void ask_openssl(certificate_facts& out) {
  const unsigned char* at = out.der.data();
  const std::unique_ptr<X509, decltype(&X509_free)> parsed(
      d2i_X509(nullptr, &at, static_cast<long>(out.der.size())), &X509_free);
  if (parsed != nullptr) {
    out.is_ca = X509_check_ca(parsed.get()) == 1;
    out.self_issued = X509_NAME_cmp(X509_get_subject_name(parsed.get()),
                                    X509_get_issuer_name(parsed.get())) == 0;
    const std::unique_ptr<BIO, decltype(&BIO_free)> text(BIO_new(BIO_s_mem()), &BIO_free);
    if (text != nullptr &&
        X509_NAME_print_ex(text.get(), X509_get_issuer_name(parsed.get()), 0, XN_FLAG_RFC2253) >=
            0) {
      char* octets_out = nullptr;
      const long size = BIO_get_mem_data(text.get(), &octets_out);
      out.issuer.emplace(octets_out, static_cast<std::size_t>(size));
    }
  }
  ERR_clear_error();
}

}  // namespace

std::optional<sha256_digest> sha256(bytes_view input) {
  backends::openssl::hasher hasher;
  sha256_digest digest;
  if (!hasher.prepare()) return {};
  hasher.update(input);
  if (!hasher.finish(digest)) return {};
  return digest;
}

std::optional<problem> examine(bytes_view der, certificate_facts& out) {
  const result<certificate_form> form = read_form(der);
  if (!form) return at_offset(form.error());
  backends::openssl::hasher hasher;
  bool hashed = hasher.prepare();
  write_form(*form, [&](bytes_view piece) noexcept { hasher.update(piece); });
  hashed = hasher.finish(out.certificate) && hashed;
  if (!hashed) return describe(errc::out_of_memory);
  out.canonical = form->canonical;
  out.der.assign(der.begin(), der.end());

  const certificate_view leaf = locate(*form);
  if (leaf.located(field::spki)) out.key = sha256(leaf.spki);
  if (leaf.located(field::validity)) {
    out.not_before = leaf.not_before;
    out.not_after = leaf.not_after;
  }
  if (leaf.located(field::subject)) out.subject = name_text(leaf.subject);
  ask_openssl(out);
  return {};
}

std::optional<problem> examine_file(std::string_view content, certificate_facts& out) {
  if (const std::size_t at = find_pem(content); at != std::string_view::npos) {
    const result<octets> der = first_certificate(content.substr(at));
    if (!der) return at_offset(der.error());
    return examine(*der, out);
  }
  const bytes_view file(reinterpret_cast<const std::uint8_t*>(content.data()), content.size());
  std::optional<problem> fault = examine(file, out);
  constexpr char sequence = 0x30;  // a digit, too: a certificate cut short is no text
  if (fault && !content.empty() && content[0] != sequence && is_text(content)) {
    return at_offset({errc::not_a_certificate, 0, 0});
  }
  return fault;
}

std::optional<problem> examine_all(std::string_view content, std::vector<certificate_facts>& out) {
  constexpr std::string_view begin = "-----BEGIN CERTIFICATE-----";
  if (find_pem(content) == std::string_view::npos) {
    return examine_file(content, out.emplace_back());
  }
  std::size_t at = content.find(begin);
  if (at == std::string_view::npos) return describe(errc::pem_without_certificate);
  for (; at != std::string_view::npos; at = content.find(begin, at + begin.size())) {
    certificate_facts one;
    if (auto fault = examine_file(content.substr(at), one)) return fault;
    out.push_back(std::move(one));
  }
  return {};
}

std::string certificate_pin(const sha256_digest& digest) { return "cert-sha256:" + hex(digest); }
std::string key_pin(const sha256_digest& digest) { return "spki-sha256:" + hex(digest); }
std::string pin_text(const pin& value) {
  return value.form == pin_form::certificate ? certificate_pin(value.digest)
                                             : key_pin(value.digest);
}

std::string base64(const sha256_digest& digest) {
  std::array<unsigned char, 45> text{};
  const int size = EVP_EncodeBlock(text.data(), digest.octets.data(), sha256_digest::size_bytes);
  return {reinterpret_cast<const char*>(text.data()), static_cast<std::size_t>(size)};
}

}  // namespace cotter::command
