// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/json/document.hpp>
#include <cotter/json/key_set.hpp>
#include <cotter/json/timestamp.hpp>
#include <cotter/json/verify.hpp>
#include <cotter/policies/breaker/stored_breaker.hpp>
#include <cotter/values/store.hpp>
#include <cotter/values/target.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace cotter {
inline namespace v0 {
namespace json {

/// The longest network id that a reset may name, in octets.
inline constexpr std::size_t max_network_bytes = 256;

/// The statement that opens one lock: of this target, in this store, and no later one.
struct reset_statement {
  std::string host{};
  std::uint16_t port = 0;
  std::string network{};  ///< empty: none
  store_id store{};
  std::uint32_t lock_epoch = 0;
  instant issued_at = first_timestamp;
  instant expires_at = first_timestamp;

  /// For `stored_breaker::reset`; borrows from this.
  [[nodiscard]] breaker_reset word() const noexcept {
    return {host, port, network, store, lock_epoch, expires_at};
  }
};

/// 32 hex digits in lower case.
[[nodiscard]] inline std::string format_store_id(const store_id& one) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (const std::uint8_t octet : one.octets) {
    out += digits[octet >> 4];
    out += digits[octet & 15];
  }
  return out;
}

/// Reads what `format_store_id` writes.
[[nodiscard]] inline std::optional<store_id> parse_store_id(std::string_view text) noexcept {
  store_id out;
  if (text.size() != 2 * sizeof out.octets) return std::nullopt;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int value = cotter::detail::hex_value(text[i]);
    if (value < 0 || (text[i] >= 'A' && text[i] <= 'F')) return std::nullopt;
    std::uint8_t& octet = out.octets[i / 2];
    octet = static_cast<std::uint8_t>(octet << 4 | value);
  }
  return out;
}

/// Reads the payload of a breaker-reset envelope. That its signers may, `verify` says.
///
/// @errors those of `read_document`; `wrong_type`, `missing_key`, `wrong_payload_type` (`_type`),
///   `invalid_value` (also a key that has no meaning here), `invalid_host`, `invalid_timestamp`
[[nodiscard]] inline read_outcome<reset_statement> read_breaker_reset(
    std::string_view text) noexcept {
  return detail::shielded([&]() -> read_outcome<reset_statement> {
    constexpr std::array<std::string_view, 8> known{"_type",   "host",      "port",     "network",
                                                    "storeId", "lockEpoch", "issuedAt", "expires"};
    const auto read = read_document(text);
    if (!read) return read.error();
    const value root = detail::need(read->root(), kind::object);
    const value type = detail::member(root, "_type", kind::string);
    if (type.text() != "breaker-reset") {
      detail::refuse(type, errc::wrong_payload_type, "\"breaker-reset\"");
    }
    for (value one = root.first(); one; one = one.next()) {
      if (std::find(known.begin(), known.end(), one.name()) == known.end()) {
        detail::refuse(one, errc::invalid_value, "no other keys");
      }
    }
    reset_statement out;
    const value host = detail::member(root, "host", kind::string);
    if (!classify_host(host.text())) {
      detail::refuse(host, errc::invalid_host, "a canonical host name or address");
    }
    out.host = host.text();
    out.port = static_cast<std::uint16_t>(
        detail::integer_between(detail::member(root, "port"), 1, 65'535));
    if (const value network = root.find("network")) {
      out.network = detail::plain_text(network, max_network_bytes);
    }
    const value store = detail::member(root, "storeId", kind::string);
    const auto id = parse_store_id(store.text());
    if (!id) detail::refuse(store, errc::invalid_value, "32 hex digits in lower case");
    out.store = *id;
    out.lock_epoch = static_cast<std::uint32_t>(
        detail::integer_between(detail::member(root, "lockEpoch"), 1, 0xffff'ffff));
    out.issued_at = detail::timestamp(detail::member(root, "issuedAt"));
    const value expires = detail::member(root, "expires");
    out.expires_at = detail::timestamp(expires);
    if (out.expires_at < out.issued_at) {
      detail::refuse(expires, errc::invalid_value, "not before issuedAt");
    }
    return out;
  });
}

/// The statement in a verified envelope.
///
/// @errors `wrong_payload_type` (verified as something else), and those of the text
[[nodiscard]] inline read_outcome<reset_statement> read_breaker_reset(
    const verified_payload& payload) noexcept {
  if (payload.kind_of_document() != role::breaker_reset) {
    document_error wrong;
    wrong.what = errc::wrong_payload_type;
    return wrong;
  }
  return read_breaker_reset(payload.octets());
}

/// Writes the payload of a breaker-reset envelope, as `read_breaker_reset` reads it.
///
/// @errors `invalid_timestamp`, and whatever `read_breaker_reset` says of the text
[[nodiscard]] inline read_outcome<std::string> write_breaker_reset(
    const reset_statement& one) noexcept {
  return detail::shielded([&]() -> read_outcome<std::string> {
    const auto time = [](instant when, const char* pointer) {
      auto text = format_timestamp(when);
      if (!text) detail::refuse(text.error().what, pointer, "a year from 2000 to 9999");
      return *std::move(text);
    };
    nlohmann::ordered_json out;
    out["_type"] = "breaker-reset";
    out["host"] = one.host;
    out["port"] = one.port;
    if (!one.network.empty()) out["network"] = one.network;
    out["storeId"] = format_store_id(one.store);
    out["lockEpoch"] = one.lock_epoch;
    out["issuedAt"] = time(one.issued_at, "/issuedAt");
    out["expires"] = time(one.expires_at, "/expires");
    std::string text = out.dump(2) + "\n";
    if (auto sound = read_breaker_reset(text); !sound) return sound.error();
    return text;
  });
}

}  // namespace json
}  // namespace v0
}  // namespace cotter
