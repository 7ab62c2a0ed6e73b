// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/certificate/form.hpp>
#include <cotter/certificate/names.hpp>
#include <cotter/certificate/view.hpp>
#include <cotter/concepts/hasher.hpp>
#include <cotter/values/manifest.hpp>
#include <cotter/values/pin.hpp>
#include <cotter/values/verdict.hpp>

namespace cotter {
inline namespace v0 {

/// What cotter itself finds in one leaf, before and whatever the TLS library says of its chain.
struct leaf_assessment {
  reason fault = reason::unbound;  ///< what the leaf itself is refused for; `none` if nothing
  error detail{};                  ///< under `malformed_certificate`
  verdict pinned{};                ///< what the pins say of it, provided that nothing else is wrong
  sha256_digest fingerprint{};
  sha256_digest key{};  ///< SHA-256 of the SubjectPublicKeyInfo
  bool has_fingerprint = false;
  bool has_key = false;
  instant not_before = no_expiry;
  instant not_after = never;
};

namespace detail {

/// Compares with every pin that may be the one, each in constant time.
[[nodiscard]] constexpr verdict match(const pinned_target& pinned, const sha256_digest& certificate,
                                      const sha256_digest& key, instant now) noexcept {
  const pin* primary = nullptr;
  const pin* fallback = nullptr;
  bool expired = false;
  for (const pin_form form : {pin_form::certificate, pin_form::spki}) {
    const sha256_digest& digest = form == pin_form::certificate ? certificate : key;
    for (const pin& p : pinned.near(digest)) {
      if (p.form != form || p.digest != digest) continue;
      if (now > p.not_after) {
        expired = true;
      } else if (const pin*& found = p.role == pin_role::primary ? primary : fallback;
                 found == nullptr || &p < found) {
        found = &p;
      }
    }
  }
  const pin* found = primary != nullptr ? primary : fallback;
  if (found == nullptr) {
    return verdict::refuse(expired ? reason::fallback_expired : reason::pin_mismatch);
  }
  return verdict::accept(primary != nullptr ? matched::primary : matched::fallback, found->label);
}

}  // namespace detail

/// Reads, hashes, names, dates and matches one leaf. Allocates nothing.
///
/// `certificate_hasher` is prepared; so is `key_hasher` if `pinned.wants(pin_form::spki)` or
/// `always_key`, which asks for the key's digest even where no pin needs it now. Both are spent; a
/// `reusable_hasher` may be both, and is prepared for the key here.
/// `whom.host` is canonical (`classify_host`): the guard and its pin set have seen to that.
/// Faults are looked for in this order: form, validity, name.
///
/// Without `Addresses` the target is a name, and what matches IP addresses is left out.
template <bool Addresses = true, hasher H>
[[nodiscard]] leaf_assessment assess(bytes_view der, const pinned_target& pinned,
                                     const target& whom, instant now, H& certificate_hasher,
                                     H& key_hasher, bool always_key = false) noexcept {
  leaf_assessment found;
  certificate_form form;
  if (!detail::take_apart(der, form, found.detail)) {
    found.fault = reason::malformed_certificate;
    return found;
  }
  found.detail = {};
  write_form(form, [&](bytes_view piece) noexcept { certificate_hasher.update(piece); });
  if (!certificate_hasher.finish(found.fingerprint)) {
    found.fault = reason::backend_unfit;
    found.fingerprint = {};
    return found;
  }
  found.has_fingerprint = true;

  const certificate_view leaf = locate(form);
  const bool wants_key = always_key || pinned.wants(pin_form::spki);
  for (const field needed : {field::validity, field::san, field::spki}) {
    if (leaf.located(needed) || (needed == field::spki && !wants_key)) continue;
    found.fault = reason::malformed_certificate;
    found.detail = leaf.problem(needed);
    return found;
  }

  found.not_before = leaf.not_before;
  found.not_after = leaf.not_after;

  if (wants_key) {
    if constexpr (reusable_hasher<H>) static_cast<void>(key_hasher.prepare());
    key_hasher.update(leaf.spki);
    if (!key_hasher.finish(found.key)) {
      found.fault = reason::backend_unfit;
      return found;
    }
    found.has_key = true;
  }
  found.pinned = detail::match(pinned, found.fingerprint, found.key, now);

  if (!is_valid_at(leaf, now)) {
    found.fault = reason::validity;
  } else if (!detail::names_canonical<Addresses>(leaf, whom)) {
    found.fault = reason::hostname;
  } else {
    found.fault = reason::none;
  }
  return found;
}

}  // namespace v0
}  // namespace cotter
