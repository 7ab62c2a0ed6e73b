// SPDX-License-Identifier: BSL-1.0
#include <tls.hpp>

bool call(tls::session s) { return tls::expect(s, "sip.example.com") && tls::handshake(s); }

int main() {
  const tls::session s = tls::begin();
  const bool done = call(s);
  tls::end(s);
  return done ? 0 : 1;
}
