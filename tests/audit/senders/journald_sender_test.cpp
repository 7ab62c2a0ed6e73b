// SPDX-License-Identifier: BSL-1.0
#include <cotter/posix/journald_sender.hpp>

#include <cotter/testing/laws/audit_sender.hpp>

#include <audit/support/events.hpp>
#include <audit/support/local_receiver.hpp>
#include <audit/support/numbered.hpp>
#include <support/laws.hpp>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

// Against a stand-in for journald's socket; against journald itself in journald_test.py.

namespace {

using namespace cotter;
using numbered::within;

using sender = posix::journald_sender<numbered::render>;
static_assert(audit_sender<sender>);

/// The fields of an entry as the native protocol has them; empty if it is none.
std::map<std::string, std::string> fields(std::string_view entry) {
  std::map<std::string, std::string> out;
  while (!entry.empty()) {
    const std::size_t end = entry.find_first_of("=\n");
    if (end == entry.npos) return {};
    const std::string name(entry.substr(0, end));
    const bool sized = entry[end] == '\n';
    entry.remove_prefix(end + 1);
    std::size_t size = entry.find('\n');
    if (sized) {
      if (entry.size() < 8) return {};
      size = 0;
      for (std::size_t i = 8; i-- > 0;) size = size << 8 | static_cast<unsigned char>(entry[i]);
      entry.remove_prefix(8);
    }
    if (size >= entry.size() || entry[size] != '\n') return {};
    const bool sound = !name.empty() && name.size() <= 64 && name[0] >= 'A' && name[0] <= 'Z' &&
                       std::all_of(name.begin(), name.end(), [](char c) {
                         return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
                       });
    if (!sound || !out.emplace(name, entry.substr(0, size)).second) return {};
    entry.remove_prefix(size + 1);
  }
  return out;
}

}  // namespace

TEST_CASE("journald_sender keeps the laws of audit_sender") {
  temporary_directory here;
  const std::string path = here.file("socket");
  local_receiver receiver(path, SOCK_DGRAM);
  sender one({}, "cotter", path);
  testing::audit_sender_material<sender> lent{one};
  lent.received = [&] {
    std::vector<std::string> out;
    for (const std::string& entry : receiver.texts()) out.push_back(fields(entry)["COTTER_EVENT"]);
    return out;
  };
  lent.withhold = [&](bool so) { so ? receiver.stop() : receiver.start(); };
  require_laws(testing::check_audit_sender_laws(lent));
}

TEST_CASE("each type of event has a message id of its own, which never changes") {
  std::set<std::string_view> ids;
  for (std::size_t t = 0; t <= static_cast<std::size_t>(audit_type::loss); ++t) {
    const std::string_view id = posix::journal_message_id(static_cast<audit_type>(t));
    CHECK(id.size() == 32);
    CHECK(id.find_first_not_of("0123456789abcdef") == id.npos);
    ids.insert(id);
  }
  CHECK(ids.size() == 8);
  CHECK(posix::journal_message_id(audit_type::refused) == "d19b7270d7614e27892a3be296c67102");
}

TEST_CASE("an entry has the fields that people and programs search for") {
  temporary_directory here;
  local_receiver receiver(here.file("socket"), SOCK_DGRAM);
  auto some = numbered::events(1, 1);
  some[0].client = "desk-7";
  some[0].what.region = "eu";
  some[0].what.backend = "openssl";
  some[0].what.diagnosis.what = cause::inspection;
  some[0].what.suppressed_count = 2;
  sender one({}, "phone", here.file("socket"));
  CHECK(one.deliver(some, within(1000)).settled == 1);
  const auto texts = receiver.texts();
  REQUIRE(texts.size() == 1);
  CHECK(fields(texts[0]) ==
        std::map<std::string, std::string>{
            {"MESSAGE",
             "refused edge.example.com:5061: pin_mismatch (inspection_proxy), and 2 more like it"},
            {"PRIORITY", "2"},
            {"SYSLOG_IDENTIFIER", "phone"},
            {"MESSAGE_ID", "d19b7270d7614e27892a3be296c67102"},
            {"COTTER_ID", "00000000000000000000000000000000-1"},
            {"COTTER_TIME", "2026-09-21T14:13:20Z"},
            {"COTTER_TYPE", "refused"},
            {"COTTER_CLIENT", "desk-7"},
            {"COTTER_HOST", "edge.example.com"},
            {"COTTER_PORT", "5061"},
            {"COTTER_REGION", "eu"},
            {"COTTER_BACKEND", "openssl"},
            {"COTTER_REASON", "pin_mismatch"},
            {"COTTER_DIAGNOSIS", "inspection_proxy"},
            {"COTTER_SUPPRESSED", "2"},
            {"COTTER_EVENT",
             R"({"id":"00000000000000000000000000000000-1","host":"edge.example.com","pad":""})"}});
}

TEST_CASE("no text of an event adds a field to its entry or breaks it") {
  temporary_directory here;
  local_receiver receiver(here.file("socket"), SOCK_DGRAM);
  std::vector<audit_event> all;
  events::for_each([&](const audit_event& one) { all.push_back(one); });
  sender one({}, "cotter", here.file("socket"));
  REQUIRE(one.deliver(all, within(20'000)).settled == all.size());
  const auto texts = receiver.texts();
  REQUIRE(texts.size() == all.size());
  const std::set<std::string> known{"MESSAGE",           "PRIORITY",
                                    "SYSLOG_IDENTIFIER", "MESSAGE_ID",
                                    "COTTER_ID",         "COTTER_TIME",
                                    "COTTER_TYPE",       "COTTER_CLIENT",
                                    "COTTER_HOST",       "COTTER_PORT",
                                    "COTTER_REGION",     "COTTER_BACKEND",
                                    "COTTER_REASON",     "COTTER_WOULD_REFUSE",
                                    "COTTER_DIAGNOSIS",  "COTTER_FINGERPRINT",
                                    "COTTER_BREAKER",    "COTTER_MANIFEST",
                                    "COTTER_CLOCK",      "COTTER_SUPPRESSED",
                                    "COTTER_EVENT"};
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto read = fields(texts[i]);
    REQUIRE_FALSE(read.empty());
    for (const auto& [name, value] : read) {
      if (!known.contains(name)) FAIL_CHECK(name);
      std::string sound;
      append_utf8(value, sound);
      if (name != "COTTER_EVENT" && (value.empty() || sound != value)) FAIL_CHECK(name);
    }
    std::string host;
    append_utf8(all[i].what.endpoint.host, host);
    CHECK((host.empty() ? !read.contains("COTTER_HOST") : read.at("COTTER_HOST") == host));
  }
}

TEST_CASE("an entry too large for a datagram comes as a sealed file, whole") {
  temporary_directory here;
  local_receiver receiver(here.file("socket"), SOCK_DGRAM);
  sender one({std::size_t{3} << 20, false}, "cotter", here.file("socket"));
  CHECK(one.deliver(numbered::events(1, 2), within(5000)).settled == 2);
  sender small({}, "cotter", here.file("socket"));
  CHECK(small.deliver(numbered::events(3, 1), within(5000)).settled == 1);
  const auto messages = receiver.messages();
  REQUIRE(messages.size() == 3);
  for (const std::size_t i : {0u, 1u}) {
    CHECK(messages[i].seals == (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE));
    const auto read = fields(messages[i].octets);
    REQUIRE(read.contains("COTTER_EVENT"));
    CHECK(read.at("COTTER_EVENT").size() > (std::size_t{3} << 20));
    CHECK(numbered::number_in(read.at("COTTER_EVENT")) == i + 1);
  }
  CHECK(messages[2].seals == -1);
}

TEST_CASE(
    "a journal that takes nothing holds a delivery up to its deadline, and loses none of it") {
  temporary_directory here;
  local_receiver receiver(here.file("socket"), SOCK_DGRAM);
  receiver.stall(true);
  sender one({4000, false}, "cotter", here.file("socket"));
  const auto some = numbered::events(1, 2000);
  const delivery first = one.deliver(some, within(200));
  CHECK(first.settled < some.size());
  CHECK(first.why.what == errc::timeout);
  receiver.stall(false);
  CHECK(one.deliver(std::span(some).subspan(first.settled), within(20'000)).why.what == errc::ok);
  std::vector<std::uint64_t> numbers;
  for (const std::string& entry : receiver.texts()) {
    numbers.push_back(numbered::number_in(fields(entry)["COTTER_EVENT"]));
  }
  CHECK(numbers == numbered::from_to(1, 2000));
}
