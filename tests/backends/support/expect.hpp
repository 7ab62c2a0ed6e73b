// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "client.hpp"

#include <support/catch.hpp>

#include <vector>

namespace lab {

/// Refused for `why` before the server had the client's Finished, and nothing was sent.
inline void refused_in_handshake(const outcome& seen, cotter::reason why) {
  INFO("verdict " << to_string(seen.verdict.reason()) << ", native "
                  << seen.verdict.detail().native);
  CHECK_FALSE(seen.verdict);
  CHECK(seen.verdict.reason() == why);
  CHECK_FALSE(seen.client_finished);
  CHECK_FALSE(seen.server_finished);
  CHECK(seen.application_bytes == 0);
  CHECK(seen.audited == std::vector<cotter::reason>{why});
}

/// Accepted, and data went both ways.
inline void accepted(const outcome& seen, cotter::matched by = cotter::matched::primary) {
  INFO("verdict " << to_string(seen.verdict.reason()) << ", native "
                  << seen.verdict.detail().native);
  CHECK(seen.verdict);
  CHECK(seen.verdict.matched() == by);
  CHECK(seen.client_finished);
  CHECK(seen.server_finished);
  CHECK(seen.application_bytes == 33);
  CHECK(seen.answer == "SIP/2.0 200 OK\r\n\r\n");
  CHECK(seen.audited == std::vector<cotter::reason>{cotter::reason::none});
}

/// Not accepted; nothing was sent by an application that asks `confirm` first.
inline void nothing_left(const outcome& seen) {
  INFO("verdict " << to_string(seen.verdict.reason()) << ", native "
                  << seen.verdict.detail().native);
  CHECK_FALSE(seen.verdict);
  CHECK(seen.application_bytes == 0);
  CHECK(seen.answer.empty());
}

/// The handshake went past hooks that are no longer ours: `confirm` is what refuses it.
inline void refused_by_confirm(const outcome& seen) {
  nothing_left(seen);
  CHECK(seen.verdict.reason() == cotter::reason::backend_unfit);
  CHECK(seen.audited == std::vector<cotter::reason>{cotter::reason::backend_unfit});
}

}  // namespace lab
