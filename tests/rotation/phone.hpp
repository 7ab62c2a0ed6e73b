// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/values/error.hpp>
#include <cotter/values/time.hpp>
#include <cotter/values/verdict.hpp>

#include <backends/support/peer.hpp>

#include <memory>
#include <string>
#include <vector>

/// A phone in the field, whichever TLS library it has. No TLS library is seen here.
namespace rotation {

inline constexpr const char* host = "sip.example.com";

/// How one handshake ended, seen from both ends.
struct answer {
  cotter::reason reason = cotter::reason::unbound;  ///< `none`: accepted
  cotter::matched matched = cotter::matched::none;
  bool server_finished = false;  ///< the server has the client's Finished

  [[nodiscard]] bool accepted() const {
    return reason == cotter::reason::none && matched != cotter::matched::none;
  }
};

class phone {
 public:
  virtual ~phone() = default;
  /// Gives a signed manifest to it; the answer is `ok` if it is in force now.
  virtual cotter::errc reload(const std::string& envelope) = 0;
  /// Starts anew with what was remembered, and is given the last good manifest again.
  virtual cotter::errc restart() = 0;
  /// Calls home: by the guard and the breaker that it has all year.
  virtual answer call(peer::server& there) = 0;
  /// Calls whoever pretends to be home: the same manifest, a breaker that knows nothing.
  virtual answer call_impostor(peer::server& there) = 0;
  /// Calls, by the same TLS library and anchors, with the pin given and a guard whose own clock
  /// stands at `standing`: what then refuses an expired certificate is the library's PKIX.
  virtual answer call_by_other_clock(peer::server& there, const std::string& pin,
                                     cotter::instant standing) = 0;
};

struct phone_model {
  std::string name;
  std::vector<int> versions;  ///< of TLS, that the library can speak
  /// `key_set` is the envelope of the keys trusted, `anchors_pem` the CA bundle.
  std::unique_ptr<phone> (*make)(const std::string& key_set, const std::string& anchors_pem);
};

phone_model openssl();
phone_model wolfssl();
phone_model mbedtls();

}  // namespace rotation
