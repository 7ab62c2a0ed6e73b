// SPDX-License-Identifier: BSL-1.0
#include <cotter/backends/openssl.hpp>
#include <cotter/cotter.hpp>

#include <cstdio>

// A program that drives OpenSSL itself: four calls, in this order, around its own handshake.
constexpr cotter::fixed_pin_set pins{cotter::fixed_target{
    "sip.example.com", 5061,
    cotter::primary("cert-sha256:3b9f0e2c6d4a7f51e8c2b07d95a1463cf0de8b7421569ac3d7f4e0a1b25c6d98")}};

bool connect_pinned(auto& guard, SSL_CTX* ctx, int (*dial)()) {
  auto permit = guard.admit({"sip.example.com", 5061, cotter::identity::sip});  // before TCP
  if (!permit) return false;
  SSL* ssl = SSL_new(ctx);
  bool accepted = false;
  if (ssl != nullptr && SSL_set_fd(ssl, dial()) == 1) {
    auto connection = guard.attach(ssl, *permit);  // the last thing before the handshake
    SSL_connect(ssl);
    const cotter::verdict verdict = connection.confirm();  // before the first application octet
    accepted = static_cast<bool>(verdict);
    std::printf("%s\n", to_string(verdict ? verdict.reason() : connection.verdict().reason()).data());
  }
  SSL_free(ssl);
  return accepted;
}

int main() {
  cotter::memory_breaker<> breaker;
  cotter::ring_audit_sink<16> audit;
  cotter::guard guard{pins, breaker, cotter::embedded_manifest{}, audit};
  SSL_CTX* ctx = SSL_CTX_new(TLS_client_method());
  SSL_CTX_load_verify_file(ctx, "/etc/ssl/certs/ca-certificates.crt");
  const bool accepted = connect_pinned(guard, ctx, [] { return -1; });
  SSL_CTX_free(ctx);
  return accepted ? 0 : 2;
}
