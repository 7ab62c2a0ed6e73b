// SPDX-License-Identifier: BSL-1.0
// Input: octets that may be a kept record.
// Properties: what reads is written as the same octets; whatever text it holds, each rendering of it
// is one JSON value in UTF-8, twice the same, or nothing.
#include <cotter/json/audit_cloud_event.hpp>
#include <cotter/json/audit_event.hpp>
#include <cotter/json/audit_hpkp.hpp>
#include <cotter/values/audit_encoding.hpp>

#include "demand.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace {

template <typename Render>
void check(const Render& render, const cotter::audit_event& event) {
  std::string once;
  std::string twice;
  render(event, once);
  render(event, twice);
  demand(once == twice, "another rendering");
  if (once.empty()) return;
  demand(once.find('\n') == once.npos, "more than one line");
  demand(nlohmann::json::accept(once), "no JSON");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const cotter::bytes_view octets(data, size);
  cotter::decoded_audit_record read;
  if (!cotter::decode(octets, read)) return 0;

  static std::array<std::uint8_t, cotter::max_audit_record_bytes> written;
  const std::size_t used = cotter::encode(read.what, written);
  demand(std::equal(octets.begin(), octets.end(), written.begin(), written.begin() + used),
         "another record");

  const cotter::audit_event event{{{1, 2, 3}, 4}, read.what.endpoint.host, read.what};
  check(cotter::json::cotter_event{}, event);
  check(cotter::json::hpkp_report{}, event);
  check(cotter::json::ecs_cloud_event{}, event);
  return 0;
}
