// SPDX-License-Identifier: BSL-1.0
#include <cotter/testing/law_report.hpp>
#include <cotter/testing/laws/audit_sink.hpp>
#include <cotter/testing/laws/audit_sender.hpp>
#include <cotter/testing/laws/backend.hpp>
#include <cotter/testing/laws/breaker.hpp>
#include <cotter/testing/laws/clock.hpp>
#include <cotter/testing/laws/engine.hpp>
#include <cotter/testing/laws/hasher.hpp>
#include <cotter/testing/laws/key_vault.hpp>
#include <cotter/testing/laws/lock.hpp>
#include <cotter/testing/laws/manifest_source.hpp>
#include <cotter/testing/laws/notifier.hpp>
#include <cotter/testing/laws/peer_history.hpp>
#include <cotter/testing/laws/pin_set.hpp>
#include <cotter/testing/laws/sealer.hpp>
#include <cotter/testing/laws/session_store.hpp>
#include <cotter/testing/laws/state_store.hpp>
#include <cotter/testing/laws/verifier.hpp>

#include <support/catch.hpp>

#include <cctype>
#include <fstream>
#include <iterator>
#include <set>
#include <span>
#include <string>

namespace {

std::string contents(const std::string& file) {
  std::ifstream in(std::string(COTTER_SOURCE_DIR "/include/cotter/") + file);
  REQUIRE(in);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// The numbers in "///   K1  `reserve` ..." lines.
std::set<std::string> laws_stated_in(const std::string& text) {
  std::set<std::string> laws;
  for (std::size_t at = text.find("\n///   "); at != std::string::npos;
       at = text.find("\n///   ", at + 1)) {
    const char letter = text[at + 7];
    const char digit = text[at + 8];
    if (std::isupper(static_cast<unsigned char>(letter)) != 0 &&
        std::isdigit(static_cast<unsigned char>(digit)) != 0 && text[at + 9] == ' ') {
      laws.insert({letter, digit});
    }
  }
  return laws;
}

/// The numbers in `check("K1"` calls.
std::set<std::string> laws_checked_in(const std::string& text) {
  std::set<std::string> laws;
  const std::string call = "check(\"";
  for (std::size_t at = text.find(call); at != std::string::npos; at = text.find(call, at + 1)) {
    laws.insert(text.substr(at + call.size(), 2));
  }
  return laws;
}

}  // namespace

TEST_CASE("every numbered law is checked by its suite or stands under review with a reason") {
  using cotter::testing::law_by_review;
  namespace t = cotter::testing;
  const std::pair<const char*, std::span<const law_by_review>> suites[] = {
      {"pin_set", t::pin_set_laws_by_review},
      {"manifest_source", t::manifest_source_laws_by_review},
      {"breaker", t::breaker_laws_by_review},
      {"audit_sink", t::audit_sink_laws_by_review},
      {"clock", t::clock_laws_by_review},
      {"lock", t::lock_laws_by_review},
      {"notifier", t::notifier_laws_by_review},
      {"hasher", t::hasher_laws_by_review},
      {"backend", t::backend_laws_by_review},
      {"engine", t::engine_laws_by_review},
      {"verifier", t::verifier_laws_by_review},
      {"sealer", t::sealer_laws_by_review},
      {"state_store", t::state_store_laws_by_review},
      {"key_vault", t::key_vault_laws_by_review},
      {"audit_sender", t::audit_sender_laws_by_review},
      {"peer_history", t::peer_history_laws_by_review},
      {"session_store", t::session_store_laws_by_review},
  };
  std::size_t laws = 0;
  for (const auto& [concept_name, by_review] : suites) {
    INFO(concept_name);
    const auto stated = laws_stated_in(contents("concepts/" + std::string(concept_name) + ".hpp"));
    auto covered = laws_checked_in(contents("testing/laws/" + std::string(concept_name) + ".hpp"));
    for (const law_by_review& one : by_review) {
      CHECK_FALSE(one.why.empty());
      covered.insert(std::string(one.law));
    }
    CHECK_FALSE(stated.empty());
    CHECK(covered == stated);
    laws += stated.size();
  }
  CHECK(laws >= 40);
}
