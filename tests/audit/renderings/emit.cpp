// SPDX-License-Identifier: BSL-1.0
//
// Prints what the renderings make of every event, for schemas_test.py.
#include <audit/support/events.hpp>

#include <cotter/json/audit_cloud_event.hpp>
#include <cotter/json/audit_event.hpp>
#include <cotter/json/audit_hpkp.hpp>

#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace cotter;

template <typename Render>
void print(const Render& render) {
  std::string line;
  events::for_each([&](const audit_event& one) {
    line.clear();
    render(one, line);
    if (line.empty()) return;
    line += '\n';
    std::fwrite(line.data(), 1, line.size(), stdout);
  });
}

template <typename E, typename Spell>
std::vector<std::string> spellings(E first, E last, Spell&& spell) {
  std::vector<std::string> out;
  for (auto i = static_cast<std::size_t>(first); i <= static_cast<std::size_t>(last); ++i) {
    out.emplace_back(spell(static_cast<E>(i)));
  }
  return out;
}

constexpr auto by_name = [](auto e) { return to_string(e); };

void print_spellings() {
  nlohmann::ordered_json out;
  out["type"] = spellings(audit_type::accepted, audit_type::loss, by_name);
  out["reason"] = spellings(reason::none, last_reason, by_name);
  out["matched"] = spellings(matched::primary, matched::observed, by_name);
  out["cause"] = spellings(cause::none, cause::clock_wrong, by_name);
  for (const evidence one : all_evidence) out["evidence"].push_back(to_string(one));
  out["breakerState"] = spellings(breaker_state::closed, breaker_state::unknown, by_name);
  out["manifestChange"] = spellings(manifest_change::none, manifest_change::lapsed, by_name);
  out["clockFault"] = spellings(clock_fault::none, clock_fault::set_back, by_name);
  out["errorCode"] = spellings(errc::ok, last_errc, [](errc e) { return code(e); });
  std::puts(out.dump().c_str());
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view what = argc == 2 ? argv[1] : "";
  if (what == "cotter") {
    print(json::cotter_event{});
  } else if (what == "hpkp") {
    print(json::hpkp_report{});
  } else if (what == "ecs") {
    print(json::ecs_cloud_event{"https://schemas.example.com/cloudevents-ecs.schema.json"});
  } else if (what == "spellings") {
    print_spellings();
  } else {
    std::fputs("usage: emit cotter|hpkp|ecs|spellings\n", stderr);
    return 2;
  }
  return 0;
}
