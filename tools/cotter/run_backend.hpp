// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "audit/run_collector.hpp"
#include "backend_face.hpp"
#include "documents.hpp"
#include "kept_breaker.hpp"
#include "resolve.hpp"
#include "run_capture.hpp"
#include "tcp.hpp"

#include <cotter/cotter.hpp>
#include <cotter/json/signed_manifest.hpp>
#include <cotter/net/tls_stream.hpp>
#include <cotter/net/wss_client.hpp>
#include <cotter/pipeline/self_test.hpp>

#include <asio/buffer.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/write.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>

namespace cotter::command {

/// The bodies behind `backend_face`, once for all TLS libraries. `Words` puts a library's own codes
/// into English: `chain_fault(native)` and `tls_fault(native)`, each empty if it has none.
template <typename Backend, typename Words>
class run_backend final : public backend_face {
 public:
  [[nodiscard]] std::string_view name() const noexcept override { return Backend::name; }
  [[nodiscard]] std::string_view build() const noexcept override { return Backend::build(); }

  void connect(const connect_request& request, attempt_observer& observer) const override {
    typename Backend::context context;
    if (auto fault = configure(context, request)) {
      attempt_report report;
      report.wrong = std::move(fault);
      observer.on_attempt(report);
      return;
    }
    if (request.manifest) {
      by_manifest(context, request, observer);
      return;
    }
    owned_pin_set pins;
    const result<void> added = pins.add(request.destination.endpoint(), request.pins);
    if (!added) {
      attempt_report report;
      report.wrong = describe(added.error().what);
      observer.on_attempt(report);
      return;
    }
    command_sink nowhere;
    command_sink& trail = request.trail == nullptr ? nowhere : *request.trail;
    with_breaker(request, request.breaker, lock_recovery::administrator, [&](auto& breaking) {
      with_history(request, observer, [&](auto& history) {
        guard watching(pins, breaking, embedded_manifest{}, trail, history, no_lock{});
        attempts(watching, breaking, request.breaker, context, request, observer);
      });
    });
  }

  [[nodiscard]] capture_report capture(const capture_request& request) const override {
    return capture_by<Backend, Words>(request);
  }

  [[nodiscard]] std::unique_ptr<event_sender> collector(
      const collector_request& request, std::optional<problem>& fault) const override {
    return collector_by<Backend>(request, fault);
  }

  [[nodiscard]] self_test_outcome self_test() const override {
    const self_test_report report = cotter::self_test<Backend>();
    self_test_outcome outcome{report.passed, report.server_side_available, report.advice, {}};
    if (report.server_side_available) {
      for (const self_test_case& one : report.cases) {
        outcome.lines.push_back({one.name, one.expected, one.seen, one.passed});
      }
    }
    return outcome;
  }

 private:
  using context_type = typename Backend::context;
  using tcp = asio::ip::tcp;
  using stream_type = net::tls_stream<tcp::socket, Backend>;
  using time_point = std::chrono::steady_clock::time_point;
  using wrong = std::optional<problem>;

  static constexpr std::size_t max_answer_bytes = 65'536;

  static void by_manifest(context_type& context, const connect_request& request,
                          attempt_observer& observer) {
    json::signed_manifest<Backend> manifest(request.manifest->trust, request.manifest->remembered);
    const auto taken = manifest.reload(request.manifest->envelope, current_time());
    breaker_config config = request.breaker;
    lock_recovery recovery = lock_recovery::administrator;
    if (taken) {
      config = manifest.document()->breaker;
      recovery = manifest.document()->recovery;
      observer.on_manifest(manifest.memory());
    }
    command_sink nowhere;
    command_sink& trail = request.trail == nullptr ? nowhere : *request.trail;
    with_breaker(request, config, recovery, [&](auto& breaking) {
      with_history(request, observer, [&](auto& history) {
        guard watching(manifest, breaking, trail, history, no_lock{}, allow_observation{});
        if (taken) {
          attempts(watching, breaking, config, context, request, observer);
          return;
        }
        // The guard says why, as in a phone; the document's own words say where.
        watching.manifest_rejected({taken.error().what, taken.error().offset_bytes, 0});
        attempt_report report;
        const auto admission = watching.admit(request.destination.endpoint());
        decide(admission.verdict(), report);
        guess(admission.diagnosis(), report);
        report.wrong = describe(taken.error());
        observer.on_attempt(report);
      });
    });
  }

  /// Calls `body` with what is known of the destination; says so if that has changed.
  template <typename Body>
  static void with_history(const connect_request& request, attempt_observer& observer, Body body) {
    const target whom = request.destination.endpoint();
    memory_history<1, 255> history;
    if (request.known) history.remember(whom, request.known);
    body(history);
    const leaf_traits seen = history.recall(whom);
    if (seen && seen != request.known) observer.on_leaf(seen);
  }

  /// Calls `body` with the breaker that was asked for: on the disk, or for this run.
  template <typename Body>
  static void with_breaker(const connect_request& request, const breaker_config& config,
                           lock_recovery recovery, Body body) {
    if (!request.stored_breaker) {
      memory_breaker<1> breaking(config, recovery);
      body(breaking);
      return;
    }
    posix::sealed_file_options where;
    any_vault vault;
    static_cast<void>(read_state_options(*request.stored_breaker, where, vault));
    const auto state =
        std::make_unique<kept_breaker<Backend>>(where, std::move(vault), config, recovery);
    body(state->breaker);
  }

  template <typename Guard, typename Breaker>
  static void attempts(Guard& watching, Breaker& breaking, const breaker_config& config,
                       context_type& context, const connect_request& request,
                       attempt_observer& observer) {
    const target whom = request.destination.endpoint();
    for (unsigned number = 1; number <= request.attempts; ++number) {
      attempt_report report;
      report.number = number;
      attempt(watching, context, request, report);
      report.breaker = breaking.state({whom, request.network});
      if constexpr (requires { breaking.why(); }) {
        if (report.why == reason::state_unavailable && breaking.why().what != errc::ok) {
          report.wrong = of(breaking.why(), request.stored_breaker->file);
        }
      }
      observer.on_attempt(report);
      if (report.why == reason::breaker_cooling && number < request.attempts) {
        observer.on_wait(config.cooldown);
        std::this_thread::sleep_for(config.cooldown);
      }
    }
  }

  static bool speaks_http(const connect_request& request) noexcept {
    return request.destination.scheme == url_scheme::wss ||
           request.destination.scheme == url_scheme::https;
  }

  static wrong configure(context_type& context, const connect_request& request) {
    if (!context.valid()) return describe(errc::out_of_memory);
    if (const auto set = context.load_anchors_file(request.ca_file.c_str()); !set) {
      return of(set.error(), request.ca_file);
    }
    if (!request.certificate_file.empty()) {
      const auto set =
          context.use_credentials(request.certificate_file.c_str(), request.key_file.c_str());
      if (!set) return of(set.error(), {});
    }
    if (speaks_http(request)) {
      if (const auto set = context.offer_alpn("http/1.1"); !set) return of(set.error(), "ALPN");
    }
    return {};
  }

  static problem of(const error& e, std::string_view detail) {
    problem p = describe(e.what, detail);
    p.native = e.native;
    return p;
  }

  /// Runs until everything that was started has ended; the stream's deadline sees to that.
  template <typename Start>
  static std::error_code finish(asio::io_context& io, Start&& start) {
    std::error_code outcome;
    start([&outcome](std::error_code ec, auto&&...) { outcome = ec; });
    io.restart();
    io.run();
    return outcome;
  }

  template <typename Guard>
  static void attempt(Guard& watching, context_type& context, const connect_request& request,
                      attempt_report& report) {
    const time_point deadline = std::chrono::steady_clock::now() + request.timeout;
    auto admission = watching.admit(request.destination.endpoint(), {}, request.network);
    if (!admission) {
      decide(admission.verdict(), report);
      guess(admission.diagnosis(), report);
      return;
    }
    asio::io_context io(1);
    tcp::socket socket(io);
    if ((report.wrong = connect_to(io, socket, request, deadline))) return;
    report.tcp = true;
    const tcp_address peer = address_of(socket);
    report.peer = text_of(peer);
    (*admission).reached(peer.ip);

    stream_type stream(std::move(socket), context);
    stream.expires_at(deadline);
    const std::error_code failed = finish(io, [&](auto&& done) {
      stream.async_handshake(watching, std::move(*admission), std::forward<decltype(done)>(done));
    });
    decide(stream.verdict(), report);
    guess(stream.diagnosis(), report);
    if (report.decided && !report.accepted) return;
    if (failed) {
      report.accepted = report.decided = false;
      report.wrong = tls_problem(failed, stream.last_error(), "TLS handshake");
      return;
    }
    report.tls = Backend::tls_version(stream.native_handle());
    if (request.send || request.make_request) {
      if (request.destination.scheme == url_scheme::wss) {
        report.wrong = talk_websocket(io, std::move(stream), request, report);
        return;
      }
      report.wrong = talk(io, stream, request, report);
    }
    close(io, stream, deadline);
  }

  static void guess(const diagnosis& found, attempt_report& report) {
    if (!found) return;
    diagnosis_report& out = report.diagnosis.emplace();
    out.what = found.what;
    out.seen = found.seen;
    out.owner_host = found.owner.endpoint.host;
    out.owner_port = found.owner.endpoint.port;
    out.owner_region = found.owner.region;
  }

  static void decide(const verdict& v, attempt_report& report) {
    report.accepted = static_cast<bool>(v);
    report.why = v.reason();
    report.matched = v.matched();
    report.would_refuse = v.would_refuse();
    report.pin_label = v.pin_label();
    report.decided = v.reason() != reason::unbound;
    if (v.has_fingerprint()) {
      constexpr std::string_view digits = "0123456789abcdef";
      for (const std::uint8_t octet : v.fingerprint().octets) {
        report.fingerprint += digits[octet >> 4];
        report.fingerprint += digits[octet & 15];
      }
    }
    if (!report.decided || report.accepted) return;
    const error& under = v.detail();
    std::string detail;
    if (v.reason() == reason::pkix) {
      detail = Words::chain_fault(under.native);
    } else if (under.what != errc::ok) {
      detail = code(under.what);
    }
    problem p = describe(v.reason(), detail);
    if (v.reason() == reason::malformed_certificate) p.offset_bytes = under.offset_bytes;
    p.native = under.native;
    report.wrong = std::move(p);
  }

  static problem tls_problem(std::error_code ec, const error& last, std::string_view stage) {
    if (ec.category() == error_category()) {
      const auto what = static_cast<errc>(ec.value());
      const std::string words = what == errc::tls_failure ? Words::tls_fault(last.native) : "";
      problem p = describe(what, words.empty() ? stage : std::string_view(words));
      p.native = last.native;
      return p;
    }
    if (ec == asio::error::eof) return describe(errc::tls_closed, stage);
    if (ec == asio::error::connection_reset || ec == asio::error::broken_pipe) {
      return describe(errc::tls_truncated, ec.message());
    }
    return describe(errc::tls_failure, ec.message());
  }

  /// Where the request wants to go: the address given, or what the name resolves to.
  static wrong connect_to(asio::io_context& io, tcp::socket& socket, const connect_request& request,
                          time_point deadline) {
    if (request.address) return connect_tcp(io, socket, *request.address, deadline);
    std::vector<ip_address> found;
    if (auto p = resolve(std::string(request.destination.host), deadline, found)) return p;
    std::vector<tcp_address> addresses;
    for (const ip_address& one : found) addresses.push_back({one, request.destination.port});
    return connect_tcp(io, socket, addresses, deadline);
  }

  static bool is_sip(std::string_view text) {
    return text.starts_with("SIP/2.0 ") ||
           text.substr(0, text.find('\n')).find(" SIP/2.0") != std::string_view::npos;
  }

  static wrong talk_websocket(asio::io_context& io, stream_type&& stream,
                              const connect_request& request, attempt_report& report) {
    net::wss_client<stream_type> client(std::move(stream), websocket_limits{max_answer_bytes});
    upgrade_request ask = upgrade_request::from(request.destination);
    ask.subprotocol = request.subprotocol;
    if (ask.subprotocol.empty() && request.send && is_sip(*request.send)) ask.subprotocol = "sip";
    std::error_code ec = finish(io, [&](auto&& done) {
      client.async_upgrade(std::move(ask), std::forward<decltype(done)>(done));
    });
    const auto fault = [&](std::string_view stage) {
      return tls_problem(ec, client.next_layer().last_error(), stage);
    };
    if (ec) {
      const unsigned status = client.http_status();
      return fault(status == 0 ? "WebSocket upgrade" : "HTTP status " + std::to_string(status));
    }
    websocket_message answer;
    if (request.send) {
      ec = finish(io, [&](auto&& done) {
        client.async_write(*request.send, std::forward<decltype(done)>(done));
      });
      if (ec) return fault("sending over the WebSocket");
      ec = finish(
          io, [&](auto&& done) { client.async_read(answer, std::forward<decltype(done)>(done)); });
      if (ec) return fault("answer over the WebSocket");
      report.received = std::move(answer.payload);
    }
    // The answer is there: a peer that does not close in order changes nothing.
    client.expires_after(std::chrono::seconds(1));
    finish(io,
           [&](auto&& done) { client.async_close(1000, "", std::forward<decltype(done)>(done)); });
    close(io, client.next_layer(), std::chrono::steady_clock::now() + std::chrono::seconds(1));
    return {};
  }

  /// Raw octets out, and back: for https the status line, for sips up to the end of the header, for
  /// tls whatever comes first.
  static wrong talk(asio::io_context& io, stream_type& stream, const connect_request& request,
                    attempt_report& report) {
    std::string_view end;
    if (request.destination.scheme == url_scheme::https) end = "\r\n";
    if (request.destination.scheme == url_scheme::sips) end = "\r\n\r\n";
    const std::string text = request.send ? *request.send : get(request);
    if (text.empty()) return {};
    std::error_code ec = finish(io, [&](auto&& done) {
      asio::async_write(stream, asio::buffer(text), std::forward<decltype(done)>(done));
    });
    if (ec) return tls_problem(ec, stream.last_error(), "sending");

    std::string answer;
    std::array<char, 16'384> piece;
    std::size_t at = std::string::npos;
    do {
      std::size_t size = 0;
      ec = finish(io, [&](auto&& done) {
        stream.async_read_some(asio::buffer(piece),
                               [&size, done = std::forward<decltype(done)>(done)](
                                   std::error_code failed, std::size_t count) mutable {
                                 size = count;
                                 done(failed);
                               });
      });
      if (ec) return tls_problem(ec, stream.last_error(), "answer");
      answer.append(piece.data(), size);
      if (answer.size() > max_answer_bytes) return describe(errc::message_too_big);
      at = answer.find(end);
    } while (at == std::string::npos);
    if (request.destination.scheme == url_scheme::https) answer.resize(at);
    report.received = std::move(answer);
    return {};
  }

  static std::string get(const connect_request& request) {
    if (request.destination.scheme != url_scheme::https) return {};
    const url& to = request.destination;
    const bool brackets = to.host.find(':') != std::string_view::npos;
    std::string text = "GET " + std::string(to.path) + " HTTP/1.1\r\nHost: ";
    text += brackets ? "[" + std::string(to.host) + "]" : std::string(to.host);
    if (to.port != 443) text += ":" + std::to_string(to.port);
    return text + "\r\nUser-Agent: cotter\r\nAccept: */*\r\nConnection: close\r\n\r\n";
  }

  /// Says goodbye; a peer that does not listen any more changes nothing.
  static void close(asio::io_context& io, stream_type& stream, time_point deadline) {
    stream.expires_at(
        std::min(deadline, std::chrono::steady_clock::now() + std::chrono::seconds(1)));
    finish(io, [&](auto&& done) { stream.async_shutdown(std::forward<decltype(done)>(done)); });
    stream.close();
  }
};

}  // namespace cotter::command
