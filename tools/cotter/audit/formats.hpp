// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "collector.hpp"

#include <cotter/json/audit_cloud_event.hpp>
#include <cotter/json/audit_event.hpp>
#include <cotter/json/audit_hpkp.hpp>
#include <cotter/values/audit_event.hpp>

#include <array>
#include <string>
#include <string_view>

namespace cotter::command {

struct named_format {
  std::string_view name;
  event_format format;
};
inline constexpr std::array all_formats{named_format{"cotter", event_format::cotter},
                                        named_format{"hpkp", event_format::hpkp},
                                        named_format{"ecs", event_format::ecs}};

/// `name` is one of theirs; the command line has been checked.
[[nodiscard]] constexpr event_format find_format(std::string_view name) noexcept {
  for (const named_format& one : all_formats) {
    if (one.name == name) return one.format;
  }
  return event_format::cotter;
}

/// Appends one event; nothing of one that the format has no words for.
struct render_event {
  event_format format = event_format::cotter;

  void operator()(const audit_event& event, std::string& out) const {
    switch (format) {
      case event_format::cotter: return cotter::json::cotter_event{}(event, out);
      case event_format::hpkp: return cotter::json::hpkp_report{}(event, out);
      case event_format::ecs: return cotter::json::ecs_cloud_event{}(event, out);
    }
  }
};

/// What is POSTed: a JSON array of events.
struct post_cotter : cotter::json::cotter_event {
  static constexpr std::string_view batch_type = "application/json";
};
/// A request for each report, as RFC 7469 3 has it.
struct post_hpkp : cotter::json::hpkp_report {
  static constexpr std::string_view batch_type = "application/json";
  static constexpr bool single = true;
};
/// A batch of the HTTP binding of CloudEvents.
struct post_ecs : cotter::json::ecs_cloud_event {
  static constexpr std::string_view batch_type = "application/cloudevents-batch+json";
};

}  // namespace cotter::command
