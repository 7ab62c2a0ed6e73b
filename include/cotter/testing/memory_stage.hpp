// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/concepts/backend.hpp>
#include <cotter/concepts/engine.hpp>
#include <cotter/values/bytes_view.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace cotter {
inline namespace v0 {
namespace testing {

/// What a server shows: one certificate and its key, both DER, borrowed.
struct server_credentials {
  bytes_view leaf_der{};
  bytes_view key_der{};
};

/// Moves what `from` has pending to `to`, at most `piece` octets at a time. True if anything moved.
template <engine From, engine To>
bool carry(From& from, To& to, std::size_t piece = static_cast<std::size_t>(-1)) {
  bool moved = false;
  for (bytes_view out = from.pending(); !out.empty(); out = from.pending()) {
    const std::size_t taken = to.feed(out.first(std::min(out.size(), piece)));
    if (taken == 0) break;
    from.sent(taken);
    moved = true;
  }
  return moved;
}

/// How a handshake between two engines ended.
struct stage_outcome {
  step client{};
  step server{};

  [[nodiscard]] bool client_finished() const noexcept { return client.next == want::nothing; }
  [[nodiscard]] bool server_finished() const noexcept { return server.next == want::nothing; }
  [[nodiscard]] bool finished() const noexcept { return client_finished() && server_finished(); }
};

/// A client and a server of one TLS library, face to face in memory. `B` has, besides what concept
/// `backend` asks for, the engines `client` and `server` and the client's `context`.
template <backend B>
class memory_stage {
 public:
  /// @param anchors PEM or DER, what the client trusts.
  memory_stage(bytes_view anchors, const server_credentials& shown)
      : client_(load(context_, anchors)), server_(shown.leaf_der, shown.key_der) {}
  memory_stage(const memory_stage&) = delete;
  memory_stage& operator=(const memory_stage&) = delete;

  [[nodiscard]] typename B::context& context() noexcept { return context_; }
  [[nodiscard]] typename B::client& client() noexcept { return client_; }
  [[nodiscard]] typename B::server& server() noexcept { return server_; }

  /// Drives both sides until they are done, have failed, or make no progress any more. Alerts are
  /// delivered. At most `piece` octets travel at a time.
  stage_outcome handshake(std::size_t piece = static_cast<std::size_t>(-1)) {
    stage_outcome outcome{{want::input, 0, {}}, {want::input, 0, {}}};
    for (bool moving = true; moving;) {
      if (unsettled(outcome.client)) outcome.client = client_.handshake();
      moving = carry(client_, server_, piece);
      if (unsettled(outcome.server)) outcome.server = server_.handshake();
      moving = carry(server_, client_, piece) || moving;
    }
    return outcome;
  }

 private:
  static bool unsettled(const step& s) noexcept {
    return s.next == want::input || s.next == want::output;
  }
  static typename B::context& load(typename B::context& context, bytes_view anchors) {
    static_cast<void>(context.load_anchors(anchors));  // without anchors no chain is trusted
    return context;
  }

  typename B::context context_{};
  typename B::client client_;
  typename B::server server_;
};

}  // namespace testing
}  // namespace v0
}  // namespace cotter
