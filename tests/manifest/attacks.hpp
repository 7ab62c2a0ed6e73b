// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <json/support/documents.hpp>

#include <cotter/json/envelope.hpp>
#include <cotter/values/error.hpp>
#include <cotter/values/time.hpp>

#include <string>
#include <string_view>
#include <vector>

/// What somebody who controls the way of a manifest to a phone, or some of its keys, can send.
/// Made once, so that every TLS library gets the same octets.
namespace attacks {

using cotter::errc;
using lab::named_signer;
namespace json = cotter::json;

// Key sets: both roots. Resets: one of them. Manifests: two of m1, m2 and m3, which is Ed25519.
inline const named_signer root1{"root1", lab::signer{}};
inline const named_signer root2{"root2", lab::signer{}};
inline const named_signer m1{"m1", lab::signer{}};
inline const named_signer m2{"m2", lab::signer{}};
inline const named_signer m3{"m3", lab::signer{lab::signer::algorithm::ed25519}};
inline const named_signer mallory{"mallory", lab::signer{}};
inline const named_signer marvin{"marvin", lab::signer{}};

inline const std::string hex_evil(64, 'e');

/// Version 1 of the key set, and the manifest with sequence 7: what every phone has.
[[nodiscard]] lab::key_set_plan first_key_set();
[[nodiscard]] std::string first_key_set_text();
[[nodiscard]] std::string good_text();
/// What follows them: version 2, and sequence 8.
[[nodiscard]] std::string next_text();

/// An envelope, its signatures over DSSE's encoding as this folder spells it.
[[nodiscard]] std::string envelope_text(json::role kind, std::string_view payload,
                                        const std::vector<const named_signer*>& by);

enum class door { reload, update_keys };

struct attack {
  std::string name;
  door through;
  std::string text;
  errc expected;  ///< `ok`: harmless, since it is the next manifest or key set in another dress
  cotter::instant when = lab::today;
  errc without_ed25519 = expected;
};

[[nodiscard]] const std::vector<attack>& all();

}  // namespace attacks
