// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

/// The server of the backend tests: a real one, OpenSSL's, in memory. Its translation unit is the
/// only one that sees OpenSSL, so that any backend may be the client.
namespace peer {

struct options {
  std::string chain_file;               ///< PEM, leaf first; empty for a server without certificate
  std::string key_file;                 ///< PEM
  std::string forged_key_file;          ///< claims chain_file's public key, signs with this one
  bool without_key = false;             ///< sends the chain and can sign nothing
  bool mirrored_signature = false;      ///< the leaf's ECDSA signature (r, s) sent as (r, n - s)
  std::vector<std::string> more_files;  ///< PEM, each file's first certificate sent after the chain
  int version = 0;                      ///< 0x0303 or 0x0304; 0 for either
  std::string ciphers;                  ///< TLS 1.2, OpenSSL's syntax
  bool anonymous = false;               ///< DH_anon and ECDH_anon, security level 0
  std::string psk;                      ///< any identity is given this key
  bool tickets = true;
  bool early_data = false;             ///< reads what comes before the client's Finished
  bool extended_master_secret = true;  ///< TLS 1.2, RFC 7627
  std::string groups;                  ///< OpenSSL's syntax; empty for its own
  bool psk_without_dhe = false;        ///< TLS 1.3: psk_ke will do, where no group is shared
};

class connection {
 public:
  virtual ~connection() = default;
  /// Goes on with the handshake, then reads whatever has come.
  virtual void drive() = 0;
  virtual std::size_t feed(std::span<const std::uint8_t> ciphertext) = 0;
  virtual std::vector<std::uint8_t> take_pending() = 0;
  virtual void send(const std::string& text) = 0;
  /// Asks for another handshake: renegotiation in 1.2, a client certificate in 1.3. Shows another
  /// leaf then, if told which.
  virtual bool ask_again(const std::string& chain_file, const std::string& key_file) = 0;

  [[nodiscard]] virtual bool finished() const = 0;  ///< has verified the client's Finished
  [[nodiscard]] virtual int handshakes()
      const = 0;  ///< how often the client's Finished was verified
  [[nodiscard]] virtual bool resumed() const = 0;
  [[nodiscard]] virtual std::size_t application_bytes() const = 0;
  [[nodiscard]] virtual std::string server_name() const = 0;  ///< the client's SNI
};

/// Shared by several connections, so that sessions can be resumed.
class server {
 public:
  explicit server(const options& how);
  ~server();
  [[nodiscard]] std::unique_ptr<connection> accept();
  /// From the next connection on, shows another certificate, or speaks other groups; knows its old
  /// sessions and tickets all the same. The versions stay.
  void become(const options& how);

 private:
  struct implementation;
  std::unique_ptr<implementation> state_;
};

/// The SHA-256 of the first certificate of a PEM file and of its key, as OpenSSL's own commands
/// say, in the spelling of a pin.
std::string certificate_pin(const std::string& pem_file);
std::string key_pin(const std::string& pem_file);
/// The first certificate of a PEM file.
std::vector<std::uint8_t> der(const std::string& pem_file);

}  // namespace peer
