// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/certificate/form.hpp>

#include <nlohmann/json.hpp>
#include <openssl/evp.h>

#include <cstdint>
#include <fstream>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

/// Reads tests/vectors/vectors.json, which make_vectors.py writes and explains.
namespace vectors_file {

using octets = std::vector<std::uint8_t>;

struct vector {
  std::string name;           ///< `key/what it is`
  std::string key;            ///< the leaf's kind of key; anchors and keys are found by it
  std::size_t intermediates;  ///< how many of `file::intermediates` stand above the leaf
  bool signature_valid;       ///< the signature holds over TBSCertificate as sent
  octets der;                 ///< what a server sends
  std::string form_c_sha256;  ///< hex; empty if refused
  std::string refused;        ///< the error's code; empty if there is a form C
};

struct file {
  std::string host;
  std::map<std::string, octets> anchors;
  std::vector<octets> intermediates;  ///< the first one is signed by the P-256 anchor
  std::map<std::string, octets> keys_pkcs8;
  std::vector<vector> vectors;
};

inline octets decode_base64(const std::string& text) {
  octets out(text.size() / 4 * 3 + 3);
  const int size = EVP_DecodeBlock(out.data(), reinterpret_cast<const unsigned char*>(text.data()),
                                   static_cast<int>(text.size()));
  if (size < 0) throw std::runtime_error("not base64");
  std::size_t bytes = static_cast<std::size_t>(size);
  for (std::size_t i = text.size(); i > 0 && text[i - 1] == '='; --i) --bytes;
  out.resize(bytes);
  return out;
}

/// Base64, or an array of base64 and [count, octet].
inline octets decode(const nlohmann::json& spelled) {
  if (spelled.is_string()) return decode_base64(spelled.get<std::string>());
  octets out;
  for (const auto& piece : spelled) {
    const octets more =
        piece.is_string() ? decode_base64(piece.get<std::string>())
                          : octets(piece.at(0).get<std::size_t>(), piece.at(1).get<std::uint8_t>());
    out.insert(out.end(), more.begin(), more.end());
  }
  return out;
}

inline nlohmann::json parse(const std::string& path) {
  std::ifstream in(path);
  if (!in) throw std::runtime_error("cannot open " + path);
  return nlohmann::json::parse(in);
}

inline file read(const std::string& path) {
  const nlohmann::json document = parse(path);
  file out;
  out.host = document.at("host").get<std::string>();
  for (const auto& [key, der] : document.at("anchors").items()) out.anchors[key] = decode(der);
  for (const auto& der : document.at("intermediates")) out.intermediates.push_back(decode(der));
  for (const auto& [key, der] : document.at("keys_pkcs8").items()) {
    out.keys_pkcs8[key] = decode(der);
  }
  for (const auto& each : document.at("vectors")) {
    out.vectors.push_back({each.at("name").get<std::string>(), each.at("key").get<std::string>(),
                           each.at("intermediates").get<std::size_t>(),
                           each.at("signature_valid").get<bool>(), decode(each.at("der")),
                           each.value("form_c_sha256", ""), each.value("refused", "")});
  }
  return out;
}

inline octets write_form_c(const cotter::certificate_form& form) {
  octets out;
  cotter::write_form(form, [&out](cotter::bytes_view piece) noexcept {
    out.insert(out.end(), piece.begin(), piece.end());
  });
  return out;
}

inline std::string sha256_hex(const octets& in) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  EVP_Digest(in.data(), in.size(), digest, &size, EVP_sha256(), nullptr);
  static constexpr char hex[] = "0123456789abcdef";
  std::string out;
  for (unsigned i = 0; i < size; ++i) {
    out += hex[digest[i] >> 4];
    out += hex[digest[i] & 15];
  }
  return out;
}

}  // namespace vectors_file
