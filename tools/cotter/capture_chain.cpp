// SPDX-License-Identifier: BSL-1.0
#include "capture.hpp"

#include "tcp.hpp"

#include <cotter/values/handshake.hpp>

#include <asio/buffer.hpp>
#include <asio/write.hpp>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <array>
#include <cstddef>
#include <memory>

namespace cotter::command {

namespace {

using octets = std::vector<std::uint8_t>;
using owned_store = std::unique_ptr<X509_STORE, decltype(&X509_STORE_free)>;
using owned_context = std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)>;
using owned_session = std::unique_ptr<SSL, decltype(&SSL_free)>;

owned_store load_store(const std::string& file) {
  owned_store store(X509_STORE_new(), &X509_STORE_free);
  if (store != nullptr && X509_STORE_load_file(store.get(), file.c_str()) != 1) store.reset();
  ERR_clear_error();
  return store;
}

octets der_of(X509* certificate) {
  unsigned char* out = nullptr;
  const int size = i2d_X509(certificate, &out);
  octets der;
  if (size > 0) der.assign(out, out + size);
  OPENSSL_free(out);
  return der;
}

/// What one handshake has shown so far.
struct witness {
  X509_STORE* anchors = nullptr;
  X509_STORE* public_anchors = nullptr;
  chain_report* report = nullptr;
};

std::size_t number(const std::uint8_t* at) {
  return static_cast<std::size_t>(at[0]) << 16 | static_cast<std::size_t>(at[1]) << 8 | at[2];
}

/// The Certificate message (RFC 5246 7.4.2, RFC 8446 4.4.2), as it came.
void read_certificates(const std::uint8_t* message, std::size_t size, bool is_tls13,
                       std::vector<octets>& out) {
  std::size_t at = 4;
  if (is_tls13) at += at < size ? 1u + message[at] : 1u;
  at += 3;
  while (at + 3 <= size) {
    const std::size_t length = number(message + at);
    at += 3;
    if (length > size - at) return;
    out.emplace_back(message + at, message + at + length);
    at += length;
    if (!is_tls13) continue;
    if (at + 2 > size) return;
    at += 2u + (static_cast<std::size_t>(message[at]) << 8 | message[at + 1]);
  }
}

void see_message(int write, int, int content, const void* message, std::size_t size, SSL* ssl,
                 void* user) {
  const auto* octets_seen = static_cast<const std::uint8_t*>(message);
  if (write != 0 || content != SSL3_RT_HANDSHAKE || size < 4 ||
      octets_seen[0] != SSL3_MT_CERTIFICATE) {
    return;
  }
  auto& seen = *static_cast<witness*>(user);
  seen.report->presented.clear();
  read_certificates(octets_seen, size, SSL_version(ssl) == TLS1_3_VERSION, seen.report->presented);
}

/// The same chain against the public CAs, the name left out: it is not theirs to judge.
bool is_public(const witness& seen, X509_STORE_CTX* original) {
  if (seen.public_anchors == nullptr) return false;
  const std::unique_ptr<X509_STORE_CTX, decltype(&X509_STORE_CTX_free)> again(X509_STORE_CTX_new(),
                                                                              &X509_STORE_CTX_free);
  if (again == nullptr ||
      X509_STORE_CTX_init(again.get(), seen.public_anchors, X509_STORE_CTX_get0_cert(original),
                          X509_STORE_CTX_get0_untrusted(original)) != 1) {
    return false;
  }
  X509_STORE_CTX_set_default(again.get(), "ssl_server");
  return X509_verify_cert(again.get()) == 1;
}

/// Verifies, writes down, and refuses whatever comes of it.
int see_chain(X509_STORE_CTX* store, void* user) {
  auto& seen = *static_cast<witness*>(user);
  seen.report->publicly_trusted = is_public(seen, store);
  seen.report->trusted = X509_verify_cert(store) == 1;
  if (seen.report->trusted) {
    STACK_OF(X509)* chain = X509_STORE_CTX_get0_chain(store);
    for (int i = 0; i < sk_X509_num(chain); ++i) {
      seen.report->validated.push_back(der_of(sk_X509_value(chain, i)));
    }
  } else {
    seen.report->fault = X509_verify_cert_error_string(X509_STORE_CTX_get_error(store));
  }
  X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
  return 0;
}

bool set_whom(SSL* ssl, const target& whom) {
  const host_text host(whom.host);
  if (parse_ip(whom.host)) {
    return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host.c_str()) == 1;
  }
  // What SSL_set_tlsext_host_name is a macro for.
  host_text name(whom.host);
  return SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name.text) == 1 &&
         SSL_set1_host(ssl, host.c_str()) == 1;
}

/// Moves octets until the handshake has ended.
std::optional<problem> drive(asio::io_context& io, asio::ip::tcp::socket& socket, SSL* ssl,
                             BIO* network, std::chrono::steady_clock::time_point deadline) {
  std::array<char, 16'384> piece;
  const auto run = [&](bool& ended) {
    io.restart();
    io.run_until(deadline);
    if (ended) return true;
    std::error_code ignored;
    socket.close(ignored);
    io.restart();
    io.run();
    return false;
  };
  for (;;) {
    const int outcome = SSL_do_handshake(ssl);
    const int why = outcome == 1 ? SSL_ERROR_NONE : SSL_get_error(ssl, outcome);
    ERR_clear_error();
    std::error_code failed;
    while (const int size = BIO_read(network, piece.data(), static_cast<int>(piece.size()))) {
      if (size < 0) break;
      bool ended = false;
      asio::async_write(socket, asio::buffer(piece.data(), static_cast<std::size_t>(size)),
                        [&](std::error_code ec, std::size_t) { failed = ec, ended = true; });
      if (!run(ended)) return describe(errc::timeout, "TLS handshake");
      if (failed) return describe(errc::tls_truncated, failed.message());
    }
    if (why != SSL_ERROR_WANT_READ) return {};
    bool ended = false;
    std::size_t count = 0;
    socket.async_read_some(asio::buffer(piece), [&](std::error_code ec, std::size_t n) {
      failed = ec, count = n, ended = true;
    });
    if (!run(ended)) return describe(errc::timeout, "TLS handshake");
    if (failed) return describe(errc::tls_truncated, failed.message());
    BIO_write(network, piece.data(), static_cast<int>(count));
  }
}

}  // namespace

chain_report capture_chain(const capture_request& request, const std::string& public_ca_file) {
  chain_report report;
  asio::io_context io(1);
  asio::ip::tcp::socket socket(io);
  if ((report.wrong = connect_tcp(io, socket, request.to, request.deadline))) return report;
  report.tcp = true;

  const owned_store anchors = load_store(request.ca_file);
  const owned_store public_anchors = load_store(public_ca_file);
  if (anchors == nullptr) {
    report.wrong = describe(errc::unfit_trust_anchors, request.ca_file);
    return report;
  }
  witness seen{anchors.get(), public_anchors.get(), &report};
  const owned_context context(SSL_CTX_new(TLS_client_method()), &SSL_CTX_free);
  const int version =
      request.version == tls_version::tls1_3 ? TLS1_3_VERSION : TLS1_2_VERSION;
  if (context == nullptr || SSL_CTX_set_min_proto_version(context.get(), version) != 1 ||
      SSL_CTX_set_max_proto_version(context.get(), version) != 1) {
    report.wrong = describe(errc::unfit_backend);
    return report;
  }
  SSL_CTX_set1_cert_store(context.get(), anchors.get());
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_cert_verify_callback(context.get(), &see_chain, &seen);
  const owned_session ssl(SSL_new(context.get()), &SSL_free);
  BIO* inner = nullptr;
  BIO* network = nullptr;
  if (ssl == nullptr || BIO_new_bio_pair(&inner, 65'536, &network, 65'536) != 1) {
    report.wrong = describe(errc::out_of_memory);
    return report;
  }
  const std::unique_ptr<BIO, decltype(&BIO_free)> owned_network(network, &BIO_free);
  SSL_set_bio(ssl.get(), inner, inner);
  SSL_set_msg_callback(ssl.get(), &see_message);
  SSL_set_msg_callback_arg(ssl.get(), &seen);
  SSL_set_connect_state(ssl.get());
  if (!set_whom(ssl.get(), request.whom)) {
    report.wrong = describe(errc::invalid_host);
    return report;
  }
  auto stopped = drive(io, socket, ssl.get(), network, request.deadline);
  ERR_clear_error();
  if (!report.presented.empty()) return report;
  report.wrong = stopped ? std::move(*stopped) : describe(errc::tls_failure, "TLS handshake");
  return report;
}

}  // namespace cotter::command
