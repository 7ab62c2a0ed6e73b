// SPDX-License-Identifier: BSL-1.0
#include <cotter/pipeline/diagnosis.hpp>

#include <cotter/certificate/form.hpp>
#include <cotter/certificate/issuance.hpp>
#include <cotter/certificate/view.hpp>

#include <support/catch.hpp>
#include <support/pki.hpp>
#include <support/spelling.hpp>

#include <set>
#include <string>
#include <vector>

namespace {

using namespace cotter;
using namespace std::chrono_literals;

leaf_traits traits_of_file(const std::string& name) {
  const pki::octets der = pki::certificate(name);
  const auto form = read_form(der);
  REQUIRE(form);
  return traits_of(locate(*form));
}

constexpr leaf_traits private_leaf{11, 22, instant{1000s}, false};
constexpr leaf_traits public_leaf{33, 22, instant{1000s}, true};

/// A leaf of another CA under the right name, trusted and not pinned.
refusal_facts mismatch(const leaf_traits& leaf = private_leaf) {
  refusal_facts facts;
  facts.why = reason::pin_mismatch;
  facts.chain_known = facts.chain_trusted = true;
  facts.names_target = true;
  facts.now = instant{5000s};
  facts.not_before = leaf.not_before;
  facts.leaf = leaf;
  return facts;
}

}  // namespace

TEST_CASE("the marks of a public CA are found, each by itself, and nowhere else") {
  CHECK(traits_of_file("public").public_issuance);
  for (const char* name : {"good", "foreign", "rsa", "large", "cn-only", "wrong-name"}) {
    INFO(name);
    CHECK_FALSE(traits_of_file(name).public_issuance);
  }
}

TEST_CASE("issuer, names and age of a leaf tell those of the lab apart") {
  const leaf_traits good = traits_of_file("good");
  CHECK(traits_of_file("good") == good);
  const leaf_traits renewed = traits_of_file("renewed");
  CHECK(renewed.issuer == good.issuer);
  CHECK(renewed.names == good.names);
  CHECK(renewed.not_before > good.not_before);
  const leaf_traits foreign = traits_of_file("foreign");
  CHECK(foreign.issuer != good.issuer);
  CHECK(foreign.names == good.names);
  const leaf_traits elsewhere = traits_of_file("wrong-name");
  CHECK(elsewhere.issuer == good.issuer);
  CHECK(elsewhere.names != good.names);
}

TEST_CASE("a leaf cut anywhere has no traits, or some, and never more than it has") {
  const pki::octets der = pki::certificate("public");
  for (std::size_t size = 0; size < der.size(); ++size) {
    const leaf_traits cut = traits_of(locate(bytes_view(der).first(size)));
    if (size < der.size() / 4) CHECK_FALSE(cut.public_issuance);
  }
}

TEST_CASE("without a leaf nothing is guessed but the clock") {
  for (unsigned i = 0; i <= static_cast<unsigned>(last_reason); ++i) {
    refusal_facts facts;
    facts.why = static_cast<reason>(i);
    facts.chain_known = true;
    const bool about_names = facts.why == reason::hostname;
    if (!about_names) CHECK_FALSE(diagnose(facts));
    facts.clock_low = true;
    const diagnosis found = diagnose(facts);
    const bool about_time = facts.why == reason::validity ||
                            facts.why == reason::manifest_expired ||
                            facts.why == reason::clock_untrusted;
    if (!about_names) CHECK((found.what == cause::clock_wrong) == about_time);
  }
}

TEST_CASE("a newer leaf of the same issuer and names is a rotation") {
  refusal_facts facts = mismatch();
  facts.known = private_leaf;
  facts.known.not_before -= 100s;
  const diagnosis found = diagnose(facts);
  CHECK(found.what == cause::rotation);
  CHECK(found.seen.has(evidence::issuer_same));
  CHECK(found.seen.has(evidence::names_same));
  CHECK(found.seen.has(evidence::newer));
  CHECK(found.seen.has(evidence::chain_trusted));
  CHECK_FALSE(found.seen.has(evidence::history_absent));

  facts.known.not_before += 200s;  // an edge that still serves the old one
  CHECK(diagnose(facts).what == cause::rotation);
  CHECK(diagnose(facts).seen.has(evidence::older));
  facts.known.names += 1;
  CHECK(diagnose(facts).what == cause::terminating_proxy);
}

TEST_CASE("pins of a newer manifest, and a fallback past its window, are a rotation") {
  refusal_facts facts = mismatch();
  facts.newer_manifest = true;
  CHECK(diagnose(facts).what == cause::rotation);
  CHECK(diagnose(facts).seen.has(evidence::newer_manifest));
  facts.newer_manifest = false;
  facts.why = reason::fallback_expired;
  CHECK(diagnose(facts).what == cause::rotation);
  CHECK(diagnose(facts).seen.has(evidence::fallback_past));
}

TEST_CASE("pins of another region or target say whose the leaf is") {
  refusal_facts facts = mismatch();
  facts.owner = {{"sip.example.com", 5061}, "emea"};
  CHECK(diagnose(facts).what == cause::region_skew);
  CHECK(diagnose(facts).owner.region == "emea");
  facts.owner = {{"other.example.com", 443}, {}};
  CHECK(diagnose(facts).what == cause::wrong_endpoint);
  CHECK(diagnose(facts).seen.has(evidence::other_pins));
  facts.why = reason::hostname;
  facts.names_target = false;
  CHECK(diagnose(facts).what == cause::wrong_endpoint);
  CHECK(diagnose(facts).seen.has(evidence::name_differs));
}

TEST_CASE("an issuer never seen here is an inspection, or with public marks a proxy") {
  refusal_facts facts = mismatch();
  CHECK(diagnose(facts).what == cause::inspection);
  CHECK(diagnose(facts).seen.has(evidence::history_absent));
  CHECK(diagnose(facts).seen.has(evidence::private_issuance));
  facts.known = {99, 22, instant{900s}, false};
  CHECK(diagnose(facts).what == cause::inspection);
  CHECK(diagnose(facts).seen.has(evidence::issuer_unseen));
  facts.leaf = public_leaf;
  CHECK(diagnose(facts).what == cause::terminating_proxy);
  CHECK(diagnose(facts).seen.has(evidence::public_issuance));
}

TEST_CASE(
    "an untrusted chain is a portal under another name, and an inspection under the right one") {
  refusal_facts facts = mismatch();
  facts.chain_trusted = false;
  facts.why = reason::hostname;
  facts.names_target = false;
  CHECK(diagnose(facts).what == cause::captive_portal);
  facts.known = facts.leaf;
  facts.known.names += 1;
  CHECK(diagnose(facts).what == cause::wrong_endpoint);  // the library faults the name alone
  facts.known = {};
  facts.leaf.public_issuance = true;
  CHECK(diagnose(facts).what == cause::wrong_endpoint);
  facts.leaf.public_issuance = false;
  facts.why = reason::pkix;
  facts.names_target = true;
  CHECK(diagnose(facts).what == cause::inspection);
  CHECK(diagnose(facts).seen.has(evidence::chain_untrusted));

  // The right server with a chain that is not: nothing to guess.
  facts.pinned = true;
  CHECK_FALSE(diagnose(facts));
  facts.pinned = false;
  facts.known = private_leaf;
  CHECK_FALSE(diagnose(facts));
  facts.known = {};
  facts.leaf = public_leaf;
  CHECK_FALSE(diagnose(facts));
}

TEST_CASE("a pinned leaf whose time has not come is a clock that is wrong") {
  refusal_facts facts = mismatch();
  facts.why = reason::validity;
  facts.now = instant{500s};
  CHECK_FALSE(diagnose(facts));
  facts.pinned = true;
  CHECK(diagnose(facts).what == cause::clock_wrong);
  CHECK(diagnose(facts).seen.has(evidence::clock_low));
  facts.now = instant{5000s};  // its time is over: the server's fault as well as the clock's
  CHECK_FALSE(diagnose(facts));
}

TEST_CASE("every cause and every evidence has a spelling of its own") {
  std::set<std::string_view> words{to_string(cause::none)};
  for (const cause each : all_causes) CHECK(words.insert(to_string(each)).second);
  CHECK(words.count("unknown") == 0);
  words.clear();
  std::uint32_t bits = 0;
  for (const evidence each : all_evidence) {
    CHECK(words.insert(to_string(each)).second);
    CHECK((bits & static_cast<std::uint32_t>(each)) == 0);
    bits |= static_cast<std::uint32_t>(each);
  }
  CHECK(bits == 0xffff);
  CHECK(words.count("unknown") == 0);
}
