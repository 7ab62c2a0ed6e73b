// SPDX-License-Identifier: BSL-1.0
#include <cotter/testing/laws/audit_sender.hpp>

#include <support/laws.hpp>

#include <string>
#include <thread>
#include <vector>

namespace {

using namespace cotter;

/// A sender and its receiver in one, with one fault.
struct faulty_sender {
  enum class fault { none, settles_early, dawdles, sends_to_itself, keeps_text, new_ids, silent };

  fault has = fault::none;
  bool away = false;
  std::vector<std::string> at_receiver{};
  std::vector<std::string_view> borrowed{};
  std::uint64_t made_up = 1'000;

  delivery deliver(std::span<const audit_event> events,
                   std::chrono::steady_clock::time_point deadline) {
    delivery out;
    for (const audit_event& one : events) {
      if (away) {
        if (has == fault::settles_early) {
          out.settled = 1;
        }
        if (has == fault::dawdles) {
          std::this_thread::sleep_until(deadline + std::chrono::milliseconds{700});
        }
        if (has != fault::silent) out.why = error{errc::connect_failed};
        return out;
      }
      ++out.settled;
      if (one.what.endpoint.host == "collector.law.example" && has != fault::sends_to_itself) {
        ++out.withheld;
        continue;
      }
      audit_event sent = one;
      if (has == fault::new_ids)
        sent.id.number = one.id.number == 10 && ++tens > 1 ? made_up : one.id.number;
      at_receiver.push_back(testing::detail::law_id(sent) + " ");
      borrowed.push_back(one.what.endpoint.host);
      if (has != fault::keeps_text) at_receiver.back() += one.what.endpoint.host;
    }
    return out;
  }

  std::vector<std::string> received() const {
    std::vector<std::string> out = at_receiver;
    if (has == fault::keeps_text && out.size() == 3) {
      for (std::size_t i = 0; i < out.size(); ++i) out[i] += borrowed[i];
    }
    return out;
  }

  int tens = 0;
};

testing::law_report report_of(faulty_sender::fault has) {
  faulty_sender one{has};
  testing::audit_sender_material<faulty_sender> lent{one};
  lent.received = [&] { return one.received(); };
  lent.withhold = [&](bool so) { one.away = so; };
  lent.own_host = "collector.law.example";
  return testing::check_audit_sender_laws(lent);
}

}  // namespace

TEST_CASE("the laws of audit_sender hold for a sender without fault, and each fault breaks one") {
  using fault = faulty_sender::fault;
  require_laws(report_of(fault::none));
  require_broken(report_of(fault::settles_early), "D1");
  require_broken(report_of(fault::silent), "D1");
  require_broken(report_of(fault::dawdles), "D2");
  require_broken(report_of(fault::sends_to_itself), "D3");
  require_broken(report_of(fault::keeps_text), "D4");
  require_broken(report_of(fault::new_ids), "D5");
}
