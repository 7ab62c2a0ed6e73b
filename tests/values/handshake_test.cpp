// SPDX-License-Identifier: BSL-1.0
#include <cotter/values/handshake.hpp>

#include <support/catch.hpp>

#include <cstring>
#include <string>

using namespace cotter;

static_assert(!chain_outcome{}.trusted);
static_assert(!handshake_facts{}.finished);
static_assert(!handshake_facts{}.hooks_intact);
static_assert(!handshake_facts{}.authenticated);

TEST_CASE("a host becomes C text whole or not at all") {
  const std::string longest(max_host_bytes, 'a');
  CHECK(std::strlen(host_text(longest).c_str()) == max_host_bytes);
  CHECK(std::string(host_text("sip.example.com").c_str()) == "sip.example.com");
  CHECK(std::strlen(host_text(longest + "a").c_str()) == 0);
}
