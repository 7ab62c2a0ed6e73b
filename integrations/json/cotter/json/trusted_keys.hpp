// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/certificate/signature.hpp>
#include <cotter/concepts/hasher.hpp>
#include <cotter/concepts/verifier.hpp>
#include <cotter/json/envelope.hpp>
#include <cotter/json/key_set.hpp>
#include <cotter/json/spelling.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cotter {
inline namespace v0 {
namespace json {

/// A TLS library as documents need it: its signatures and its SHA-256. Every backend is one.
template <typename V>
concept document_library = verifier<V> && hasher<typename V::hasher>;

namespace detail {

template <document_library V>
sha256_digest digest_of(std::string_view octets) {
  typename V::hasher hash;
  sha256_digest out;
  bool done = hash.prepare();
  if (done) {
    hash.update(octets_of(octets));
    done = hash.finish(out);
  }
  if (!done) refuse(errc::unfit_backend, {}, "SHA-256");
  return out;
}

/// Puts the key of this id first; false if the role has none.
inline bool bring_forward(std::vector<std::size_t>& order, const key_set& by, std::string_view id) {
  const auto found = std::find_if(order.begin(), order.end(),
                                  [&](std::size_t index) { return by.keys[index].id == id; });
  if (found == order.end()) return false;
  std::rotate(order.begin(), found, found + 1);
  return true;
}

/// Sees that `threshold` different keys of the role have signed, and that no signature which says
/// it is by one of them is not. Signatures by others are nobody's business.
template <document_library V>
void demand_signatures(const envelope& signed_one, role kind_of_document, const key_set& by) {
  const std::string message = pae(signed_one.payload_type, signed_one.payload);
  const key_role& allowed = by.of(kind_of_document);
  std::vector<bool> counted(by.keys.size(), false);
  std::size_t valid = 0;
  bool lacking = false;
  for (std::size_t i = 0; i < signed_one.signatures.size(); ++i) {
    const envelope_signature& each = signed_one.signatures[i];
    const std::string pointer = "/signatures/" + std::to_string(i);
    for (std::size_t earlier = 0; earlier < i; ++earlier) {
      if (!each.key_id.empty() && signed_one.signatures[earlier].key_id == each.key_id) {
        refuse(errc::duplicate_signature, pointer + "/keyid", "each key id once");
      }
    }
    std::vector<std::size_t> order = allowed.keys;
    const bool named = !each.key_id.empty() && bring_forward(order, by, each.key_id);
    const auto signer = std::find_if(order.begin(), order.end(), [&](std::size_t index) {
      const public_key& key = by.keys[index];
      const auto good = verify_strictly<V>(key.scheme, octets_of(key.spki), octets_of(message),
                                           octets_of(each.octets));
      const errc why = good.error().what;
      if (!good && why != errc::bad_signature && why != errc::unsupported_key) {
        refuse(why, pointer, "the library to verify");
      }
      return static_cast<bool>(good);
    });
    if (signer != order.end()) {
      if (counted[*signer]) refuse(errc::duplicate_signature, pointer, "one signature by each key");
      counted[*signer] = true;
      ++valid;
    } else if (named && V::supports(by.keys[order.front()].scheme)) {
      refuse(errc::bad_signature, pointer + "/sig",
             "the signature of key " + printable(each.key_id));
    } else {
      lacking = lacking || named;
    }
  }
  if (valid >= allowed.threshold) return;
  if (lacking) {
    refuse(errc::unsupported_key, "/signatures", "a signature scheme that the TLS library has");
  }
  document_error few;
  few.what = valid == 0 ? errc::unknown_signer : errc::threshold_not_met;
  few.pointer = "/signatures";
  few.seen = std::to_string(valid) + " of the role's keys";
  few.expected = std::to_string(allowed.threshold) + " of " + std::to_string(allowed.keys.size());
  throw fault{std::move(few)};
}

inline envelope read_as(std::string_view text, role kind_of_document) {
  auto read = read_envelope(text);
  if (!read) throw fault{read.error()};
  if (read->payload_type != payload_type_of(kind_of_document)) {
    document_error other;
    other.what = errc::wrong_payload_type;
    other.pointer = "/payloadType";
    other.seen = "\"" + printable(read->payload_type) + "\"";
    other.expected = "\"" + std::string(payload_type_of(kind_of_document)) + "\"";
    throw fault{std::move(other)};
  }
  return *std::move(read);
}

}  // namespace detail

/// The id that `trusted_keys` gives to a key without one: SHA-256 of its SubjectPublicKeyInfo, hex.
/// @errors `unfit_backend`, `out_of_memory`
template <document_library V>
[[nodiscard]] read_outcome<std::string> key_id_of(std::string_view spki) noexcept {
  return detail::shielded(
      [&]() -> read_outcome<std::string> { return detail::hex_of(detail::digest_of<V>(spki)); });
}

/// Who may sign what, and how it came to be so. A default one trusts nobody.
class trusted_keys {
 public:
  trusted_keys() noexcept = default;

  /// Keys that a person vouches for: each for every kind of document, `threshold` of them together.
  /// Version 0, without expiry.
  ///
  /// @errors `invalid_value` (no keys, or a threshold that they cannot meet), `unsupported_key`,
  ///   `duplicate_key`
  template <document_library V>
  [[nodiscard]] static read_outcome<trusted_keys> from_public_keys(
      std::vector<public_key> keys, std::size_t threshold = 1) noexcept {
    return detail::shielded([&]() -> read_outcome<trusted_keys> {
      if (keys.empty() || keys.size() > max_keys || threshold == 0 || threshold > keys.size()) {
        detail::refuse(errc::invalid_value, {}, "1 to 32 keys, and a threshold they can meet");
      }
      trusted_keys made;
      key_role everything;
      everything.threshold = threshold;
      for (std::size_t i = 0; i < keys.size(); ++i) {
        const auto scheme = scheme_of(keys[i].spki);
        if (!scheme) detail::refuse(errc::unsupported_key, {}, "P-256 or Ed25519");
        keys[i].scheme = *scheme;
        if (keys[i].id.empty()) keys[i].id = detail::hex_of(detail::digest_of<V>(keys[i].spki));
        for (std::size_t other = 0; other < i; ++other) {
          if (detail::same_key(keys[i], keys[other])) {
            detail::refuse(errc::duplicate_key, {}, "each key once");
          }
        }
        everything.keys.push_back(i);
      }
      made.current_.keys = std::move(keys);
      made.current_.roles.fill(everything);
      return made;
    });
  }

  /// A key-set envelope that the program trusts as it trusts itself, because of where it lies;
  /// still its own key-set keys must have signed it. It may have expired: from it the way may lead
  /// on to one that has not, and until then `verify` refuses.
  ///
  /// @errors those of `read_envelope`, `read_key_set`, and of the signatures, see `verify`
  template <document_library V>
  [[nodiscard]] static read_outcome<trusted_keys> from_key_set(std::string_view text) noexcept {
    return detail::shielded([&]() -> read_outcome<trusted_keys> {
      const envelope read = detail::read_as(text, role::key_set);
      trusted_keys made;
      made.take<V>(read);
      return made;
    });
  }

  /// Follows key-set envelopes from the one held, n, to n+1 and so on: each signed by the key-set
  /// thresholds of the one before and of its own. Those between may have expired (TUF 5.3.10); the
  /// last must not. The key set held already is passed over. On an error nothing changes.
  ///
  /// @errors `key_set_rollback`, `key_set_gap`, `key_set_untrusted` (not by the old one's keys),
  ///   `threshold_not_met` or `unknown_signer` (not by its own), `document_expired`, and those of
  ///   `from_key_set`
  template <document_library V>
  [[nodiscard]] read_outcome<void> update(std::span<const std::string_view> chain,
                                          instant now) noexcept {
    return detail::shielded([&]() -> read_outcome<void> {
      trusted_keys next = *this;
      for (const std::string_view text : chain) next.step<V>(text);
      if (next.expired(now)) {
        detail::refuse(errc::document_expired, "/expires", "a key set that is still in force");
      }
      *this = std::move(next);
      return {};
    });
  }
  template <document_library V>
  [[nodiscard]] read_outcome<void> update(std::string_view text, instant now) noexcept {
    return update<V>(std::span(&text, 1), now);
  }

  /// Takes over what a device remembers, so that what this key set says stays comparable with what
  /// its forerunners said. See `manifest_order`.
  void resume(const manifest_memory& remembered) noexcept {
    epoch_ = std::max(epoch_, std::min(remembered.epoch, version()));
  }

  [[nodiscard]] const key_set& keys() const noexcept { return current_; }
  [[nodiscard]] std::uint64_t version() const noexcept { return current_.version; }
  /// See `manifest_order`.
  [[nodiscard]] std::uint64_t epoch() const noexcept { return epoch_; }
  [[nodiscard]] bool expired(instant now) const noexcept { return now > current_.expires_at; }

 private:
  template <document_library V>
  void take(const envelope& read) {
    auto set = read_key_set(read.payload);
    if (!set) {
      // The pointer is into the payload.
      throw detail::fault{set.error()};
    }
    detail::demand_signatures<V>(read, role::key_set, *set);
    current_ = *std::move(set);
    octets_ = read.payload;
  }

  template <document_library V>
  void step(std::string_view text) {
    const envelope read = detail::read_as(text, role::key_set);
    if (!octets_.empty() && read.payload == octets_) return;
    try {
      detail::demand_signatures<V>(read, role::key_set, current_);
    } catch (detail::fault& refused) {
      if (refused.error.what == errc::unknown_signer ||
          refused.error.what == errc::threshold_not_met) {
        refused.error.what = errc::key_set_untrusted;
      }
      throw;
    }
    const key_set before = current_;
    const auto set = read_key_set(read.payload);
    if (!set) throw detail::fault{set.error()};
    if (set->version != before.version + 1) {
      document_error order;
      order.what = set->version <= before.version ? errc::key_set_rollback : errc::key_set_gap;
      order.pointer = "/version";
      order.seen = std::to_string(set->version);
      order.expected = std::to_string(before.version + 1);
      throw detail::fault{std::move(order)};
    }
    take<V>(read);
    if (remaining(before, current_) < current_.of(role::manifest).threshold) epoch_ = version();
  }

  /// How many keys could sign manifests before and still can.
  static std::size_t remaining(const key_set& before, const key_set& after) noexcept {
    std::size_t count = 0;
    for (const std::size_t one : after.of(role::manifest).keys) {
      for (const std::size_t other : before.of(role::manifest).keys) {
        if (detail::same_key(after.keys[one], before.keys[other])) ++count;
      }
    }
    return count;
  }

  key_set current_{};
  std::string octets_{};  ///< of `current_`, as signed
  std::uint64_t epoch_ = 0;
};

}  // namespace json
}  // namespace v0
}  // namespace cotter
