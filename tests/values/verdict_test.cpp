// SPDX-License-Identifier: BSL-1.0
#include <cotter/values/verdict.hpp>

#include <support/catch.hpp>
#include <support/spelling.hpp>

#include <string_view>

using namespace cotter;

static_assert(!verdict{});
static_assert(verdict{}.reason() == reason::unbound);
static_assert(verdict{}.matched() == matched::none);
static_assert(!verdict{}.has_fingerprint());
static_assert(!verdict::accept(matched::none));
static_assert(verdict::accept(matched::none).reason() == reason::unbound);
static_assert(verdict::refuse(reason::none).reason() == reason::unbound);
static_assert(!verdict::refuse(reason::none));
static_assert(verdict::accept(matched::primary));
static_assert(verdict::accept(matched::fallback).matched() == matched::fallback);
static_assert(verdict::accept(matched::observed).reason() == reason::none);

TEST_CASE("a verdict that nobody made refuses") {
  const verdict nobodys;
  CHECK_FALSE(nobodys);
  CHECK(nobodys.reason() == reason::unbound);
  CHECK(nobodys.detail() == error{});
  CHECK(nobodys.pin_label().empty());
}

TEST_CASE("a refusal keeps its reason and what lies under it") {
  const error detail{errc::truncated, 17, -1};
  const auto refused = verdict::refuse(reason::malformed_certificate, detail);
  CHECK_FALSE(refused);
  CHECK(refused.reason() == reason::malformed_certificate);
  CHECK(refused.detail() == detail);
  CHECK(refused.matched() == matched::none);
}

TEST_CASE("adding a fingerprint or a label turns no refusal into an acceptance") {
  sha256_digest digest;
  digest.octets[31] = 7;
  const auto refused =
      verdict::refuse(reason::pin_mismatch).with_fingerprint(digest).with_label("primary");
  CHECK_FALSE(refused);
  CHECK(refused.reason() == reason::pin_mismatch);
  CHECK(refused.has_fingerprint());
  CHECK(refused.fingerprint() == digest);
  CHECK_FALSE(verdict{}.with_fingerprint(digest));

  const auto accepted = verdict::accept(matched::primary).with_label("a").with_fingerprint(digest);
  CHECK(accepted);
  CHECK(accepted.pin_label() == "a");
  CHECK(accepted.fingerprint() == digest);
}

TEST_CASE("an observed acceptance says what it would have been refused for") {
  const auto seen = verdict::observe(reason::pin_mismatch);
  CHECK(seen);
  CHECK(seen.matched() == matched::observed);
  CHECK(seen.reason() == reason::none);
  CHECK(seen.would_refuse() == reason::pin_mismatch);
  const auto more = seen.with_fingerprint({}).with_label("a");
  CHECK(more);
  CHECK(more.would_refuse() == reason::pin_mismatch);
}

TEST_CASE("nothing is observed without a reason that it would have been refused for") {
  CHECK_FALSE(verdict::observe(reason::none));
  CHECK(verdict::observe(reason::none).reason() == reason::unbound);
  CHECK(verdict::observe(reason::none).would_refuse() == reason::none);
}

TEST_CASE("what is refused or pinned would not be refused otherwise") {
  CHECK(verdict{}.would_refuse() == reason::none);
  CHECK(verdict::refuse(reason::pin_mismatch).would_refuse() == reason::none);
  CHECK(verdict::accept(matched::primary).would_refuse() == reason::none);
}

TEST_CASE("every reason has one stable spelling") {
  // The words of the public contract, in the order of the enumeration.
  constexpr std::string_view words[] = {
      "none", "unbound", "pkix", "hostname", "validity", "malformed_certificate", "pin_mismatch",
      "fallback_expired", "no_pins", "manifest_invalid", "manifest_signature", "manifest_expired",
      "manifest_rollback", "runtime_mismatch", "clock_untrusted", "breaker_cooling",
      "breaker_locked", "resumption_unbound", "backend_unfit", "state_unavailable"};
  require_spellings<reason>(words, [](reason r) { return to_string(r); });
}

TEST_CASE("every way of matching has one stable spelling") {
  constexpr std::string_view words[] = {"none", "primary", "fallback", "observed"};
  require_spellings<matched>(words, [](matched m) { return to_string(m); });
}
