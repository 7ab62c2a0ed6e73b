// SPDX-License-Identifier: BSL-1.0
#include "fingerprint.hpp"

#include <cotter/backends/openssl.hpp>
#include <cotter/certificate/form.hpp>
#include <cotter/certificate/view.hpp>

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

namespace cotter::command {

namespace {

using octets = std::vector<std::uint8_t>;

/// A file of PEM may hold a whole bundle; what is larger than this is none.
constexpr std::size_t max_file_bytes = std::size_t{16} << 20;

struct findings {
  std::string certificate_sha256;
  bool canonical = false;
  std::optional<std::string> spki_sha256;
  std::optional<std::string> not_after;
  std::optional<std::string> subject;
  std::vector<std::string> unlocated;  ///< the keys above that have no value
};

problem at_offset(const error& e) {
  problem p = describe(e.what);
  p.offset_bytes = e.offset_bytes;
  return p;
}

problem unreadable() {
  problem p = describe(errc::unreadable, std::strerror(errno));
  p.offset_bytes = 0;
  return p;
}

/// Reads a whole file, in pieces, up to the bound.
std::optional<problem> read_file(const std::string& path, octets& out) {
  const bool is_stdin = path == "-";
  const int file = is_stdin ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY);
  if (file < 0) return unreadable();
  std::optional<problem> found;
  std::uint8_t piece[65536];
  for (;;) {
    const ssize_t size = ::read(file, piece, sizeof piece);
    if (size == 0) break;
    if (size < 0) {
      if (errno == EINTR) continue;
      found = unreadable();
      break;
    }
    out.insert(out.end(), piece, piece + size);
    if (out.size() > max_file_bytes) {
      found = at_offset({errc::too_large, static_cast<std::uint32_t>(max_file_bytes), 0});
      break;
    }
  }
  if (!is_stdin) ::close(file);
  return found;
}

/// True if no octet is one that text does not have. A certificate in DER has such octets among its
/// first sixteen.
bool is_text(std::string_view octets_seen) {
  return std::none_of(octets_seen.begin(), octets_seen.end(), [](char c) {
    const auto u = static_cast<unsigned char>(c);
    return (u < 0x20 && (u < '\t' || u > '\r')) || u == 0x7f;
  });
}

/// Where the first PEM block begins, if `text` is PEM.
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

/// The octets of the first CERTIFICATE block, decoded and nothing else.
result<octets> first_certificate(std::string_view pem) {
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
    octets found;
    if (is_certificate) found.assign(data, data + size);
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_clear_free(data, static_cast<std::size_t>(size));  // it may have been a key
    if (is_certificate) return found;
  }
}

std::optional<std::string> sha256(bytes_view input) {
  backends::openssl::hasher hasher;
  sha256_digest digest;
  if (!hasher.prepare()) return {};
  hasher.update(input);
  if (!hasher.finish(digest)) return {};
  return hex(digest);
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

std::optional<problem> examine(bytes_view der, findings& out) {
  const result<certificate_form> form = read_form(der);
  if (!form) return at_offset(form.error());
  backends::openssl::hasher hasher;
  sha256_digest digest;
  bool hashed = hasher.prepare();
  write_form(*form, [&](bytes_view piece) noexcept { hasher.update(piece); });
  hashed = hasher.finish(digest) && hashed;
  if (!hashed) return describe(errc::out_of_memory);
  out.certificate_sha256 = hex(digest);
  out.canonical = form->canonical;

  const certificate_view leaf = locate(*form);
  if (leaf.located(field::spki)) out.spki_sha256 = sha256(leaf.spki);
  if (leaf.located(field::validity)) out.not_after = rfc3339(leaf.not_after);
  if (leaf.located(field::subject)) out.subject = name_text(leaf.subject);
  if (!out.spki_sha256) out.unlocated.emplace_back("spki_sha256");
  if (!out.not_after) out.unlocated.emplace_back("not_after");
  if (!out.subject) out.unlocated.emplace_back("subject");
  return {};
}

std::optional<problem> examine_file(const std::string& path, findings& out) {
  octets file;
  if (auto fault = read_file(path, file)) return fault;
  const std::string_view text(reinterpret_cast<const char*>(file.data()), file.size());
  if (const std::size_t at = find_pem(text); at != std::string_view::npos) {
    const result<octets> der = first_certificate(text.substr(at));
    if (!der) return at_offset(der.error());
    return examine(*der, out);
  }
  std::optional<problem> fault = examine(file, out);
  constexpr char sequence = 0x30;  // a digit, too: a certificate cut short is no text
  if (fault && !text.empty() && text[0] != sequence && is_text(text)) {
    return at_offset({errc::not_a_certificate, 0, 0});
  }
  return fault;
}

void print(const std::string& file, const findings& found, format how) {
  if (how == format::json_lines) {
    const auto or_null = [](const std::optional<std::string>& value) {
      return value ? json(*value) : json(nullptr);
    };
    json object{{"file", file},
                {"certificate_sha256", found.certificate_sha256},
                {"spki_sha256", or_null(found.spki_sha256)},
                {"canonical", found.canonical},
                {"not_after", or_null(found.not_after)},
                {"subject", or_null(found.subject)}};
    if (!found.unlocated.empty()) object["unlocated"] = found.unlocated;
    write_line(object);
    return;
  }
  const auto or_none = [](std::string_view before, const std::optional<std::string>& value) {
    return value ? std::string(before) + printable(*value) : "cannot be located";
  };
  write_text(
      printable(file) + "\n  certificate  cert-sha256:" + found.certificate_sha256 +
      "\n  key          " + or_none("spki-sha256:", found.spki_sha256) + "\n  subject      " +
      or_none("", found.subject) + "\n  not after    " + or_none("", found.not_after) +
      (found.canonical ? "\n" : "\n  spelling     not canonical; the pin is the clean one's\n"));
}

}  // namespace

exit_code fingerprint(const std::vector<std::string>& files, format how) {
  exit_code worst = exit_code::ok;
  for (const std::string& file : files) {
    findings found;
    const std::optional<problem> wrong = examine_file(file, found);
    if (!wrong) {
      print(file, found, how);
      continue;
    }
    write_diagnostic(file, *wrong);
    if (how == format::json_lines) write_line({{"file", file}, {"error", to_json(*wrong)}});
    worst = worse(
        worst, wrong->code == code(errc::unreadable) ? exit_code::no_verdict : exit_code::refused);
  }
  return worst;
}

}  // namespace cotter::command
