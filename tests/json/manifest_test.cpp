// SPDX-License-Identifier: BSL-1.0
#include <cotter/json/manifest.hpp>

#include <json/support/documents.hpp>
#include <support/catch.hpp>

#include <chrono>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>

namespace json = cotter::json;
using cotter::errc;
using lab::refused;
using lab::with;

namespace {

std::string guide(const std::string& name) {
  std::ifstream file(std::string(COTTER_GUIDE) + "/" + name, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  REQUIRE(text.str().size() > 100);
  return text.str();
}

auto changed(std::string_view before, std::string_view after) {
  return json::read_manifest(with(lab::manifest_text(), before, after));
}

/// The manifest with another list of targets.
auto targets(const std::string& list) {
  std::string text = lab::manifest_text();
  const std::size_t begin = text.find("\"targets\": [");
  const std::size_t end = text.find("\"verificationPolicy\"");
  return json::read_manifest(text.replace(begin, end - begin, "\"targets\": " + list + ","));
}

auto pins(const std::string& object) {
  return targets(R"([{"host":"a.example","port":443,"pins":)" + object + "}]");
}

auto regions(const std::string& list) {
  return targets(R"([{"host":"a.example","port":443,"regions":)" + list + "}]");
}

const std::string pin_a = "\"" + lab::hex_a + "\"";
const std::string pins_a = R"({"primary":)" + pin_a + "}";

/// The manifest with one more key.
auto added(const std::string& members) {
  return changed("\"verificationPolicy\"", members + ", \"verificationPolicy\"");
}

}  // namespace

TEST_CASE("the guide's manifest is read as it stands") {
  const auto read = json::read_authored_manifest(guide("pin-manifest.json"));
  REQUIRE(read);
  CHECK(read->unknown.empty());
  CHECK_FALSE(read->has_breaker);
  const cotter::pin_manifest& manifest = read->manifest;
  CHECK(manifest.version == "2.1.0");
  CHECK(manifest.sequence == 0);
  CHECK(manifest.reporting_endpoint == "https://internal-security-corp.com/api/v1/pin-audit");
  REQUIRE(manifest.targets.size() == 1);
  const cotter::manifest_target& one = manifest.targets[0];
  CHECK(one.host == "platform-api.mypurecloud.com");
  CHECK(one.port == 443);
  CHECK(one.rotation_window_days == 30);
  REQUIRE(one.pins.size() == 2);
  CHECK(json::spell_pin(one.pins[0].value) ==
        "cert-sha256:a1b2c3d4e5f6a7b8c9d0e1f2a3b4c5d6e7f8a9b0c1d2e3f4a5b6c7d8e9f0a1b2");
  CHECK(json::spell_pin(one.pins[1].value) ==
        "cert-sha256:b2c3d4e5f6a7b8c9d0e1f2a3b4c5d6e7f8a9b0c1d2e3f4a5b6c7d8e9f0a1b2c3");
  CHECK(one.pins[0].value.role == cotter::pin_role::primary);
  CHECK(one.pins[1].value.role == cotter::pin_role::fallback);
  CHECK(refused(json::read_manifest(guide("pin-manifest.json")), errc::missing_key, "/sequence"));
}

TEST_CASE("the guide's breaker is read alone and as a key") {
  const auto read = json::read_authored_manifest(guide("circuit-breaker.json"));
  REQUIRE(read);
  CHECK(read->has_breaker);
  CHECK(read->manifest.targets.empty());
  CHECK(read->manifest.breaker.max_consecutive_failures == 3);
  CHECK(read->manifest.breaker.cooldown == std::chrono::seconds{300});
  CHECK(read->manifest.breaker.alert_threshold == 2);
  CHECK(refused(json::read_authored_manifest("{}"), errc::missing_key, "/targets"));

  const auto both = added(
      R"("circuitBreakerConfig":{"maxConsecutiveFailures":9,"cooldownSeconds":60,"alertThreshold":4,"fallbackBehavior":"block_and_notify"})");
  REQUIRE(both);
  CHECK(both->breaker.max_consecutive_failures == 9);
  CHECK(both->breaker.alert_threshold == 4);
}

TEST_CASE("a manifest for run time has its times, sequence and ends") {
  const auto read = json::read_manifest(lab::manifest_text());
  REQUIRE(read);
  CHECK(read->sequence == 7);
  CHECK(read->issued_at == lab::at("2027-05-20T00:00:00Z"));
  CHECK(read->expires_at == lab::at("2027-12-01T00:00:00Z"));
  CHECK(read->observe_until == cotter::never);
  REQUIRE(read->targets.at(0).pins.size() == 2);
  CHECK(read->targets[0].pins[0].value.not_after == cotter::no_expiry);
  CHECK(read->targets[0].pins[1].value.not_after == lab::at("2027-06-19T00:00:00Z"));
  for (const std::string_view key : {"sequence", "issuedAt", "expires"}) {
    CHECK(refused(changed("\"" + std::string(key) + "\"", "\"other\""), errc::missing_key,
                  "/" + std::string(key)));
  }
  CHECK(refused(changed(": 7,", ": 0,"), errc::invalid_value, "/sequence"));
  CHECK(refused(changed(": 7,", ": -7,"), errc::invalid_value, "/sequence"));
  CHECK(refused(changed(": 7,", ": 7.0,"), errc::wrong_type, "/sequence"));
  CHECK(refused(changed(": 7,", ": \"7\","), errc::wrong_type, "/sequence"));
  CHECK(changed(": 7,", ": 1099511627775,"));
  CHECK(refused(changed(": 7,", ": 1099511627776,"), errc::invalid_value, "/sequence"));
  CHECK(refused(changed("2027-12-01T00:00:00Z", "2027-05-19T23:59:59Z"), errc::invalid_value,
                "/expires"));
  CHECK(refused(json::read_manifest("[]"), errc::wrong_type, ""));
}

TEST_CASE("a timestamp that only needs another spelling is suggested") {
  for (const std::string_view bad :
       {"2027-12-01", "2027-12-01T00:00:00", "2027-12-01T00:00:00z", "2027-12-01 00:00:00Z",
        "2027-12-01T00:00:00.000Z", "2027-12-01T00:00:00+00:00"}) {
    CAPTURE(bad);
    const auto read = changed("2027-12-01T00:00:00Z", bad);
    CHECK(refused(read, errc::invalid_timestamp, "/expires"));
    CHECK(read.error().suggestion == "2027-12-01T00:00:00Z");
  }
  for (const std::string_view bad : {"2027-12-01T00:00:00+01:00", "", "tomorrow",
                                     "2027-12-41T00:00:00", "2027-12-01T00:00:00.5"}) {
    CAPTURE(bad);
    const auto read = changed("2027-12-01T00:00:00Z", bad);
    CHECK(refused(read, errc::invalid_timestamp, "/expires"));
    CHECK(read.error().suggestion.empty());
  }
}

TEST_CASE("observation lasts 30 days at most") {
  CHECK(added(R"("observeUntil":"2027-06-19T00:00:00Z")"));
  const auto read = added(R"("observeUntil":"2027-06-19T00:00:01Z")");
  CHECK(refused(read, errc::observation_too_long, "/observeUntil"));
  CHECK(read.error().suggestion == "2027-06-19T00:00:00Z");
}

TEST_CASE("a pin has many spellings, and each wrong one its reason") {
  const std::string base64 = "qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqo=";
  for (const auto& [text, spelled] :
       {std::pair{lab::hex_a, "cert-sha256:" + lab::hex_a},
        {"cert-sha256:" + lab::hex_a, "cert-sha256:" + lab::hex_a},
        {"spki-sha256:" + lab::hex_a, "spki-sha256:" + lab::hex_a},
        {"sha256//" + base64, "spki-sha256:" + lab::hex_a},
        {"sha256/" + base64, "spki-sha256:" + lab::hex_a},
        {R"(pin-sha256=\")" + base64 + R"(\")", "spki-sha256:" + lab::hex_a},
        {"1 0 1 " + lab::hex_a, "cert-sha256:" + lab::hex_a},
        {"1 1 1 " + lab::hex_a, "spki-sha256:" + lab::hex_a}}) {
    CAPTURE(text);
    const auto read = pins(R"({"primary":")" + text + "\"}");
    REQUIRE(read);
    CHECK(json::spell_pin(read->targets.at(0).pins.at(0).value) == spelled);
  }
  const auto refusal = [](const std::string& text) {
    auto read = pins(R"({"primary":[)" + pin_a + ",\"" + text + "\"]}");
    CHECK(refused(read, errc::invalid_pin, "/targets/0/pins/primary/1"));
    return read.error();
  };
  const std::string upper(64, 'A');
  std::string colons = "AA";
  for (int i = 1; i < 32; ++i) colons += ":AA";
  CHECK(refusal(upper).suggestion == "cert-sha256:" + lab::hex_a);
  CHECK(refusal("cert-sha256:" + upper).suggestion == "cert-sha256:" + lab::hex_a);
  CHECK(refusal("spki-sha256:" + upper).suggestion == "spki-sha256:" + lab::hex_a);
  CHECK(refusal(colons).suggestion == "cert-sha256:" + lab::hex_a);
  CHECK(refusal("sha256 Fingerprint=" + colons).suggestion == "cert-sha256:" + lab::hex_a);
  CHECK(refusal("sha256//" + base64.substr(0, 43)).suggestion == "spki-sha256:" + lab::hex_a);
  CHECK(refusal(base64).suggestion.empty());
  CHECK(refusal("").suggestion.empty());
  CHECK(refusal("0 1 1 " + lab::hex_a).expected.find("CA") != std::string::npos);
  CHECK(refusal("2 0 1 " + lab::hex_a).expected.find("CA") != std::string::npos);
  CHECK(refusal("3 0 1 " + lab::hex_a).expected.find("PKIX") != std::string::npos);
  CHECK(refusal("1 0 2 " + lab::hex_a).expected.find("SHA-256") != std::string::npos);
  CHECK(refusal("sha1/AAAA").expected.find("SHA-1") != std::string::npos);
  CHECK(refusal(lab::hex_a.substr(1)).suggestion.empty());
}

TEST_CASE("a pin may carry a label, an end, or be an offline backup") {
  const auto read =
      pins(R"({"primary":[{"pin":)" + pin_a + R"(,"label":"edge 1"},)" + pin_a +
           R"(],"fallback":[{"pin":)" + pin_a + R"(,"notAfter":"2027-06-01T00:00:00Z"},{"pin":)" +
           pin_a + R"(,"offlineBackup":true},)" + pin_a + R"(],"rotationWindowDays":1})");
  REQUIRE(read);
  const auto& list = read->targets.at(0).pins;
  REQUIRE(list.size() == 5);
  CHECK(list[0].label == "edge 1");
  CHECK(list[2].value.not_after == lab::at("2027-06-01T00:00:00Z"));
  CHECK(list[3].offline_backup);
  CHECK(list[3].value.not_after == cotter::no_expiry);
  CHECK(list[4].value.not_after == lab::at("2027-05-21T00:00:00Z"));

  const auto fallback = [](const std::string& members) {
    return pins(R"({"primary":)" + pin_a + R"(,"fallback":{"pin":)" + pin_a + members + "}}");
  };
  const std::string at = "/targets/0/pins/fallback/";
  CHECK(fallback(""));
  CHECK(fallback("")->targets.at(0).pins.at(1).value.not_after == cotter::no_expiry);
  CHECK(refused(fallback(R"(,"offlineBackup":true,"notAfter":"2027-06-01T00:00:00Z")"),
                errc::conflicting_keys, at + "offlineBackup"));
  CHECK(refused(fallback(R"(,"offlineBackup":1)"), errc::wrong_type, at + "offlineBackup"));
  CHECK(refused(fallback(R"(,"label":"")"), errc::invalid_value, at + "label"));
  CHECK(refused(fallback(R"(,"label":"a\nb")"), errc::invalid_value, at + "label"));
  CHECK(refused(fallback(R"(,"label":")" + std::string(129, 'l') + "\""), errc::invalid_value,
                at + "label"));
  CHECK(refused(pins(R"({"primary":{"pin":)" + pin_a + R"(,"notAfter":"2027-06-01T00:00:00Z"}})"),
                errc::conflicting_keys, "/targets/0/pins/primary/notAfter"));
  CHECK(refused(pins(R"({"primary":{"pin":)" + pin_a + R"(,"offlineBackup":true}})"),
                errc::conflicting_keys, "/targets/0/pins/primary/offlineBackup"));
  CHECK(refused(pins(R"({"primary":{"label":"x"}})"), errc::missing_key,
                "/targets/0/pins/primary/pin"));
  CHECK(refused(pins(R"({"primary":1})"), errc::wrong_type, "/targets/0/pins/primary"));
  CHECK(refused(pins(R"({"primary":[]})"), errc::invalid_value, "/targets/0/pins/primary"));
  CHECK(
      refused(pins(R"({"fallback":)" + pin_a + "}"), errc::missing_key, "/targets/0/pins/primary"));
  for (const std::string_view days : {"0", "367"}) {
    CHECK(refused(
        pins(R"({"primary":)" + pin_a + R"(,"rotationWindowDays":)" + std::string(days) + "}"),
        errc::invalid_value, "/targets/0/pins/rotationWindowDays"));
  }
}

TEST_CASE("a host that is not canonical is refused with the one it may be") {
  for (const auto& [bad, good] : {std::pair{"SIP.Example.com", "sip.example.com"},
                                  {"sip.example.com.", "sip.example.com"},
                                  {"wss://sip.example.com:5061/ws?x#y", "sip.example.com"},
                                  {"sips:user@sip.example.com;transport=tls", "sip.example.com"},
                                  {"sip.example.com:5061", "sip.example.com"},
                                  {"[2001:DB8::1]", "2001:db8::1"},
                                  {"[2001:db8::1]:443", "2001:db8::1"},
                                  {"2001:db8:0:0:0:0:0:1", "2001:db8::1"},
                                  {"fe80::1%eth0", "fe80::1"},
                                  {"https://user:secret@a.example/", "a.example"},
                                  {"b\xc3\xbc"
                                   "cher.example",
                                   ""},
                                  {"*.example.com", ""},
                                  {"", ""},
                                  {"a..b", ""},
                                  {"1.2.3", ""},
                                  {"[", ""},
                                  {"a b", ""}}) {
    CAPTURE(bad);
    const auto read = changed("sip.example.com", bad);
    CHECK(refused(read, errc::invalid_host, "/targets/0/host"));
    CHECK(read.error().suggestion == good);
    CHECK(read.error().seen.find("secret") == std::string::npos);
  }
  CHECK(changed("sip.example.com",
                "b\xc3\xbc"
                "cher.example")
            .error()
            .expected.find("xn--") != std::string::npos);
  CHECK(changed("sip.example.com", "xn--bcher-kva.example"));
  CHECK(changed("sip.example.com", "2001:db8::1"));
  CHECK(refused(changed("\"sip.example.com\"", "null"), errc::wrong_type, "/targets/0/host"));
  for (const std::string_view port : {"0", "65536", "-1"}) {
    CHECK(refused(changed("5061", port), errc::invalid_port, "/targets/0/port"));
  }
  CHECK(refused(changed("5061", "\"5061\""), errc::wrong_type, "/targets/0/port"));
}

TEST_CASE("targets are there, once each, and not too many") {
  CHECK(refused(targets("[]"), errc::invalid_value, "/targets"));
  CHECK(refused(targets("{}"), errc::wrong_type, "/targets"));
  CHECK(refused(targets("[1]"), errc::wrong_type, "/targets/0"));
  const std::string one = R"({"host":"a.example","port":443,"pins":)" + pins_a + "}";
  CHECK(targets("[" + one + "," + with(one, "443", "444") + "]"));
  CHECK(refused(targets("[" + one + "," + with(one, "443", "444") + "," + one + "]"),
                errc::duplicate_target, "/targets/2"));
  CHECK(refused(changed("\"targets\"", "\"targetHost\":\"a.example\",\"targets\""),
                errc::conflicting_keys, "/targetHost"));
  CHECK(
      refused(changed("\"targets\"", "\"pins\":{},\"targets\""), errc::conflicting_keys, "/pins"));
  CHECK(refused(changed("\"targets\"", "\"other\""), errc::missing_key, "/targets"));
  CHECK(refused(json::read_authored_manifest(R"({"targetHost":"a.example","wssPort":443})"),
                errc::missing_key, "/pins"));
  CHECK(refused(json::read_authored_manifest(R"({"pins":{}})"), errc::missing_key, "/targetHost"));

  std::string list = "[";
  for (int i = 0; i < 10'000; ++i) {
    list += R"({"host":"h)" + std::to_string(i) + R"(.example","port":1,"pins":)" + pins_a + "},";
  }
  std::string full = list;
  full.back() = ']';
  CHECK(targets(full));
  CHECK(refused(targets(list + one + "]"), errc::too_many_targets, "/targets"));

  std::string many = "[" + pin_a;
  for (int i = 1; i < 100'000; ++i) many += "," + pin_a;
  CHECK(pins(R"({"primary":)" + many + "]}"));
  CHECK(refused(pins(R"({"primary":)" + many + R"(],"fallback":)" + pin_a + "}"),
                errc::too_many_targets, "/targets/0/pins/fallback"));
}

TEST_CASE("regions divide a target's edges by address") {
  const auto read = regions(
      R"([{"name":"emea","prefixes":["192.0.2.0/24","2001:db8::/32"],"pins":{"primary":)" + pin_a +
      R"(,"fallback":)" + pin_a +
      R"(,"rotationWindowDays":10}},{"name":"rest","default":true,"pins":)" + pins_a + "}]");
  REQUIRE(read);
  const auto& target = read->targets.at(0);
  REQUIRE(target.regions.size() == 2);
  CHECK(target.pins.empty());
  CHECK(target.rotation_window_days == 10);
  CHECK(target.regions[0].prefixes.size() == 2);
  CHECK(target.regions[0].pins[1].value.not_after == lab::at("2027-05-30T00:00:00Z"));
  CHECK(target.regions[1].is_default);

  const std::string at = "/targets/0/regions";
  const auto region = [](const std::string& members) {
    return R"({"name":"x",)" + members + R"(,"pins":)" + pins_a + "}";
  };
  const std::string rest = R"(,{"name":"rest","default":true,"pins":)" + pins_a + "}]";
  const auto prefixes = [&](const std::string& list) {
    return regions("[" + region("\"prefixes\":[" + list + "]") + rest);
  };
  CHECK(prefixes("\"192.0.2.0/24\""));
  for (const auto& [bad, good] : {std::pair{"192.0.2.1/24", "192.0.2.0/24"},
                                  {"192.0.2.1", "192.0.2.1/32"},
                                  {"2001:db8::1", "2001:db8::1/128"},
                                  {"2001:db8::1/33", "2001:db8::/33"},
                                  {"::ffff:192.0.2.0/120", "192.0.2.0/24"},
                                  {"192.0.2.0/33", ""},
                                  {"emea", ""},
                                  {"192.0.2.0/", ""}}) {
    CAPTURE(bad);
    const auto wrong = prefixes("\"" + std::string(bad) + "\"");
    CHECK(refused(wrong, errc::invalid_prefix, at + "/0/prefixes/0"));
    CHECK(wrong.error().suggestion == good);
  }
  CHECK(refused(prefixes(R"("192.0.2.0/24","192.0.2.0/24")"), errc::duplicate_target,
                at + "/0/prefixes/1"));
  CHECK(refused(prefixes(""), errc::missing_key, at + "/0"));
  CHECK(refused(regions("[" + region(R"("default":false)") + rest), errc::missing_key, at + "/0"));
  CHECK(refused(regions("[" + region(R"("default":true)") + rest), errc::conflicting_keys,
                at + "/1/default"));
  CHECK(refused(regions("[" + region(R"("prefixes":["192.0.2.0/24"])") + "]"), errc::missing_key,
                at));
  CHECK(refused(regions("[]"), errc::invalid_value, at));
  CHECK(refused(regions("[" + with(region(R"("default":true)"), "\"x\"", "\"\"") + "]"),
                errc::invalid_value, at + "/0/name"));
  CHECK(refused(regions("[" + region(R"("prefixes":["192.0.2.0/24"])") + "," +
                        region(R"("default":true)") + "]"),
                errc::duplicate_target, at + "/1/name"));
  CHECK(refused(regions(R"([{"name":"x","default":true}])"), errc::missing_key, at + "/0/pins"));
  CHECK(refused(
      targets(
          R"([{"host":"a.example","port":443,"pins":{"primary":)" + pin_a +
          R"(,"rotationWindowDays":20},"regions":[{"name":"x","prefixes":["192.0.2.0/24"],"pins":{"primary":)" +
          pin_a + R"(,"rotationWindowDays":21}}]}])"),
      errc::conflicting_keys, at + "/0/pins/rotationWindowDays"));
  // A target's own pins are its default; a window alone is none.
  CHECK(targets(R"([{"host":"a.example","port":443,"pins":)" + pins_a + R"(,"regions":[)" +
                region(R"("prefixes":["192.0.2.0/24"])") + "]}]"));
  CHECK(refused(
      targets(R"([{"host":"a.example","port":443,"pins":{"rotationWindowDays":9},"regions":[)" +
              region(R"("prefixes":["192.0.2.0/24"])") + "]}]"),
      errc::missing_key, at));
}

TEST_CASE("policies other than the strict ones do not exist") {
  const auto policy = changed("\"strict\"", "\"permissive\"");
  CHECK(refused(policy, errc::invalid_value, "/verificationPolicy"));
  CHECK(policy.error().suggestion == "strict");
  CHECK(refused(added(R"("circuitBreakerConfig":{"fallbackBehavior":"allow"})"),
                errc::invalid_value, "/circuitBreakerConfig/fallbackBehavior"));
  CHECK(refused(added(R"("circuitBreakerConfig":{"maxConsecutiveFailures":101})"),
                errc::invalid_value, "/circuitBreakerConfig/maxConsecutiveFailures"));
  CHECK(refused(added(R"("circuitBreakerConfig":{"maxConsecutiveFailures":0})"),
                errc::invalid_value, "/circuitBreakerConfig/maxConsecutiveFailures"));
  CHECK(refused(added(R"("circuitBreakerConfig":{"maxConsecutiveFailures":4,"alertThreshold":5})"),
                errc::invalid_value, "/circuitBreakerConfig/alertThreshold"));
  CHECK(refused(added(R"("circuitBreakerConfig":{"cooldownSeconds":31622401})"),
                errc::invalid_value, "/circuitBreakerConfig/cooldownSeconds"));
  CHECK(added(R"("circuitBreakerConfig":{"maxConsecutiveFailures":1})")->breaker.valid());
  CHECK(added(R"("lockRecovery":"verified_probe")")->recovery ==
        cotter::lock_recovery::verified_probe);
  CHECK(refused(added(R"("lockRecovery":"probe")"), errc::invalid_value, "/lockRecovery"));
}

TEST_CASE("reports go out by https, and a password is not repeated") {
  const std::string good = "https://siem.example.com/api/v1/pin-audit";
  CHECK(changed(good, "https://siem.example.com:8443?x=1"));
  CHECK(changed(good, "https://[2001:db8::1]:8443/"));
  CHECK(refused(changed(good, "http://siem.example.com/"), errc::insecure_scheme,
                "/reportingEndpoint"));
  for (const std::string_view bad :
       {"ftp://siem.example.com/", "siem.example.com", "", "https://", "https:///x",
        "https://SIEM.example.com/", "https://siem.example.com:0/",
        "https://siem.example.com:65536/", "https://siem.example.com:/x y",
        "https://siem.example.com/#x", "https://[::1/", "https://[1.2.3.4]/",
        "https://a.example\\\\@b.example/", "HTTPS://siem.example.com/"}) {
    CAPTURE(bad);
    CHECK(refused(changed(good, bad), errc::invalid_url, "/reportingEndpoint"));
  }
  const auto secret = changed(good, "https://user:hunter2@siem.example.com/");
  CHECK(refused(secret, errc::invalid_url, "/reportingEndpoint"));
  CHECK(secret.error().seen.find("hunter2") == std::string::npos);
}

TEST_CASE("a runtime names a library and versions") {
  const auto read = added(
      R"("runtime":[{"library":"openssl","atLeast":"3.0.0","below":"4"},{"library":"mbedtls"}])");
  REQUIRE(read);
  REQUIRE(read->runtimes.size() == 2);
  CHECK(read->runtimes[0].at_least == cotter::library_version{3, 0, 0});
  CHECK(read->runtimes[0].below == cotter::library_version{4, 0, 0});
  CHECK(read->runtimes[1].at_least == cotter::library_version{});
  const auto wrong = added(R"("runtime":[{"library":"OpenSSL"}])");
  CHECK(refused(wrong, errc::invalid_value, "/runtime/0/library"));
  CHECK(wrong.error().suggestion == "openssl");
  CHECK(refused(added(R"("runtime":[])"), errc::invalid_value, "/runtime"));
  CHECK(refused(added(R"("runtime":[{}])"), errc::missing_key, "/runtime/0/library"));
  CHECK(refused(added(R"("runtime":[{"library":"openssl","atLeast":"3.0.2-0"}])"),
                errc::invalid_version, "/runtime/0/atLeast"));
  CHECK(refused(added(R"("runtime":[{"library":"openssl","atLeast":"3.1","below":"3.1.0"}])"),
                errc::invalid_value, "/runtime/0/below"));
}

TEST_CASE("unknown keys are passed over at run time, listed for authors, refused if critical") {
  CHECK(added(R"("x-team":"voice")"));
  const std::string text = with(with(lab::manifest_text(), "\"pins\"", "\"prot\":1,\"pins\""),
                                "\"fallback\"", R"("fallbak":1,"fallback")");
  CHECK(json::read_manifest(text));
  const auto read = json::read_authored_manifest(text);
  REQUIRE(read);
  REQUIRE(read->unknown.size() == 2);
  CHECK(read->unknown[0].pointer == "/targets/0/prot");
  CHECK(read->unknown[0].suggestion == "port");
  CHECK(read->unknown[1].pointer == "/targets/0/pins/fallbak");
  CHECK(read->unknown[1].suggestion == "fallback");
  CHECK(refused(added(R"("critical":["pins","quorum"])"), errc::unknown_critical, "/critical/1"));
  CHECK(
      refused(added(R"("critical":["quorum"],"quorum":2)"), errc::unknown_critical, "/critical/0"));
  CHECK(
      refused(added(R"("critical":["regions"],"regions":[])"), errc::unknown_critical, "/regions"));
  CHECK(refused(added(R"("critical":"pins")"), errc::wrong_type, "/critical"));
  CHECK(refused(added(R"("critical":[1])"), errc::wrong_type, "/critical/0"));
  CHECK(added(R"("critical":["regions","runtime"])"));
  CHECK(refused(json::read_authored_manifest(with(lab::manifest_text(), "\"verificationPolicy\"",
                                                  R"("critical":["quorum"],"verificationPolicy")")),
                errc::unknown_critical, "/critical/0"));
}

TEST_CASE("every wrong type is refused at its place") {
  for (const auto& [key, wrong] : {std::pair{"pinManifestVersion", "2"},
                                   {"observeUntil", "1"},
                                   {"runtime", "{}"},
                                   {"circuitBreakerConfig", "[]"},
                                   {"lockRecovery", "true"},
                                   {"critical", "{}"}}) {
    CAPTURE(key);
    std::string text = lab::manifest_text();
    if (text.find("\"" + std::string(key) + "\"") != text.npos) {
      text = with(text, R"("pinManifestVersion": "2.1.0")", R"("pinManifestVersion": 2)");
    } else {
      text = with(text, "\"sequence\"", "\"" + std::string(key) + "\":" + wrong + ",\"sequence\"");
    }
    CHECK(refused(json::read_manifest(text), errc::wrong_type, "/" + std::string(key)));
  }
}

TEST_CASE("what is read and written is written again as it is") {
  for (const std::string& text :
       {guide("pin-manifest.json"), guide("circuit-breaker.json"), lab::manifest_text(),
        with(lab::manifest_text(), "\"verificationPolicy\"",
             R"("critical":["runtime"],"verificationPolicy")")}) {
    const auto read = json::read_authored_manifest(text);
    REQUIRE(read);
    const auto written = json::write_manifest(*read);
    REQUIRE(written);
    const auto again = json::read_authored_manifest(*written);
    REQUIRE(again);
    CHECK(again->critical == read->critical);
    CHECK(*json::write_manifest(*again) == *written);
  }
}

TEST_CASE("what cannot be read is not written") {
  const cotter::pin_manifest good = *json::read_manifest(lab::manifest_text());
  REQUIRE(json::write_manifest(good));
  cotter::pin_manifest bad = good;
  bad.breaker.max_jitter = std::chrono::seconds{1};
  CHECK(refused(json::write_manifest(bad), errc::invalid_value, "/circuitBreakerConfig"));
  bad = good;
  bad.breaker.cooldown = std::chrono::milliseconds{1500};
  CHECK(refused(json::write_manifest(bad), errc::invalid_value, "/circuitBreakerConfig"));
  bad = good;
  bad.expires_at = cotter::no_expiry;
  CHECK(refused(json::write_manifest(bad), errc::invalid_timestamp, "/expires"));
  bad = good;
  bad.targets[0].host = "A.example";
  CHECK(refused(json::write_manifest(bad), errc::invalid_host, "/targets/0/host"));
  bad = good;
  bad.targets[0].pins.clear();
  CHECK(refused(json::write_manifest(bad), errc::missing_key, "/targets/0/pins/primary"));
  bad = good;
  bad.targets[0].pins[0].label = "\xff";
  CHECK(refused(json::write_manifest(bad), errc::invalid_utf8, ""));
}
