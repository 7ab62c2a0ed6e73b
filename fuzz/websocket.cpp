// SPDX-License-Identifier: BSL-1.0
// Input: what a server sends once the WebSocket is open.
// Properties: the messages are the same whether it comes whole or octet by octet, and so is whether
// one was too big (how else it ends may differ: wslay judges the reason of a Close frame as far as it
// has come); text and reasons are UTF-8; no message is above the limit.
#include <cotter/net/websocket.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

constexpr std::size_t limit = 4096;

struct outcome {
  std::vector<std::pair<cotter::websocket_kind, std::string>> messages;
  cotter::errc end = cotter::errc::ok;
};

cotter::bytes_view octets(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

outcome listen(cotter::bytes_view in, std::size_t piece) {
  // A digest of zeros stands for SHA-1's, so that the accept key is known; no random mask is checked.
  const cotter::websocket_crypto crypto{
      [](void*, std::span<std::uint8_t> out) {
        return std::ranges::fill(out, std::uint8_t{7}), true;
      },
      [](void*, cotter::bytes_view, std::span<std::uint8_t, 20> out) {
        return std::ranges::fill(out, std::uint8_t{0}), true;
      },
      nullptr};
  cotter::websocket_session session(crypto, {limit});
  cotter::upgrade_request ask;
  ask.host = "localhost";
  (void)session.upgrade(ask);
  session.sent(session.pending().size());
  (void)session.feed(
      octets("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
             "Connection: Upgrade\r\n"
             "Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n"));
  if (session.upgrade(ask).next != cotter::want::nothing) std::abort();

  outcome seen;
  for (std::size_t at = 0;;) {
    cotter::websocket_message message;
    const cotter::step step = session.read(message);
    session.sent(session.pending().size());
    if (step.next == cotter::want::nothing) {
      seen.messages.emplace_back(message.kind, std::move(message.payload));
    } else if (step.next == cotter::want::failed) {
      seen.end = step.why.what;
      if (!cotter::detail::is_utf8(session.peer_close().reason)) std::abort();
      return seen;
    } else if (at == in.size()) {
      session.end_of_input();
    } else {
      const std::size_t size = std::min(piece, in.size() - at);
      (void)session.feed(in.subspan(at, size));
      at += size;
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const cotter::bytes_view in(data, size);
  const outcome whole = listen(in, size + 1);
  const outcome pieces = listen(in, 1);
  if (whole.messages != pieces.messages) std::abort();
  if ((whole.end == cotter::errc::message_too_big) !=
      (pieces.end == cotter::errc::message_too_big)) {
    std::abort();
  }
  for (const auto& [kind, payload] : whole.messages) {
    if (payload.size() > limit) std::abort();
    if (kind == cotter::websocket_kind::text && !cotter::detail::is_utf8(payload)) std::abort();
  }
  return 0;
}
