// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "capture.hpp"
#include "tcp.hpp"

#include <cotter/concepts/backend.hpp>
#include <cotter/concepts/engine.hpp>

#include <asio/buffer.hpp>
#include <asio/write.hpp>

#include <array>
#include <chrono>
#include <span>

namespace cotter::command {

/// Writes down what a backend hands over, and breaks the handshake off.
class looker final : public handshake_observer {
 public:
  explicit looker(capture_report& report) noexcept : report_(report) {}

  void on_start() noexcept override {}
  void on_leaf(bytes_view der) noexcept override { report_.leaf.assign(der.begin(), der.end()); }
  [[nodiscard]] bool on_chain(chain_outcome outcome) noexcept override {
    report_.trusted = outcome.trusted;
    native_ = outcome.native;
    return false;
  }
  [[nodiscard]] std::int32_t native() const noexcept { return native_; }

 private:
  capture_report& report_;
  std::int32_t native_ = 0;
};

/// The body of `backend_face::capture`, once for all TLS libraries.
template <typename Backend, typename Words>
[[nodiscard]] capture_report capture_by(const capture_request& request) {
  capture_report report;
  typename Backend::context context;
  if (const auto set = context.load_anchors_file(request.ca_file.c_str()); !set) {
    report.wrong = describe(set.error().what, request.ca_file);
    return report;
  }
  if (!context.limit_versions(request.version, request.version)) {
    report.wrong = describe(errc::unfit_backend, "the library does not speak this version");
    return report;
  }
  asio::io_context io(1);
  asio::ip::tcp::socket socket(io);
  if ((report.wrong = connect_tcp(io, socket, request.to, request.deadline))) return report;
  report.tcp = true;

  typename Backend::client client(context);
  typename Backend::attachment attachment;
  looker eyes(report);
  if (!client.valid()) {
    report.wrong = describe(errc::out_of_memory);
    return report;
  }
  if (const auto bound = Backend::attach(client.native(), request.whom, eyes, attachment); !bound) {
    report.wrong = describe(bound.error().what);
    return report;
  }
  std::array<std::uint8_t, 16'384> piece;
  std::error_code failed;
  const auto run = [&](bool& ended) {
    io.restart();
    io.run_until(request.deadline);
    if (!ended) {
      std::error_code ignored;
      socket.close(ignored);
      io.restart();
      io.run();
      failed = asio::error::timed_out;
    }
    return !failed;
  };
  step now{want::input, 0, {}};
  for (bool open = true; open;) {
    now = client.handshake();
    for (bytes_view out = client.pending(); open && !out.empty(); out = client.pending()) {
      bool ended = false;
      std::size_t sent = 0;
      asio::async_write(socket, asio::buffer(out.data(), out.size()),
                        [&](std::error_code ec, std::size_t n) { failed = ec, sent = n, ended = true; });
      open = run(ended);
      client.sent(sent);
    }
    if (!open || now.next == want::failed || now.next == want::nothing) break;
    if (now.next == want::output) continue;
    bool ended = false;
    std::size_t count = 0;
    socket.async_read_some(asio::buffer(piece), [&](std::error_code ec, std::size_t n) {
      failed = ec, count = n, ended = true;
    });
    open = run(ended);
    for (bytes_view in = std::span(piece).first(count); !in.empty();) {
      const std::size_t taken = client.feed(in);
      in = in.subspan(taken);
      if (taken == 0) break;
    }
  }
  Backend::detach(attachment);
  if (report.leaf.empty()) {
    const std::string words =
        now.next == want::failed ? Words::tls_fault(now.why.native) : failed.message();
    report.wrong = failed == asio::error::timed_out
                       ? describe(errc::timeout, "TLS handshake")
                       : describe(errc::tls_failure, words.empty() ? "TLS handshake" : words);
  } else if (!report.trusted) {
    report.fault = Words::chain_fault(eyes.native());
  }
  return report;
}

}  // namespace cotter::command
