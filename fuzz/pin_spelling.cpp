// SPDX-License-Identifier: BSL-1.0
// Input: a text that may be a pin, a host, an address block, a version or a time.
// Properties: what reads is spelled in one way, which reads as the same; a suggestion reads, and is
// its own spelling; nothing that reads as a pin lacks its form, but 64 hex digits alone.
#include <cotter/json/spelling.hpp>
#include <cotter/json/timestamp.hpp>

#include "demand.hpp"

#include <cstddef>
#include <cstdint>
#include <string>

namespace json = cotter::json;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(data, data + size);

  const auto pin = json::parse_manifest_pin(text);
  if (pin) {
    const std::string spelled = json::spell_pin(*pin);
    const auto again = cotter::parse_pin(spelled);
    demand(again && again->digest == pin->digest && again->form == pin->form, "another pin");
    demand(cotter::parse_pin(text) || size == 64, "a pin without its form");
    demand(!cotter::parse_pin(text) || cotter::parse_pin(text)->form == pin->form, "another form");
    demand(text.find_first_of("ABCDEF") == text.npos || text.find("sha256/") != text.npos ||
               text.starts_with("pin-") || text[1] == ' ',
           "upper case");
  }
  if (const std::string meant = json::suggest_pin(text); !meant.empty()) {
    const auto read = json::parse_manifest_pin(meant);
    demand(read && json::spell_pin(*read) == meant, "a suggested pin that is none");
  }
  demand(!json::expected_pin(text).empty(), "no reason");

  if (const std::string meant = json::suggest_host(text); !meant.empty()) {
    demand(static_cast<bool>(cotter::classify_host(meant)), "a suggested host that is none");
  }
  if (cotter::classify_host(text)) demand(json::suggest_host(text) == text, "a better host");

  if (const auto block = cotter::parse_prefix(text)) {
    const auto again = cotter::parse_prefix(json::spell_prefix(*block));
    demand(again && *again == *block, "another block");
  }
  if (const std::string meant = json::suggest_prefix(text); !meant.empty()) {
    demand(static_cast<bool>(cotter::parse_prefix(meant)), "a suggested block that is none");
  }
  if (const auto version = cotter::parse_library_version(text)) {
    const auto again = cotter::parse_library_version(json::spell_version(*version));
    demand(again && *again == *version, "another version");
  }
  if (const auto when = json::parse_timestamp(text)) {
    const auto again = json::format_timestamp(*when);
    demand(again && *again == text, "another time");
  }
  return 0;
}
