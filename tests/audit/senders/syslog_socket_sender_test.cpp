// SPDX-License-Identifier: BSL-1.0
#include <cotter/posix/syslog_socket_sender.hpp>

#include <cotter/testing/laws/audit_sender.hpp>

#include <audit/support/local_receiver.hpp>
#include <audit/support/numbered.hpp>
#include <support/laws.hpp>

#include <string>
#include <vector>

namespace {

using namespace cotter;
using numbered::within;

using sender = posix::syslog_socket_sender<numbered::render>;
static_assert(audit_sender<sender>);

posix::syslog_socket_options at(const std::string& path, posix::syslog_form form = {},
                                std::size_t longest = 8192) {
  return {path, form, longest};
}

void check_laws(int type) {
  temporary_directory here;
  const std::string path = here.file("log");
  local_receiver receiver(path, type);
  sender one({}, {}, at(path));
  testing::audit_sender_material<sender> lent{one};
  lent.received = [&] { return receiver.texts(); };
  lent.withhold = [&](bool so) { so ? receiver.stop() : receiver.start(); };
  require_laws(testing::check_audit_sender_laws(lent));
}

}  // namespace

TEST_CASE("syslog_socket_sender keeps the laws of audit_sender, on datagrams") {
  check_laws(SOCK_DGRAM);
}

TEST_CASE("syslog_socket_sender keeps the laws of audit_sender, on a stream") {
  check_laws(SOCK_STREAM);
}

TEST_CASE("a message is what syslog's readers expect, in either form") {
  temporary_directory here;
  local_receiver receiver(here.file("log"), SOCK_DGRAM);
  const auto some = numbered::events(1, 1);
  CHECK(sender({}, {}, at(here.file("log"))).deliver(some, within(1000)).settled == 1);
  CHECK(sender({}, {syslog_facility::local0, {}, "phone", "9", 0},
               at(here.file("log"), posix::syslog_form::local))
            .deliver(some, within(1000))
            .settled == 1);
  const std::string text =
      R"({"id":"00000000000000000000000000000000-1","host":"edge.example.com","pad":""})";
  CHECK(receiver.texts() ==
        std::vector<std::string>{"<82>1 2026-09-21T14:13:20Z - cotter - refused - " + text,
                                 "<130>phone[9]: " + text});
}

TEST_CASE("an event that is rendered as nothing is settled and not sent") {
  temporary_directory here;
  local_receiver receiver(here.file("log"), SOCK_DGRAM);
  sender one({0, true}, {}, at(here.file("log")));
  CHECK(one.deliver(numbered::events(6, 3), within(1000)).settled == 3);
  CHECK(numbered::numbers_in(receiver.texts()) == std::vector<std::uint64_t>{6, 8});
}

TEST_CASE("a message too long for its bound or its socket is cut, says so, and says which it was") {
  temporary_directory here;
  local_receiver receiver(here.file("log"), SOCK_DGRAM);
  sender bounded({8100, false}, {}, at(here.file("log")));
  CHECK(bounded.deliver(numbered::events(1, 1), within(1000)).settled == 1);
  // Longer than the buffer of any Unix socket that nobody has enlarged.
  sender endless({std::size_t{2} << 20, false}, {},
                 at(here.file("log"), posix::syslog_form::rfc5424, ~std::size_t{0}));
  CHECK(endless.deliver(numbered::events(2, 1), within(1000)).settled == 1);
  sender fits({7000, false}, {}, at(here.file("log")));
  CHECK(fits.deliver(numbered::events(3, 1), within(1000)).settled == 1);
  const auto texts = receiver.texts();
  REQUIRE(texts.size() == 3);
  CHECK(numbered::numbers_in(texts) == numbered::from_to(1, 3));
  for (std::size_t i : {0u, 1u}) {
    INFO(texts[i]);
    CHECK(texts[i].size() <= 480);
    CHECK(texts[i].starts_with(
        "<82>1 2026-09-21T14:13:20Z - cotter - refused - {\"schema\":\"cotter.audit-cut/1\""));
    CHECK(texts[i].find("\"type\":\"refused\"") != std::string::npos);
    CHECK(texts[i].find("\"target\":{\"host\":\"edge.example.com\",\"port\":5061}") !=
          std::string::npos);
    CHECK(texts[i].find("\"reason\":\"pin_mismatch\"") != std::string::npos);
    CHECK(texts[i].find("\"cut\":true") != std::string::npos);
  }
  CHECK(texts[0].find("\"bytes\":8178}") != std::string::npos);
  CHECK(texts[2].size() > 7000);
}

TEST_CASE(
    "a receiver that takes nothing holds a delivery up to its deadline, and loses none of it") {
  for (const int type : {SOCK_DGRAM, SOCK_STREAM}) {
    temporary_directory here;
    local_receiver receiver(here.file("log"), type);
    receiver.stall(true);
    sender one({4000, false}, {}, at(here.file("log")));
    const auto some = numbered::events(1, 2000);
    const auto began = std::chrono::steady_clock::now();
    const delivery first = one.deliver(some, within(300));
    const auto took = std::chrono::steady_clock::now() - began;
    CHECK(first.settled < some.size());
    CHECK(first.why.what == errc::timeout);
    CHECK(took < std::chrono::milliseconds{800});
    receiver.stall(false);
    std::size_t settled = first.settled;
    const auto until = within(20'000);
    while (settled < some.size() && std::chrono::steady_clock::now() < until) {
      settled += one.deliver(std::span(some).subspan(settled), until).settled;
    }
    CHECK(settled == some.size());
    CHECK(numbered::numbers_in(receiver.texts()) == numbered::from_to(1, 2000));
    CHECK(receiver.torn().size() <= (type == SOCK_STREAM ? 1u : 0u));
  }
}

TEST_CASE("a line that could not be ended by the deadline is not continued by the next one") {
  temporary_directory here;
  local_receiver receiver(here.file("log"), SOCK_STREAM);
  receiver.stall(true);
  // Longer than the buffers of both ends: some of it is taken, and the rest is not.
  sender one({std::size_t{2} << 20, false}, {},
             at(here.file("log"), posix::syslog_form::local, ~std::size_t{0}));
  const delivery first = one.deliver(numbered::events(1, 1), within(100));
  CHECK(first.settled == 0);
  CHECK(first.why.what == errc::timeout);
  receiver.stall(false);
  CHECK(one.deliver(numbered::events(1, 1), within(5000)).settled == 1);
  const auto texts = receiver.texts();
  REQUIRE(texts.size() == 1);
  CHECK(texts[0].rfind("<82>cotter: {") == 0);
  CHECK(texts[0].size() < (std::size_t{2} << 20) + 200);
  CHECK(receiver.torn().size() == 1);
}

TEST_CASE("a receiver that was started anew is found again within one delivery") {
  for (const int type : {SOCK_DGRAM, SOCK_STREAM}) {
    temporary_directory here;
    local_receiver receiver(here.file("log"), type);
    sender one({}, {}, at(here.file("log")));
    CHECK(one.deliver(numbered::events(1, 2), within(1000)).settled == 2);
    CHECK(receiver.messages().size() == 2);
    receiver.stop();
    receiver.start();
    const delivery sent = one.deliver(numbered::events(3, 2), within(1000));
    CHECK(sent.settled == 2);
    CHECK(numbered::numbers_in(receiver.texts()) == numbered::from_to(1, 4));
  }
}

TEST_CASE("where nobody listens nothing is settled, at once") {
  temporary_directory here;
  const auto some = numbered::events(1, 1);
  for (const std::string& path : {here.file("nobody"), std::string(), std::string(200, 'x')}) {
    const auto began = std::chrono::steady_clock::now();
    const delivery sent = sender({}, {}, at(path)).deliver(some, within(5000));
    CHECK(sent.settled == 0);
    CHECK(sent.why.what == errc::connect_failed);
    CHECK(sent.why.native != 0);
    CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds{1});
  }
}
