// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/values/pin.hpp>

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

/// The certificates of tests/lab/make-pki.sh, made by the CTest fixture `pki`.
namespace pki {

using octets = std::vector<std::uint8_t>;

inline std::string path(const std::string& file) {
  const char* directory = std::getenv("COTTER_LAB_PKI");
  if (directory == nullptr) throw std::runtime_error("COTTER_LAB_PKI is not set");
  return std::string(directory) + "/" + file;
}

inline std::string text(const std::string& file) {
  std::ifstream in(path(file), std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + path(file));
  return {std::istreambuf_iterator<char>(in), {}};
}

/// The octets of the first PEM block of a file.
inline octets first_block(const std::string& file) {
  const std::string pem = text(file);
  const auto begin = pem.find('\n', pem.find("-----BEGIN "));
  const auto end = pem.find("-----END ", begin);
  if (begin == std::string::npos || end == std::string::npos) {
    throw std::runtime_error("no PEM in " + path(file));
  }
  octets out;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : std::string_view(pem).substr(begin, end - begin)) {
    const int value = cotter::detail::base64_value(c);
    if (value < 0) continue;
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    out.push_back(static_cast<std::uint8_t>(bits >> count));
    bits &= (1u << count) - 1;
  }
  return out;
}

/// The leaf of NAME.pem.
inline octets certificate(const std::string& name) { return first_block(name + ".pem"); }
/// NAME.key.
inline octets key(const std::string& name) { return first_block(name + ".key"); }

}  // namespace pki
