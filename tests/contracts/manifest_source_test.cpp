// SPDX-License-Identifier: BSL-1.0
#include <cotter/testing/laws/manifest_source.hpp>

#include <cotter/policies/manifest/embedded_manifest.hpp>
#include <cotter/policies/manifest/live_manifest.hpp>

#include <support/laws.hpp>

namespace {

using namespace cotter;
using testing::running_library;

struct adjustable_source {
  manifest_standing standing{};
  manifest_standing current() const noexcept { return standing; }
};

constexpr running_library allowed[] = {{"openssl", {3, 0, 17}}, {"wolfssl", {5, 5, 4}}};
constexpr running_library forbidden[] = {
    {"openssl", {3, 0, 16}}, {"openssl", {3, 1, 0}}, {"mbedtls", {2, 28, 3}}};

pin_manifest numbered(std::uint64_t sequence) {
  manifest_target one;
  one.host = "sip.example.com";
  one.port = 5061;
  one.pins.resize(1);
  pin_manifest made;
  made.sequence = sequence;
  made.issued_at = library_made_at;
  made.expires_at = no_expiry;
  made.targets = {one};
  made.runtimes = {{"openssl", {3, 0, 17}, {3, 1, 0}}, {"wolfssl"}};
  return made;
}

}  // namespace

TEST_CASE("embedded_manifest keeps the laws of manifest_source") {
  require_laws(testing::check_manifest_source_laws(embedded_manifest{}));
  require_laws(testing::check_manifest_source_laws(
      embedded_manifest{42, instant{std::chrono::seconds{1}}, no_expiry}));
}

TEST_CASE("live_manifest keeps the laws of manifest_source") {
  live_manifest live;
  require_laws(testing::check_manifest_source_refuses(live));
  live.refuse(reason::manifest_signature);
  require_laws(testing::check_manifest_source_refuses(live));

  REQUIRE(live.adopt(numbered(5), library_made_at));
  const auto update = [&live](int round) {
    switch (round) {
      case 0: REQUIRE(live.adopt(numbered(6), library_made_at)); break;
      case 1: REQUIRE_FALSE(live.adopt(numbered(4), library_made_at)); break;
      case 2: REQUIRE_FALSE(live.adopt({}, library_made_at)); break;
      case 3: live.refuse(reason::manifest_rollback); break;
      default: break;
    }
    return true;
  };
  require_laws(testing::check_manifest_source_laws(live, update, 5));
  require_laws(testing::check_manifest_source_restricts(live, allowed, forbidden));
}

TEST_CASE("a live_manifest that remembers has no manifest, and no lower sequence either") {
  live_manifest before;
  REQUIRE(before.adopt(numbered(5), library_made_at));
  live_manifest live(before.memory());
  require_laws(testing::check_manifest_source_refuses(live));
  CHECK(live.current().sequence == before.current().sequence);
}

TEST_CASE("a standing that nobody filled in refuses") {
  require_laws(testing::check_manifest_source_refuses(adjustable_source{}));
}

TEST_CASE("the manifest_source suite finds a source that refuses or accepts at the wrong time") {
  adjustable_source source;
  source.standing.problem = reason::none;
  CHECK(testing::check_manifest_source_refuses(source).broken("M1"));
  const auto lapse = [&](int round) {
    if (round == 2) source.standing.problem = reason::manifest_signature;
    return true;
  };
  require_broken(testing::check_manifest_source_laws(source, lapse), "M1");
}

TEST_CASE("the manifest_source suite finds a sequence that goes back") {
  adjustable_source source;
  source.standing.problem = reason::none;
  source.standing.sequence = 5;
  const auto roll_back = [&](int round) {
    if (round == 3) source.standing.sequence = 4;
    return true;
  };
  require_broken(testing::check_manifest_source_laws(source, roll_back), "M2");
}

TEST_CASE("the manifest_source suite finds a source that allows what its manifest does not name") {
  struct lenient_source : adjustable_source {
    bool by_prefix = false;
    bool allows(std::string_view library, const library_version& running) const noexcept {
      if (by_prefix && library.starts_with("openssl")) {
        return running >= library_version{3, 0, 17} && running < library_version{3, 1, 0};
      }
      return library == "openssl" || library == "wolfssl";
    }
  };
  lenient_source source;
  CHECK(testing::check_manifest_source_restricts(source, allowed, {}).holds());
  require_broken(testing::check_manifest_source_restricts(source, allowed, forbidden), "M4");
  source.by_prefix = true;
  require_broken(testing::check_manifest_source_restricts(source, allowed, forbidden), "M4");
  require_broken(testing::check_manifest_source_restricts(source, {}, {}), "M4");
  require_broken(testing::check_manifest_source_restricts(source, forbidden, {}), "M4");
  // One that cannot say what it allows restricts nothing.
  require_broken(testing::check_manifest_source_restricts(adjustable_source{}, allowed, forbidden),
                 "M4");
}
