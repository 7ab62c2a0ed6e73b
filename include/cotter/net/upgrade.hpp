// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/net/url.hpp>
#include <cotter/values/bytes_view.hpp>
#include <cotter/values/result.hpp>
#include <cotter/values/target.hpp>

#include <http_parser.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cotter {
inline namespace v0 {

// The types below have constructors of their own because GCC 12 copies temporary aggregates inside
// a co_await expression octet by octet, which no std::string survives.

/// One header field of HTTP/1.1 (RFC 9110 5).
struct http_field {
  http_field() {}  // NOLINT(*-equals-default): see above
  http_field(std::string_view field_name, std::string_view field_value)
      : name(field_name), value(field_value) {}

  std::string name;
  std::string value;
};

/// What a client asks for in the opening handshake of a WebSocket (RFC 6455 4.1).
struct upgrade_request {
  upgrade_request() {}  // NOLINT(*-equals-default): see http_field

  std::string host;             ///< canonical, see `classify_host`; without brackets
  std::uint16_t port = 443;
  std::string path = "/";       ///< path and query
  std::string subprotocol{};    ///< none if empty; `sip` for RFC 7118
  std::vector<http_field> fields{};  ///< `Authorization`, `Origin`, `Cookie`, ...

  /// What `to` names; takes a copy.
  [[nodiscard]] static upgrade_request from(const url& to) {
    upgrade_request made;
    made.host = to.host;
    made.port = to.port;
    made.path = to.path;
    return made;
  }
};

/// The largest request and the largest response, header section whole.
inline constexpr std::size_t max_upgrade_bytes = 16384;

namespace detail {

/// tchar (RFC 9110 5.6.2)
constexpr bool is_token_octet(char c) noexcept {
  if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c)) return true;
  return std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

constexpr bool is_token(std::string_view text) noexcept {
  if (text.empty()) return false;
  for (const char c : text) {
    if (!is_token_octet(c)) return false;
  }
  return true;
}

/// field-value (RFC 9110 5.5): no control but HTAB, no blank at either end.
constexpr bool is_field_value(std::string_view text) noexcept {
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    if ((octet < 0x20 && c != '\t') || octet == 0x7f) return false;
  }
  return text.empty() || (text.front() != ' ' && text.front() != '\t' && text.back() != ' ' &&
                          text.back() != '\t');
}

/// Fields that are the upgrade's own, or that would change where the request ends.
constexpr bool is_reserved_field(std::string_view name) noexcept {
  constexpr std::string_view reserved[] = {"host",    "upgrade",        "connection",
                                           "te",      "content-length", "transfer-encoding",
                                           "trailer", "expect",         "keep-alive"};
  for (const std::string_view one : reserved) {
    if (equals_ignoring_case(name, one)) return true;
  }
  constexpr std::string_view own = "sec-websocket-";
  return name.size() >= own.size() && equals_ignoring_case(name.substr(0, own.size()), own);
}

/// Standard base64 with padding (RFC 4648 4).
inline std::string to_base64(bytes_view in) {
  constexpr std::string_view digits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < in.size(); i += 3) {
    const std::size_t have = in.size() - i < 3 ? in.size() - i : 3;
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      group = group << 8 | (k < have ? in[i + k] : std::uint8_t{0});
    }
    for (std::size_t k = 0; k < 4; ++k) {
      out += k <= have ? digits[group >> (18 - 6 * k) & 63] : '=';
    }
  }
  return out;
}

/// True if the comma-separated list (RFC 9110 5.6.1) holds `token`, in any case.
constexpr bool lists_token(std::string_view list, std::string_view token) noexcept {
  std::size_t at = 0;
  while (at <= list.size()) {
    const std::size_t comma = list.find(',', at) == std::string_view::npos ? list.size()
                                                                           : list.find(',', at);
    std::string_view one = list.substr(at, comma - at);
    while (!one.empty() && (one.front() == ' ' || one.front() == '\t')) one.remove_prefix(1);
    while (!one.empty() && (one.back() == ' ' || one.back() == '\t')) one.remove_suffix(1);
    if (equals_ignoring_case(one, token)) return true;
    at = comma + 1;
  }
  return false;
}

}  // namespace detail

/// Writes the request. `key` is the base64 of 16 random octets.
///
/// @errors `invalid_host`, `invalid_port`, `invalid_url` (the path), `invalid_header` (a field or
/// the
///   subprotocol would break out of its line, is reserved to the upgrade, or the whole exceeds
///   `max_upgrade_bytes`)
[[nodiscard]] inline result<std::string> write_upgrade(const upgrade_request& ask,
                                                       std::string_view key) {
  const result<host_kind> kind = classify_host(ask.host);
  if (!kind) return kind.error();
  if (ask.port == 0) return errc::invalid_port;
  if (!ask.path.starts_with('/')) return errc::invalid_url;
  if (const std::size_t fault = detail::path_fault(ask.path); fault != ask.path.size()) {
    return {errc::invalid_url, fault};
  }
  if (!ask.subprotocol.empty() && !detail::is_token(ask.subprotocol)) return errc::invalid_header;

  std::string text = "GET " + ask.path + " HTTP/1.1\r\nHost: ";
  text += *kind == host_kind::ipv6 ? "[" + ask.host + "]" : ask.host;
  if (ask.port != 443) text += ":" + std::to_string(ask.port);
  text += "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
          "Sec-WebSocket-Key: ";
  text += key;
  text += "\r\n";
  if (!ask.subprotocol.empty()) text += "Sec-WebSocket-Protocol: " + ask.subprotocol + "\r\n";
  for (const http_field& field : ask.fields) {
    if (!detail::is_token(field.name) || detail::is_reserved_field(field.name) ||
        !detail::is_field_value(field.value)) {
      return errc::invalid_header;
    }
    text += field.name + ": " + field.value + "\r\n";
  }
  text += "\r\n";
  if (text.size() > max_upgrade_bytes) return errc::invalid_header;
  return text;
}

/// Reads the answer to `write_upgrade` and holds it against RFC 6455 4.1. Immovable.
class upgrade_response {
 public:
  /// `accept` is what Sec-WebSocket-Accept must say; `subprotocol` what was offered, or empty.
  upgrade_response(std::string accept, std::string subprotocol)
      : accept_(std::move(accept)), subprotocol_(std::move(subprotocol)) {
    http_parser_init(&parser_, HTTP_RESPONSE);
    parser_.data = this;
  }
  upgrade_response(const upgrade_response&) = delete;
  upgrade_response& operator=(const upgrade_response&) = delete;

  /// Reads on. Returns how many octets belong to the header section; the rest is WebSocket.
  ///
  /// @errors `protocol_error` (not HTTP/1.1, or longer than `max_upgrade_bytes`), `upgrade_refused`
  ///   (another status, or a field missing, repeated, wrong or not asked for). Redirects are
  ///   refusals: another host would need another admission.
  [[nodiscard]] result<std::size_t> read(bytes_view in) {
    http_parser_settings settings;
    http_parser_settings_init(&settings);
    settings.on_header_field = &on_name;
    settings.on_header_value = &on_value;
    settings.on_headers_complete = &on_complete;

    const std::size_t room = max_upgrade_bytes - read_bytes_;
    const std::size_t offered = in.size() < room ? in.size() : room;
    const std::size_t used = http_parser_execute(
        &parser_, &settings, reinterpret_cast<const char*>(in.data()), offered);
    read_bytes_ += used;
    if (complete_) {
      if (!agreed()) return errc::upgrade_refused;
      return used;
    }
    if (parser_.http_errno != HPE_OK || used != offered || read_bytes_ == max_upgrade_bytes) {
      return errc::protocol_error;
    }
    return used;
  }
  /// True once the whole header section has been read.
  [[nodiscard]] bool complete() const noexcept { return complete_; }
  /// The status of the answer, for people; 0 until it is known.
  [[nodiscard]] unsigned status() const noexcept { return parser_.status_code; }

 private:
  static upgrade_response& self(http_parser* parser) noexcept {
    return *static_cast<upgrade_response*>(parser->data);
  }
  static int on_name(http_parser* parser, const char* text, std::size_t size) {
    upgrade_response& me = self(parser);
    if (me.in_value_ || me.fields_.empty()) {
      me.fields_.emplace_back();
      me.in_value_ = false;
    }
    me.fields_.back().name.append(text, size);
    return 0;
  }
  static int on_value(http_parser* parser, const char* text, std::size_t size) {
    upgrade_response& me = self(parser);
    if (me.fields_.empty()) return 1;
    me.in_value_ = true;
    me.fields_.back().value.append(text, size);
    return 0;
  }
  static int on_complete(http_parser* parser) {
    self(parser).complete_ = true;
    return 2;  // no body: whatever follows is not HTTP
  }

  [[nodiscard]] bool agreed() const {
    if (parser_.status_code != 101 || parser_.http_major != 1 || parser_.http_minor < 1) {
      return false;
    }
    int upgrades = 0;
    int accepts = 0;
    int protocols = 0;
    bool connection = false;
    for (const http_field& field : fields_) {
      if (detail::equals_ignoring_case(field.name, "upgrade")) {
        if (!detail::equals_ignoring_case(field.value, "websocket")) return false;
        ++upgrades;
      } else if (detail::equals_ignoring_case(field.name, "connection")) {
        connection = connection || detail::lists_token(field.value, "upgrade");
      } else if (detail::equals_ignoring_case(field.name, "sec-websocket-accept")) {
        if (field.value != accept_) return false;
        ++accepts;
      } else if (detail::equals_ignoring_case(field.name, "sec-websocket-protocol")) {
        if (field.value != subprotocol_ || subprotocol_.empty()) return false;
        ++protocols;
      } else if (detail::equals_ignoring_case(field.name, "sec-websocket-extensions")) {
        return false;  // none was offered
      }
    }
    return upgrades == 1 && connection && accepts == 1 &&
           protocols == (subprotocol_.empty() ? 0 : 1);
  }

  http_parser parser_{};
  std::string accept_;
  std::string subprotocol_;
  std::vector<http_field> fields_;
  std::size_t read_bytes_ = 0;
  bool in_value_ = false;
  bool complete_ = false;
};

}  // namespace v0
}  // namespace cotter
