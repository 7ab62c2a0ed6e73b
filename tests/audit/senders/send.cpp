// SPDX-License-Identifier: BSL-1.0
//
// Sends every event to a syslog or a journal, and prints how many it settled, for rsyslogd_test.py and
// journald_test.py.
#include <audit/support/events.hpp>

#include <cotter/json/audit_event.hpp>
#include <cotter/posix/journald_sender.hpp>
#include <cotter/posix/syslog_socket_sender.hpp>

#include <chrono>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace cotter;

/// cotter's own rendering; that of the event `large` is too large for a datagram.
struct render {
  std::uint64_t large = 0;

  void operator()(const audit_event& event, std::string& out) const {
    json::cotter_event{}(event, out);
    if (event.id.number == large) out.append(std::size_t{300} << 10, ' ');
  }
};

template <typename Sender>
int send(Sender& sender, const std::vector<audit_event>& all) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds{30};
  const delivery sent = sender.deliver(all, until);
  std::printf("%zu %s\n", sent.settled, std::string(code(sent.why.what)).c_str());
  return sent.settled == all.size() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view how = argc == 3 ? argv[1] : "";
  std::vector<audit_event> all;
  events::for_each([&](const audit_event& one) { all.push_back(one); });
  const render rendered{all.back().id.number};
  if (how == "journald") {
    posix::journald_sender sender(rendered, "cotter-test", argv[2]);
    return send(sender, all);
  }
  if (how == "rfc5424") {
    posix::syslog_socket_sender sender(
        rendered, {syslog_facility::local0, "desk-7", "cotter-test", "42", 32473}, {argv[2]});
    return send(sender, all);
  }
  if (how == "local") {
    posix::syslog_socket_sender sender(rendered,
                                       {syslog_facility::local0, "desk-7", "cotter-test", "42", 0},
                                       {argv[2], posix::syslog_form::local});
    return send(sender, all);
  }
  std::fputs("usage: send rfc5424|local|journald SOCKET\n", stderr);
  return 2;
}
