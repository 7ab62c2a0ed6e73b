// SPDX-License-Identifier: BSL-1.0
#include "lint.hpp"

#include "output.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace cotter::command {

namespace {

using std::chrono::days;
using pins_of = std::vector<manifest_pin>;

std::string count_of(days length) {
  return std::to_string(length.count()) + (length == days(1) ? " day" : " days");
}

/// Whole days from `from` to `to`, none below zero.
days between(instant from, instant to) {
  return to <= from ? days(0) : std::chrono::floor<days>(to - from);
}

/// Vendors who say of their own service that it must not be pinned, and where.
struct vendor_statement {
  std::string_view domain;
  std::string_view says;
};
constexpr std::array<vendor_statement, 2> vendor_statements{{
    {"mypurecloud.com", "Genesys Cloud does not support pinning and gives no notice of rotations"},
    {"pure.cloud", "Genesys Cloud does not support pinning and gives no notice of rotations"},
}};

bool lies_in(std::string_view host, std::string_view domain) {
  return host == domain || (host.ends_with(domain) && host[host.size() - domain.size() - 1] == '.');
}

/// The host of an https URL that the reader has let pass.
std::string_view host_in(std::string_view url) {
  constexpr std::string_view scheme = "https://";
  if (!url.starts_with(scheme)) return {};
  url.remove_prefix(scheme.size());
  if (url.starts_with('[')) return url.substr(1, url.find(']') - 1);
  return url.substr(0, url.find_first_of(":/?"));
}

class linter {
 public:
  linter(const pin_manifest& manifest, const lint_context& context)
      : manifest_(manifest), context_(context) {}

  std::vector<finding> run() {
    document();
    for (std::size_t i = 0; i < manifest_.targets.size(); ++i) {
      const manifest_target& one = manifest_.targets[i];
      const std::string base = context_.guide_shape ? "" : "/targets/" + std::to_string(i);
      vendor(one, base);
      if (!one.pins.empty()) set(one, one.pins, base + "/pins");
      for (std::size_t r = 0; r < one.regions.size(); ++r) {
        set(one, one.regions[r].pins, base + "/regions/" + std::to_string(r) + "/pins");
      }
      regions(one, base);
      window(one, base);
    }
    since_previous();
    return std::move(found_);
  }

 private:
  void add(std::string code, severity weight, std::string pointer, std::string seen,
           std::string why, std::string action) {
    const auto& accepted = context_.accepted;
    if (std::find(accepted.begin(), accepted.end(), code) != accepted.end()) {
      weight = severity::note;
      why = "accepted by the author: " + why;
    }
    found_.push_back({std::move(code), weight, std::move(pointer), std::move(seen), std::move(why),
                      std::move(action)});
  }

  void document() {
    if (manifest_.expires_at != instant{}) {
      const days left = between(context_.now, manifest_.expires_at);
      if (left < context_.deployment) {
        add("expires_before_deployment", severity::error, "/expires",
            "in force for " + count_of(left),
            "a device that gets its manifests within " + count_of(context_.deployment) +
                " refuses every connection from then on",
            "sign with a later --expires");
      } else if (left > days(400)) {
        add("expires_late", severity::warning, "/expires", "in force for " + count_of(left),
            "whoever keeps newer manifests from a device can hold it at this one for so long",
            "sign for a year at most, and renew");
      }
    }
    for (std::size_t i = 0; i < manifest_.runtimes.size(); ++i) {
      const manifest_runtime& one = manifest_.runtimes[i];
      const bool same_series = one.below.major_number == one.at_least.major_number &&
                               one.below.minor_number == one.at_least.minor_number;
      if (same_series || one.below.patch != 0) {
        add("runtime_excludes_security_updates", severity::warning,
            "/runtime/" + std::to_string(i) + "/below",
            one.library + " below " + std::to_string(one.below.major_number) + "." +
                std::to_string(one.below.minor_number) + "." + std::to_string(one.below.patch),
            "the next security update of the library makes every connection runtime_mismatch; "
            "people will keep the vulnerable version instead",
            "let `below` be the next minor or major version; pins do not depend on the library");
      }
    }
    if (manifest_.observe_until != never && manifest_.observe_until > context_.now) {
      add("observation_is_on", severity::warning, "/observeUntil",
          "until " + rfc3339(manifest_.observe_until),
          "guards that allow observation accept any publicly trusted certificate until then",
          "use it for the first days of a fleet only, and read the would_refuse events");
    }
    const std::string& report_to = manifest_.reporting_endpoint;
    for (const manifest_target& one : manifest_.targets) {
      if (one.host != host_in(report_to)) continue;
      add("reports_go_to_pinned_host", severity::error, "/reportingEndpoint", report_to,
          "the report of a mismatch at this host would have to pass the same interceptor",
          "name a collector on another host");
      break;
    }
  }

  void vendor(const manifest_target& one, const std::string& base) {
    for (const vendor_statement& statement : vendor_statements) {
      if (!lies_in(one.host, statement.domain)) continue;
      add("vendor_advises_against", severity::warning,
          base + (base.empty() ? "/targetHost" : "/host"), one.host,
          std::string(statement.says) + ": a rotation will refuse every device at once",
          "pin only what your own organisation operates, or have the vendor commit to notice");
    }
  }

  /// Shown twice, by a file and by an edge, it is the edge that knows more.
  const known_certificate* known(const pin& value) const {
    const known_certificate* found = nullptr;
    for (const known_certificate& one : context_.certificates) {
      const bool same = value.form == pin_form::certificate
                            ? one.facts.certificate == value.digest
                            : one.facts.key && *one.facts.key == value.digest;
      if (same && (found == nullptr || one.publicly_trusted.value_or(false))) found = &one;
    }
    return found;
  }

  bool is_ca(const pin& value) const {
    const known_certificate* one = known(value);
    const auto& digests = context_.ca_digests;
    return (one != nullptr && one->facts.is_ca) ||
           std::find(digests.begin(), digests.end(), value.digest) != digests.end();
  }

  /// The key behind a pin, if it can be known.
  std::optional<sha256_digest> key_of(const pin& value) const {
    if (value.form == pin_form::spki) return value.digest;
    const known_certificate* one = known(value);
    return one == nullptr ? std::nullopt : one->facts.key;
  }

  bool was_in_the_field(const manifest_target& whom, const pin& value) const {
    if (!context_.previous) return false;
    for (const manifest_target& one : context_.previous->targets) {
      if (one.host != whom.host || one.port != whom.port) continue;
      const auto holds = [&](const pins_of& pins) {
        return std::any_of(pins.begin(), pins.end(), [&](const manifest_pin& p) {
          return p.value.form == value.form && p.value.digest == value.digest;
        });
      };
      if (holds(one.pins)) return true;
      for (const manifest_region& region : one.regions) {
        if (holds(region.pins)) return true;
      }
    }
    return false;
  }

  static std::string where(const std::string& base, const pins_of& pins, std::size_t at) {
    const pin_role role = pins[at].value.role;
    std::size_t index = 0;
    std::size_t count = 0;
    for (std::size_t i = 0; i < pins.size(); ++i) {
      if (pins[i].value.role != role) continue;
      if (i < at) ++index;
      ++count;
    }
    const std::string key = role == pin_role::primary ? "/primary" : "/fallback";
    return base + key + (count > 1 ? "/" + std::to_string(index) : "");
  }

  /// Until when this pin lets devices in, as far as can be known.
  struct cover {
    instant until{};
    bool known = false;      ///< the certificate's own end, or no end at all
    bool public_ca = false;  ///< bounded by the public CAs' rules
  };
  cover cover_of(const manifest_pin& one) const {
    const pin& value = one.value;
    cover out;
    const known_certificate* certificate = known(value);
    out.public_ca = certificate == nullptr || certificate->publicly_trusted.value_or(true);
    if (value.form == pin_form::spki) {
      // A key outlives its certificates, if it is used again.
      out.until = no_expiry;
      out.known = true;
    } else if (certificate != nullptr && certificate->facts.not_after) {
      out.until = *certificate->facts.not_after;
      out.known = true;
    } else {
      out.until = context_.now + longest_public_life(context_.now);
    }
    if (value.role == pin_role::fallback) out.until = std::min(out.until, value.not_after);
    return out;
  }

  void set(const manifest_target& whom, const pins_of& pins, const std::string& base) {
    bool has_fallback = false;
    for (std::size_t i = 0; i < pins.size(); ++i) {
      const manifest_pin& one = pins[i];
      const std::string at = where(base, pins, i);
      if (is_ca(one.value)) {
        add("ca_pinned", severity::error, at, pin_text(one.value),
            "cotter compares the leaf: a pin of a CA never matches, and if it did, every customer "
            "of that CA would",
            "pin the leaf's certificate or key: `cotter extract` or `cotter fingerprint`");
      }
      const auto& keys = context_.signing_keys;
      if (const auto key = key_of(one.value);
          key && std::find(keys.begin(), keys.end(), *key) != keys.end()) {
        add("one_key_several_roles", severity::error, at, key_pin(*key),
            "the key that signs manifests also serves connections: whoever takes the server "
            "signs the pins",
            "keep the signing key offline, and make another for the server");
      }
      if (one.value.role == pin_role::fallback) {
        has_fallback = true;
        fallback(whom, pins, i, at);
      } else if (one.value.form == pin_form::certificate) {
        leaf(one, at);
      }
    }
    if (!has_fallback) {
      add("no_fallback", severity::error, base, "primary pins only",
          "the first renewal, planned or forced, refuses every device until it has a new manifest",
          "add the pin of an offline backup key as fallback, or of the next certificate");
    }
    outlive(pins, base);
  }

  void leaf(const manifest_pin& one, const std::string& at) {
    const known_certificate* certificate = known(one.value);
    if (certificate != nullptr && certificate->publicly_trusted == true) {
      add("public_leaf_pinned", severity::warning, at, pin_text(one.value),
          "a public CA issues for " + count_of(longest_public_life(context_.now)) +
              " at most now, 100 from 2027-03-15 and 47 from 2029-03-15: this pin changes with "
              "every renewal",
          "pin the key (spki-sha256) and renew with the same one, or use a private CA");
    }
  }

  void fallback(const manifest_target& whom, const pins_of& pins, std::size_t i,
                const std::string& at) {
    const manifest_pin& one = pins[i];
    for (const manifest_pin& other : pins) {
      if (other.value.role != pin_role::primary) continue;
      if (other.value.form == one.value.form && other.value.digest == one.value.digest) {
        add("fallback_equals_primary", severity::error, at, pin_text(one.value),
            "it is lost together with the primary: this is no fallback",
            "pin another key, one that is not on the server");
        return;
      }
      const auto key = key_of(one.value);
      const auto other_key = key_of(other.value);
      if (key && other_key && *key == *other_key &&
          (one.value.form == pin_form::spki || other.value.form == pin_form::spki)) {
        add("one_key_several_roles", severity::error, at, key_pin(*key),
            "primary and fallback are the same key in two forms: both are lost together",
            "pin another key, one that is not on the server");
      }
    }
    if (one.value.not_after < context_.now) {
      add("fallback_over", severity::warning, at, "ended " + rfc3339(one.value.not_after),
          "it is refused as fallback_expired, and alerts",
          "remove it: `cotter rotation plan` writes the manifest of the third phase");
      return;
    }
    if (!one.offline_backup && known(one.value) == nullptr && !was_in_the_field(whom, one.value)) {
      add("fallback_unproven", severity::error, at, pin_text(one.value),
          "nobody has seen this certificate or key: if it is a misprint, the day it is needed is "
          "the day it is noticed",
          "show its certificate with --cert, or mark a key kept offline: \"offlineBackup\": true");
    }
  }

  /// Devices must not run out of pins before the next manifest has reached them.
  void outlive(const pins_of& pins, const std::string& base) {
    cover best;
    bool any = false;
    for (const manifest_pin& one : pins) {
      if (is_ca(one.value)) continue;
      const cover c = cover_of(one);
      if (!any || c.until > best.until) best = c;
      any = true;
    }
    if (!any) return;
    const days left = between(context_.now, best.until);
    if (left >= context_.deployment) {
      if (!best.known) {
        add("cover_unknown", severity::warning, base, "no certificate of these pins was shown",
            "they may end tomorrow: a leaf pin is good until its certificate is replaced",
            "show the certificates with --cert or --baseline");
      }
      return;
    }
    add("cover_too_short", severity::error, base,
        (best.known ? "good for " : "good for at most ") + count_of(left),
        "a new manifest reaches all devices in " + count_of(context_.deployment) +
            ": the last ones are refused before it comes",
        "renew earlier, add the next certificate as primary, or pin a key that is used again");
  }

  void regions(const manifest_target& one, const std::string& base) {
    const std::size_t sets = one.regions.size() + (one.pins.empty() ? 0 : 1);
    if (sets < 2) return;
    add("regions_are_a_union", severity::warning, base + "/regions",
        std::to_string(sets) + " sets of pins",
        "whoever chooses the address chooses the region: the target is as safe as all its pins "
        "together, not as those of one region",
        "keep regions few, and treat a key of any of them as a key of all");
  }

  void window(const manifest_target& one, const std::string& base) {
    if (!one.rotation_window_days) return;
    const days length(*one.rotation_window_days);
    std::optional<days> life;
    const auto look = [&](const pins_of& pins) {
      for (const manifest_pin& p : pins) {
        const known_certificate* c = known(p.value);
        if (c == nullptr || !c->facts.not_before || !c->facts.not_after) continue;
        const days lives =
            between(*c->facts.not_before, *c->facts.not_after + std::chrono::hours(1));
        life = std::min(life.value_or(lives), lives);
      }
    };
    look(one.pins);
    for (const manifest_region& region : one.regions) look(region.pins);
    const days limit = life.value_or(longest_public_life(context_.now));
    if (length <= limit) return;
    add("window_longer_than_life", life ? severity::error : severity::warning,
        base + "/pins/rotationWindowDays", count_of(length),
        "the certificate lives " + count_of(limit) +
            ": an old one stays accepted as long as it is valid, stolen or not",
        "shorten the window to what your deployment needs: " + count_of(context_.deployment));
  }

  void since_previous() {
    if (!context_.previous) return;
    const pin_manifest& before = *context_.previous;
    if (manifest_.sequence != 0 && manifest_.sequence <= before.sequence) {
      add("sequence_not_higher", severity::error, "/sequence",
          std::to_string(manifest_.sequence) + " after " + std::to_string(before.sequence),
          "devices that have the previous manifest refuse this one",
          "use " + std::to_string(before.sequence + 1));
    }
    for (const manifest_target& old : before.targets) {
      const auto at = std::find_if(
          manifest_.targets.begin(), manifest_.targets.end(),
          [&](const manifest_target& one) { return one.host == old.host && one.port == old.port; });
      if (at == manifest_.targets.end()) {
        add("target_dropped", severity::warning, context_.guide_shape ? "/targetHost" : "/targets",
            old.host + ":" + std::to_string(old.port),
            "devices that still use it are refused with no_pins",
            "keep it until no device uses it");
        continue;
      }
      dropped(old, *at);
      extended(old, *at);
    }
  }

  std::string base_of(const manifest_target& one) const {
    const auto index = static_cast<std::size_t>(&one - manifest_.targets.data());
    return context_.guide_shape ? "" : "/targets/" + std::to_string(index);
  }

  /// Devices have the new manifest before the server has the new certificate, or after it.
  void dropped(const manifest_target& old, const manifest_target& now) {
    const auto in = [](const pins_of& pins, const pin& value) {
      return std::any_of(pins.begin(), pins.end(), [&](const manifest_pin& one) {
        return one.value.form == value.form && one.value.digest == value.digest;
      });
    };
    const auto kept = [&](const pin& value) {
      return in(now.pins, value) ||
             std::any_of(now.regions.begin(), now.regions.end(),
                         [&](const manifest_region& one) { return in(one.pins, value); });
    };
    const auto look = [&](const pins_of& before) {
      for (const manifest_pin& was : before) {
        if (was.value.role != pin_role::primary || kept(was.value)) continue;
        add("primary_dropped", severity::error, base_of(now), pin_text(was.value),
            "it was a primary and is not even a fallback now: until the server has changed, every "
            "device that takes this manifest is refused",
            "keep it as a fallback for the window: `cotter rotation plan` does; drop it at once "
            "only if its key is stolen");
      }
    };
    look(old.pins);
    for (const manifest_region& region : old.regions) look(region.pins);
  }

  /// The latest end of this fallback in any set; none if it is in none.
  static std::optional<instant> latest_end(const manifest_target& of, const pin& value) {
    std::optional<instant> end;
    const auto look = [&](const pins_of& pins) {
      for (const manifest_pin& one : pins) {
        const pin& p = one.value;
        if (p.role != pin_role::fallback || p.form != value.form || p.digest != value.digest)
          continue;
        end = std::max(end.value_or(p.not_after), p.not_after);
      }
    };
    look(of.pins);
    for (const manifest_region& region : of.regions) look(region.pins);
    return end;
  }

  /// A fallback's end is fixed when it first appears, in whatever set it stands now.
  void extended(const manifest_target& old, const manifest_target& now) {
    const auto compare = [&](const pins_of* before, const pins_of& after, const std::string& base) {
      manifest_target one_set;
      if (before != nullptr) one_set.pins = *before;
      for (std::size_t i = 0; i < after.size(); ++i) {
        const pin& is = after[i].value;
        if (is.role != pin_role::fallback) continue;
        std::optional<instant> was = latest_end(one_set, is);
        if (!was) was = latest_end(old, is);
        if (!was || is.not_after <= *was) continue;
        add("fallback_extended", severity::error, where(base, after, i),
            "ends " + (is.not_after == no_expiry ? "never" : rfc3339(is.not_after)) + ", before " +
                rfc3339(*was),
            "a stolen old certificate would be good for longer than was promised",
            "leave notAfter at " + rfc3339(*was));
      }
    };
    const std::string base = base_of(now);
    compare(&old.pins, now.pins, base + "/pins");
    for (std::size_t r = 0; r < now.regions.size(); ++r) {
      const auto same =
          std::find_if(old.regions.begin(), old.regions.end(),
                       [&](const manifest_region& one) { return one.name == now.regions[r].name; });
      compare(same == old.regions.end() ? nullptr : &same->pins, now.regions[r].pins,
              base + "/regions/" + std::to_string(r) + "/pins");
    }
  }

  const pin_manifest& manifest_;
  const lint_context& context_;
  std::vector<finding> found_;
};

}  // namespace

days longest_public_life(instant when) noexcept {
  using namespace std::chrono;
  if (when >= sys_days{year{2029} / 3 / 15}) return days(47);
  if (when >= sys_days{year{2027} / 3 / 15}) return days(100);
  return days(200);
}

std::vector<finding> lint(const pin_manifest& manifest, const lint_context& context) {
  return linter(manifest, context).run();
}

}  // namespace cotter::command
