// SPDX-License-Identifier: BSL-1.0

// A TLS server on loopback that presents whatever leaf it is given and counts the application bytes
// that it can read: the man in the middle of the demonstration, and the bad servers of the tests.

#include <asio.hpp>
#include <asio/ssl.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace {

using asio::ip::tcp;
using tls_socket = asio::ssl::stream<tcp::socket>;

constexpr std::string_view usage =
    "usage: cotter_lab_interceptor --chain FILE --key FILE [--port N] [--tls12 | --tls13]\n"
    "                              [--relay HOST:PORT --relay-ca FILE] [--timeout SECONDS]\n"
    "\n"
    "Listens on 127.0.0.1 (port 0, the default, picks one) until SIGTERM or SIGINT, and writes "
    "JSON\n"
    "to stdout: a line with the port, then a line per connection as it ends. Connections are\n"
    "numbered as they come. \"handshake\" is \"ok\" only if the client's Finished was verified.\n"
    "Without --relay it reads and discards; with it, it is a TLS client of HOST:PORT, which must\n"
    "prove that name under --relay-ca, and passes on what either side says.\n";

struct relay_target {
  std::string host;
  std::string port;
  std::string ca_file;
};

struct settings {
  std::string chain_file;
  std::string key_file;
  std::uint16_t port = 0;
  int tls_version = 0;               ///< TLS1_2_VERSION, TLS1_3_VERSION, or 0 for either
  std::chrono::seconds timeout{30};  ///< the whole life of a connection
  std::optional<relay_target> relay;
};

struct usage_error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

template <class Number>
Number number_from(std::string_view text, Number lowest, Number highest) {
  Number value{};
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc{} || end != text.data() + text.size() || value < lowest ||
      value > highest) {
    throw usage_error("not a number in range: " + std::string(text));
  }
  return value;
}

settings settings_from(int count, char** arguments) {
  settings s;
  relay_target relay;
  for (int i = 1; i < count; ++i) {
    const std::string_view option = arguments[i];
    const auto value = [&]() -> std::string_view {
      if (++i == count) throw usage_error(std::string(option) + " needs a value");
      return arguments[i];
    };
    if (option == "--chain") {
      s.chain_file = value();
    } else if (option == "--key") {
      s.key_file = value();
    } else if (option == "--port") {
      s.port = number_from<std::uint16_t>(value(), 0, 65535);
    } else if (option == "--timeout") {
      s.timeout = std::chrono::seconds(number_from<int>(value(), 1, 3600));
    } else if (option == "--tls12") {
      s.tls_version = TLS1_2_VERSION;
    } else if (option == "--tls13") {
      s.tls_version = TLS1_3_VERSION;
    } else if (option == "--relay") {
      const std::string_view text = value();
      const auto colon = text.rfind(':');
      if (colon == std::string_view::npos) throw usage_error("--relay needs HOST:PORT");
      relay.host = text.substr(0, colon);
      relay.port = text.substr(colon + 1);
    } else if (option == "--relay-ca") {
      relay.ca_file = value();
    } else {
      throw usage_error("unknown option " + std::string(option));
    }
  }
  if (s.chain_file.empty() || s.key_file.empty()) throw usage_error("--chain and --key are needed");
  if (relay.host.empty() != relay.ca_file.empty()) {
    throw usage_error("--relay and --relay-ca go together");
  }
  if (!relay.host.empty()) s.relay = std::move(relay);
  return s;
}

asio::ssl::context server_context(const settings& s) {
  asio::ssl::context context(asio::ssl::context::tls_server);
  context.use_certificate_chain_file(s.chain_file);
  context.use_private_key_file(s.key_file, asio::ssl::context::pem);
  const int lowest = s.tls_version != 0 ? s.tls_version : TLS1_2_VERSION;
  if (SSL_CTX_set_min_proto_version(context.native_handle(), lowest) != 1 ||
      SSL_CTX_set_max_proto_version(context.native_handle(), s.tls_version) != 1) {
    throw std::runtime_error("the TLS version cannot be set");
  }
  return context;
}

asio::ssl::context relay_context(const settings& s) {
  asio::ssl::context context(asio::ssl::context::tls_client);
  if (s.relay) {
    context.load_verify_file(s.relay->ca_file);
    context.set_verify_mode(asio::ssl::verify_peer);
    context.set_verify_callback(asio::ssl::host_name_verification(s.relay->host));
  }
  return context;
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return out + '"';
}

void write_line(const std::string& line) {
  std::puts(line.c_str());
  std::fflush(stdout);
}

/// What all connections share. Outlives them.
struct server {
  explicit server(const settings& given)
      : wanted(given), facing_client(server_context(given)), facing_relay(relay_context(given)) {}

  static constexpr int max_open = 64;

  const settings& wanted;
  asio::ssl::context facing_client;
  asio::ssl::context facing_relay;
  int open = 0;
  asio::io_context io{1};  ///< last: as it ends, so do the connections
};

/// One client. Lives as long as an operation on it is pending, and reports as it ends.
class connection : public std::enable_shared_from_this<connection> {
 public:
  connection(server& owner, std::uint64_t number, tcp::socket socket)
      : owner_(owner),
        number_(number),
        client_(std::move(socket), owner.facing_client),
        upstream_(owner.io, owner.facing_relay),
        resolver_(owner.io),
        deadline_(owner.io) {
    ++owner_.open;
  }
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;
  ~connection() {
    --owner_.open;
    SSL* ssl = client_.native_handle();
    write_line(
        "{\"connection\":" + std::to_string(number_) + ",\"handshake\":" + quoted(handshake_) +
        ",\"tls\":" + quoted(SSL_is_init_finished(ssl) == 1 ? SSL_get_version(ssl) : "none") +
        ",\"resumed\":" + (SSL_session_reused(ssl) == 1 ? "true" : "false") +
        ",\"application_bytes\":" + std::to_string(application_bytes_) + "}");
  }

  void start() {
    if (owner_.open > server::max_open) {
      handshake_ = "failed: too many connections";
      return;
    }
    end_after(owner_.wanted.timeout);
    client_.async_handshake(asio::ssl::stream_base::server,
                            [self = shared_from_this()](std::error_code error) {
                              if (error) {
                                self->handshake_ = "failed: " + error.message();
                                return self->end();
                              }
                              self->handshake_ = "ok";
                              if (self->owner_.wanted.relay) {
                                self->resolve();
                              } else {
                                self->read_client();
                              }
                            });
  }

 private:
  using buffer = std::array<unsigned char, 16384>;

  void end() {
    std::error_code ignored;
    deadline_.cancel(ignored);
    resolver_.cancel();
    client_.lowest_layer().close(ignored);
    upstream_.lowest_layer().close(ignored);
  }

  void end_after(std::chrono::seconds time) {
    deadline_.expires_after(time);
    deadline_.async_wait([weak = weak_from_this()](std::error_code error) {
      const auto self = weak.lock();
      if (!error && self) self->end();
    });
  }

  /// One side has said all it will: the other may still answer, for a second.
  void half_close(tls_socket& other) {
    std::error_code ignored;
    other.lowest_layer().shutdown(tcp::socket::shutdown_send, ignored);
    end_after(std::chrono::seconds(1));
  }

  void resolve() {
    const relay_target& to = *owner_.wanted.relay;
    resolver_.async_resolve(to.host, to.port,
                            [self = shared_from_this()](std::error_code error,
                                                        const tcp::resolver::results_type& found) {
                              if (error) return self->end();
                              asio::async_connect(
                                  self->upstream_.lowest_layer(), found,
                                  [self](std::error_code failed, const tcp::endpoint&) {
                                    if (failed) return self->end();
                                    self->join();
                                  });
                            });
  }

  void join() {
    // RFC 6066 3: a literal address is no server name.
    std::string name = owner_.wanted.relay->host;
    std::error_code not_an_address;
    asio::ip::make_address(name, not_an_address);
    if (not_an_address) {
      SSL_ctrl(upstream_.native_handle(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
               name.data());
    }
    upstream_.async_handshake(asio::ssl::stream_base::client,
                              [self = shared_from_this()](std::error_code error) {
                                if (error) return self->end();
                                self->read_client();
                                self->read_upstream();
                              });
  }

  void read_client() {
    client_.async_read_some(asio::buffer(from_client_),
                            [self = shared_from_this()](std::error_code error, std::size_t size) {
                              self->application_bytes_ += size;
                              if (!self->owner_.wanted.relay)
                                return error ? self->end() : self->read_client();
                              if (error) return self->half_close(self->upstream_);
                              asio::async_write(self->upstream_,
                                                asio::buffer(self->from_client_, size),
                                                [self](std::error_code failed, std::size_t) {
                                                  failed ? self->end() : self->read_client();
                                                });
                            });
  }

  void read_upstream() {
    upstream_.async_read_some(asio::buffer(from_upstream_),
                              [self = shared_from_this()](std::error_code error, std::size_t size) {
                                if (error) return self->half_close(self->client_);
                                asio::async_write(self->client_,
                                                  asio::buffer(self->from_upstream_, size),
                                                  [self](std::error_code failed, std::size_t) {
                                                    failed ? self->end() : self->read_upstream();
                                                  });
                              });
  }

  server& owner_;
  std::uint64_t number_;
  tls_socket client_;
  tls_socket upstream_;
  tcp::resolver resolver_;
  asio::steady_timer deadline_;
  buffer from_client_{};
  buffer from_upstream_{};
  std::uint64_t application_bytes_ = 0;
  std::string handshake_ = "failed: not finished";
};

int serve(const settings& wanted) {
  server shared(wanted);
  tcp::acceptor acceptor(shared.io, {asio::ip::address_v4::loopback(), wanted.port});

  asio::signal_set signals(shared.io, SIGTERM, SIGINT);
  signals.async_wait([&](std::error_code, int) { shared.io.stop(); });

  std::uint64_t connections = 0;
  const std::function<void()> accept = [&] {
    acceptor.async_accept([&](std::error_code error, tcp::socket socket) {
      if (!error) {
        std::make_shared<connection>(shared, ++connections, std::move(socket))->start();
      }
      accept();
    });
  };
  accept();

  write_line("{\"listening\":\"127.0.0.1\",\"port\":" +
             std::to_string(acceptor.local_endpoint().port()) + "}");
  shared.io.run();
  return EXIT_SUCCESS;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc == 2 && std::string_view(argv[1]) == "--help") {
      std::fputs(usage.data(), stdout);
      return EXIT_SUCCESS;
    }
    return serve(settings_from(argc, argv));
  } catch (const usage_error& problem) {
    std::fprintf(stderr, "cotter_lab_interceptor: %s\n%s", problem.what(), usage.data());
    return 2;
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "cotter_lab_interceptor: %s\n", problem.what());
    return EXIT_FAILURE;
  }
}
