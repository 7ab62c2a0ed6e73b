// SPDX-License-Identifier: BSL-1.0
#include <cotter/testing/laws/pin_set.hpp>

#include <cotter/policies/manifest/live_manifest.hpp>
#include <cotter/policies/pin_set/fixed_pin_set.hpp>
#include <cotter/policies/pin_set/owned_pin_set.hpp>

#include <support/laws.hpp>

#include <array>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace cotter;

constexpr std::string_view one_text =
    "cert-sha256:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
constexpr std::string_view two_text =
    "spki-sha256:ff112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

constexpr std::array<pin, 2> two_pins{primary(one_text, "one"), fallback(two_text)};
constexpr std::array<pin, 1> one_pin{primary(two_text)};
constexpr std::array<pinned_target, 4> holds{{
    {{"sip.example.com", 5061}, two_pins},
    {{"sip.example.com", 5062}, one_pin},
    {{"example.com", 443}, one_pin},
    {{"192.0.2.7", 443}, two_pins},
}};

constexpr fixed_pin_set fixed{
    fixed_target{"sip.example.com", 5061, primary(one_text, "one"), fallback(two_text)},
    fixed_target{"sip.example.com", 5062, primary(two_text)},
    fixed_target{"example.com", 443, primary(two_text)},
    fixed_target{"192.0.2.7", 443, primary(one_text, "one"), fallback(two_text)},
};
static_assert(pin_set<decltype(fixed)>);

owned_pin_set owned() {
  owned_pin_set set;
  for (const pinned_target& one : holds) {
    REQUIRE(set.add(one.endpoint, one.pins));
  }
  return set;
}

/// The targets of `holds`, as a manifest has them.
pin_manifest manifest_of_them(std::uint64_t sequence) {
  pin_manifest made;
  made.sequence = sequence;
  made.issued_at = library_made_at;
  made.expires_at = no_expiry;
  for (const pinned_target& one : holds) {
    manifest_target added;
    added.host = std::string(one.endpoint.host);
    added.port = one.endpoint.port;
    for (const pin& p : one.pins) {
      added.pins.push_back({p, std::string(p.label)});
      added.pins.back().value.label = {};
    }
    made.targets.push_back(std::move(added));
  }
  return made;
}

/// What a careless program writes. Each behaviour of `how` breaks one law.
class careless_pin_set {
 public:
  enum class fault {
    none,
    folds_case,
    wildcard,
    default_entry,
    ignores_port,
    regional,
    wrong_pins,
    owns_itself,
    owns_nothing
  };
  class handle {
   public:
    handle() = default;
    explicit handle(const pinned_target& found) : found_(found), any_(true) {}
    explicit operator bool() const noexcept { return any_; }
    const pinned_target& operator*() const noexcept { return found_; }

   private:
    pinned_target found_{};
    bool any_ = false;
  };

  class owner_handle {
   public:
    owner_handle() = default;
    explicit owner_handle(const pin_owner& owner) : owner_(owner) {}
    explicit operator bool() const noexcept { return static_cast<bool>(owner_); }
    const pin_owner& operator*() const noexcept { return owner_; }

   private:
    pin_owner owner_{};
  };

  explicit careless_pin_set(fault how) : how_(how) {}

  owner_handle owner_of(const pinned_target& asked, const sha256_digest& certificate,
                        const sha256_digest* key) const noexcept {
    for (const pinned_target& one : holds) {
      const bool itself = one.endpoint.same_endpoint(asked.endpoint);
      if ((!itself || how_ == fault::owns_itself) && how_ != fault::owns_nothing &&
          one.knows(certificate, key)) {
        return owner_handle{{one.endpoint, {}}};
      }
    }
    return {};
  }

  handle find(const target& whom, const ip_address& peer) const noexcept {
    if (how_ == fault::regional && peer && peer.size_bytes == 16) return {};
    for (const pinned_target& one : holds) {
      if (!same(one.endpoint, whom)) continue;
      return handle{how_ == fault::wrong_pins ? pinned_target{one.endpoint, one_pin} : one};
    }
    return how_ == fault::default_entry ? handle{holds[0]} : handle{};
  }

 private:
  bool same(const target& held, const target& asked) const noexcept {
    if (how_ != fault::ignores_port && held.port != asked.port) return false;
    if (held.host == asked.host) return true;
    if (how_ == fault::wildcard) return asked.host.ends_with("." + std::string(held.host));
    if (how_ != fault::folds_case || held.host.size() != asked.host.size()) return false;
    for (std::size_t i = 0; i < held.host.size(); ++i) {
      const auto lower = [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
      };
      if (lower(held.host[i]) != lower(asked.host[i])) return false;
    }
    return true;
  }

  fault how_;
};
static_assert(pin_set<careless_pin_set>);

}  // namespace

TEST_CASE("fixed_pin_set keeps the laws of pin_set") {
  require_laws(testing::check_pin_set_laws(fixed, holds));
}

TEST_CASE("owned_pin_set keeps the laws of pin_set") {
  require_laws(testing::check_pin_set_laws(owned(), holds));
}

TEST_CASE("an owned_pin_set may be replaced while its handles live") {
  owned_pin_set set = owned();
  require_laws(testing::check_pin_set_reload(set, holds[0], [](owned_pin_set& s) { s = {}; }));
}

TEST_CASE("live_manifest keeps the laws of pin_set") {
  live_manifest live;
  CHECK(testing::check_pin_set_laws(live, holds).broken("P1"));
  REQUIRE(live.adopt(manifest_of_them(1), library_made_at));
  require_laws(testing::check_pin_set_laws(live, holds));
}

TEST_CASE("live_manifest keeps them with regions, wherever the peer is") {
  pin_manifest regional = manifest_of_them(1);
  manifest_target& first = regional.targets[0];
  manifest_region elsewhere;
  elsewhere.name = "elsewhere";
  elsewhere.prefixes = {*parse_prefix("192.0.2.0/24"), *parse_prefix("::/0")};
  elsewhere.pins = {first.pins[0]};
  first.regions.push_back(elsewhere);
  live_manifest live;
  REQUIRE(live.adopt(regional, library_made_at));
  require_laws(testing::check_pin_set_laws(live, holds));
}

TEST_CASE("live_manifest says that its answers change, and what was found stays") {
  live_manifest live;
  REQUIRE(live.adopt(manifest_of_them(1), library_made_at));
  require_laws(testing::check_pin_set_changes(live, holds[0], [](live_manifest& set) {
    pin_manifest fewer = manifest_of_them(2);
    fewer.targets[0].pins.pop_back();
    REQUIRE(set.adopt(fewer, library_made_at));
  }));
  require_laws(testing::check_pin_set_changes(live, holds[3], [](live_manifest& set) {
    pin_manifest gone = manifest_of_them(3);
    gone.targets.pop_back();
    REQUIRE(set.adopt(gone, library_made_at));
  }));
}

TEST_CASE("the pin_set suite finds a set that changes and does not say so") {
  owned_pin_set set = owned();
  require_broken(testing::check_pin_set_changes(set, holds[0], [](owned_pin_set& s) { s = {}; }),
                 "P5");
  live_manifest still;
  REQUIRE(still.adopt(manifest_of_them(1), library_made_at));
  require_broken(testing::check_pin_set_changes(still, holds[0], [](live_manifest&) {}), "P5");
}

struct nameless : owned_pin_set {
  using names_only = nameless;
};
struct without_regions : careless_pin_set {
  using careless_pin_set::careless_pin_set;
  using regionless = without_regions;
};

TEST_CASE("the pin_set suite finds a set that is not what it was said to be") {
  using fault = careless_pin_set::fault;
  require_laws(testing::check_pin_set_laws(careless_pin_set(fault::none), holds));
  for (const auto& [how, law] : std::map<fault, std::string_view>{{fault::folds_case, "P1"},
                                                                  {fault::wildcard, "P1"},
                                                                  {fault::default_entry, "P1"},
                                                                  {fault::ignores_port, "P1"},
                                                                  {fault::regional, "P3"},
                                                                  {fault::wrong_pins, "P2"},
                                                                  {fault::owns_itself, "P6"},
                                                                  {fault::owns_nothing, "P6"}}) {
    INFO(static_cast<int>(how));
    const auto report = testing::check_pin_set_laws(careless_pin_set(how), holds);
    CHECK(report.broken(law));
  }
  nameless addresses;
  const pinned_target literal[] = {{{"192.0.2.1", 443}, one_pin}};
  REQUIRE(addresses.add(literal[0].endpoint, one_pin));
  CHECK(testing::check_pin_set_laws(addresses, literal).broken("P9"));
  CHECK_FALSE(testing::check_pin_set_laws(static_cast<const owned_pin_set&>(addresses), literal)
                  .broken("P9"));
  CHECK_FALSE(testing::check_pin_set_laws(without_regions(fault::none), holds).broken("P8"));
  CHECK(testing::check_pin_set_laws(without_regions(fault::regional), holds).broken("P8"));
  CHECK(testing::check_pin_set_laws(owned_pin_set{}, holds).broken("P1"));
  CHECK(testing::check_pin_set_laws(fixed, {}).broken("P1"));
}

TEST_CASE("the pin_set suite finds a handle that borrows from what a reload replaces") {
  struct borrowing_set {
    std::vector<pin> pins{one_pin.begin(), one_pin.end()};
    std::string host = "sip.example.com";
    careless_pin_set::handle find(const target& whom, const ip_address&) const noexcept {
      if (whom.host != host) return {};
      return careless_pin_set::handle{{{host, whom.port}, pins}};
    }
  };
  borrowing_set set;
  const pinned_target held{{"sip.example.com", 5061}, one_pin};
  CHECK(testing::check_pin_set_reload(set, held, [](borrowing_set& s) {
          s.pins[0] = two_pins[0];
          s.host[0] = 'x';
        }).broken("P2"));
}
