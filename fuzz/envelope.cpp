// SPDX-License-Identifier: BSL-1.0
// Input: an octet of choices (threshold, kind of document), then an envelope; the same text as a
// key set and as public keys.
// Twin: nlohmann's tree and OpenSSL's base64, and a count of keys made from them. Signatures are a
// toy (a checksum in the shape of a DER signature), so that mutation can find good ones: what
// verifies has as many different keys as it needs, and hands out the twin's octets; and what the
// twin finds good, and nobody contradicts, verifies.
#include <cotter/json/verify.hpp>

#include "demand.hpp"

#include <nlohmann/json.hpp>
#include <openssl/evp.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace {

namespace json = cotter::json;
using cotter::bytes_view;

/// Not SHA-256, and no signature: what matters is who is asked about which octets.
struct toy {
  struct hasher {
    std::uint8_t sum = 0;
    bool prepare() noexcept { return true; }
    void update(bytes_view octets) noexcept {
      for (const std::uint8_t octet : octets) sum = static_cast<std::uint8_t>(sum * 31 + octet);
    }
    bool finish(cotter::sha256_digest& out) noexcept {
      out.octets.fill(sum);
      return true;
    }
  };
  static bool supports(cotter::signature_scheme) noexcept { return true; }
  /// SEQUENCE { INTEGER 1, INTEGER 1 to 4 }: one in four is right.
  static std::string sign(std::string_view key, std::string_view message) {
    unsigned sum = static_cast<unsigned char>(key.back());
    for (const char c : message) sum = (sum * 33 + static_cast<unsigned char>(c)) & 0xffff;
    return {'\x30', 6, 2, 1, 1, 2, 1, static_cast<char>(1 + sum % 4)};
  }
  static cotter::result<void> verify(cotter::signature_scheme, bytes_view key, bytes_view message,
                                     bytes_view signature) noexcept {
    const auto text = [](bytes_view octets) { return std::string(octets.begin(), octets.end()); };
    if (sign(text(key), text(message)) != text(signature)) return cotter::errc::bad_signature;
    return {};
  }
};

constexpr std::array<std::string_view, 3> ids{"a", "b", "c"};

std::vector<json::public_key> keys() {
  std::vector<json::public_key> out;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    std::string spki(cotter::p256_key_prefix.begin(), cotter::p256_key_prefix.end());
    spki.append(64, static_cast<char>(i + 1));
    out.push_back({std::string(ids[i]), cotter::signature_scheme::ecdsa_p256_sha256, spki});
  }
  return out;
}

/// Octets, or nothing if it is not the one base64 of them.
bool decode(const std::string& text, std::string& out) {
  if (text.size() % 4 != 0) return false;
  std::vector<unsigned char> octets(text.size() + 1);
  const int size =
      EVP_DecodeBlock(octets.data(), reinterpret_cast<const unsigned char*>(text.data()),
                      static_cast<int>(text.size()));
  if (size < 0) return false;
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with("=") ? 1 : 0;
  out.assign(octets.begin(), octets.begin() + size - static_cast<std::ptrdiff_t>(padding));
  std::vector<unsigned char> back(text.size() + 1);
  EVP_EncodeBlock(back.data(), reinterpret_cast<const unsigned char*>(out.data()),
                  static_cast<int>(out.size()));
  return std::string(back.begin(), back.end() - 1) == text;
}

struct twin {
  bool reads = false;
  bool contradicted = false;  ///< a key or key id twice, or a key id whose key has not signed
  std::string type;
  std::string payload;
  std::set<std::size_t> signers;
};

twin judge(const std::string& text) {
  twin out;
  const auto tree = nlohmann::json::parse(text, nullptr, false);
  if (!tree.is_object() || !tree.contains("payload") || !tree.contains("payloadType") ||
      !tree.contains("signatures") || !tree["payload"].is_string() ||
      !tree["payloadType"].is_string() || !tree["signatures"].is_array()) {
    return out;
  }
  out.type = tree["payloadType"];
  if (!decode(tree["payload"], out.payload)) return out;
  const std::string message = "DSSEv1 " + std::to_string(out.type.size()) + " " + out.type + " " +
                              std::to_string(out.payload.size()) + " " + out.payload;
  std::set<std::string> seen;
  for (const auto& one : tree["signatures"]) {
    std::string octets;
    if (!one.is_object() || !one.contains("sig") || !one["sig"].is_string() ||
        !decode(one["sig"], octets)) {
      return out;
    }
    const std::string id = one.contains("keyid") && one["keyid"].is_string() ? one["keyid"] : "";
    if (!id.empty() && !seen.insert(id).second) out.contradicted = true;
    std::size_t good = 0;
    for (std::size_t i = 0; i < ids.size(); ++i) {
      if (toy::sign(keys()[i].spki, message) != octets) continue;
      // A toy signature can be that of two keys: only then is it unclear whose it is.
      out.contradicted = out.contradicted || ++good > 1 || !out.signers.insert(i).second;
    }
    for (const std::string_view known : ids) {
      out.contradicted = out.contradicted || (known == id && good == 0);
    }
  }
  out.reads = true;
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t threshold = 1 + data[0] % 3;
  const auto kind = static_cast<json::role>(data[0] / 3 % 3);
  const std::string text(data + 1, data + size);
  const auto trusted = json::trusted_keys::from_public_keys<toy>(keys(), threshold);
  demand(static_cast<bool>(trusted), "three keys are three keys");

  const auto read = json::read_envelope(text);
  const auto verified = json::verify<toy>(text, kind, *trusted, {});
  const twin other = judge(text);
  demand(read || !verified, "verified and not read");
  if (read) {
    demand(other.reads && other.payload == read->payload && other.type == read->payload_type,
           "the twin reads something else");
    const auto written = json::write_envelope(*read);
    demand(static_cast<bool>(written), "what was read cannot be written");
    const auto again = json::read_envelope(*written);
    demand(again && again->payload == read->payload &&
               again->signatures.size() == read->signatures.size(),
           "written and read, it differs");
    const bool right_kind = other.type == json::payload_type_of(kind);
    if (right_kind && !other.contradicted && other.signers.size() >= threshold) {
      demand(static_cast<bool>(verified), "signed by enough and refused");
    }
  }
  if (verified) {
    demand(other.signers.size() >= threshold, "signed by too few");
    demand(verified->octets() == other.payload, "other octets than were signed");
    demand(other.type == json::payload_type_of(kind), "a document of another kind");
  } else {
    demand(verified->octets().empty(), "octets that nobody has verified");
  }

  if (const auto set = json::read_key_set(text)) {
    const auto written = json::write_key_set(*set);
    demand(static_cast<bool>(written), "a key set that cannot be written");
    for (const json::key_role& one : set->roles) {
      demand(one.threshold >= 1 && one.threshold <= one.keys.size(), "a threshold out of reach");
    }
  }
  static_cast<void>(json::trusted_keys::from_key_set<toy>(text));
  static_cast<void>(json::read_public_keys(text));
  return 0;
}
