// SPDX-License-Identifier: BSL-1.0
#include "rotation.hpp"

#include "certificates.hpp"
#include "output.hpp"

#include <algorithm>

namespace cotter::command {

namespace {

using std::chrono::days;
using pins_of = std::vector<manifest_pin>;

bool same(const pin& a, const pin& b) { return a.form == b.form && a.digest == b.digest; }

/// The set that is to change, of the target in `manifest`.
pins_of* find_pins(pin_manifest& manifest, const rotation_request& request,
                   manifest_target** owner) {
  for (manifest_target& one : manifest.targets) {
    if (one.host != request.host || one.port != request.port) continue;
    *owner = &one;
    if (request.region.empty()) return one.pins.empty() ? nullptr : &one.pins;
    for (manifest_region& region : one.regions) {
      if (region.name == request.region) return &region.pins;
    }
    return nullptr;
  }
  return nullptr;
}

/// Writes down the ends that a window implies: read again, each phase would count from its own
/// `issuedAt`, and the later ones would prolong the fallbacks.
void settle(manifest_target& target, instant end) {
  const auto settle_set = [&](pins_of& pins) {
    for (manifest_pin& one : pins) {
      const bool open = one.value.not_after == no_expiry && !one.offline_backup;
      if (one.value.role == pin_role::fallback && open) one.value.not_after = end;
    }
  };
  settle_set(target.pins);
  for (manifest_region& region : target.regions) settle_set(region.pins);
}

void stamp(pin_manifest& manifest, std::uint64_t sequence, instant from, days in_force) {
  manifest.sequence = sequence;
  manifest.issued_at = from;
  manifest.expires_at = from + in_force;
  manifest.observe_until = never;
  manifest.payload = {};
}

}  // namespace

std::optional<problem> plan_rotation(const pin_manifest& last, const rotation_request& request,
                                     rotation& out) {
  pin_manifest first = last;
  manifest_target* owner = nullptr;
  pins_of* pins = find_pins(first, request, &owner);
  if (pins == nullptr) {
    problem p = describe(reason::no_pins);
    p.seen = request.host + ":" + std::to_string(request.port) +
             (request.region.empty() ? "" : ", region " + request.region);
    p.expected = "a target of the manifest, and --region where its pins stand in regions";
    p.action = "`cotter manifest show` lists what there is";
    return p;
  }
  days window{};
  if (request.window) {
    window = *request.window;
  } else if (owner->rotation_window_days) {
    window = days(*owner->rotation_window_days);
  } else {
    problem p = describe(errc::missing_key, "rotationWindowDays");
    p.action = "give --window-days, or put rotationWindowDays into the manifest";
    return p;
  }
  if (window < days(1) || window > days(366)) {
    problem p = describe(errc::invalid_value, "a window of " + std::to_string(window.count()) +
                                                  " days");
    p.expected = "1 to 366 days";
    return p;
  }
  for (const manifest_pin& one : *pins) {
    if (one.value.role == pin_role::primary && same(one.value, request.successor)) {
      return problem{"rotation_pointless", pin_text(one.value) + " is a primary already",
                     "the pin of another certificate or key",
                     "give --new the certificate that is to come; where keys are pinned, a "
                     "certificate with the same key needs no rotation"};
    }
  }
  out.old_ends = request.start + window;

  pins_of changed;
  manifest_pin successor;
  successor.value = request.successor;
  successor.value.role = pin_role::primary;
  successor.value.not_after = no_expiry;
  changed.push_back(successor);
  for (manifest_pin one : *pins) {
    // The successor may have waited as a backup: now it is in use.
    if (same(one.value, request.successor)) continue;
    if (one.value.role == pin_role::primary) {
      one.value.role = pin_role::fallback;
      one.value.not_after = out.old_ends;
      one.label.clear();
    }
    // What is over at the start has nothing to do in a new manifest.
    if (one.value.not_after >= request.start) changed.push_back(one);
  }
  *pins = changed;
  owner->rotation_window_days = static_cast<std::uint16_t>(window.count());
  for (manifest_target& one : first.targets) {
    if (one.rotation_window_days) {
      settle(one, request.start + days(*one.rotation_window_days));
    }
  }

  stamp(first, last.sequence + 1, request.start, request.in_force);
  pin_manifest second = first;
  stamp(second, last.sequence + 2, request.start + window / 2, request.in_force);
  pin_manifest third = second;
  stamp(third, last.sequence + 3, out.old_ends + std::chrono::seconds(1), request.in_force);
  pins_of* rest = find_pins(third, request, &owner);
  std::erase_if(*rest, [&](const manifest_pin& one) { return one.value.not_after <= out.old_ends; });
  out.phases = {first, second, third};
  out.deploy_from = {first.issued_at, second.issued_at, third.issued_at};
  return {};
}

}  // namespace cotter::command
