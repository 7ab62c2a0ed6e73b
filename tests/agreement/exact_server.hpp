// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

/// A TLS server in memory that sends as its leaf whatever octets it is given. GnuTLS does so, since
/// it never parses what a `gnutls_pcert_st` holds; its translation unit sees no other TLS library.
namespace exact {

using octets = std::vector<std::uint8_t>;

struct options {
  octets leaf;        ///< sent as it is
  octets sound_leaf;  ///< a certificate of the same key that GnuTLS can parse
  octets key_pkcs8;
  std::vector<octets> intermediates;  ///< DER, sent after the leaf
  int version = 0x0304;               ///< 0x0303 or 0x0304
};

class server {
 public:
  /// Throws std::runtime_error if GnuTLS does not take the key or the sound certificates.
  explicit server(const options& how);
  ~server();
  server(const server&) = delete;
  server& operator=(const server&) = delete;

  void feed(std::span<const std::uint8_t> ciphertext);
  /// Goes on with the handshake.
  void drive();
  /// What has to go to the client; empties it.
  [[nodiscard]] octets take_pending();
  /// It has verified the client's Finished.
  [[nodiscard]] bool finished() const;

 private:
  struct implementation;
  std::unique_ptr<implementation> state_;
};

}  // namespace exact
