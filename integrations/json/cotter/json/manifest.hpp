// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/json/document.hpp>
#include <cotter/json/key_set.hpp>
#include <cotter/json/spelling.hpp>
#include <cotter/json/timestamp.hpp>
#include <cotter/json/verify.hpp>
#include <cotter/values/pin_manifest.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cotter {
inline namespace v0 {
namespace json {

/// The longest texts of a manifest, in octets.
inline constexpr std::size_t max_label_bytes = 128;
inline constexpr std::size_t max_url_bytes = 2048;
/// The longest `rotationWindowDays`.
inline constexpr std::uint16_t longest_rotation_days = 366;
/// More unknown keys are not listed one by one.
inline constexpr std::size_t max_unknown_keys = 100;

/// A key that this version does not know, and the one that may have been meant.
struct unknown_key {
  std::string pointer{};
  std::string suggestion{};  ///< empty where there is no telling
  std::uint32_t offset_bytes = 0;
};

/// A manifest on its way: what a person or a tool has written so far.
struct authored_manifest {
  /// `sequence` 0, `issued_at` and `expires_at` as in `pin_manifest{}`, no targets: not there yet.
  pin_manifest manifest{};
  bool has_breaker = false;             ///< a `circuitBreakerConfig` is there
  std::vector<std::string> critical{};  ///< names a reader must know
  std::vector<unknown_key> unknown{};   ///< at most `max_unknown_keys`
};

namespace detail {

using names = std::span<const std::string_view>;

inline constexpr std::array<std::string_view, 15> top_keys{"pinManifestVersion",
                                                           "sequence",
                                                           "issuedAt",
                                                           "expires",
                                                           "observeUntil",
                                                           "targetHost",
                                                           "wssPort",
                                                           "pins",
                                                           "targets",
                                                           "runtime",
                                                           "verificationPolicy",
                                                           "circuitBreakerConfig",
                                                           "lockRecovery",
                                                           "critical",
                                                           "reportingEndpoint"};
inline constexpr std::array<std::string_view, 4> target_keys{"host", "port", "pins", "regions"};
inline constexpr std::array<std::string_view, 3> pins_keys{"primary", "fallback",
                                                           "rotationWindowDays"};
inline constexpr std::array<std::string_view, 4> pin_keys{"pin", "label", "notAfter",
                                                          "offlineBackup"};
inline constexpr std::array<std::string_view, 4> region_keys{"name", "prefixes", "pins", "default"};
inline constexpr std::array<std::string_view, 3> runtime_keys{"library", "atLeast", "below"};
inline constexpr std::array<std::string_view, 4> breaker_keys{
    "maxConsecutiveFailures", "cooldownSeconds", "alertThreshold", "fallbackBehavior"};
inline constexpr std::array<std::string_view, 3> library_names{"openssl", "wolfssl", "mbedtls"};

inline bool contains(names known, std::string_view name) noexcept {
  return std::find(known.begin(), known.end(), name) != known.end();
}

/// The first octet at fault, or nothing: https, a canonical host, no user information, no fragment.
inline result<void> check_endpoint(std::string_view url) noexcept {
  constexpr std::string_view scheme = "https://";
  if (url.starts_with("http:")) return errc::insecure_scheme;
  if (!url.starts_with(scheme) || url.size() > max_url_bytes) return errc::invalid_url;
  for (std::size_t i = 0; i < url.size(); ++i) {
    const char c = url[i];
    if (c <= 0x20 || c >= 0x7f || c == '#' || c == '\\' || c == '"' || c == '<' || c == '>') {
      return {errc::invalid_url, i};
    }
  }
  std::string_view authority = url.substr(scheme.size());
  authority = authority.substr(0, authority.find_first_of("/?"));
  if (authority.find('@') != std::string_view::npos) return {errc::invalid_url, scheme.size()};
  std::string_view host = authority;
  std::string_view port;
  bool has_port = false;
  if (authority.starts_with('[')) {
    const std::size_t end = authority.find(']');
    if (end == std::string_view::npos) return {errc::invalid_url, scheme.size()};
    host = authority.substr(1, end - 1);
    const std::string_view rest = authority.substr(end + 1);
    if (!rest.empty() && rest[0] != ':') return {errc::invalid_url, scheme.size() + end + 1};
    has_port = !rest.empty();
    port = rest.substr(has_port ? 1 : 0);
    if (parse_ip(host).size_bytes != 16) return {errc::invalid_url, scheme.size()};
  } else if (const std::size_t colon = authority.find(':'); colon != std::string_view::npos) {
    host = authority.substr(0, colon);
    port = authority.substr(colon + 1);
    has_port = true;
  }
  if (!classify_host(host)) return {errc::invalid_url, scheme.size()};
  if (has_port) {
    unsigned number = 0;
    for (const char c : port) {
      if (!cotter::detail::is_digit(c) || number > 0xffff)
        return {errc::invalid_url, scheme.size()};
      number = number * 10 + static_cast<unsigned>(c - '0');
    }
    if (number == 0 || number > 0xffff) return {errc::invalid_url, scheme.size()};
  }
  return {};
}

class manifest_reader {
 public:
  explicit manifest_reader(bool at_run_time) noexcept : at_run_time_(at_run_time) {}

  authored_manifest read(const value& root) {
    need(root, kind::object);
    read_critical(root);
    look_for_unknown(root, top_keys);
    pin_manifest& out = made_.manifest;
    if (const value version = root.find("pinManifestVersion")) {
      out.version = plain_text(version, max_label_bytes);
    }
    read_times(root);
    read_policy(root);
    if (const value config = root.find("circuitBreakerConfig")) read_breaker(config);
    if (const value runtime = root.find("runtime")) read_runtimes(runtime);
    read_targets(root);
    return std::move(made_);
  }

 private:
  void read_critical(const value& root) {
    const value list = optional_member(root, "critical", kind::array);
    if (!list) return;
    for (value one = list.first(); one; one = one.next()) {
      const std::string_view name = need(one, kind::string).text();
      bool known = false;
      for (const names each :
           {names(top_keys), names(target_keys), names(pins_keys), names(pin_keys),
            names(region_keys), names(runtime_keys), names(breaker_keys)}) {
        known = known || contains(each, name);
      }
      if (!known) refuse(one, errc::unknown_critical, "a key that this version knows");
      made_.critical.emplace_back(name);
    }
  }

  /// A key of one place that stands in another is unknown there, and as critical as anywhere.
  void look_for_unknown(const value& object, names known) {
    for (value one = object.first(); one; one = one.next()) {
      if (contains(known, one.name())) continue;
      if (std::find(made_.critical.begin(), made_.critical.end(), one.name()) !=
          made_.critical.end()) {
        refuse(one, errc::unknown_critical, "a key that this version knows here");
      }
      if (at_run_time_ || made_.unknown.size() == max_unknown_keys) continue;
      unknown_key found;
      found.pointer = one.pointer();
      found.suggestion = nearest_name(one.name(), known);
      found.offset_bytes = one.offset_bytes();
      made_.unknown.push_back(std::move(found));
    }
  }

  /// Null, or the member; at run time it must be there.
  [[nodiscard]] value due(const value& root, std::string_view name) const {
    return at_run_time_ ? member(root, name) : root.find(name);
  }

  void read_times(const value& root) {
    pin_manifest& out = made_.manifest;
    if (const value sequence = due(root, "sequence")) {
      out.sequence = integer_between(sequence, 1, highest_sequence);
    }
    if (const value issued = due(root, "issuedAt")) {
      out.issued_at = timestamp(issued);
      issued_ = out.issued_at;
    }
    if (const value expires = due(root, "expires")) {
      out.expires_at = timestamp(expires);
      if (issued_ && out.expires_at < *issued_) {
        refuse(expires, errc::invalid_value, "not before issuedAt");
      }
    }
    if (const value observe = root.find("observeUntil")) {
      out.observe_until = timestamp(observe);
      if (issued_ && out.observe_until > *issued_ + longest_observation) {
        auto latest = format_timestamp(*issued_ + longest_observation);
        refuse(observe, errc::observation_too_long, "at most 30 days after issuedAt",
               latest ? *std::move(latest) : std::string{});
      }
    }
  }

  void read_policy(const value& root) {
    pin_manifest& out = made_.manifest;
    need_word(root, "verificationPolicy", "strict");
    if (const value recovery = optional_member(root, "lockRecovery", kind::string)) {
      if (recovery.text() == "verified_probe") {
        out.recovery = lock_recovery::verified_probe;
      } else if (recovery.text() != "administrator") {
        refuse(recovery, errc::invalid_value, "\"administrator\" or \"verified_probe\"");
      }
    }
    if (const value endpoint = optional_member(root, "reportingEndpoint", kind::string)) {
      const std::string_view url = endpoint.text();
      if (const auto sound = check_endpoint(url); !sound) {
        document_error bad = error_at(endpoint, sound.error().what,
                                      "an https URL without user information and fragment");
        // It may hold a password.
        if (url.find('@') != std::string_view::npos) bad.seen = "a URL with user information";
        throw fault{std::move(bad)};
      }
      out.reporting_endpoint = url;
    }
  }

  static void need_word(const value& object, std::string_view name, std::string_view only_word) {
    const value found = optional_member(object, name, kind::string);
    if (found && found.text() != only_word) {
      refuse(found, errc::invalid_value, "\"" + std::string(only_word) + "\", the only one",
             std::string(only_word));
    }
  }

  void read_breaker(const value& config) {
    need(config, kind::object);
    look_for_unknown(config, breaker_keys);
    breaker_config& out = made_.manifest.breaker;
    const auto number = [&](std::string_view name, std::uint64_t lowest, std::uint64_t highest) {
      const value found = config.find(name);
      return found ? std::optional(integer_between(found, lowest, highest)) : std::nullopt;
    };
    if (const auto most = number("maxConsecutiveFailures", 1, 100)) {
      out.max_consecutive_failures = static_cast<std::uint8_t>(*most);
      // The default may be above what was asked for.
      out.alert_threshold = std::min(out.alert_threshold, out.max_consecutive_failures);
    }
    if (const auto alert = number("alertThreshold", 1, out.max_consecutive_failures)) {
      out.alert_threshold = static_cast<std::uint8_t>(*alert);
    }
    constexpr auto longest = std::chrono::duration_cast<std::chrono::seconds>(longest_cooldown);
    if (const auto wait =
            number("cooldownSeconds", 0, static_cast<std::uint64_t>(longest.count()))) {
      out.cooldown = std::chrono::seconds{static_cast<std::int64_t>(*wait)};
    }
    need_word(config, "fallbackBehavior", "block_and_notify");
    made_.has_breaker = true;
  }

  void read_runtimes(const value& list) {
    need(list, kind::array);
    if (list.size() == 0) refuse(list, errc::invalid_value, "at least one TLS library");
    if (list.size() > 64) refuse(list, errc::too_large, "at most 64 ranges");
    for (value one = list.first(); one; one = one.next()) {
      need(one, kind::object);
      look_for_unknown(one, runtime_keys);
      manifest_runtime made;
      const value library = member(one, "library", kind::string);
      made.library = library.text();
      if (!contains(library_names, made.library)) {
        refuse(library, errc::invalid_value, "openssl, wolfssl or mbedtls",
               std::string(nearest_name(lower_case(made.library), library_names)));
      }
      const auto version = [&](std::string_view name, library_version& into) {
        const value text = optional_member(one, name, kind::string);
        if (!text) return text;
        const auto parsed = parse_library_version(text.text());
        if (!parsed) refuse(text, errc::invalid_version, "a version such as 3.0.17");
        into = *parsed;
        return text;
      };
      version("atLeast", made.at_least);
      const value below = version("below", made.below);
      if (below && made.below <= made.at_least) {
        refuse(below, errc::invalid_value, "a version after \"atLeast\"");
      }
      made_.manifest.runtimes.push_back(std::move(made));
    }
  }

  void read_targets(const value& root) {
    const value list = root.find("targets");
    const value host = root.find("targetHost");
    if (list) {
      for (const std::string_view one : {"targetHost", "wssPort", "pins"}) {
        if (const value both = root.find(one)) {
          refuse(both, errc::conflicting_keys, "either \"targets\" or \"targetHost\"");
        }
      }
      read_list(list);
      return;
    }
    if (!host && !root.find("wssPort") && !root.find("pins") && !at_run_time_) {
      if (!made_.has_breaker) {
        refuse(errc::missing_key, "/targets",
               "\"targets\", or \"targetHost\", \"wssPort\", \"pins\"");
      }
      return;
    }
    if (!host) member(root, root.find("pins") ? "targetHost" : "targets");
    manifest_target made;
    made.host = host_of(host);
    made.port = port_of(member(root, "wssPort"));
    read_pins(member(root, "pins", kind::object), made.pins, made, false);
    settle(made);
    made_.manifest.targets.push_back(std::move(made));
  }

  void read_list(const value& list) {
    need(list, kind::array);
    if (list.size() == 0) refuse(list, errc::invalid_value, "at least one target");
    if (list.size() > max_manifest_targets) {
      refuse(list, errc::too_many_targets, "at most 10000 targets");
    }
    made_.manifest.targets.reserve(list.size());
    std::vector<value> places;
    for (value one = list.first(); one; one = one.next()) {
      made_.manifest.targets.push_back(read_target(one));
      places.push_back(one);
    }
    std::vector<std::size_t> order(places.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    const auto& targets = made_.manifest.targets;
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      const int hosts = targets[a].host.compare(targets[b].host);
      if (hosts != 0) return hosts < 0;
      return targets[a].port != targets[b].port ? targets[a].port < targets[b].port : a < b;
    });
    for (std::size_t i = 1; i < order.size(); ++i) {
      const manifest_target& one = targets[order[i]];
      const manifest_target& other = targets[order[i - 1]];
      if (one.host == other.host && one.port == other.port) {
        refuse(places[order[i]], errc::duplicate_target, "each host and port once");
      }
    }
  }

  manifest_target read_target(const value& at) {
    need(at, kind::object);
    look_for_unknown(at, target_keys);
    manifest_target made;
    made.host = host_of(member(at, "host"));
    made.port = port_of(member(at, "port"));
    const value regions = optional_member(at, "regions", kind::array);
    const value pins =
        regions ? optional_member(at, "pins", kind::object) : member(at, "pins", kind::object);
    if (pins) read_pins(pins, made.pins, made, static_cast<bool>(regions));
    if (regions) read_regions(regions, made);
    settle(made);
    return made;
  }

  void read_regions(const value& list, manifest_target& into) {
    if (list.size() == 0 || list.size() > 256) {
      refuse(list, errc::invalid_value, "1 to 256 regions");
    }
    std::size_t defaults = into.pins.empty() ? 0 : 1;
    std::vector<ip_prefix> taken;
    for (value one = list.first(); one; one = one.next()) {
      need(one, kind::object);
      look_for_unknown(one, region_keys);
      manifest_region made;
      const value name = member(one, "name");
      made.name = plain_text(name, max_label_bytes);
      for (const manifest_region& other : into.regions) {
        if (other.name == made.name) {
          refuse(name, errc::duplicate_target, "each region of a target once");
        }
      }
      if (const value chosen = optional_member(one, "default", kind::boolean)) {
        made.is_default = chosen.truth();
        if (made.is_default && ++defaults > 1) {
          refuse(chosen, errc::conflicting_keys,
                 "one default: pins of the target itself, or one region");
        }
      }
      if (const value prefixes = optional_member(one, "prefixes", kind::array)) {
        for (value each = prefixes.first(); each; each = each.next()) {
          made.prefixes.push_back(prefix_of(each));
          if (taken.size() == 4096) refuse(each, errc::too_large, "at most 4096 prefixes");
          if (std::find(taken.begin(), taken.end(), made.prefixes.back()) != taken.end()) {
            refuse(each, errc::duplicate_target, "each prefix in one region");
          }
          taken.push_back(made.prefixes.back());
        }
      }
      if (made.prefixes.empty() && !made.is_default) {
        refuse(one, errc::missing_key, "\"prefixes\", or \"default\": true");
      }
      read_pins(member(one, "pins", kind::object), made.pins, into, false);
      into.regions.push_back(std::move(made));
    }
    if (defaults == 0) {
      refuse(list, errc::missing_key, "a region with \"default\": true, for every other address");
    }
  }

  /// Reads both roles. Where `window_alone`, they may both be missing.
  void read_pins(const value& at, std::vector<manifest_pin>& into, manifest_target& whose,
                 bool window_alone) {
    look_for_unknown(at, pins_keys);
    if (const value days = at.find("rotationWindowDays")) {
      const auto window =
          static_cast<std::uint16_t>(integer_between(days, 1, longest_rotation_days));
      if (whose.rotation_window_days && *whose.rotation_window_days != window) {
        refuse(days, errc::conflicting_keys, "one rotation window for all regions of a target");
      }
      whose.rotation_window_days = window;
    }
    const value fallback = at.find("fallback");
    if (window_alone && !fallback && !at.find("primary")) return;
    read_role(member(at, "primary"), pin_role::primary, into);
    if (fallback) read_role(fallback, pin_role::fallback, into);
  }

  void read_role(const value& at, pin_role as, std::vector<manifest_pin>& into) {
    if (at.kind() != kind::array) {
      into.push_back(read_pin(at, as));
      return;
    }
    if (at.size() == 0) refuse(at, errc::invalid_value, "at least one pin");
    for (value one = at.first(); one; one = one.next()) into.push_back(read_pin(one, as));
  }

  manifest_pin read_pin(const value& at, pin_role as) {
    if (++pins_ > max_manifest_pins) refuse(at, errc::too_many_targets, "at most 100000 pins");
    manifest_pin made;
    if (at.kind() != kind::object) {
      if (at.kind() != kind::string) refuse(at, errc::wrong_type, "a pin, or an object with one");
      made.value = pin_of(at);
    } else {
      look_for_unknown(at, pin_keys);
      made.value = pin_of(member(at, "pin", kind::string));
      if (const value label = at.find("label")) made.label = plain_text(label, max_label_bytes);
      const value end = at.find("notAfter");
      if (end) {
        if (as == pin_role::primary) {
          refuse(end, errc::conflicting_keys, "no \"notAfter\": a primary pin has no end");
        }
        made.value.not_after = timestamp(end);
      }
      if (const value backup = optional_member(at, "offlineBackup", kind::boolean)) {
        made.offline_backup = backup.truth();
        if (made.offline_backup && as == pin_role::primary) {
          refuse(backup, errc::conflicting_keys, "a fallback: a primary pin is in use");
        }
        if (made.offline_backup && end) {
          refuse(backup, errc::conflicting_keys, "no \"notAfter\": an offline backup has no end");
        }
      }
    }
    made.value.role = as;
    return made;
  }

  static pin pin_of(const value& at) {
    const auto parsed = parse_manifest_pin(at.text());
    if (!parsed) {
      refuse(at, errc::invalid_pin, std::string(expected_pin(at.text())), suggest_pin(at.text()));
    }
    return *parsed;
  }

  static std::string host_of(const value& at) {
    const std::string_view text = need(at, kind::string).text();
    if (!classify_host(text)) {
      document_error bad =
          error_at(at, errc::invalid_host, std::string(expected_host(text)), suggest_host(text));
      if (text.find('@') != std::string_view::npos) bad.seen = "a text with user information";
      throw fault{std::move(bad)};
    }
    return std::string(text);
  }

  static std::uint16_t port_of(const value& at) {
    need(at, kind::integer);
    const auto number = at.integer();
    if (!number || *number == 0 || *number > 0xffff) {
      refuse(at, errc::invalid_port, "1 to 65535");
    }
    return static_cast<std::uint16_t>(*number);
  }

  static ip_prefix prefix_of(const value& at) {
    const std::string_view text = need(at, kind::string).text();
    const auto block = parse_prefix(text);
    if (!block) {
      refuse(at, errc::invalid_prefix, "an address block such as 192.0.2.0/24",
             suggest_prefix(text));
    }
    // The peer's address is unwrapped before it is compared: this block would hold nobody.
    const ip_address inner = unwrap(block->network);
    if (inner.size_bytes != block->network.size_bytes && block->length_bits >= 96) {
      ip_prefix meant;
      meant.network = inner;
      meant.length_bits = static_cast<std::uint8_t>(block->length_bits - 96);
      refuse(at, errc::invalid_prefix, "the IPv4 block itself", spell_prefix(meant));
    }
    return *block;
  }

  /// Gives the fallbacks without an end the one that the window sets.
  void settle(manifest_target& target) const {
    if (!issued_ || !target.rotation_window_days) return;
    const instant end = *issued_ + std::chrono::days{*target.rotation_window_days};
    const auto end_them = [&](std::vector<manifest_pin>& pins) {
      for (manifest_pin& one : pins) {
        const bool open = one.value.not_after == no_expiry && !one.offline_backup;
        if (one.value.role == pin_role::fallback && open) one.value.not_after = end;
      }
    };
    end_them(target.pins);
    for (manifest_region& region : target.regions) end_them(region.pins);
  }

  bool at_run_time_;
  authored_manifest made_{};
  std::optional<instant> issued_{};
  std::size_t pins_ = 0;
};

}  // namespace detail

/// Reads a manifest by the rules of run time: complete, and what it does not know it passes over
/// unless it is critical.
///
/// Who signed it is not looked at: a program reads a `verified_payload`, a tool this, before
/// signing.
///
/// @errors those of `read_document`; `wrong_type`, `missing_key`, `conflicting_keys`,
///   `unknown_critical`, `invalid_value`, `invalid_timestamp`, `invalid_pin`, `invalid_host`,
///   `invalid_port`, `invalid_prefix`, `invalid_version`, `invalid_url`, `insecure_scheme`,
///   `too_many_targets`, `duplicate_target`, `observation_too_long`
[[nodiscard]] inline read_outcome<pin_manifest> read_manifest(std::string_view text) noexcept {
  return detail::shielded([&]() -> read_outcome<pin_manifest> {
    const auto read = read_document(text);
    if (!read) return read.error();
    return std::move(detail::manifest_reader(true).read(read->root()).manifest);
  });
}

/// Reads the manifest that was signed, and notes who vouched for it.
///
/// @errors those of `read_manifest` for text; `wrong_payload_type`
[[nodiscard]] inline read_outcome<pin_manifest> read_manifest(
    const verified_payload& signed_one) noexcept {
  return detail::shielded([&]() -> read_outcome<pin_manifest> {
    if (signed_one.kind_of_document() != role::manifest) {
      detail::refuse(errc::wrong_payload_type, {}, "a manifest");
    }
    auto out = read_manifest(signed_one.octets());
    if (out) {
      out->payload = signed_one.digest();
      out->key_set_version = signed_one.key_set_version();
      out->epoch = signed_one.epoch();
    }
    return out;
  });
}

/// Reads a manifest that is being written: `sequence`, `issuedAt` and `expires` may be missing, a
/// `circuitBreakerConfig` may stand alone, unknown keys are listed.
///
/// @errors as `read_manifest`
[[nodiscard]] inline read_outcome<authored_manifest> read_authored_manifest(
    std::string_view text) noexcept {
  return detail::shielded([&]() -> read_outcome<authored_manifest> {
    const auto read = read_document(text);
    if (!read) return read.error();
    return detail::manifest_reader(false).read(read->root());
  });
}

namespace detail {

using object_text = nlohmann::ordered_json;

inline std::string timestamp_text(instant when, const char* pointer) {
  auto text = format_timestamp(when);
  if (!text) refuse(text.error().what, pointer, "a time from 2000 to 9999");
  return *std::move(text);
}

inline object_text pin_text(const manifest_pin& one, instant end) {
  const bool plain = one.label.empty() && end == no_expiry && !one.offline_backup;
  if (plain) return spell_pin(one.value);
  object_text out;
  out["pin"] = spell_pin(one.value);
  if (!one.label.empty()) out["label"] = one.label;
  if (end != no_expiry) out["notAfter"] = timestamp_text(end, "/targets");
  if (one.offline_backup) out["offlineBackup"] = true;
  return out;
}

inline object_text pins_text(const std::vector<manifest_pin>& pins,
                             std::optional<std::uint16_t> window, instant window_end) {
  object_text out = object_text::object();
  for (const auto& [name, as] :
       {std::pair{"primary", pin_role::primary}, std::pair{"fallback", pin_role::fallback}}) {
    object_text list = object_text::array();
    for (const manifest_pin& one : pins) {
      if (one.value.role != as) continue;
      const bool open =
          as == pin_role::fallback && one.value.not_after == no_expiry && !one.offline_backup;
      list.push_back(pin_text(one, open ? window_end : one.value.not_after));
    }
    if (list.size() == 1) {
      out[name] = std::move(list[0]);
    } else if (!list.empty()) {
      out[name] = std::move(list);
    }
  }
  if (window) out["rotationWindowDays"] = *window;
  return out;
}

inline object_text target_text(const manifest_target& one, instant issued_at) {
  const bool ends = one.rotation_window_days.has_value() && issued_at != instant{};
  const instant end = ends ? issued_at + std::chrono::days{*one.rotation_window_days} : no_expiry;
  object_text out;
  out["host"] = one.host;
  out["port"] = one.port;
  if (!one.pins.empty() || one.rotation_window_days) {
    out["pins"] = pins_text(one.pins, one.rotation_window_days, end);
  }
  for (const manifest_region& region : one.regions) {
    object_text made;
    made["name"] = region.name;
    if (!region.prefixes.empty()) {
      made["prefixes"] = object_text::array();
      for (const ip_prefix& block : region.prefixes)
        made["prefixes"].push_back(spell_prefix(block));
    }
    made["pins"] = pins_text(region.pins, std::nullopt, end);
    if (region.is_default) made["default"] = true;
    out["regions"].push_back(std::move(made));
  }
  return out;
}

}  // namespace detail

/// Writes a manifest: keys in a fixed order, two spaces of indent, a line feed at the end. What is
/// not there yet (see `authored_manifest`) is left out. Of the pins of a target or region,
/// primaries come first. A fallback without an end, of a target with a window and in a manifest
/// with `issued_at`, is given the end that reading it would give it; `payload`, `key_set_version`
/// and `epoch` are not part of a manifest's text.
///
/// @errors `invalid_value` (jitter, or a cooldown that is not whole seconds), `invalid_timestamp`,
///   and what `read_authored_manifest` says of the text: nothing is written that cannot be read
[[nodiscard]] inline read_outcome<std::string> write_manifest(
    const pin_manifest& one, std::span<const std::string> critical = {}) noexcept {
  return detail::shielded([&]() -> read_outcome<std::string> {
    using std::chrono::duration_cast;
    using std::chrono::seconds;
    detail::object_text out;
    if (!one.version.empty()) out["pinManifestVersion"] = one.version;
    if (one.sequence != 0) out["sequence"] = one.sequence;
    if (one.issued_at != instant{}) {
      out["issuedAt"] = detail::timestamp_text(one.issued_at, "/issuedAt");
    }
    if (one.expires_at != instant{}) {
      out["expires"] = detail::timestamp_text(one.expires_at, "/expires");
    }
    if (one.observe_until != never) {
      out["observeUntil"] = detail::timestamp_text(one.observe_until, "/observeUntil");
    }
    if (!critical.empty()) {
      out["critical"] = std::vector<std::string>(critical.begin(), critical.end());
    }
    for (const manifest_target& target : one.targets) {
      out["targets"].push_back(detail::target_text(target, one.issued_at));
    }
    for (const manifest_runtime& range : one.runtimes) {
      detail::object_text made;
      made["library"] = range.library;
      if (range.at_least != library_version{}) made["atLeast"] = spell_version(range.at_least);
      if (range.below != manifest_runtime{}.below) made["below"] = spell_version(range.below);
      out["runtime"].push_back(std::move(made));
    }
    out["verificationPolicy"] = "strict";
    const seconds cooldown = duration_cast<seconds>(one.breaker.cooldown);
    if (cooldown != one.breaker.cooldown || one.breaker.max_jitter.count() != 0) {
      detail::refuse(errc::invalid_value, "/circuitBreakerConfig",
                     "a cooldown of whole seconds without jitter");
    }
    out["circuitBreakerConfig"] = {{"maxConsecutiveFailures", one.breaker.max_consecutive_failures},
                                   {"cooldownSeconds", cooldown.count()},
                                   {"alertThreshold", one.breaker.alert_threshold},
                                   {"fallbackBehavior", "block_and_notify"}};
    out["lockRecovery"] =
        one.recovery == lock_recovery::verified_probe ? "verified_probe" : "administrator";
    if (!one.reporting_endpoint.empty()) out["reportingEndpoint"] = one.reporting_endpoint;

    std::string text;
    try {
      text = out.dump(2) + "\n";
    } catch (const nlohmann::json::type_error&) {
      detail::refuse(errc::invalid_utf8, {}, "text in UTF-8");
    }
    if (auto sound = read_authored_manifest(text); !sound) return sound.error();
    return text;
  });
}

/// Writes a manifest that is being written, with its critical names.
/// @errors as for `pin_manifest`
[[nodiscard]] inline read_outcome<std::string> write_manifest(
    const authored_manifest& one) noexcept {
  return write_manifest(one.manifest, one.critical);
}

}  // namespace json
}  // namespace v0
}  // namespace cotter
