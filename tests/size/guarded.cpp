// SPDX-License-Identifier: BSL-1.0
#include <tls.hpp>

#include <backend.hpp>
#include <set.hpp>

#include <utility>

using guard_type = decltype(guarding);
using connection_type = decltype(guarding.attach(
    tls::session{}, std::declval<guard_type::permit&>(), cotter::anchors_identity{}));

// Their sizes are read from the object file; the linker throws them away.
extern const char size_of_guard[sizeof(guard_type)];
const char size_of_guard[sizeof(guard_type)]{};
extern const char size_of_connection[sizeof(connection_type)];
const char size_of_connection[sizeof(connection_type)]{};

bool call(tls::session s) {
  auto permit = guarding.admit({host, port});
  if (!permit) return false;
  const cotter::anchors_identity anchors{{}, true};
  auto connection = guarding.attach(s, *permit, anchors);
  const bool accepted = tls::handshake(s) && connection.confirm();
  if constexpr (guard_type::resumes) connection.keep_sessions();
  return accepted;
}

int main() {
  prepare();
  const tls::session s = tls::begin();
  const bool done = call(s);
  tls::end(s);
  return done ? 0 : 1;
}
