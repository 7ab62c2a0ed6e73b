// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/cotter.hpp>
#include <cotter/net/tls_stream.hpp>

#include <backends/support/client.hpp>
#include <backends/support/counting_malloc.hpp>

#include <benchmark/benchmark.h>

#include <asio/buffer.hpp>
#include <asio/io_context.hpp>
#include <asio/local/stream_protocol.hpp>
#include <asio/post.hpp>

#include <time.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

/// What the arms of stream_bench.cpp share; one translation unit for each TLS library. Only the client is
/// timed: what the other end must send was sent before, what it must receive it receives afterwards.
namespace stream_bench {

using socket_type = asio::local::stream_protocol::socket;

/// A server of OpenSSL's at the other end of a socket pair.
class far_end {
 public:
  explicit far_end(bool tls1_3);
  ~far_end();
  far_end(const far_end&) = delete;
  far_end& operator=(const far_end&) = delete;

  /// The client's end; whoever takes it closes it.
  [[nodiscard]] int release_near() noexcept { return std::exchange(near_, -1); }
  /// The handshake, while `client` runs in this thread.
  template <typename Client>
  void shake_hands(Client client) {
    std::thread other([this] { accept(); });
    try {
      client();
    } catch (...) {
      hang_up();
      other.join();
      throw;
    }
    other.join();
    if (!good()) throw std::runtime_error("the server's handshake failed");
  }
  void send(std::size_t piece_bytes, std::size_t pieces);
  /// True if so many octets have come.
  bool receive(std::size_t total_bytes);
  [[nodiscard]] bool good() const noexcept { return good_; }
  [[nodiscard]] std::string suite() const;

 private:
  void accept();
  void hang_up() noexcept;

  void* ssl_ = nullptr;
  int near_ = -1;
  int far_ = -1;
  bool good_ = false;
};

struct shape {
  std::size_t piece_bytes;
  std::size_t pieces;  ///< in a batch; all of them fit into the socket's buffer
};
/// A keystroke, an RTP packet of 20 ms of G.711, a whole record.
inline constexpr shape shapes[] = {{1, 64}, {160, 64}, {16384, 8}};

/// Of this thread, its system calls among it, but not of what others do to this machine meanwhile.
inline double processor_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

enum class direction : std::uint8_t { write, read };

/// One way of moving pieces, connected: `write` and `read` move a batch, false if anything went wrong.
class arm {
 public:
  virtual ~arm() = default;
  arm(const arm&) = delete;
  arm& operator=(const arm&) = delete;
  virtual bool write(const std::vector<std::uint8_t>& octets, std::size_t pieces) = 0;
  virtual bool read(std::vector<std::uint8_t>& octets, std::size_t pieces) = 0;

  /// Moves a batch and takes its time.
  bool batch(direction way, shape of) {
    octets_.assign(of.piece_bytes, 0x5a);
    if (way == direction::read) server.send(of.piece_bytes, of.pieces);
    const std::size_t before = heap::allocations();
    const double begin = processor_ns();
    const bool moved =
        way == direction::write ? write(octets_, of.pieces) : read(octets_, of.pieces);
    const double took = processor_ns() - begin;
    allocations_ += heap::allocations() - before;
    ns_.push_back(took / static_cast<double>(of.pieces));
    const bool there =
        moved && (way == direction::read || server.receive(of.piece_bytes * of.pieces));
    return there && server.good();
  }
  void begin() {
    ns_.clear();
    allocations_ = 0;
  }
  /// Of one piece: the median of the batches, and the allocations.
  void report(benchmark::State& state, shape of) {
    const auto middle = ns_.begin() + static_cast<std::ptrdiff_t>(ns_.size() / 2);
    std::nth_element(ns_.begin(), middle, ns_.end());
    state.counters[name_] = *middle;
    state.counters[name_ + ", allocations"] =
        static_cast<double>(allocations_) / static_cast<double>(ns_.size() * of.pieces);
  }
  /// The last batch, whole.
  [[nodiscard]] double seconds(shape of) const {
    return ns_.back() * 1e-9 * static_cast<double>(of.pieces);
  }

  /// Where the next arm's buffers lie is chance, and copies between some places take twice as long: it is
  /// another chance in each repetition.
  std::vector<char> padding = std::vector<char>(std::random_device()() % 16384);
  far_end server;

 protected:
  arm(std::string name, bool tls1_3) : server(tls1_3), name_(std::move(name)) {}

 private:
  std::string name_;
  std::vector<std::uint8_t> octets_{};
  std::vector<double> ns_{};
  std::size_t allocations_ = 0;
};

/// `Client` connects to a `far_end` in its constructor.
template <typename Client>
class arm_of final : public arm {
 public:
  arm_of(std::string name, bool tls1_3) : arm(std::move(name), tls1_3), client_(server) {}
  bool write(const std::vector<std::uint8_t>& octets, std::size_t pieces) override {
    return client_.write(octets, pieces);
  }
  bool read(std::vector<std::uint8_t>& octets, std::size_t pieces) override {
    return client_.read(octets, pieces);
  }

 private:
  Client client_;
};

using arms = std::vector<std::unique_ptr<arm>>;
template <typename Client>
std::unique_ptr<arm> make(const char* name, bool tls1_3) {
  return std::make_unique<arm_of<Client>>(name, tls1_3);
}

/// Arms by turns, in another order each time: whatever slows this machine for a moment slows them all.
inline void compare(benchmark::State& state, arms (*connect)(), direction way, shape of) {
  try {
    arms all = connect();
    std::minstd_rand order(7);
    bool good = true;
    const auto turn = [&] {
      std::shuffle(all.begin(), all.end(), order);
      double sum = 0;
      for (const auto& one : all) {
        good = one->batch(way, of) && good;
        sum += one->seconds(of);
      }
      return sum;
    };
    for (int i = 0; i < 8; ++i) turn();
    for (const auto& one : all) one->begin();
    for (auto _ : state) state.SetIterationTime(turn());
    for (const auto& one : all) one->report(state, of);
    for (const auto& one : all) {
      if (one->server.suite() != all.front()->server.suite()) {
        state.SkipWithError("the arms did not agree on one suite");
      }
    }
    state.SetLabel(all.front()->server.suite());
    if (!good) state.SkipWithError("octets were lost");
  } catch (const std::exception& why) {
    state.SkipWithError(why.what());
  }
}

/// A batch over any SyncStream of Asio's.
template <typename Stream>
bool write_pieces(Stream& stream, const std::vector<std::uint8_t>& octets, std::size_t pieces) {
  std::error_code ec;
  for (std::size_t i = 0; i < pieces; ++i) {
    if (stream.write_some(asio::buffer(octets), ec) != octets.size()) return false;
  }
  return !ec;
}
template <typename Stream>
bool read_pieces(Stream& stream, std::vector<std::uint8_t>& octets, std::size_t pieces) {
  std::error_code ec;
  for (std::size_t left = pieces * octets.size(); left != 0 && !ec;) {
    left -= stream.read_some(asio::buffer(octets), ec);
  }
  return !ec;
}

/// A batch over any AsyncStream, each operation begun by the one before.
template <typename Stream>
class chained {
 public:
  chained(asio::io_context& io, Stream& stream) noexcept : io_(io), stream_(stream) {}

  bool write(const std::vector<std::uint8_t>& octets, std::size_t pieces) {
    from_ = &octets;
    left_ = pieces * octets.size();
    return run([this] { write_one(); });
  }
  bool read(std::vector<std::uint8_t>& octets, std::size_t pieces) {
    into_ = &octets;
    left_ = pieces * octets.size();
    return run([this] { read_one(); });
  }

 private:
  template <typename Begin>
  bool run(Begin begin) {
    good_ = true;
    io_.restart();
    // From inside, where Asio keeps memory for the next operation.
    asio::post(io_, begin);
    io_.run();
    return good_ && left_ == 0;
  }
  void write_one() {
    stream_.async_write_some(asio::buffer(*from_), [this](std::error_code ec, std::size_t size) {
      good_ = !ec && size == from_->size();
      left_ -= size;
      if (good_ && left_ != 0) write_one();
    });
  }
  void read_one() {
    stream_.async_read_some(asio::buffer(*into_), [this](std::error_code ec, std::size_t size) {
      good_ = !ec;
      left_ -= size;
      if (good_ && left_ != 0) read_one();
    });
  }

  asio::io_context& io_;
  Stream& stream_;
  const std::vector<std::uint8_t>* from_ = nullptr;
  std::vector<std::uint8_t>* into_ = nullptr;
  std::size_t left_ = 0;
  bool good_ = true;
};

/// A pinned stream of cotter's over the near end, confirmed.
template <typename Backend>
class pinned_stream {
  using stream_type = cotter::net::tls_stream<socket_type, Backend>;

 public:
  explicit pinned_stream(far_end& server) {
    const auto pin = *cotter::parse_pin(peer::certificate_pin(lab::file("good.pem")));
    if (!pins_.add({"localhost", 443}, {&pin, 1}) ||
        !context_.load_anchors_file(lab::file("ca.pem").c_str())) {
      throw std::runtime_error("no PKI: COTTER_LAB_PKI names it");
    }
    server.shake_hands([&] {
      auto admission = guard_.admit({"localhost", 443});
      if (!admission) throw std::runtime_error("not admitted");
      stream_ = std::make_unique<stream_type>(
          socket_type(io_, asio::local::stream_protocol(), server.release_near()), context_);
      stream_->handshake(guard_, std::move(*admission));
    });
    if (!stream_->confirmed()) throw std::runtime_error("not confirmed");
  }

  [[nodiscard]] asio::io_context& io() noexcept { return io_; }
  [[nodiscard]] stream_type& stream() noexcept { return *stream_; }

 private:
  asio::io_context io_{1};
  typename Backend::context context_{};
  cotter::owned_pin_set pins_{};
  cotter::memory_breaker<> breaker_{};
  cotter::null_audit_sink sink_{};
  cotter::guard<cotter::owned_pin_set&, cotter::memory_breaker<>&, cotter::embedded_manifest,
                cotter::null_audit_sink&>
      guard_{pins_, breaker_, cotter::embedded_manifest{}, sink_};
  std::unique_ptr<stream_type> stream_{};
};

/// `Connected` has `io()` and `stream()`.
template <typename Connected>
class blocking_client {
 public:
  explicit blocking_client(far_end& server) : connected_(server) {}
  bool write(const std::vector<std::uint8_t>& octets, std::size_t pieces) {
    return write_pieces(connected_.stream(), octets, pieces);
  }
  bool read(std::vector<std::uint8_t>& octets, std::size_t pieces) {
    return read_pieces(connected_.stream(), octets, pieces);
  }

 private:
  Connected connected_;
};
template <typename Connected>
class asynchronous_client {
 public:
  explicit asynchronous_client(far_end& server)
      : connected_(server), operations_(connected_.io(), connected_.stream()) {}
  bool write(const std::vector<std::uint8_t>& octets, std::size_t pieces) {
    return operations_.write(octets, pieces);
  }
  bool read(std::vector<std::uint8_t>& octets, std::size_t pieces) {
    return operations_.read(octets, pieces);
  }

 private:
  Connected connected_;
  chained<std::remove_reference_t<decltype(std::declval<Connected&>().stream())>> operations_;
};

/// Registers LIBRARY write/BYTES and LIBRARY read/BYTES, with a counter for each arm.
inline void add(const std::string& library, arms (*connect)()) {
  for (const direction way : {direction::write, direction::read}) {
    for (const shape of : shapes) {
      const std::string name = library + (way == direction::write ? " write/" : " read/") +
                               std::to_string(of.piece_bytes);
      benchmark::RegisterBenchmark(name.c_str(), compare, connect, way, of)
          ->UseManualTime()
          ->MinTime(0.04);
    }
  }
}

void add_openssl();
void add_wolfssl();
void add_mbedtls();

}  // namespace stream_bench
