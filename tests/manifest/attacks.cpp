// SPDX-License-Identifier: BSL-1.0
#include "attacks.hpp"

#include <cotter/json/base64.hpp>
#include <cotter/json/document.hpp>
#include <cotter/values/manifest.hpp>
#include <cotter/values/pin_manifest.hpp>

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/obj_mac.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace attacks {

namespace {

using json::encode_base64;
using json::role;
using signers = std::vector<const named_signer*>;

std::string type_of(role kind) {
  switch (kind) {
    case role::key_set: return "application/vnd.cotter.key-set+json";
    case role::manifest: return "application/vnd.cotter.pin-manifest+json";
    default: return "application/vnd.cotter.breaker-reset+json";
  }
}

/// DSSE's pre-authentication encoding.
std::string to_sign(std::string_view type, std::string_view payload) {
  return "DSSEv1 " + std::to_string(type.size()) + " " + std::string(type) + " " +
         std::to_string(payload.size()) + " " + std::string(payload);
}

struct signature {
  std::string id;
  std::string octets;
};

/// The parts of an envelope, each as it is to stand there.
struct parts {
  std::string type;
  std::string payload;  ///< decoded
  std::vector<signature> signatures{};
};

parts signed_parts(role kind, std::string_view payload, const signers& by) {
  parts out{type_of(kind), std::string(payload), {}};
  for (const named_signer* one : by) {
    out.signatures.push_back({one->id, one->key.sign(to_sign(out.type, payload))});
  }
  return out;
}

std::string spelled(const signature& one) {
  return R"({"keyid":")" + one.id + R"(","sig":")" + encode_base64(one.octets) + R"("})";
}

std::string spelled_list(const std::vector<signature>& all_of_them) {
  std::string out = "[";
  for (const signature& one : all_of_them) out += (out.size() > 1 ? "," : "") + spelled(one);
  return out + "]";
}

std::string spelled(const parts& one) {
  return R"({"payloadType":")" + one.type + R"(","payload":")" + encode_base64(one.payload) +
         R"(","signatures":)" + spelled_list(one.signatures) + "}";
}

/// The other signature that anybody can make of one by P-256: (r, n - s).
std::string mirrored(const std::string& der) {
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  ECDSA_SIG* pair = d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size()));
  EC_GROUP* curve = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
  if (pair == nullptr || curve == nullptr) throw std::runtime_error("no ECDSA signature");
  BIGNUM* r = BN_dup(ECDSA_SIG_get0_r(pair));
  BIGNUM* s = BN_new();
  BN_sub(s, EC_GROUP_get0_order(curve), ECDSA_SIG_get0_s(pair));
  ECDSA_SIG_set0(pair, r, s);
  unsigned char* made = nullptr;
  const int size = i2d_ECDSA_SIG(pair, &made);
  std::string out(reinterpret_cast<const char*>(made), static_cast<std::size_t>(size));
  OPENSSL_free(made);
  EC_GROUP_free(curve);
  ECDSA_SIG_free(pair);
  return out;
}

/// The manifest that an attacker would like: the next one, with a pin of his own.
std::string evil(std::uint64_t sequence = 8) { return lab::manifest_text(sequence, hex_evil); }

std::string with_sequence(const std::string& spelling) {
  return lab::with(evil(), "\"sequence\": 8", "\"sequence\": " + spelling);
}

std::string reset_payload() {
  return R"({"_type":"breaker-reset","target":{"host":"sip.example.com","port":5061}})";
}

lab::key_set_plan next_key_set() {
  lab::key_set_plan plan = first_key_set();
  plan.version = 2;
  return plan;
}

/// A key set that is Mallory's alone.
lab::key_set_plan mallorys() {
  lab::key_set_plan plan;
  plan.version = 2;
  plan.keys = {&mallory, &marvin};
  plan.key_set_role = {0, 1};
  plan.key_set_threshold = 2;
  plan.manifest_role = {0, 1};
  plan.manifest_threshold = 2;
  return plan;
}

std::string many_targets(std::size_t count) {
  std::string out = lab::manifest_text(8, hex_evil);
  const std::size_t from = out.find("\"targets\": [") + 12;
  const std::size_t to = out.find("\n  ],", from);
  const std::string first = out.substr(from, to - from);
  std::string list = first;
  for (std::size_t i = 1; i < count; ++i) {
    list += R"(,{"host":"sip)" + std::to_string(i) +
            R"(.example.com","port":5061,"pins":{"primary":")" + hex_evil + "\"}}";
  }
  return out.replace(from, to - from, list);
}

std::string many_pins(std::size_t count) {
  const std::string pin = "\"sha256/" + encode_base64(std::string(32, 'e')) + "\"";
  std::string list = "[" + pin;
  for (std::size_t i = 1; i < count; ++i) list += "," + pin;
  return lab::with(evil(), "\"fallback\": \"cert-sha256:" + lab::hex_b + "\"",
                   "\"fallback\": " + list + "]");
}

class catalogue {
 public:
  std::vector<attack> made{};

  void fill() {
    old_manifests();
    other_keys();
    other_signatures();
    other_kinds();
    key_sets();
    other_octets();
    bombs();
  }

 private:
  void add(std::string name, errc expected, std::string text, door through = door::reload) {
    made.push_back({std::move(name), through, std::move(text), expected, lab::today, expected});
  }
  void add_keys(std::string name, errc expected, std::string text) {
    add(std::move(name), expected, std::move(text), door::update_keys);
  }

  static std::string manifest(std::string_view payload, const signers& by = {&m1, &m2}) {
    return envelope_text(role::manifest, payload, by);
  }

  void old_manifests() {
    add("rollback: the manifest before", errc::sequence_rollback, manifest(evil(6)));
    add("rollback: the first ever", errc::sequence_rollback, manifest(evil(1)));
    add("replay: this sequence, another payload", errc::sequence_reused, manifest(evil(7)));
    add("replay: this payload but for white space", errc::sequence_reused,
        manifest(lab::manifest_text(7) + " "));
    add("freeze: expired by a second", errc::document_expired, next_text());
    made.back().when = lab::at("2027-12-01T00:00:01Z");
    add("freeze: in its last second", errc::ok, next_text());
    made.back().when = lab::at("2027-12-01T00:00:00Z");
    add("freeze: the keys have expired too", errc::document_expired,
        manifest(lab::with(evil(), "2027-12-01", "2039-12-01")));
    made.back().when = lab::at("2030-01-01T00:00:01Z");
    add("fast-forward: 2^40", errc::invalid_value, manifest(with_sequence("1099511627776")));
    add("fast-forward: 2^53 - 1", errc::invalid_value, manifest(with_sequence("9007199254740991")));
    add("fast-forward: 2^64 - 1", errc::invalid_value,
        manifest(with_sequence("18446744073709551615")));
    add("fast-forward: 2^64, which is 0 to careless readers", errc::wrong_type,
        manifest(with_sequence("18446744073709551616")));
    add("fast-forward: 1e9", errc::wrong_type, manifest(with_sequence("1e9")));
    add("no sequence at all: 0", errc::invalid_value, manifest(with_sequence("0")));
    add("no sequence at all: -1", errc::invalid_value, manifest(with_sequence("-1")));
    add("observation without end", errc::observation_too_long,
        manifest(lab::with(evil(), "\"targets\"",
                           "\"observeUntil\": \"2027-06-20T00:00:01Z\", \"targets\"")));
  }

  void other_keys() {
    add("nobody's key", errc::unknown_signer, manifest(evil(), {&mallory, &marvin}));
    parts posing = signed_parts(role::manifest, evil(), {&mallory, &marvin});
    posing.signatures[0].id = "m1";
    posing.signatures[1].id = "m2";
    add("nobody's key under the ids of others", errc::bad_signature, spelled(posing));
    posing.signatures[0].id.clear();
    posing.signatures[1].id.clear();
    add("nobody's key without an id", errc::unknown_signer, spelled(posing));
    add("the threshold one short", errc::threshold_not_met, manifest(evil(), {&m1}));
    add("the threshold one short, with a stranger to help", errc::threshold_not_met,
        manifest(evil(), {&m1, &mallory}));
    add("the threshold one short, with a key of another role", errc::threshold_not_met,
        manifest(evil(), {&m1, &root1}));
    add("keys of another role alone", errc::unknown_signer, manifest(evil(), {&root1, &root2}));
    add("more keys than needed", errc::ok, manifest(lab::manifest_text(8), {&m1, &m2, &m3}));
    // Where Ed25519 is lacking, its signatures say nothing and are not missed.
    add("one signature twice", errc::duplicate_signature, manifest(evil(), {&m1, &m1}));
    add("one signature twice among enough", errc::duplicate_signature,
        manifest(evil(), {&m1, &m2, &m1}));

    const parts enough = signed_parts(role::manifest, evil(), {&m1, &m2});
    parts one = enough;
    one.signatures[1].id = "m1";
    add("two keys under one id", errc::duplicate_signature, spelled(one));
    one = signed_parts(role::manifest, evil(), {&m1, &m1});
    one.signatures[1].id = "m2";
    add("one key under two ids of the role", errc::duplicate_signature, spelled(one));
    one.signatures[1].id = "mallory";
    add("one key under its id and nobody's", errc::duplicate_signature, spelled(one));
    one.signatures[0].id.clear();
    one.signatures[1].id.clear();
    add("one key twice without an id", errc::duplicate_signature, spelled(one));
    one = signed_parts(role::manifest, evil(), {&m1, &m1});
    one.signatures[1] = {"", mirrored(one.signatures[0].octets)};
    add("one signature and its mirror image", errc::duplicate_signature, spelled(one));
  }

  void other_signatures() {
    const parts good = signed_parts(role::manifest, lab::manifest_text(8), {&m1, &m2});
    parts one = good;
    one.signatures[0].octets = mirrored(one.signatures[0].octets);
    add("mirrored, which RFC 3279 allows: the same payload by the same key", errc::ok,
        spelled(one));
    const auto bad = [&](std::string name, const std::string& octets) {
      parts changed = signed_parts(role::manifest, evil(), {&m1, &m2});
      changed.signatures[1].octets = octets;
      add(std::move(name), errc::bad_signature, spelled(changed));
    };
    const std::string type = type_of(role::manifest);
    bad("signed without DSSE's encoding", m2.key.sign(evil()));
    bad("signed as DSSE of the base64 text", m2.key.sign(to_sign(type, encode_base64(evil()))));
    bad("signed as the next version of DSSE",
        m2.key.sign(lab::with(to_sign(type, evil()), "DSSEv1", "DSSEv2")));
    bad("signed without the payload type", m2.key.sign(to_sign("", evil())));
    bad("the signature of the manifest before", m2.key.sign(to_sign(type, lab::manifest_text(7))));
    const std::string whole = m2.key.sign(to_sign(type, evil()));
    bad("a signature of no octets", "");
    bad("a signature cut short", whole.substr(0, whole.size() - 1));
    bad("a signature with an octet behind it", whole + '\0');
    bad("a signature with its length in two octets", std::string("\x30\x81", 2) + whole.substr(1));
    bad("a signature of r = s = 0", std::string("\x30\x06\x02\x01\0\x02\x01\0", 8));
    bad("a signature of r = s = 1", std::string("\x30\x06\x02\x01\x01\x02\x01\x01", 8));

    const std::string by_m3 = m3.key.sign(to_sign(type, evil()));
    for (const auto& [name, octets] :
         {std::pair<std::string, std::string>{"of 63 octets", by_m3.substr(0, 63)},
          {"of 65 octets", by_m3 + '\0'},
          {"of no octets", ""},
          {"of another payload", m3.key.sign(to_sign(type, lab::manifest_text(7)))}}) {
      parts two = signed_parts(role::manifest, evil(), {&m1, &m3});
      two.signatures[1].octets = octets;
      add("Ed25519 " + name, errc::bad_signature, spelled(two));
      made.back().without_ed25519 = errc::unsupported_key;
    }
  }

  void other_kinds() {
    add("a key set as a manifest", errc::wrong_payload_type,
        envelope_text(role::key_set, lab::key_set_text(next_key_set()), {&root1, &root2}));
    add("a reset as a manifest", errc::wrong_payload_type,
        envelope_text(role::breaker_reset, reset_payload(), {&root1}));
    add("a manifest signed as a reset", errc::wrong_payload_type,
        envelope_text(role::breaker_reset, evil(), {&m1, &m2}));
    for (const role other : {role::key_set, role::breaker_reset}) {
      parts relabelled = signed_parts(other, evil(), {&m1, &m2});
      relabelled.type = type_of(role::manifest);
      add("signed as a " + type_of(other) + ", said to be a manifest", errc::bad_signature,
          spelled(relabelled));
    }
    add("a key set's payload signed as a manifest", errc::missing_key,
        manifest(lab::key_set_text(next_key_set())));
    add("a reset's payload signed as a manifest", errc::missing_key, manifest(reset_payload()));
    parts spelt = signed_parts(role::manifest, evil(), {&m1, &m2});
    spelt.type = "application/vnd.cotter.pin-manifest+JSON";
    add("the payload type in other letters", errc::wrong_payload_type, spelled(spelt));
    add("bare, without an envelope", errc::invalid_envelope, evil());

    add_keys("a manifest as a key set", errc::wrong_payload_type, manifest(evil()));
    parts relabelled =
        signed_parts(role::manifest, lab::key_set_text(next_key_set()), {&root1, &root2});
    relabelled.type = type_of(role::key_set);
    add_keys("signed as a manifest, said to be a key set", errc::bad_signature,
             spelled(relabelled));
    add_keys("a manifest's payload signed as a key set", errc::missing_key,
             envelope_text(role::key_set, evil(), {&root1, &root2}));
  }

  void key_sets() {
    const auto set = [](const lab::key_set_plan& plan, const signers& by) {
      return envelope_text(role::key_set, lab::key_set_text(plan), by);
    };
    add_keys("the next key set", errc::ok, set(next_key_set(), {&root1, &root2}));
    add_keys("take-over: signed by the new keys alone", errc::key_set_untrusted,
             set(mallorys(), {&mallory, &marvin}));
    add_keys("take-over: with one root stolen", errc::key_set_untrusted,
             set(mallorys(), {&mallory, &marvin, &root1}));
    add_keys("take-over: with all keys of manifests stolen", errc::key_set_untrusted,
             set(mallorys(), {&mallory, &marvin, &m1, &m2}));
    add_keys("take-over: one root's signature twice", errc::duplicate_signature,
             set(mallorys(), {&mallory, &marvin, &root1, &root1}));
    add_keys("trusted, but its own keys do not vouch for it", errc::unknown_signer,
             set(mallorys(), {&root1, &root2}));
    add_keys("trusted, but one of its own keys is missing", errc::threshold_not_met,
             set(mallorys(), {&root1, &root2, &mallory}));
    lab::key_set_plan other = next_key_set();
    other.version = 3;
    add_keys("a version left out", errc::key_set_gap, set(other, {&root1, &root2}));
    other.version = cotter::highest_key_set_version;
    add_keys("fast-forward: the highest version", errc::key_set_gap, set(other, {&root1, &root2}));
    const std::string past =
        lab::with(lab::key_set_text(next_key_set()), "\"version\": 2", "\"version\": 8388608");
    add_keys("fast-forward: beyond the highest version", errc::invalid_value,
             envelope_text(role::key_set, past, {&root1, &root2}));
    other.version = 1;
    other.manifest_threshold = 1;
    add_keys("replay: this version with other contents", errc::key_set_rollback,
             set(other, {&root1, &root2}));
    other = next_key_set();
    other.expires = lab::at("2027-05-31T00:00:00Z");
    add_keys("freeze: expired", errc::document_expired, set(other, {&root1, &root2}));
    const std::string twice = lab::with(lab::key_set_text(next_key_set()),
                                        encode_base64(m2.key.spki()), encode_base64(m1.key.spki()));
    add_keys("one key under two ids", errc::duplicate_key,
             envelope_text(role::key_set, twice, {&root1, &root2}));
  }

  void other_octets() {
    const parts good = signed_parts(role::manifest, lab::manifest_text(8), {&m1, &m2});
    const parts bad = signed_parts(role::manifest, evil(), {&m1, &m2});

    parts one = bad;
    std::swap(one.payload[0], one.payload[1]);
    add("two octets of the payload exchanged", errc::bad_signature, spelled(one));
    one = bad;
    one.payload = lab::with(lab::with(one.payload, "  \"sequence\": 8,\n", ""), "\"targets\"",
                            "\"sequence\": 8,\n  \"targets\"");
    add("re-ordered keys of the payload", errc::bad_signature, spelled(one));
    one = good;
    std::swap(one.signatures[0], one.signatures[1]);
    add("re-ordered signatures: no order is signed", errc::ok, spelled(one));
    add("re-ordered keys of the envelope: no order is signed", errc::ok,
        R"({"signatures":)" + spelled_list(good.signatures) + R"(,"payload":")" +
            encode_base64(good.payload) + R"(","payloadType":")" + good.type + "\"}");

    const std::string text = spelled(bad);
    const std::string payload = encode_base64(bad.payload);
    const auto envelope = [&](std::string name, errc expected, std::string_view before,
                              std::string_view after) {
      add(std::move(name), expected, lab::with(text, before, after));
    };
    envelope("two payloads", errc::duplicate_key, "\"payload\":",
             R"("payload":")" + encode_base64(lab::manifest_text(8)) + R"(","payload":)");
    envelope("two payloads, one of them in disguise", errc::duplicate_key, "\"payload\":",
             R"("payl\u006fad":")" + encode_base64(lab::manifest_text(8)) + R"(","payload":)");
    envelope("two payload types", errc::duplicate_key,
             "{\"payloadType\":", R"({"payloadType":"x","payloadType":)");
    envelope("two lists of signatures", errc::duplicate_key,
             "\"signatures\":", R"("signatures":[],"signatures":)");
    envelope("two signatures in one", errc::duplicate_key, R"("keyid":"m1",)",
             R"("keyid":"m1","sig":"AA==",)");
    envelope("a key that DSSE does not have", errc::invalid_envelope,
             "{\"payloadType\":", R"({"critical":[],"payloadType":)");
    envelope("no signatures", errc::invalid_envelope, spelled_list(bad.signatures), "[]");
    envelope("65 signatures", errc::invalid_envelope, spelled_list(bad.signatures),
             spelled_list(std::vector<signature>(65, bad.signatures[0])));
    envelope("a second envelope behind it", errc::invalid_json, "]}", "]}{}");
    envelope("a byte order mark before it", errc::invalid_json, "{\"payloadType\"",
             "\xef\xbb\xbf{\"payloadType\"");
    add("no octets", errc::empty_input, "");

    std::string twice = lab::with(evil(), "\"sequence\": 8", "\"sequence\": 8, \"sequence\": 9");
    add("two sequences in the payload", errc::duplicate_key, manifest(twice));

    // A payload whose base64 has every digit that a variant spells otherwise, and padding.
    std::string rich;
    std::string digits;
    for (std::size_t i = 0; i < 9; ++i) {
      rich = lab::with(lab::manifest_text(8), "\"2.1.0\"",
                       '"' + std::string(i % 3, ' ') + "~~~>>>???\"") +
             std::string(i / 3, ' ');
      digits = encode_base64(rich);
      if (digits.find('+') != digits.npos && digits.find('/') != digits.npos &&
          digits.ends_with("==")) {
        break;
      }
    }
    if (!digits.ends_with("==")) throw std::runtime_error("no such payload");
    const std::string of_rich = manifest(rich);
    const auto variant = [&](std::string name, const std::string& other) {
      add("base64 " + name, errc::invalid_base64, lab::with(of_rich, digits, other));
    };
    add("base64 with every digit", errc::ok, of_rich);
    std::string url = digits;
    std::replace(url.begin(), url.end(), '+', '-');
    std::replace(url.begin(), url.end(), '/', '_');
    variant("for URLs", url);
    variant("without padding", digits.substr(0, digits.size() - 2));
    variant("with too much padding", digits + "====");
    variant("with half its padding", digits.substr(0, digits.size() - 1));
    variant("with a line feed", digits.substr(0, 76) + "\\n" + digits.substr(76));
    variant("with a blank behind it", digits + " ");
    std::string spare = digits;
    spare[spare.size() - 3] = static_cast<char>(spare[spare.size() - 3] + 1);
    variant("with bits to spare", spare);
  }

  void bombs() {
    add("10 MB of nothing", errc::too_large, std::string(10'000'000, ' '));
    add("10 MB, signed", errc::too_large, manifest(evil() + std::string(7'500'000, ' ')));
    const std::string whole =
        spelled(signed_parts(role::manifest, lab::manifest_text(8), {&m1, &m2}));
    const std::string pad(json::max_document_bytes - whole.size(), ' ');
    add("as large as may be", errc::ok, whole + pad);
    add("one octet larger", errc::too_large, whole + pad + " ");
    add("10,000 targets, which are allowed", errc::ok, manifest(many_targets(10'000)));
    add("10,001 targets", errc::too_many_targets, manifest(many_targets(10'001)));
    add("100,001 pins", errc::too_many_targets, manifest(many_pins(100'000)));
    std::string values = "[0";
    for (int i = 0; i < 1'000'000; ++i) values += ",0";
    add("a million values", errc::too_large,
        manifest(lab::with(evil(), "\"targets\"", "\"x\":" + values + "],\"targets\"")));
    add("a text of 64 KiB and one", errc::too_large,
        manifest(lab::with(evil(), "\"targets\"",
                           "\"x\":\"" + std::string(65'537, 'x') + "\",\"targets\"")));
    add("a depth of 8 million", errc::too_deep, std::string(json::max_document_bytes, '['));
    add("a depth of 17, signed", errc::too_deep,
        manifest(
            lab::with(evil(), "\"targets\"",
                      "\"x\":" + std::string(16, '[') + std::string(16, ']') + ",\"targets\"")));
  }
};

}  // namespace

lab::key_set_plan first_key_set() {
  lab::key_set_plan plan;
  plan.keys = {&root1, &root2, &m1, &m2, &m3};
  plan.key_set_role = {0, 1};
  plan.key_set_threshold = 2;
  plan.manifest_role = {2, 3, 4};
  plan.manifest_threshold = 2;
  return plan;
}

std::string envelope_text(json::role kind, std::string_view payload,
                          const std::vector<const named_signer*>& by) {
  return spelled(signed_parts(kind, payload, by));
}

std::string first_key_set_text() {
  return envelope_text(role::key_set, lab::key_set_text(first_key_set()), {&root1, &root2});
}

std::string good_text() { return envelope_text(role::manifest, lab::manifest_text(7), {&m1, &m2}); }

std::string next_text() { return envelope_text(role::manifest, lab::manifest_text(8), {&m1, &m2}); }

const std::vector<attack>& all() {
  static const std::vector<attack> everything = [] {
    catalogue made;
    made.fill();
    return made.made;
  }();
  return everything;
}

}  // namespace attacks
