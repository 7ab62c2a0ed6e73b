// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/concepts/pin_set.hpp>
#include <cotter/testing/law_report.hpp>
#include <cotter/values/pin.hpp>
#include <cotter/values/target.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace cotter {
inline namespace v0 {
namespace testing {

inline constexpr std::array<law_by_review, 2> pin_set_laws_by_review{{
    {"P4",
     "the concept demands noexcept; that nothing is written shows in the code, or under "
     "ThreadSanitizer"},
    {"P7", "that the compiler has checked the hosts shows in the code: tests/compile_fail"},
}};

namespace detail {

inline bool same_pin(const pin& a, const pin& b) {
  return a.digest == b.digest && a.form == b.form && a.role == b.role &&
         a.not_after == b.not_after && a.label == b.label;
}

inline bool same_pins(std::span<const pin> a, std::span<const pin> b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), same_pin);
}

/// Hosts that a lenient lookup would take for `host`.
inline std::vector<std::string> hosts_near(const std::string& host) {
  std::vector<std::string> near{
      "",         "*",        "default",      "x." + host,
      host + ".", host + "x", host.substr(1), host.substr(0, host.size() - 1),
      " " + host, host + '\0'};
  std::string upper = host;
  for (char& c : upper) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  near.push_back(upper);
  if (const auto dot = host.find('.'); dot != std::string::npos) {
    near.push_back(host.substr(dot + 1));
    near.push_back("*" + host.substr(dot));
  }
  return near;
}

}  // namespace detail

/// Checks P1 to P3, P6 if the set can tell owners, P8 and P9 if it says so, of a set that has exactly
/// the targets of `holds`, at least one, in any region.
template <pin_set P>
[[nodiscard]] law_report check_pin_set_laws(const P& set, std::span<const pinned_target> holds) {
  law_report report;
  constexpr ip_address nowhere{};
  std::vector<ip_address> peers{nowhere};
  for (const char* text : {"192.0.2.1", "198.51.100.255", "::", "2001:db8::1"}) {
    peers.push_back(parse_ip(text));
  }
  const auto is_held = [holds](const target& whom) {
    return std::any_of(holds.begin(), holds.end(), [&whom](const pinned_target& one) {
      return one.endpoint.same_endpoint(whom);
    });
  };

  report.check("P1", "the suite was told of at least one target", !holds.empty());
  for (const pinned_target& one : holds) {
    const std::string host(one.endpoint.host);
    const std::uint16_t port = one.endpoint.port;
    const std::string name = host + ":" + std::to_string(port);

    const auto found = set.find({host, port}, nowhere);
    if (!report.check("P1", "a target of the set is found", static_cast<bool>(found), name)) {
      continue;
    }
    report.check("P1", "the kind of identity plays no part in the lookup",
                 static_cast<bool>(set.find({host, port, identity::sip}, nowhere)), name);
    report.check("P2", "what is found has the endpoint asked for",
                 (*found).endpoint.same_endpoint(one.endpoint), name);
    report.check("P2", "what is found has the pins of the target",
                 detail::same_pins((*found).pins, one.pins), name);

    bool appeared = false;
    std::string which;
    const auto must_not_be_found = [&](const std::string& near_host, std::uint16_t near_port) {
      const target near{near_host, near_port};
      if (is_held(near)) return;
      for (const ip_address& peer : peers) {
        if (!static_cast<bool>(set.find(near, peer))) continue;
        appeared = true;
        which = near_host + ":" + std::to_string(near_port) + " is taken for " + name;
      }
    };
    for (const std::string& near : detail::hosts_near(host)) must_not_be_found(near, port);
    for (const int offset : {-1, 1, 256}) {
      must_not_be_found(host, static_cast<std::uint16_t>(port + offset));
    }
    must_not_be_found(host, 0);
    report.check("P1", "nothing but the target itself is taken for it", !appeared, which);

    bool always = true;
    bool everywhere_the_same = true;
    for (const ip_address& peer : peers) {
      const auto in_region = set.find({host, port}, peer);
      everywhere_the_same = everywhere_the_same && static_cast<bool>(in_region) &&
                            detail::same_pins((*in_region).pins, (*found).pins);
      always = always && static_cast<bool>(in_region) &&
               (*in_region).endpoint.same_endpoint(one.endpoint) && !(*in_region).pins.empty();
    }
    report.check("P3", "wherever the peer is, the target is there and has pins", always, name);
    if constexpr (name_pin_set<P>) {
      report.check("P9", "the host is a name", !parse_ip(host), name);
    }
    if constexpr (regionless_pin_set<P>) {
      report.check("P8", "wherever the peer is, the pins are the same", everywhere_the_same, name);
    }
  }

  if (!holds.empty()) {
    std::string lent(holds[0].endpoint.host);
    auto found = set.find({lent, holds[0].endpoint.port}, nowhere);
    lent.assign(lent.size(), '!');
    auto moved = std::move(found);
    for (const pinned_target& one : holds) {
      static_cast<void>(static_cast<bool>(set.find(one.endpoint, nowhere)));
    }
    report.check("P2", "a handle keeps nothing of the host it was asked for, and survives a move",
                 static_cast<bool>(moved) && (*moved).endpoint.same_endpoint(holds[0].endpoint) &&
                     detail::same_pins((*moved).pins, holds[0].pins));
  }
  if constexpr (owner_telling_pin_set<P>) {
    const sha256_digest unknown{{0x5a, 0xa5, 0x5a}};
    for (const pinned_target& one : holds) {
      const auto asked = set.find(one.endpoint, nowhere);
      if (!static_cast<bool>(asked)) continue;
      const std::string name(one.endpoint.host);
      report.check("P6", "a leaf that nobody pins is nobody's",
                   !static_cast<bool>(set.owner_of(*asked, unknown, &unknown)) &&
                       !static_cast<bool>(set.owner_of(*asked, unknown, nullptr)),
                   name);
      for (const pin& p : one.pins) {
        const bool is_key = p.form == pin_form::spki;
        const sha256_digest& certificate = is_key ? unknown : p.digest;
        const sha256_digest* key = is_key ? &p.digest : nullptr;
        const auto owner = set.owner_of(*asked, certificate, key);
        const bool somebody = std::any_of(holds.begin(), holds.end(), [&](const pinned_target& o) {
          return !o.endpoint.same_endpoint(one.endpoint) && o.knows(certificate, key);
        });
        const bool told = static_cast<bool>(owner);
        const bool itself = told && (*owner).endpoint.same_endpoint(one.endpoint);
        report.check("P6", "the owner is another target or region, and one whose pin it is",
                     itself ? (*owner).region != (*asked).region : told == somebody, name);
      }
    }
  }
  return report;
}

/// Checks P2 across a change of the set: `reload` replaces the whole contents while a handle lives.
/// Nobody else uses the set meanwhile, so that P5 has nothing to say of it.
template <pin_set P, typename Reload>
[[nodiscard]] law_report check_pin_set_reload(P& set, const pinned_target& held, Reload&& reload) {
  law_report report;
  const std::string host(held.endpoint.host);
  const std::vector<pin> before(held.pins.begin(), held.pins.end());
  const auto found = set.find({host, held.endpoint.port}, {});
  if (!report.check("P2", "the target is there before the reload", static_cast<bool>(found))) {
    return report;
  }
  reload(set);
  report.check("P2", "what a handle found stays as it was across a reload",
               (*found).endpoint.host == host && detail::same_pins((*found).pins, before));
  return report;
}

/// Checks P2 and P5 of a set that a program may change while connections live: `change` makes its
/// answer for `held` another one, with other pins or none.
template <pin_set P, typename Change>
[[nodiscard]] law_report check_pin_set_changes(P& set, const pinned_target& held, Change&& change) {
  const std::string host(held.endpoint.host);
  const std::vector<pin> before(held.pins.begin(), held.pins.end());
  law_report report = check_pin_set_reload(set, held, std::forward<Change>(change));
  const auto found = set.find({host, held.endpoint.port}, {});
  report.check("P5", "the suite was given a change that changes the answer",
               !static_cast<bool>(found) || !detail::same_pins((*found).pins, before));
  report.check("P5", "a set whose answers change says that it is reloadable",
               reloadable_pin_set<P>);
  return report;
}

}  // namespace testing
}  // namespace v0
}  // namespace cotter
