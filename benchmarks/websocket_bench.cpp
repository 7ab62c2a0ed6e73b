// SPDX-License-Identifier: BSL-1.0
#include <cotter/net/boost/wss_client.hpp>

#include <cotter/backends/openssl.hpp>
#include <cotter/cotter.hpp>

#include <backends/support/client.hpp>
#include <backends/support/counting_malloc.hpp>

#include <benchmark/benchmark.h>

#include <boost/asio.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/ssl.hpp>
#include <boost/beast/websocket.hpp>

#include <time.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

// Echo round trips over WSS on the loopback: cotter's client and Boost.Beast's, each with one connection to
// one Beast server in a thread of its own, both on Boost.Asio, so that nothing else differs.

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = beast::websocket;
using tcp = asio::ip::tcp;
using boost::system::error_code;

/// Echoes what it gets, message by message, on any number of connections.
class echo_server {
  using stream_type = websocket::stream<beast::ssl_stream<tcp::socket>>;

  struct session : std::enable_shared_from_this<session> {
    session(tcp::socket socket, asio::ssl::context& tls) : stream(std::move(socket), tls) {
      error_code ignored;
      beast::get_lowest_layer(stream).set_option(tcp::no_delay(true), ignored);
      stream.read_message_max(std::size_t{1} << 20);
    }
    void start() {
      stream.next_layer().async_handshake(asio::ssl::stream_base::server,
                                          [self = shared_from_this()](error_code ec) {
                                            if (ec) return;
                                            self->stream.async_accept([self](error_code upgraded) {
                                              if (!upgraded) self->read();
                                            });
                                          });
    }
    void read() {
      stream.async_read(buffer, [self = shared_from_this()](error_code ec, std::size_t) {
        if (ec) return;
        self->stream.text(self->stream.got_text());
        self->stream.async_write(self->buffer.data(), [self](error_code sent, std::size_t) {
          self->buffer.clear();
          if (!sent) self->read();
        });
      });
    }

    stream_type stream;
    beast::flat_buffer buffer{};
  };

 public:
  echo_server() {
    tls_.use_certificate_chain_file(lab::file("good.pem"));
    tls_.use_private_key_file(lab::file("good.key"), asio::ssl::context::pem);
    accept();
    thread_ = std::thread([this] { io_.run(); });
  }
  ~echo_server() {
    io_.stop();
    thread_.join();
  }
  echo_server(const echo_server&) = delete;
  echo_server& operator=(const echo_server&) = delete;
  [[nodiscard]] tcp::endpoint endpoint() const { return acceptor_.local_endpoint(); }

 private:
  void accept() {
    acceptor_.async_accept([this](error_code ec, tcp::socket socket) {
      if (ec) return;
      std::make_shared<session>(std::move(socket), tls_)->start();
      accept();
    });
  }

  asio::io_context io_{1};
  asio::ssl::context tls_{asio::ssl::context::tls_server};
  tcp::acceptor acceptor_{io_, tcp::endpoint(asio::ip::address_v4::loopback(), 0)};
  std::thread thread_{};
};

/// What the arms have in common: a batch of round trips, one after the other.
class client {
 public:
  virtual ~client() = default;
  client() = default;
  client(const client&) = delete;
  client& operator=(const client&) = delete;

  bool batch(const std::string& text, std::size_t round_trips) {
    text_ = &text;
    left_ = round_trips;
    good_ = true;
    io_.restart();
    asio::post(io_, [this] { send(text_); });
    io_.run();
    return good_ && left_ == 0;
  }

 protected:
  virtual void send(const std::string* text) = 0;
  void echoed(error_code ec, std::string_view what) {
    good_ = !ec && what.size() == text_->size() && what.front() == text_->front() &&
            what.back() == text_->back();
    if (good_ && --left_ != 0) send(text_);
  }
  void failed() { good_ = false; }

  asio::io_context io_{1};

 private:
  const std::string* text_ = nullptr;
  std::size_t left_ = 0;
  bool good_ = false;
};

class cotter_client final : public client {
  using backend = cotter::backends::openssl;
  using stream_type = cotter::boost_net::tls_stream<tcp::socket, backend>;

 public:
  explicit cotter_client(const tcp::endpoint& to) {
    const auto pin = *cotter::parse_pin(peer::certificate_pin(lab::file("good.pem")));
    if (!pins_.add({"localhost", to.port()}, {&pin, 1}) ||
        !context_.load_anchors_file(lab::file("ca.pem").c_str())) {
      throw std::runtime_error("no PKI: COTTER_LAB_PKI names it");
    }
    cotter::boost_net::wss_options options;
    options.endpoints = {to};
    error_code outcome = asio::error::would_block;
    socket_.async_connect(guard_, "wss://localhost:" + std::to_string(to.port()) + "/",
                          std::move(options), [&](error_code ec) { outcome = ec; });
    io_.run();
    if (outcome || !socket_.next_layer().confirmed()) throw std::runtime_error(outcome.message());
  }

 private:
  void send(const std::string* text) override {
    socket_.async_write(*text, cotter::websocket_kind::binary, [this](error_code ec) {
      if (ec) return failed();
      socket_.async_read(message_, [this](error_code read) { echoed(read, message_.payload); });
    });
  }

  backend::context context_{};
  cotter::owned_pin_set pins_{};
  cotter::memory_breaker<> breaker_{};
  cotter::null_audit_sink sink_{};
  cotter::guard<cotter::owned_pin_set&, cotter::memory_breaker<>&, cotter::embedded_manifest,
                cotter::null_audit_sink&>
      guard_{pins_, breaker_, cotter::embedded_manifest{}, sink_};
  cotter::boost_net::wss_client<stream_type> socket_{io_.get_executor(), context_};
  cotter::websocket_message message_{};
};

class beast_client final : public client {
 public:
  explicit beast_client(const tcp::endpoint& to) {
    tls_.load_verify_file(lab::file("ca.pem"));
    tls_.set_verify_mode(asio::ssl::verify_peer);
    socket_.next_layer().set_verify_callback(asio::ssl::host_name_verification("localhost"));
    char name[] = "localhost";
    SSL_ctrl(socket_.next_layer().native_handle(), SSL_CTRL_SET_TLSEXT_HOSTNAME,
             TLSEXT_NAMETYPE_host_name, name);
    beast::get_lowest_layer(socket_).connect(to);
    beast::get_lowest_layer(socket_).set_option(tcp::no_delay(true));
    socket_.next_layer().handshake(asio::ssl::stream_base::client);
    socket_.handshake("localhost:" + std::to_string(to.port()), "/");
    socket_.binary(true);
  }

 private:
  void send(const std::string* text) override {
    socket_.async_write(asio::buffer(*text), [this](error_code ec, std::size_t) {
      if (ec) return failed();
      buffer_.clear();
      socket_.async_read(buffer_, [this](error_code read, std::size_t) {
        const auto got = buffer_.data();
        echoed(read, {static_cast<const char*>(got.data()), got.size()});
      });
    });
  }

  asio::ssl::context tls_{asio::ssl::context::tls_client};
  websocket::stream<beast::ssl_stream<tcp::socket>> socket_{io_, tls_};
  beast::flat_buffer buffer_{};
};

double processor_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

struct arm {
  std::string name;
  std::unique_ptr<client> end;
  std::vector<double> real{};
  std::vector<double> processor{};
  std::size_t allocations = 0;

  bool batch(const std::string& text, std::size_t round_trips) {
    const auto trips = static_cast<double>(round_trips);
    const std::size_t before = heap::allocations();
    const auto began = std::chrono::steady_clock::now();
    const double began_cpu = processor_ns();
    const bool good = end->batch(text, round_trips);
    processor.push_back((processor_ns() - began_cpu) / trips);
    const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - began;
    real.push_back(took.count() / trips);
    allocations += heap::allocations() - before;
    return good;
  }
};

double median(std::vector<double>& all) {
  const auto middle = all.begin() + static_cast<std::ptrdiff_t>(all.size() / 2);
  std::nth_element(all.begin(), middle, all.end());
  return *middle;
}

/// Both by turns, in another order each time; a counter for each is one round trip.
void round_trips(benchmark::State& state, std::size_t size_bytes) {
  constexpr std::size_t trips = 16;
  try {
    echo_server server;
    const std::string text(size_bytes, 'x');
    std::vector<arm> arms;
    arms.push_back({"cotter", std::make_unique<cotter_client>(server.endpoint())});
    arms.push_back({"beast", std::make_unique<beast_client>(server.endpoint())});
    arms.push_back({"beast again", std::make_unique<beast_client>(server.endpoint())});
    std::minstd_rand order(7);
    bool good = true;
    const auto turn = [&] {
      std::shuffle(arms.begin(), arms.end(), order);
      double sum = 0;
      for (arm& one : arms) {
        good = one.batch(text, trips) && good;
        sum += one.real.back();
      }
      return sum * 1e-9 * trips;
    };
    for (int i = 0; i < 4; ++i) turn();
    for (arm& one : arms) {
      one.real.clear();
      one.processor.clear();
      one.allocations = 0;
    }
    for (auto _ : state) state.SetIterationTime(turn());
    for (arm& one : arms) {
      const auto all = static_cast<double>(one.real.size() * trips);
      state.counters[one.name] = median(one.real);
      state.counters[one.name + ", processor"] = median(one.processor);
      state.counters[one.name + ", allocations"] = static_cast<double>(one.allocations) / all;
    }
    if (!good) state.SkipWithError("an echo was not what was sent");
  } catch (const std::exception& why) {
    state.SkipWithError(why.what());
  }
}

// A SIP OPTIONS is some 400 octets; 16 KB is a record.
BENCHMARK_CAPTURE(round_trips, 32, std::size_t{32})->Name("echo/32")->UseManualTime()->MinTime(0.1);
BENCHMARK_CAPTURE(round_trips, 400, std::size_t{400})
    ->Name("echo/400")
    ->UseManualTime()
    ->MinTime(0.1);
BENCHMARK_CAPTURE(round_trips, 16384, std::size_t{16384})
    ->Name("echo/16384")
    ->UseManualTime()
    ->MinTime(0.1);

}  // namespace
