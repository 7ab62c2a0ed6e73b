// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "../problem.hpp"
#include "../resolve.hpp"
#include "../tcp.hpp"
#include "collector.hpp"
#include "formats.hpp"

#include <cotter/net/https_reporter.hpp>
#include <cotter/net/syslog_tls_sender.hpp>
#include <cotter/policies/audit/syslog_message.hpp>

#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace cotter::command {

namespace detail {

/// A TLS context and the sender that borrows it.
template <typename Backend, typename Sender>
class collector_face final : public event_sender {
 public:
  using context_type = typename Backend::context;

  template <typename... Arguments>
  explicit collector_face(std::unique_ptr<context_type> context, Arguments&&... arguments)
      : context_(std::move(context)), sender_(*context_, std::forward<Arguments>(arguments)...) {}

  [[nodiscard]] delivery deliver(std::span<const audit_event> events,
                                 std::chrono::steady_clock::time_point deadline) override {
    return sender_.deliver(events, deadline);
  }
  [[nodiscard]] reason refused() const noexcept override { return sender_.verdict().reason(); }
  [[nodiscard]] const error& unfit() const noexcept { return sender_.problem(); }

 private:
  std::unique_ptr<context_type> context_;
  Sender sender_;
};

/// By the deadline, although the system's resolver knows none.
inline std::vector<asio::ip::tcp::endpoint> find_collector(
    const std::string& host, std::uint16_t port, std::chrono::steady_clock::time_point deadline) {
  std::vector<ip_address> found;
  std::vector<asio::ip::tcp::endpoint> out;
  if (resolve(host, deadline, found)) return out;
  for (const ip_address& one : found) out.push_back(endpoint_of({one, port}));
  return out;
}

}  // namespace detail

/// The body behind `backend_face::collector`, once for all TLS libraries. Borrows from `request`.
template <typename Backend>
std::unique_ptr<event_sender> collector_by(const collector_request& request,
                                           std::optional<problem>& fault) {
  auto context = std::make_unique<typename Backend::context>();
  if (!context->valid()) {
    fault = describe(errc::out_of_memory);
    return {};
  }
  if (const auto set = context->load_anchors_file(request.ca_file.c_str()); !set) {
    fault = describe(set.error().what, request.ca_file);
    return {};
  }
  const auto make = [&]<typename Sender>(std::type_identity<Sender>,
                                         auto&&... arguments) -> std::unique_ptr<event_sender> {
    auto made = std::make_unique<detail::collector_face<Backend, Sender>>(
        std::move(context), std::forward<decltype(arguments)>(arguments)...);
    if (made->unfit().what == errc::ok) return made;
    // Nothing of the URL is repeated: its path may be a secret.
    fault = describe(made->unfit().what, "--to");
    fault->in_command_line = true;
    return {};
  };
  if (request.url.empty()) {
    net::syslog_tls_options options;
    options.pins = request.pins;
    options.resolve = detail::find_collector;
    syslog_origin from;
    from.hostname = request.hostname;
    from.process = request.process;
    using sender = net::syslog_tls_sender<Backend, render_event>;
    return make(std::type_identity<sender>{}, request.host, request.port,
                render_event{request.format}, from, std::move(options));
  }
  net::https_reporter_options options;
  options.pins = request.pins;
  options.resolve = detail::find_collector;
  options.authorization = request.authorization;
  switch (request.format) {
    case event_format::cotter:
      return make(std::type_identity<net::https_reporter<Backend, post_cotter>>{}, request.url,
                  post_cotter{}, std::move(options));
    case event_format::hpkp:
      return make(std::type_identity<net::https_reporter<Backend, post_hpkp>>{}, request.url,
                  post_hpkp{}, std::move(options));
    case event_format::ecs:
      return make(std::type_identity<net::https_reporter<Backend, post_ecs>>{}, request.url,
                  post_ecs{}, std::move(options));
  }
  return {};
}

}  // namespace cotter::command
