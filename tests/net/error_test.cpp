// SPDX-License-Identifier: BSL-1.0
#include <cotter/net/error.hpp>

#include <support/catch.hpp>

#include <string>
#include <system_error>

namespace {

TEST_CASE("An errc and a reason become error codes of different categories", "[net][error]") {
  const std::error_code timeout = cotter::errc::timeout;
  const std::error_code mismatch = cotter::reason::pin_mismatch;
  CHECK(timeout == cotter::errc::timeout);
  CHECK(mismatch == cotter::reason::pin_mismatch);
  CHECK(timeout.value() == static_cast<int>(cotter::errc::timeout));
  CHECK(timeout.category() != mismatch.category());
  CHECK(std::string(timeout.category().name()) == "cotter");
  CHECK(std::string(mismatch.category().name()) == "cotter.verdict");
  CHECK_FALSE(std::error_code(cotter::errc::ok));
  CHECK_FALSE(std::error_code(cotter::reason::none));
}

TEST_CASE("A message begins with the stable code and goes on with advice", "[net][error]") {
  for (int value = 0; value <= static_cast<int>(cotter::errc::closed); ++value) {
    const auto c = static_cast<cotter::errc>(value);
    const std::string message = make_error_code(c).message();
    CAPTURE(message);
    CHECK(message.starts_with(std::string(code(c)) + ": "));
    CHECK(message.size() > code(c).size() + 10);
  }
  for (int value = 0; value <= static_cast<int>(cotter::reason::state_unavailable); ++value) {
    const auto r = static_cast<cotter::reason>(value);
    const std::string message = make_error_code(r).message();
    CAPTURE(message);
    CHECK(message.starts_with(std::string(to_string(r)) + ": "));
    CHECK(message.find("explain") == std::string::npos);
  }
}

}  // namespace
