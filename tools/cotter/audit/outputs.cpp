// SPDX-License-Identifier: BSL-1.0
#include "outputs.hpp"

#include "../backends.hpp"
#include "../connect.hpp"
#include "../extract.hpp"
#include "../files.hpp"
#include "formats.hpp"

#include <cotter/net/url.hpp>
#include <cotter/posix/journald_sender.hpp>
#include <cotter/posix/line_file_sender.hpp>
#include <cotter/posix/syslog_socket_sender.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <string_view>

namespace cotter::command {

namespace {

using wrong = std::optional<problem>;

constexpr std::string_view destinations =
    "https://HOST[:PORT]/PATH, file:PATH, syslog:[PATH], syslog+tls://HOST[:PORT] or journald";

problem no_destination(std::string_view why) {
  // What was typed is not repeated: the path of a URL may be a secret.
  problem p = describe_usage("--to: " + std::string(why), "audit drain");
  p.expected = destinations;
  p.action = "say where the events are to go";
  return p;
}

/// A name for an output that has been given none: the same for the same `--to`.
std::string name_of(std::string_view kind, std::string_view to) {
  std::uint64_t mark = 0xcbf29ce484222325;
  for (const char c : to) mark = (mark ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out(kind);
  out += '-';
  for (int shift = 60; shift >= 32; shift -= 4) out += digits[(mark >> shift) & 15];
  return out;
}

/// A secret: the first line of a file that its owner alone can read.
wrong read_secret(const std::string& path, std::string& out) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (file < 0) return describe(errc::unreadable, path);
  struct stat about {};
  // The file that is open is the one that is looked at.
  const bool known = ::fstat(file, &about) == 0;
  std::array<char, 8192> text{};
  const ssize_t size =
      known && S_ISREG(about.st_mode) ? ::read(file, text.data(), text.size()) : -1;
  ::close(file);
  if (size < 0) return describe(errc::unreadable, path);
  if ((about.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    problem p = describe(errc::unreadable, path + ": others may read it");
    p.expected = "a file that its owner alone can read";
    p.action = "chmod 600 it; if others may have read it, replace the secret";
    return p;
  }
  out.assign(text.data(), static_cast<std::size_t>(size));
  if (const std::size_t end = out.find_first_of("\r\n"); end != std::string::npos) out.resize(end);
  if (out.empty() || out.size() > 4096) {
    problem p = describe(errc::invalid_value, path);
    p.expected = "the value of Authorization on the first line, for example Bearer and a token";
    p.action = "write it there";
    return p;
  }
  return {};
}

template <typename Sender, typename... Arguments>
std::unique_ptr<event_sender> local(Arguments&&... arguments) {
  return std::make_unique<sender_face<Sender>>(std::forward<Arguments>(arguments)...);
}

std::string this_host() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

/// A syslog socket and the texts that its messages are headed by.
class syslog_face final : public event_sender {
 public:
  syslog_face(event_format format, std::string_view path)
      : hostname_(this_host()),
        process_(std::to_string(::getpid())),
        sender_(render_event{format}, origin(), options(path)) {}

  [[nodiscard]] delivery deliver(std::span<const audit_event> events,
                                 std::chrono::steady_clock::time_point deadline) override {
    return sender_.deliver(events, deadline);
  }

 private:
  [[nodiscard]] syslog_origin origin() const {
    syslog_origin from;
    from.hostname = hostname_;
    from.process = process_;
    return from;
  }
  static posix::syslog_socket_options options(std::string_view path) {
    posix::syslog_socket_options out;
    if (!path.empty()) out.path = path;
    return out;
  }

  std::string hostname_;
  std::string process_;
  posix::syslog_socket_sender<render_event> sender_;
};

wrong read_collector(const audit_drain_options& options, std::string_view kind, audit_output& out,
                     collector_request request) {
  request.format = find_format(options.format);
  request.ca_file = options.ca_file;
  if (auto fault = read_pins(options.pins, pin_role::primary, request.pins)) return fault;
  if (!options.authorization_file.empty()) {
    if (auto fault = read_secret(options.authorization_file, request.authorization)) return fault;
  }
  request.hostname = this_host();
  request.process = std::to_string(::getpid());
  out.name = name_of(kind, options.to);
  out.about = (kind == "https" ? "https://" : "syslog+tls://") + request.host + ":" +
              std::to_string(request.port);
  out.collector = std::make_unique<collector_request>(std::move(request));
  wrong fault;
  out.sender = find_backend(options.backend).collector(*out.collector, fault);
  return fault;
}

wrong open_https(const audit_drain_options& options, audit_output& out) {
  const result<url> to = parse_url(options.to);
  if (!to) {
    problem p = describe(to.error().what, "--to");
    p.in_command_line = true;
    return p;
  }
  if (to->scheme != url_scheme::https) return no_destination("a URL, and not of https");
  collector_request request;
  request.url = options.to;
  request.host = std::string(to->host);
  request.port = to->port;
  return read_collector(options, "https", out, std::move(request));
}

wrong open_syslog_tls(const audit_drain_options& options, std::string_view authority,
                      audit_output& out) {
  constexpr std::string_view standard_port = ":6514";  // RFC 5425 4.1
  collector_request request;
  std::string text(authority);
  if (text.ends_with('/')) text.pop_back();
  const bool has_port = text.rfind(':') != std::string::npos && !text.ends_with(']');
  if (!has_port) text += standard_port;
  if (auto fault = read_endpoint(text, request.host, request.port)) return fault;
  if (!options.authorization_file.empty()) {
    return no_destination("syslog has no place for --authorization-file");
  }
  return read_collector(options, "syslog-tls", out, std::move(request));
}

}  // namespace

wrong open_output(const audit_drain_options& options, audit_output& out) {
  const std::string_view to = options.to;
  const event_format format = find_format(options.format);
  const auto after = [to](std::string_view head) -> std::optional<std::string_view> {
    if (!to.starts_with(head)) return {};
    return to.substr(head.size());
  };
  wrong fault;
  if (const auto path = after("file:")) {
    if (path->empty()) return no_destination("file: without a path");
    out.name = name_of("file", to);
    out.about = "file:" + std::string(*path);
    out.sender = local<posix::line_file_sender<render_event>>(*path, render_event{format});
  } else if (const auto authority = after("syslog+tls://")) {
    fault = open_syslog_tls(options, *authority, out);
  } else if (const auto socket = after("syslog:")) {
    out.name = socket->empty() ? "syslog" : name_of("syslog", to);
    out.about = std::string(to);
    out.sender = std::make_unique<syslog_face>(format, *socket);
  } else if (to == "journald") {
    out.name = "journald";
    out.about = "journald";
    out.sender = local<posix::journald_sender<render_event>>(render_event{format});
  } else if (to.find("://") != std::string_view::npos) {
    fault = open_https(options, out);
  } else {
    return no_destination("no destination that there is");
  }
  if (fault) return fault;
  const bool over_tls = out.name.starts_with("https-") || out.name.starts_with("syslog-tls-");
  if (!over_tls && (!options.pins.empty() || !options.authorization_file.empty())) {
    return no_destination("--pin and --authorization-file are for collectors over TLS");
  }
  if (!options.output.empty()) out.name = options.output;
  return {};
}

}  // namespace cotter::command
