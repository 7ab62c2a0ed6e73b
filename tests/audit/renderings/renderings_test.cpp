// SPDX-License-Identifier: BSL-1.0
#include <cotter/json/audit_cloud_event.hpp>
#include <cotter/json/audit_event.hpp>
#include <cotter/json/audit_hpkp.hpp>

#include <audit/support/events.hpp>
#include <support/catch.hpp>

#include <algorithm>
#include <string>

namespace {

using namespace cotter;
using ordered = nlohmann::ordered_json;

template <typename Render>
std::string rendered(const audit_event& event, const Render& render = {}) {
  std::string out;
  render(event, out);
  return out;
}

template <typename Render>
void check_round_trip() {
  std::size_t lines = 0;
  std::size_t wrong = 0;
  events::for_each([&](const audit_event& event) {
    const std::string line = rendered<Render>(event);
    if (line.empty()) return;
    ++lines;
    const bool plain =
        std::all_of(line.begin(), line.end(), [](char c) { return c >= ' ' && c < '\x7f'; });
    const ordered read = ordered::parse(line, nullptr, false);
    if (!plain || read.is_discarded() || read.dump(-1, ' ', true) != line) ++wrong;
  });
  CHECK(lines > 400);
  CHECK(wrong == 0);
}

audit_event refusal() {
  audit_event event;
  event.id.origin.fill(0x5a);
  event.id.number = 42;
  event.client = "desk-7";
  event.what.at = events::at(1'790'000'000);
  event.what.endpoint = {"sip.example.com", 5061, identity::sip};
  event.what.backend = "openssl";
  event.what.backend_version = {3, 0, 17};
  event.what.outcome = verdict::refuse(reason::pin_mismatch).with_fingerprint(events::digest(9));
  return event;
}

}  // namespace

TEST_CASE("a rendering read again and written again is the same, and printable ASCII") {
  check_round_trip<json::cotter_event>();
  check_round_trip<json::hpkp_report>();
  check_round_trip<json::ecs_cloud_event>();
}

TEST_CASE("a rendering is appended to what is there") {
  std::string out = "before ";
  json::cotter_event{}(refusal(), out);
  CHECK(out == "before " + rendered<json::cotter_event>(refusal()));
}

TEST_CASE("an event says what happened under names that stay") {
  const std::string fingerprint =
      ordered::parse(rendered<json::cotter_event>(refusal()))["fingerprint"];
  CHECK(fingerprint.size() == 64);
  CHECK(
      rendered<json::cotter_event>(refusal()) ==
      R"({"schema":"cotter.audit/1","id":"5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a-42",)"
      R"("time":"2026-09-21T14:13:20Z","type":"refused","clientId":"desk-7",)"
      R"("target":{"host":"sip.example.com","port":5061,"kind":"sip"},)"
      R"("backend":{"name":"openssl","version":"3.0.17"},"reason":"pin_mismatch","fingerprint":")" +
          fingerprint + R"(","resumed":false,"breaker":{"state":"closed"}})");
}

TEST_CASE("the manifest's place in the order is told as sequence and epoch") {
  audit_event event = refusal();
  event.what.sequence = manifest_order(7, 123'456);
  const ordered own = ordered::parse(rendered<json::cotter_event>(event));
  CHECK(own["manifest"]["sequence"] == 123'456);
  CHECK(own["manifest"]["keySetEpoch"] == 7);
  event.what.sequence = manifest_order(highest_key_set_version, highest_sequence);
  const ordered most = ordered::parse(rendered<json::cotter_event>(event));
  CHECK(most["manifest"]["sequence"] == highest_sequence);
  CHECK(most["manifest"]["keySetEpoch"] == highest_key_set_version);
}

TEST_CASE("what is not UTF-8, and NUL, becomes U+FFFD, and nothing else does") {
  audit_event event = refusal();
  const auto host = [&](std::string_view text) {
    event.what.endpoint.host = text;
    return ordered::parse(rendered<json::cotter_event>(event))["target"]["host"].get<std::string>();
  };
  const std::string instead = "\xef\xbf\xbd";
  CHECK(host("b\xc3\xbc"
             "cher \xf0\x9f\x98\x80") ==
        "b\xc3\xbc"
        "cher \xf0\x9f\x98\x80");
  CHECK(host({"a\0b", 3}) == "a" + instead + "b");
  CHECK(host({"\0", 1}) == instead);
  CHECK(host("\xed\xa0\x80") == instead + instead + instead);
  CHECK(host("\xe2\x82") == instead + instead);
  CHECK(host("\xc0\x80x") == instead + instead + "x");
  CHECK(host("\x01\r\n\x7f") == "\x01\r\n\x7f");
  CHECK(host("").empty());
}

TEST_CASE("a leaf is rendered as PEM, as base64, and in the report's chain") {
  audit_event event = refusal();
  event.what.leaf = bytes_view(events::leaf()).first(50);
  const ordered own = ordered::parse(rendered<json::cotter_event>(event));
  const std::string digits = json::encode_base64(json::detail::audit_octets(event.what.leaf));
  CHECK(own["leaf"]["pem"] == "-----BEGIN CERTIFICATE-----\n" + digits.substr(0, 64) + "\n" +
                                  digits.substr(64) + "\n-----END CERTIFICATE-----\n");
  const ordered report = ordered::parse(rendered<json::hpkp_report>(event));
  CHECK(report["served-certificate-chain"] == ordered::array({own["leaf"]["pem"]}));
  const ordered cloud = ordered::parse(rendered<json::ecs_cloud_event>(event));
  CHECK(cloud["data"]["tls"]["server"]["certificate"] == digits);
}

TEST_CASE("a report is for refusals and for what would have been some") {
  std::size_t wanted = 0;
  events::for_each([&](const audit_event& event) {
    const audit_type type = type_of(event.what);
    const bool is = type == audit_type::refused || type == audit_type::would_refuse;
    CHECK(json::hpkp_report::wants(event) == is);
    CHECK(rendered<json::hpkp_report>(event).empty() != is);
    wanted += is ? 1 : 0;
  });
  CHECK(wanted > 400);
}

TEST_CASE("a report keeps certificate pins apart, and says when the last pin ends") {
  audit_event event = refusal();
  event.what.pins = events::pins();
  const ordered all = ordered::parse(rendered<json::hpkp_report>(event));
  CHECK(all["known-pins"].size() == 2);
  CHECK(all["cotter-certificate-pins"] == ordered::array({json::spell_pin(events::pins()[0])}));
  CHECK(all["effective-expiration-date"] == "9999-12-31T23:59:59Z");
  CHECK(all["known-pins-expiration-date"].is_null());
  event.what.pins = std::span<const pin>(events::pins()).last(1);
  const ordered last = ordered::parse(rendered<json::hpkp_report>(event));
  CHECK(last["effective-expiration-date"] == "2026-09-21T14:13:20Z");
  CHECK(last["known-pins-expiration-date"] == "2026-09-21");
  CHECK(parse_pin(last["known-pins"][0].get<std::string>())->digest == events::digest(3));
}

TEST_CASE("a report gives TrustKit's number for a reason") {
  using json::trust_evaluation;
  CHECK(json::evaluation_of(reason::none) == trust_evaluation::success);
  CHECK(json::evaluation_of(reason::pin_mismatch) == trust_evaluation::no_matching_pin);
  CHECK(json::evaluation_of(reason::fallback_expired) == trust_evaluation::no_matching_pin);
  CHECK(json::evaluation_of(reason::pkix) == trust_evaluation::invalid_certificate_chain);
  CHECK(json::evaluation_of(reason::hostname) == trust_evaluation::invalid_certificate_chain);
  CHECK(json::evaluation_of(reason::validity) == trust_evaluation::invalid_certificate_chain);
  CHECK(json::evaluation_of(reason::malformed_certificate) == trust_evaluation::no_digest);
  CHECK(json::evaluation_of(reason::breaker_locked) == trust_evaluation::invalid_parameters);
}

TEST_CASE("a CloudEvent names server, SNI and address as far as the host is one") {
  audit_event event = refusal();
  const auto data = [&](std::string_view host) {
    event.what.endpoint.host = host;
    return ordered::parse(rendered<json::ecs_cloud_event>(event))["data"];
  };
  const ordered name = data("sip.example.com");
  CHECK(name["server"] ==
        ordered({{"address", "sip.example.com"}, {"domain", "sip.example.com"}, {"port", 5061}}));
  CHECK(name["tls"]["client"]["server_name"] == "sip.example.com");
  const ordered address = data("2001:db8::1");
  CHECK(address["server"] ==
        ordered({{"address", "2001:db8::1"}, {"ip", "2001:db8::1"}, {"port", 5061}}));
  CHECK_FALSE(address["tls"].contains("client"));
  const ordered neither = data("Not A Host");
  CHECK(neither["server"] == ordered({{"address", "Not A Host"}, {"port", 5061}}));
  CHECK_FALSE(neither["tls"].contains("client"));
}

TEST_CASE("a CloudEvent's source and subject are what CloudEvents allows, whatever the text") {
  audit_event event = refusal();
  event.client = "desk 7/\xff";
  event.what.endpoint = {"2001:db8::1", 443};
  const ordered first = ordered::parse(rendered<json::ecs_cloud_event>(event));
  CHECK(first["source"] == "/cotter/desk%207%2F%FF");
  CHECK(first["subject"] == "[2001:db8::1]:443");
  CHECK_FALSE(first.contains("dataschema"));
  event.client = {};
  event.what.endpoint.host = "a b\n\xc3\xbc";
  const ordered second =
      ordered::parse(rendered(event, json::ecs_cloud_event{"https://example.com/schema"}));
  CHECK(second["source"] == "/cotter");
  CHECK(second["subject"] == "a?b???:443");
  CHECK(second["dataschema"] == "https://example.com/schema");
}
