// SPDX-License-Identifier: BSL-1.0
#include "connect.hpp"

#include "backends.hpp"
#include "credentials.hpp"
#include "documents.hpp"
#include "files.hpp"
#include "remembered.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <utility>

namespace cotter::command {

namespace {

using wrong = std::optional<problem>;

problem at_offset(const error& e, std::string_view detail = {}) {
  problem p = describe(e.what, detail);
  p.offset_bytes = e.offset_bytes;
  return p;
}

/// `1.2.3.4:443` or `[2001:db8::1]:443`.
wrong read_address(std::string_view text, std::optional<tcp_address>& out) {
  const std::size_t colon = text.rfind(':');
  const std::string_view port = colon == std::string_view::npos ? "" : text.substr(colon + 1);
  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  tcp_address address;
  address.ip = parse_ip(host);
  if (!address.ip || bracketed != (address.ip.size_bytes == 16)) {
    problem p = describe(errc::invalid_host, "--connect");
    p.expected = "IP:PORT, an IPv6 address in brackets";
    p.action = "give --connect the address to go to, for example 127.0.0.1:8443";
    return p;
  }
  const auto [end, fault] = std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (fault != std::errc{} || end != port.data() + port.size() || address.port == 0) {
    return describe(errc::invalid_port, "--connect");
  }
  out = address;
  return {};
}

/// Undoes `\r`, `\n`, `\t`, `\\`. The text itself is never repeated to anybody.
wrong read_escapes(std::string_view text, std::string& out) {
  constexpr std::string_view names = "rnt\\";
  constexpr std::string_view values = "\r\n\t\\";
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      out += text[i];
      continue;
    }
    const std::size_t which = i + 1 < text.size() ? names.find(text[i + 1]) : std::string::npos;
    if (which == std::string::npos) {
      problem p = describe_usage("--send: a backslash before something else", "connect");
      p.expected = R"(\r, \n, \t or \\)";
      p.action = R"(write \\ for a backslash)";
      p.offset_bytes = static_cast<std::uint32_t>(i);
      return p;
    }
    out += values[which];
    ++i;
  }
  return {};
}

/// Libraries differ in what they say of a file that is not there.
wrong check_readable(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  file.peek();
  if (!file.bad() && file.is_open()) return {};
  return describe(errc::unreadable, path);
}

wrong read_manifest(const connect_options& options, connect_request& request) {
  if (!options.pins.empty() || !options.fallback_pins.empty()) {
    problem p = describe_usage("--manifest beside pins", "connect");
    p.action = "give one of them: a manifest's pins are the only ones that count";
    return p;
  }
  manifest_request& manifest = request.manifest.emplace();
  if (auto p = load_trust(options.trust.keys, options.trust.threshold, options.trust.chain,
                          current_time(), manifest.trust)) {
    return p;
  }
  if (auto p = load_memory(options.state_file, manifest.remembered)) return p;
  return read_file(options.manifest_file, manifest.envelope);
}

wrong read_options(const connect_options& options, connect_request& request) {
  const result<url> destination = parse_url(options.url);
  if (!destination) return at_offset(destination.error());
  request.destination = *destination;
  if (!options.manifest_file.empty()) {
    if (auto p = read_manifest(options, request)) return p;
  } else if (options.pins.empty()) {
    problem p = describe(reason::no_pins);
    p.code = "usage";
    p.action = "give --pin or --manifest; `cotter fingerprint` reads a pin from a certificate";
    return p;
  }
  std::vector<known_leaf> leaves;
  if (auto p = load_leaves(options.state_file, leaves)) return p;
  for (const known_leaf& one : leaves) {
    const target whom = request.destination.endpoint();
    if (one.port == whom.port && one.host == whom.host) request.known = one.traits;
  }
  if (auto p = read_pins(options.pins, pin_role::primary, request.pins)) return p;
  if (auto p = read_pins(options.fallback_pins, pin_role::fallback, request.pins)) return p;
  if (!options.address.empty()) {
    if (auto p = read_address(options.address, request.address)) return p;
  }
  if (options.send) {
    request.send.emplace();
    if (auto p = read_escapes(*options.send, *request.send)) return p;
  }
  if (!options.breaker.file.empty()) {
    posix::sealed_file_options where;
    any_vault vault;
    if (auto p = read_state_options(options.breaker, where, vault)) return p;
    request.stored_breaker = options.breaker;
  }
  request.network = options.network;
  for (const std::string* file : {&options.ca_file, &options.certificate_file, &options.key_file}) {
    if (file->empty()) continue;
    if (auto p = check_readable(*file)) return p;
  }
  if (!options.certificate_file.empty()) {
    if (auto p = check_credentials(options.certificate_file, options.key_file)) return p;
  }
  request.ca_file = options.ca_file;
  request.certificate_file = options.certificate_file;
  request.key_file = options.key_file;
  request.timeout = std::chrono::milliseconds(static_cast<std::int64_t>(options.timeout_s * 1000));
  request.subprotocol = options.subprotocol;
  request.make_request = options.make_request;
  request.attempts = options.attempts;
  request.breaker.max_consecutive_failures = static_cast<std::uint8_t>(options.max_failures);
  request.breaker.alert_threshold = static_cast<std::uint8_t>(std::min(2u, options.max_failures));
  request.breaker.cooldown = std::chrono::milliseconds(options.cooldown_ms);
  return {};
}

exit_code outcome_of(const attempt_report& report) {
  if (!report.decided) return exit_code::no_verdict;
  if (!report.accepted) return exit_code::refused;
  if (report.matched == matched::observed) return exit_code::warning;
  return report.wrong ? exit_code::warning : exit_code::ok;
}

json diagnosis_json(const std::optional<diagnosis_report>& found) {
  if (!found) return nullptr;
  json seen = json::array();
  for (const evidence one : all_evidence) {
    if (found->seen.has(one)) seen.push_back(to_string(one));
  }
  json out{{"cause", to_string(found->what)}, {"evidence", std::move(seen)}};
  if (!found->owner_host.empty()) {
    out["owner"] = {{"host", found->owner_host}, {"port", found->owner_port}};
    if (!found->owner_region.empty()) out["owner"]["region"] = found->owner_region;
  }
  return out;
}

std::string diagnosis_text(const diagnosis_report& found) {
  const std::string word(to_string(found.what));
  std::string out = "perhaps " + word;
  std::string seen;
  for (const evidence one : all_evidence) {
    if (found.seen.has(one)) seen += (seen.empty() ? "" : ", ") + std::string(to_string(one));
  }
  if (!seen.empty()) out += " (" + seen + ")";
  if (!found.owner_host.empty()) {
    out += "; the pin is of " + found.owner_host + ":" + std::to_string(found.owner_port);
    if (!found.owner_region.empty()) out += ", region " + printable(found.owner_region);
  }
  return out + "; see `cotter explain " + word + "`";
}

json text_or_null(std::string_view text) { return text.empty() ? json(nullptr) : json(text); }

class printer final : public attempt_observer {
 public:
  printer(const backend_face& backend, const url& destination, const std::string& state_file,
          format how)
      : backend_(backend), destination_(destination), state_file_(state_file), how_(how) {}

  [[nodiscard]] exit_code worst() const noexcept { return worst_; }

  void on_attempt(const attempt_report& report) override {
    worst_ = worse(worst_, outcome_of(report));
    if (how_ == format::json_lines) {
      write_line(object(report));
    } else {
      write_text(text(report));
    }
    if (report.wrong) write_diagnostic(endpoint(), *report.wrong);
  }

  void on_manifest(const manifest_memory& memory) override {
    if (const wrong p = store_memory(state_file_, memory)) {
      write_diagnostic(state_file_, *p);
      worst_ = worse(worst_, exit_code::warning);
    }
  }

  void on_leaf(const leaf_traits& leaf) override {
    const known_leaf known{std::string(destination_.host), destination_.port, leaf};
    if (const wrong p = store_leaf(state_file_, known)) {
      write_diagnostic(state_file_, *p);
      worst_ = worse(worst_, exit_code::warning);
    }
  }

  void on_wait(std::chrono::milliseconds pause) override {
    write_note("the breaker is cooling: waiting " + std::to_string(pause.count()) + " ms");
  }

 private:
  [[nodiscard]] std::string endpoint() const {
    const bool brackets = destination_.host.find(':') != std::string_view::npos;
    return (brackets ? "[" : "") + std::string(destination_.host) + (brackets ? "]:" : ":") +
           std::to_string(destination_.port);
  }

  [[nodiscard]] static std::string_view verdict_of(const attempt_report& report) {
    if (!report.decided) return {};
    return report.accepted ? "accepted" : "refused";
  }

  [[nodiscard]] json object(const attempt_report& report) const {
    const bool refused = report.decided && !report.accepted;
    json line{
        {"attempt", report.number},
        {"verdict", text_or_null(verdict_of(report))},
        {"reason", text_or_null(refused ? to_string(report.why) : "")},
        {"diagnosis", diagnosis_json(report.diagnosis)},
        {"backend", backend_.name()},
        {"build", backend_.build()},
        {"fingerprint", text_or_null(report.fingerprint)},
        {"matched", text_or_null(report.accepted ? to_string(report.matched) : "")},
        {"pin_label", text_or_null(report.accepted ? report.pin_label : "")},
        {"would_refuse",
         text_or_null(report.matched == matched::observed ? to_string(report.would_refuse) : "")},
        {"resumed", report.resumed},
        {"tls", text_or_null(report.tls)},
        {"target", {{"host", destination_.host}, {"port", destination_.port}}},
        {"peer", text_or_null(report.peer)},
        {"tcp", report.tcp},
        {"breaker", to_string(report.breaker)},
        {"received", report.received ? json(*report.received) : json(nullptr)}};
    if (report.wrong) line["error"] = to_json(*report.wrong);
    return line;
  }

  [[nodiscard]] std::string text(const attempt_report& report) const {
    std::string out = endpoint() + "  ";
    if (!report.decided) {
      out += "no verdict";
    } else if (report.accepted && report.matched == matched::observed) {
      out +=
          "accepted while observing, would refuse: " + std::string(to_string(report.would_refuse));
    } else if (report.accepted) {
      out += "accepted, " + std::string(to_string(report.matched)) + " pin";
    } else {
      out += "refused, " + std::string(to_string(report.why));
    }
    out += "\n  backend      " + printable(backend_.build());
    if (!report.tls.empty()) out += ", " + printable(report.tls);
    if (!report.fingerprint.empty()) out += "\n  fingerprint  cert-sha256:" + report.fingerprint;
    if (!report.peer.empty()) out += "\n  peer         " + report.peer;
    if (!report.tcp) out += "\n  peer         no TCP connection";
    if (report.diagnosis) out += "\n  diagnosis    " + diagnosis_text(*report.diagnosis);
    if (report.breaker != breaker_state::closed) {
      out += "\n  breaker      " + std::string(to_string(report.breaker));
    }
    if (report.received) out += lines(*report.received);
    return out + "\n";
  }

  /// The answer, line by line and safe to show.
  [[nodiscard]] static std::string lines(std::string_view received) {
    std::string out;
    for (bool first = true; !received.empty(); first = false) {
      const std::size_t end = std::min(received.find('\n'), received.size());
      std::string_view line = received.substr(0, end);
      received.remove_prefix(std::min(end + 1, received.size()));
      if (line.ends_with('\r')) line.remove_suffix(1);
      out += (first ? "\n  received     " : "\n               ") + printable(line);
    }
    return out;
  }

  const backend_face& backend_;
  const url& destination_;
  const std::string& state_file_;
  format how_;
  exit_code worst_ = exit_code::ok;
};

}  // namespace

wrong read_pins(const std::vector<std::string>& texts, pin_role role, std::vector<pin>& out) {
  for (const std::string& text : texts) {
    result<pin> one = parse_pin(text);
    if (!one) return at_offset(one.error(), printable(text));
    one->role = role;
    one->label = text;
    out.push_back(*one);
  }
  return {};
}

exit_code connect(const connect_options& options, format how) {
  connect_request request;
  command_sink trail;
  wrong unready = read_options(options, request);
  if (!unready) unready = trail.open(options.trail);
  request.trail = &trail;
  if (const wrong& p = unready) {
    // Neither the URL nor what was to be sent is repeated: either may hold a secret.
    write_diagnostic("connect", *p);
    if (how == format::json_lines) {
      write_line({{"verdict", nullptr}, {"reason", nullptr}, {"error", to_json(*p)}});
    }
    return exit_code::no_verdict;
  }
  const backend_face& backend = find_backend(options.backend);
  printer out(backend, request.destination, options.state_file, how);
  backend.connect(request, out);
  return worse(out.worst(), report_trail(trail, options.trail));
}

}  // namespace cotter::command
