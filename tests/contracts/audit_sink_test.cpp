// SPDX-License-Identifier: BSL-1.0
#include <cotter/testing/laws/audit_sink.hpp>

#include <cotter/policies/audit/callback_audit_sink.hpp>
#include <cotter/policies/audit/null_audit_sink.hpp>
#include <cotter/policies/audit/ring_audit_sink.hpp>
#include <cotter/testing/recording_sink.hpp>

#include <support/laws.hpp>

#include <string>
#include <vector>

namespace {

using namespace cotter;

template <std::size_t Slots>
testing::law_report check_ring() {
  ring_audit_sink<Slots> ring;
  return testing::check_audit_sink_laws(
      ring,
      [](const auto& sink) {
        std::vector<std::uint64_t> all;
        for (std::size_t i = 0; i < sink.size(); ++i) {
          const ring_entry e = sink.at(i);
          all.insert(all.end(), {e.host_tag, e.port, static_cast<std::uint64_t>(e.at_seconds),
                                 static_cast<std::uint64_t>(e.why)});
        }
        return all;
      },
      [](const auto& sink) { return sink.size(); },
      [](const auto& sink) { return sink.overwritten(); });
}

constexpr auto none = [](const auto&) { return std::uint64_t{0}; };

}  // namespace

TEST_CASE("ring_audit_sink keeps the laws of audit_sink, of whatever size") {
  require_laws(check_ring<1>());
  require_laws(check_ring<7>());
  require_laws(check_ring<99>());
  require_laws(check_ring<100>());
  require_laws(check_ring<101>());
}

TEST_CASE("recording_sink keeps the laws of audit_sink") {
  testing::recording_sink sink;
  require_laws(testing::check_audit_sink_laws(
      sink, [](const auto& s) { return s.decisions(); },
      [](const auto& s) { return s.decisions().size(); }, none));
}

TEST_CASE("callback_audit_sink passes every record on and keeps none") {
  std::vector<std::string> hosts;
  auto sink = callback_audit_sink(
      [&hosts](const audit_record& what) noexcept { hosts.emplace_back(what.endpoint.host); });
  require_laws(testing::check_audit_sink_laws(
      sink, [&](const auto&) { return hosts; }, [&](const auto&) { return hosts.size(); }, none));
}

TEST_CASE("null_audit_sink keeps nothing, and by its name says so") {
  null_audit_sink sink;
  const auto report = testing::check_audit_sink_laws(
      sink, none, none, [](const auto&) { return std::uint64_t{100}; });
  require_laws(report);
}

TEST_CASE("the audit_sink suite finds a sink that keeps what it was lent") {
  struct borrowing {
    std::vector<std::string_view> hosts;
    void record(const audit_record& what) noexcept { hosts.push_back(what.endpoint.host); }
  };
  borrowing sink;
  const auto contents = [](const borrowing& s) { return std::string(s.hosts.at(0)); };
  const auto report = testing::check_audit_sink_laws(
      sink, contents, [](const borrowing& s) { return s.hosts.size(); }, none);
  require_broken(report, "A2");
}

TEST_CASE("the audit_sink suite finds a sink that drops in silence") {
  struct forgetful {
    unsigned kept = 0;
    void record(const audit_record&) noexcept {
      if (kept < 10) ++kept;
    }
  };
  forgetful sink;
  const auto report = testing::check_audit_sink_laws(
      sink, [](const forgetful&) { return 0; }, [](const forgetful& s) { return s.kept; }, none);
  require_broken(report, "A3");
}
