// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "measured.hpp"

#include <tiny/handshake.hpp>

/// One connection of `Backend`, both ends in memory: from admit over attach, handshake and confirm to
/// the end, with application data. What runs inside the TLS library is not counted.
template <cotter::backend Backend>
int measure_connection(int count, char** arguments) {
  using namespace cotter;
  const auto calling = [](std::uint16_t port, bool accepted) {
    return [port, accepted] {
      return [port, accepted] {
        ring_audit_sink<4> audit;
        memory_breaker<2, 64> breaker{breaker_config{20, 10, std::chrono::milliseconds{0}, {}}};
        guard guarding{phone::pins, breaker, embedded_manifest{}, audit, no_lock{}};
        const phone::outcome one = phone::call<Backend>(guarding, port);
        instructions::must(static_cast<bool>(one.verdict) == accepted, "the verdict");
        instructions::must(one.data_arrived == accepted, "the data");
      };
    };
  };
  return instructions::run(count, arguments,
                           {{"connection", calling(phone::right_port, true)},
                            {"connection-refused", calling(phone::wrong_port, false)}});
}
