// SPDX-License-Identifier: BSL-1.0
// Input: a manifest, or whatever claims to be one; the same octets as a platform's document.
// Properties: what reads has canonical hosts, ports, primaries, one default per target and bounded
// policies; written and read again it is the same text; the rules of run time take nothing that
// those for authors refuse; an error says where and quotes little, in printable ASCII.
// Twin: nlohmann's own reader takes every text that ours takes.
#include <cotter/json/manifest.hpp>
#include <cotter/json/platform.hpp>

#include "demand.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace {

namespace json = cotter::json;

void check_error(const json::document_error& error, std::size_t size) {
  demand(error.what != cotter::errc::ok && error.what != cotter::errc::out_of_memory,
         "an error without a cause");
  demand(error.offset_bytes <= size, "an error behind the end");
  demand(error.pointer.empty() || error.pointer[0] == '/', "a pointer that is none");
  for (const std::string* text : {&error.pointer, &error.seen, &error.suggestion}) {
    demand(text->size() <= 1024, "an error that quotes too much");
    demand(std::all_of(text->begin(), text->end(), [](char c) { return c >= 0x20 && c < 0x7f; }),
           "an error that is not printable");
  }
}

void check_pins(const std::vector<cotter::manifest_pin>& pins) {
  demand(std::any_of(pins.begin(), pins.end(),
                     [](const auto& one) { return one.value.role == cotter::pin_role::primary; }),
         "pins without a primary");
  for (const cotter::manifest_pin& one : pins) {
    const bool primary = one.value.role == cotter::pin_role::primary;
    demand(!primary || (one.value.not_after == cotter::no_expiry && !one.offline_backup),
           "a primary with an end");
    demand(one.label.size() <= json::max_label_bytes, "a label without bound");
  }
}

void check_manifest(const cotter::pin_manifest& manifest) {
  demand(manifest.breaker.valid(), "a breaker without bounds");
  demand(manifest.targets.size() <= cotter::max_manifest_targets, "too many targets");
  for (const cotter::manifest_target& one : manifest.targets) {
    demand(static_cast<bool>(cotter::classify_host(one.host)) && one.port != 0, "no endpoint");
    std::size_t defaults = one.pins.empty() ? 0 : 1;
    if (!one.pins.empty()) check_pins(one.pins);
    for (const cotter::manifest_region& region : one.regions) {
      check_pins(region.pins);
      if (region.is_default) ++defaults;
    }
    demand(defaults == 1, "a target without one default");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(data, data + size);
  const auto authored = json::read_authored_manifest(text);
  const auto at_run_time = json::read_manifest(text);
  demand(authored || !at_run_time, "run time takes what authors may not write");
  if (authored) {
    demand(nlohmann::json::accept(text), "the twin refuses it");
    check_manifest(authored->manifest);
    const auto written = json::write_manifest(*authored);
    demand(static_cast<bool>(written), "what was read cannot be written");
    const auto again = json::read_authored_manifest(*written);
    demand(again && *json::write_manifest(*again) == *written, "written twice, it differs");
  } else {
    check_error(authored.error(), size);
  }
  if (at_run_time) {
    demand(at_run_time->sequence != 0 && !at_run_time->targets.empty(), "incomplete at run time");
    demand(at_run_time->observe_until == cotter::never ||
               at_run_time->observe_until <= at_run_time->issued_at + cotter::longest_observation,
           "an observation without bound");
  } else {
    check_error(at_run_time.error(), size);
  }
  const auto platform = json::read_platform_document(text);
  if (platform) {
    demand(platform->leaf.fingerprint || !platform->leaf.octets.empty(), "a leaf without a word");
  } else {
    check_error(platform.error(), size);
  }
  return 0;
}
