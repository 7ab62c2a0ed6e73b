// SPDX-License-Identifier: BSL-1.0
#include <cotter/policies/audit/event_text.hpp>

#include <audit/support/events.hpp>
#include <support/catch.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <limits>
#include <string>

namespace {

using namespace cotter;

std::string spelled(std::int64_t seconds) {
  std::string out;
  append_time(events::at(seconds), out);
  return out;
}

std::string summary(const audit_event& event) {
  std::string out;
  append_summary(event, out);
  return out;
}

severity of(reason why) {
  audit_record what;
  what.outcome = verdict::refuse(why);
  return severity_of(what);
}

}  // namespace

TEST_CASE("a time is written as RFC 3339 has it, and one beyond as the nearest") {
  CHECK(spelled(0) == "1970-01-01T00:00:00Z");
  CHECK(spelled(-1) == "1969-12-31T23:59:59Z");
  CHECK(spelled(951'782'400) == "2000-02-29T00:00:00Z");
  CHECK(spelled(253'402'300'799) == "9999-12-31T23:59:59Z");
  CHECK(spelled(253'402'300'800) == "9999-12-31T23:59:59Z");
  CHECK(spelled(-62'167'219'200) == "0000-01-01T00:00:00Z");
  CHECK(spelled(-62'167'219'201) == "0000-01-01T00:00:00Z");
  CHECK(spelled(std::numeric_limits<std::int64_t>::min()) == "0000-01-01T00:00:00Z");
  CHECK(spelled(std::numeric_limits<std::int64_t>::max()) == "9999-12-31T23:59:59Z");
}

TEST_CASE("UTF-8 is what RFC 3629 has, and nothing more") {
  const auto whole = [](std::string_view text) {
    std::string out;
    append_utf8(text, out);
    return out == text;
  };
  for (const std::string_view good :
       {"", "a", "\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
        "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"}) {
    CHECK(whole(good));
  }
  for (const std::string_view bad :
       {"\x80", "\xbf", "\xc0\xaf", "\xc1\xbf", "\xc2", "\xc2\x7f", "\xe0\x9f\xbf", "\xed\xa0\x80",
        "\xe2\x82", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xf0\x90\x80",
        "\xff"}) {
    CHECK_FALSE(whole(bad));
  }
}

TEST_CASE("severities: what the path can bring about is critical, a locked breaker an alert") {
  for (std::size_t r = 1; r < events::reasons; ++r) {
    const auto why = static_cast<reason>(r);
    const bool attack = why == reason::pin_mismatch || why == reason::manifest_signature ||
                        why == reason::manifest_rollback || why == reason::resumption_unbound ||
                        why == reason::backend_unfit;
    INFO(to_string(why));
    CHECK(of(why) == (attack                           ? severity::critical
                      : why == reason::breaker_cooling ? severity::warning
                                                       : severity::error));
  }
  audit_record what;
  what.outcome = verdict::accept(matched::primary);
  CHECK(severity_of(what) == severity::informational);
  what.resumed = true;
  CHECK(severity_of(what) == severity::informational);
  what.outcome = verdict::observe(reason::pin_mismatch);
  CHECK(severity_of(what) == severity::warning);
  what = {};
  what.subject = audit_subject::breaker;
  CHECK(severity_of(what) == severity::notice);
  what.breaker = breaker_state::cooling;
  CHECK(severity_of(what) == severity::warning);
  what.alert = true;
  CHECK(severity_of(what) == severity::critical);
  what.breaker = breaker_state::locked;
  CHECK(severity_of(what) == severity::alert);
  what = {};
  what.subject = audit_subject::breaker;
  what.breaker = breaker_state::unknown;
  CHECK(severity_of(what) == severity::error);
  what = {};
  what.subject = audit_subject::manifest;
  what.manifest = manifest_change::adopted;
  CHECK(severity_of(what) == severity::notice);
  what.manifest = manifest_change::rejected;
  CHECK(severity_of(what) == severity::error);
  what.manifest = manifest_change::lapsed;
  CHECK(severity_of(what) == severity::critical);
  what = {};
  what.subject = audit_subject::clock;
  CHECK(severity_of(what) == severity::warning);
  what.subject = audit_subject::loss;
  CHECK(severity_of(what) == severity::error);
}

TEST_CASE("a summary is one printable line, whatever the event") {
  events::for_each([](const audit_event& event) {
    const std::string line = summary(event);
    const bool plain =
        std::all_of(line.begin(), line.end(), [](char c) { return c >= ' ' && c < '\x7f'; });
    if (line.empty() || !plain) FAIL_CHECK(line);
  });
}

TEST_CASE("a summary says what happened, to whom, and why") {
  audit_event event;
  event.what.endpoint = {"2001:db8::1", 5061};
  event.what.outcome = verdict::refuse(reason::pin_mismatch);
  event.what.diagnosis.what = cause::inspection;
  event.what.suppressed_count = 3;
  CHECK(summary(event) ==
        "refused [2001:db8::1]:5061: pin_mismatch (inspection_proxy), and 3 more like it");
}

TEST_CASE("what is sent in place of an event is JSON that says which, and is never long") {
  std::size_t longest = 0;
  events::for_each([&](const audit_event& event) {
    std::string text;
    append_cut(event, std::numeric_limits<std::size_t>::max(), text);
    longest = std::max(longest, text.size());
    const auto read = nlohmann::json::parse(text, nullptr, false);
    REQUIRE_FALSE(read.is_discarded());
    std::array<char, event_id_chars> id;
    CHECK(read["id"] == std::string(id.data(), to_chars(event.id, id)));
    CHECK(read["type"] == to_string(type_of(event.what)));
    CHECK(read["cut"] == true);
    CHECK(read["bytes"] == std::numeric_limits<std::size_t>::max());
    if (event.what.subject == audit_subject::decision) {
      CHECK(read["target"]["port"] == event.what.endpoint.port);
      if (!event.what.outcome) CHECK(read["reason"] == to_string(event.what.outcome.reason()));
    }
  });
  CHECK(longest <= max_cut_bytes);
  CHECK(longest > max_cut_bytes / 2);
}
