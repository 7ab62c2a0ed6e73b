// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "lab.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <string>

/// Servers as they are installed, on loopback, and a guarded client over a socket.
namespace lab {

/// One that tests/lab starts: "nginx" or "haproxy". `directives` are its own.
class real_server {
 public:
  real_server(const std::string& kind, const std::string& directives,
              const std::string& leaf = "good")
      : script_(std::string(COTTER_LAB_SCRIPTS "/") + kind + "-start.sh") {
    std::string made = (std::filesystem::temp_directory_path() / "cotter-XXXXXX").string();
    REQUIRE(::mkdtemp(made.data()) != nullptr);
    directory_ = made;
    start(directives, leaf);
  }
  real_server(const real_server&) = delete;
  real_server& operator=(const real_server&) = delete;
  ~real_server() {
    stop();
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }

  void start(const std::string& directives, const std::string& leaf) {
    const std::string said = run("start " + directory_ + " " + file(leaf + ".pem") + " " +
                                 file(leaf + ".key") + " '" + directives + "'");
    const std::size_t at = said.find("port=");
    INFO(said);
    REQUIRE(at != std::string::npos);
    port_ = static_cast<std::uint16_t>(std::stoi(said.substr(at + 5)));
  }
  void stop() { (void)run("stop " + directory_); }
  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] const std::string& directory() const { return directory_; }

 private:
  std::string run(const std::string& arguments) {
    std::FILE* out = ::popen(("bash " + script_ + " " + arguments + " 2>&1").c_str(), "r");
    REQUIRE(out != nullptr);
    std::string said;
    std::array<char, 256> some{};
    while (std::fgets(some.data(), some.size(), out) != nullptr) said += some.data();
    ::pclose(out);
    return said;
  }
  std::string script_;
  std::string directory_;
  std::uint16_t port_ = 0;
};

/// A client's engine on a socket.
template <typename Client>
class on_socket {
 public:
  on_socket(Client& client, std::uint16_t port) : client_(client) {
    socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const timeval patience{10, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    const int on = 1;
    ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0;
  }
  on_socket(const on_socket&) = delete;
  on_socket& operator=(const on_socket&) = delete;
  ~on_socket() { ::close(socket_); }

  template <typename Step>
  cotter::step drive(Step step) {
    for (;;) {
      const cotter::step now = step();
      flush();
      if (now.next != cotter::want::input && now.next != cotter::want::output) return now;
      if (now.next == cotter::want::input && !fill()) return now;
    }
  }
  void flush() {
    for (auto some = client_.pending(); !some.empty(); some = client_.pending()) {
      const ssize_t gone = ::send(socket_, some.data(), some.size(), MSG_NOSIGNAL);
      if (gone <= 0) return client_.sent(some.size());
      sent_bytes += static_cast<std::size_t>(gone);
      client_.sent(static_cast<std::size_t>(gone));
    }
  }
  [[nodiscard]] bool connected() const { return connected_; }

  std::size_t sent_bytes = 0;
  std::size_t received_bytes = 0;

 private:
  bool fill() {
    std::array<std::uint8_t, 8192> some;
    const ssize_t size = ::recv(socket_, some.data(), some.size(), 0);
    if (size <= 0) return false;
    received_bytes += static_cast<std::size_t>(size);
    for (std::size_t at = 0; at < static_cast<std::size_t>(size);) {
      const std::size_t taken =
          client_.feed(cotter::bytes_view(some).subspan(at, static_cast<std::size_t>(size) - at));
      if (taken == 0) return false;
      at += taken;
    }
    return true;
  }
  Client& client_;
  int socket_ = -1;
  bool connected_ = false;
};

/// GET / and what came; empty if nothing did.
template <typename Client>
std::string get(Client& client, on_socket<Client>& wire) {
  static constexpr std::string_view request =
      "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
  const cotter::bytes_view asked(reinterpret_cast<const std::uint8_t*>(request.data()),
                                 request.size());
  (void)wire.drive([&] { return client.write(asked); });
  std::string all;
  std::array<std::uint8_t, 4096> plain{};
  for (;;) {
    const cotter::step got = wire.drive([&] { return client.read(plain); });
    if (got.next != cotter::want::nothing) return all;
    all.append(plain.begin(), plain.begin() + static_cast<std::ptrdiff_t>(got.size_bytes));
    if (all.find("resumed=") != std::string::npos && all.back() == '\n') return all;
  }
}

/// What one connection over a socket came to; `said` is the server's word: 'r' resumed, '.' not.
struct answer {
  cotter::verdict verdict{};
  char said = 0;
  bool audited_resumed = false;
};

template <typename Phone, typename Backend>
answer dial(Phone& phone, typename Backend::context& context, std::uint16_t port,
            const cotter::target& whom) {
  answer seen;
  auto admission = phone.guard->admit(whom);
  if (!admission) {
    seen.verdict = admission.verdict();
    return seen;
  }
  typename Backend::client client(context);
  on_socket wire(client, port);
  REQUIRE(wire.connected());
  auto connection = phone.guard->attach(client.native(), *admission, context.anchors());
  (void)wire.drive([&] { return client.handshake(); });
  seen.verdict = connection.confirm().with_label({});
  if (seen.verdict) {
    const std::string text = get(client, wire);
    const std::size_t at = text.find("resumed=");
    if (at != std::string::npos) seen.said = text[at + 8];
    connection.keep_sessions();
    (void)client.shutdown();
    wire.flush();
  }
  if (!phone.sink.decisions().empty()) seen.audited_resumed = phone.sink.decisions().back().resumed;
  return seen;
}

}  // namespace lab
