// SPDX-License-Identifier: BSL-1.0
#include <cotter/backends/wolfssl.hpp>

#include "support/common_cases.hpp"

using backend = cotter::backends::wolfssl;
using cotter::reason;

namespace {

constexpr int both_versions[] = {0x0303, 0x0304};

}  // namespace

TEST_CASE("wolfssl: proves itself") { lab::proves_itself<backend>(); }

TEST_CASE("wolfssl: tells the version that runs") {
  lab::tells_the_version_that_runs<backend>();
}

TEST_CASE("wolfssl: what every backend does") {
  lab::does_what_every_backend_does<backend>(
      GENERATE(from_range(std::begin(both_versions), std::end(both_versions))));
}

TEST_CASE("wolfssl: attach refuses a session whose handshake has begun") {
  cotter::owned_pin_set pins;
  const auto pin = *cotter::parse_pin(peer::certificate_pin(lab::file("good.pem")));
  REQUIRE(pins.add({"localhost", 443}, {&pin, 1}));
  cotter::memory_breaker<> breaking;
  cotter::guard guard(pins, breaking, cotter::embedded_manifest{}, cotter::null_audit_sink{});
  auto admission = guard.admit({"localhost", 443});
  backend::context context;
  REQUIRE(context.load_anchors_file(lab::file("ca.pem").c_str()));
  backend::client client(context);
  (void)client.handshake();
  auto connection = guard.attach(client.native(), *admission);
  CHECK(connection.verdict().reason() == reason::backend_unfit);
  CHECK(connection.verdict().detail().what == cotter::errc::unfit_session);
  CHECK_FALSE(connection.confirm());
}
