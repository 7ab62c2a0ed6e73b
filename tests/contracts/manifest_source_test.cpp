// SPDX-License-Identifier: BSL-1.0
#include <cotter/testing/laws/manifest_source.hpp>

#include <cotter/policies/manifest/embedded_manifest.hpp>

#include <support/laws.hpp>

namespace {

using namespace cotter;

struct adjustable_source {
  manifest_standing standing{};
  manifest_standing current() const noexcept { return standing; }
};

}  // namespace

TEST_CASE("embedded_manifest keeps the laws of manifest_source") {
  require_laws(testing::check_manifest_source_laws(embedded_manifest{}));
  require_laws(testing::check_manifest_source_laws(
      embedded_manifest{42, instant{std::chrono::seconds{1}}, no_expiry}));
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
