// SPDX-License-Identifier: BSL-1.0
#include <cotter/policies/audit/syslog_message.hpp>

#include <audit/support/events.hpp>
#include <support/catch.hpp>

#include <string>

namespace {

using namespace cotter;

audit_event refusal() {
  audit_event event;
  event.id.number = 1;
  event.what.at = events::at(1'790'000'000);
  event.what.endpoint = {"sip.example.com", 5061};
  event.what.outcome = verdict::refuse(reason::pin_mismatch);
  return event;
}

std::string message(const audit_event& event, const syslog_origin& from, std::string_view text) {
  std::string out;
  append_syslog_message(event, from, text, out);
  return out;
}

/// Reads one message as RFC 5424 6 has it; false if it is none.
struct read_message {
  explicit read_message(std::string_view in) {
    const auto upto = [&](char end) {
      const std::size_t at = in.find(end);
      const std::string_view part = in.substr(0, at);
      in.remove_prefix(at == in.npos ? in.size() : at + 1);
      return std::string(part);
    };
    if (in.empty() || in[0] != '<') return;
    in.remove_prefix(1);
    priority = std::stoi(upto('>'));
    const std::string version = upto(' ');
    time = upto(' ');
    for (std::string* part : {&hostname, &app_name, &process, &type}) {
      *part = upto(' ');
      for (const char c : *part) {
        if (c <= ' ' || c >= '\x7f') return;
      }
      if (part->empty()) return;
    }
    if (in.starts_with('-')) {
      data = "-";
      in.remove_prefix(1);
    } else {
      // To the bracket that is not escaped.
      std::size_t at = 0;
      while (at < in.size() && in[at] != ']') at += in[at] == '\\' ? 2u : 1u;
      data = in.substr(0, at + 1);
      in.remove_prefix(std::min(at + 1, in.size()));
    }
    sound = version == "1" && hostname.size() <= 255 && app_name.size() <= 48 &&
            process.size() <= 128 && type.size() <= 32 && (in.empty() || in[0] == ' ');
    text = in.empty() ? "" : in.substr(1);
  }
  bool sound = false;
  int priority = -1;
  std::string time, hostname, app_name, process, type, data, text;
};

}  // namespace

TEST_CASE("a message has the fields of RFC 5424 in their order") {
  const syslog_origin from{syslog_facility::local3, "desk-7.example.com", "phone", "4711", 0};
  CHECK(message(refusal(), from, "{}") ==
        "<154>1 2026-09-21T14:13:20Z desk-7.example.com phone 4711 refused - {}");
  CHECK(message(refusal(), {}, "") == "<82>1 2026-09-21T14:13:20Z - cotter - refused -");
}

TEST_CASE("a time that receivers do not read is unknown") {
  audit_event event = refusal();
  const auto time = [&](std::int64_t seconds) {
    event.what.at = events::at(seconds);
    return message(event, {}, "").substr(6, 21);
  };
  CHECK(time(0) == "1970-01-01T00:00:00Z ");
  CHECK(time(-1) == "- - cotter - refused ");
  CHECK(time(253'370'764'799) == "9998-12-31T23:59:59Z ");
  CHECK(time(253'370'764'800) == "- - cotter - refused ");
}

TEST_CASE("text beyond ASCII is preceded by a byte order mark, and only that") {
  CHECK(message(refusal(), {}, "\xc3\xbc").ends_with(" - \xef\xbb\xbf\xc3\xbc"));
  CHECK(message(refusal(), {}, "u").ends_with(" - u"));
}

TEST_CASE("STRUCTURED-DATA needs a number of the program's own, and is escaped as 6.3.3 wants") {
  audit_event event = refusal();
  event.client = "a\"b\\c]d\n\xff";
  event.what.region = "eu";
  event.what.diagnosis.what = cause::inspection;
  const read_message read(message(event, {{}, {}, "cotter", {}, 32473}, "x"));
  CHECK(read.sound);
  CHECK(read.data ==
        "[cotter@32473 id=\"00000000000000000000000000000000-1\" type=\"refused\" "
        "client=\"a\\\"b\\\\c\\]d?\xef\xbf\xbd\" host=\"sip.example.com\" port=\"5061\" "
        "region=\"eu\" reason=\"pin_mismatch\" diagnosis=\"inspection_proxy\"]");
  CHECK(read.text == "x");
}

TEST_CASE("no event and no origin breaks a message") {
  for (const std::string& hostile : events::hostile_texts()) {
    const syslog_origin from{syslog_facility::authpriv, hostile, hostile, hostile, 32473};
    events::for_each([&](const audit_event& event) {
      const std::string line = message(event, from, "text");
      const read_message read(line);
      const bool fits = read.sound && read.text == "text" && line.find('\n') == line.npos &&
                        line.find('\0') == line.npos &&
                        read.priority == 80 + static_cast<int>(severity_of(event.what)) &&
                        read.type == to_string(type_of(event.what));
      if (!fits) FAIL_CHECK(line);
    });
  }
}

TEST_CASE("the local form is what syslog(3) writes: priority, tag, text") {
  std::string out;
  append_local_message(refusal(), {syslog_facility::user, "host", "app:1 ", "77"}, "text", out);
  CHECK(out == "<10>app?1?[77]: text");
  out.clear();
  append_local_message(refusal(), {}, "text", out);
  CHECK(out == "<82>cotter: text");
}

TEST_CASE("a frame says how many octets follow") {
  std::string out = "x";
  append_framed("", out);
  append_framed("h\xc3\xa9llo\n", out);
  CHECK(out == "x0 7 h\xc3\xa9llo\n");
}
