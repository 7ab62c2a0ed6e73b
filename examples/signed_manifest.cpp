// SPDX-License-Identifier: BSL-1.0
#include <cotter/backends/openssl.hpp>
#include <cotter/cotter.hpp>
#include <cotter/json/signed_manifest.hpp>

#include <openssl/ssl.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>

// Pins from a signed manifest that the deployment system puts on the disk: taken whole or not at all,
// never an older one again, and asked anew for a connection that lives for days.
using manifest_type = cotter::json::signed_manifest<cotter::backends::openssl>;

std::string read(const char* path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void reload(manifest_type& manifest, const char* path) {
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  const auto taken = manifest.reload(read(path), now);
  if (taken) return;  // else the last good manifest stays in force
  std::fprintf(stderr, "%s at %s: %s\n", cotter::code(taken.error().what).data(),
               taken.error().pointer.c_str(), taken.error().expected.c_str());
}

int main() {
  const auto signers = cotter::json::read_public_keys(read("/usr/share/phone/signer.pub"));
  if (!signers) return 3;
  using keys = cotter::json::trusted_keys;
  const auto trusted = keys::from_public_keys<cotter::backends::openssl>(*signers);
  if (!trusted) return 3;
  cotter::manifest_memory remembered;  // what manifest.memory() gave last time, from where you keep state
  manifest_type manifest(*trusted, remembered);
  reload(manifest, "/usr/share/phone/pins.json");

  cotter::memory_breaker<> breaker;
  cotter::guard guard{manifest, breaker, cotter::null_audit_sink{}};
  auto permit = guard.admit({"sip.example.com", 5061, cotter::identity::sip});
  if (!permit) return 2;  // (*permit).reached(address) once TCP says where it went

  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  SSL* ssl = SSL_new(context);
  {
    auto connection = guard.attach(ssl, *permit);
    // ... the handshake, then the conversation ...
    reload(manifest, "/usr/share/phone/pins.json");
    if (!connection.reassess()) {
      SSL_shutdown(ssl);  // its certificate is pinned no more
    }
  }
  SSL_free(ssl);
  SSL_CTX_free(context);
}
