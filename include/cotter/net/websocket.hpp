// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/concepts/engine.hpp>
#include <cotter/net/upgrade.hpp>
#include <cotter/values/bytes_view.hpp>
#include <cotter/values/error.hpp>

#include <wslay/wslay.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cotter {
inline namespace v0 {

/// The two kinds of data message (RFC 6455 5.6).
enum class websocket_kind : std::uint8_t { text, binary };

/// A whole message, its fragments joined. Text is valid UTF-8.
struct websocket_message {
  websocket_kind kind = websocket_kind::text;
  std::string payload{};
};

/// How a peer closed (RFC 6455 7.1.5, 7.1.6).
struct websocket_close {
  std::uint16_t code = 1006;  ///< 1005: a Close frame without code; 1006: no Close frame
  std::string reason{};       ///< UTF-8, at most 123 octets
};

struct websocket_limits {
  /// The largest message that is received, fragments together. At least 125, which control frames
  /// need; smaller values count as 125.
  std::size_t max_message_bytes = std::size_t{1} << 20;
};

/// What a WebSocket client needs of a TLS library: random octets and SHA-1 (for the handshake's
/// arithmetic, not for security). Both are called with `user`; false means failure.
struct websocket_crypto {
  bool (*random)(void* user, std::span<std::uint8_t> out) = nullptr;
  bool (*sha1)(void* user, bytes_view in, std::span<std::uint8_t, 20> out) = nullptr;
  void* user = nullptr;
};

namespace detail {

/// Well-formed UTF-8 (RFC 3629 4).
constexpr bool is_utf8(std::string_view text) noexcept {
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    std::size_t more = 0;
    unsigned char low = 0x80;
    unsigned char high = 0xbf;
    if (lead < 0x80) {
      more = 0;
    } else if (lead >= 0xc2 && lead <= 0xdf) {
      more = 1;
    } else if (lead >= 0xe0 && lead <= 0xef) {
      more = 2;
      if (lead == 0xe0) low = 0xa0;
      if (lead == 0xed) high = 0x9f;
    } else if (lead >= 0xf0 && lead <= 0xf4) {
      more = 3;
      if (lead == 0xf0) low = 0x90;
      if (lead == 0xf4) high = 0x8f;
    } else {
      return false;
    }
    if (text.size() - i <= more) return false;
    for (std::size_t k = 1; k <= more; ++k) {
      const auto next = static_cast<unsigned char>(text[i + k]);
      if (next < low || next > high) return false;
      low = 0x80;
      high = 0xbf;
    }
    i += more + 1;
  }
  return true;
}

/// A code that an endpoint may send (RFC 6455 7.4).
constexpr bool is_sendable_close_code(std::uint16_t code) noexcept {
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1011) ||
         (code >= 3000 && code <= 4999);
}

}  // namespace detail

/// A WebSocket client without a socket: octets in, octets out, steps between, in the manner of the
/// concept `engine`. Framing is wslay's. Immovable.
///
/// Pings are answered by themselves. A peer that breaks the protocol is sent the Close frame that
/// RFC 6455 7.4.1 prescribes (1002, 1007, 1009), and every later step fails.
class websocket_session {
 public:
  explicit websocket_session(websocket_crypto crypto, websocket_limits limits = {})
      : crypto_(crypto), limit_(std::max<std::size_t>(limits.max_message_bytes, 125)) {}
  websocket_session(const websocket_session&) = delete;
  websocket_session& operator=(const websocket_session&) = delete;
  ~websocket_session() { wslay_event_context_free(frames_); }

  /// The opening handshake. Repeated with the same request until it wants nothing.
  [[nodiscard]] step upgrade(const upgrade_request& ask) {
    if (failure_ != errc::ok) return failed(failure_);
    if (state_ == state::fresh) {
      if (const errc fault = begin(ask); fault != errc::ok) return fail(fault);
      state_ = state::upgrading;
    }
    if (state_ != state::upgrading) return failed(errc::protocol_error);
    if (has_input()) {
      const result<std::size_t> used = response_->read(input());
      if (!used) return fail(used.error().what);
      consume(*used);
      if (response_->complete()) return open();
    }
    return ended_ ? fail(errc::upgrade_refused) : step{want::input, 0, {}};
  }
  /// The status line's code, for people; 0 until it is known.
  [[nodiscard]] unsigned http_status() const noexcept {
    return response_ ? response_->status() : 0;
  }

  /// The next message. `errc::closed` after the peer's Close frame, `tls_closed` if the connection
  /// ended without one.
  [[nodiscard]] step read(websocket_message& into) {
    for (;;) {
      if (state_ == state::fresh || state_ == state::upgrading) return failed(errc::closed);
      if (!messages_.empty()) {
        into = std::move(messages_.front());
        messages_.pop_front();
        return {want::nothing, into.payload.size(), {}};
      }
      if (failure_ != errc::ok) return failed(failure_);
      if (peer_closed_) return failed(errc::closed);
      if (has_input()) {
        receive();
        continue;
      }
      if (ended_) return fail(errc::tls_closed);
      return {want::input, 0, {}};
    }
  }

  /// Queues one message, whole. Text that is not UTF-8 is refused with `protocol_error`, unsent.
  [[nodiscard]] step write(websocket_kind kind, bytes_view payload) {
    if (kind == websocket_kind::text &&
        !detail::is_utf8({reinterpret_cast<const char*>(payload.data()), payload.size()})) {
      return failed(errc::protocol_error);
    }
    return queue(kind == websocket_kind::text ? WSLAY_TEXT_FRAME : WSLAY_BINARY_FRAME, payload);
  }

  /// Queues a ping of at most 125 octets (`too_large` otherwise).
  [[nodiscard]] step ping(bytes_view payload) {
    if (payload.size() > 125) return failed(errc::too_large);
    return queue(WSLAY_PING, payload);
  }

  /// The closing handshake (RFC 6455 7.1.2): sends Close, once, and waits for the peer's. Messages
  /// that arrive meanwhile are dropped. `protocol_error` for a code or reason that must not be
  /// sent; `too_large` for a reason above 123 octets.
  [[nodiscard]] step close(std::uint16_t code, std::string_view reason) {
    if (state_ != state::open) return failed(failure_ != errc::ok ? failure_ : errc::closed);
    if (!close_sent_ && !peer_closed_) {
      if (reason.size() > 123) return failed(errc::too_large);
      if (!detail::is_sendable_close_code(code) || !detail::is_utf8(reason)) {
        return failed(errc::protocol_error);
      }
      if (failure_ != errc::ok) return failed(failure_);
      wslay_event_queue_close(frames_, code, reinterpret_cast<const std::uint8_t*>(reason.data()),
                              reason.size());
      close_sent_ = true;
      send();
    }
    messages_.clear();
    while (!peer_closed_ && failure_ == errc::ok && has_input()) {
      receive();
      messages_.clear();
    }
    if (peer_closed_) return {want::nothing, 0, {}};
    if (failure_ != errc::ok) return failed(failure_);
    return ended_ ? fail(errc::tls_closed) : step{want::input, 0, {}};
  }

  /// How the peer closed; code 1006 until it has.
  [[nodiscard]] const websocket_close& peer_close() const noexcept { return peer_close_; }
  /// True between an accepted upgrade and the first Close frame or failure.
  [[nodiscard]] bool is_open() const noexcept {
    return state_ == state::open && failure_ == errc::ok && !close_sent_ && !peer_closed_;
  }
  /// Pongs received so far, and what the last of them carried.
  [[nodiscard]] std::uint64_t pongs() const noexcept { return pongs_; }
  [[nodiscard]] const std::string& last_pong() const noexcept { return last_pong_; }

  /// As in the concept `engine`.
  [[nodiscard]] std::size_t feed(bytes_view in) {
    incoming_.insert(incoming_.end(), in.begin(), in.end());
    return in.size();
  }
  void end_of_input() noexcept { ended_ = true; }
  [[nodiscard]] bytes_view pending() const noexcept {
    return bytes_view(outgoing_).subspan(sent_bytes_);
  }
  void sent(std::size_t size) noexcept {
    sent_bytes_ += size;
    if (sent_bytes_ < outgoing_.size()) return;
    outgoing_.clear();
    sent_bytes_ = 0;
  }

 private:
  enum class state : std::uint8_t { fresh, upgrading, open };

  static step failed(errc what) noexcept { return {want::failed, 0, {what, 0, 0}}; }
  step fail(errc what) noexcept {
    failure_ = what;
    return failed(what);
  }

  [[nodiscard]] bool has_input() const noexcept { return consumed_bytes_ < incoming_.size(); }
  [[nodiscard]] bytes_view input() const noexcept {
    return bytes_view(incoming_).subspan(consumed_bytes_);
  }
  void consume(std::size_t size) noexcept {
    consumed_bytes_ += size;
    if (consumed_bytes_ < incoming_.size()) return;
    incoming_.clear();
    consumed_bytes_ = 0;
  }

  errc begin(const upgrade_request& ask) {
    std::array<std::uint8_t, 16> nonce{};
    if (crypto_.random == nullptr || crypto_.sha1 == nullptr ||
        !crypto_.random(crypto_.user, nonce)) {
      return errc::unfit_backend;
    }
    const std::string key = detail::to_base64(nonce);
    const std::string keyed = key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";  // RFC 6455 1.3
    std::array<std::uint8_t, 20> digest{};
    if (!crypto_.sha1(crypto_.user,
                      {reinterpret_cast<const std::uint8_t*>(keyed.data()), keyed.size()},
                      digest)) {
      return errc::unfit_backend;
    }
    const result<std::string> text = write_upgrade(ask, key);
    if (!text) return text.error().what;
    outgoing_.assign(text->begin(), text->end());
    response_.emplace(detail::to_base64(digest), ask.subprotocol);
    return errc::ok;
  }

  step open() {
    wslay_event_callbacks callbacks{};
    callbacks.recv_callback = &on_wants_input;
    callbacks.send_callback = &on_output;
    callbacks.genmask_callback = &on_wants_mask;
    callbacks.on_msg_recv_callback = &on_message;
    if (wslay_event_context_client_init(&frames_, &callbacks, this) != 0) {
      return fail(errc::out_of_memory);
    }
    wslay_event_config_set_max_recv_msg_length(frames_, limit_);
    state_ = state::open;
    return {want::nothing, 0, {}};
  }

  step queue(std::uint8_t opcode, bytes_view payload) {
    if (failure_ != errc::ok) return failed(failure_);
    if (!is_open()) return failed(errc::closed);
    const wslay_event_msg message{opcode, payload.data(), payload.size()};
    if (wslay_event_queue_msg(frames_, &message) != 0) return fail(errc::out_of_memory);
    send();
    return failure_ == errc::ok ? step{want::nothing, payload.size(), {}} : failed(failure_);
  }

  void send() {
    if (wslay_event_send(frames_) != 0 && failure_ == errc::ok) failure_ = errc::unfit_backend;
  }

  void receive() {
    const int outcome = wslay_event_recv(frames_);
    if (outcome == WSLAY_ERR_NOMEM) {
      failure_ = errc::out_of_memory;
    } else if (outcome != 0 || bad_close_) {
      // wslay would send a Close frame without a code here.
      wslay_event_shutdown_write(frames_);
      if (!close_sent_) send_close(WSLAY_CODE_PROTOCOL_ERROR);
      failure_ = errc::protocol_error;
    } else if (wslay_event_get_close_received(frames_) != 0) {
      peer_closed_ = true;
      send();
    } else if (wslay_event_get_read_enabled(frames_) == 0) {
      send();
      failure_ = wslay_event_get_status_code_sent(frames_) == WSLAY_CODE_MESSAGE_TOO_BIG
                     ? errc::message_too_big
                     : errc::protocol_error;
    } else {
      send();
    }
  }

  /// A masked Close frame with a code and no reason (RFC 6455 5.5.1).
  void send_close(std::uint16_t code) {
    std::array<std::uint8_t, 4> mask{};
    if (!crypto_.random(crypto_.user, mask)) return;
    const std::uint8_t frame[] = {
        0x88,    0x82,    mask[0], mask[1],
        mask[2], mask[3], static_cast<std::uint8_t>(code >> 8 ^ mask[0]),
        static_cast<std::uint8_t>((code & 0xff) ^ mask[1])};
    outgoing_.insert(outgoing_.end(), std::begin(frame), std::end(frame));
    close_sent_ = true;
  }

  static ssize_t on_wants_input(wslay_event_context_ptr frames, std::uint8_t* into,
                                std::size_t room, int, void* user) {
    auto& me = *static_cast<websocket_session*>(user);
    // One message at a time, so that the queue stays short whatever the peer sends.
    if (!me.has_input() || !me.messages_.empty()) {
      wslay_event_set_error(frames, WSLAY_ERR_WOULDBLOCK);
      return -1;
    }
    const bytes_view in = me.input();
    const std::size_t size = std::min(room, in.size());
    std::copy_n(in.begin(), size, into);
    me.consume(size);
    return static_cast<ssize_t>(size);
  }
  static ssize_t on_output(wslay_event_context_ptr, const std::uint8_t* octets, std::size_t size,
                           int, void* user) {
    auto& me = *static_cast<websocket_session*>(user);
    me.outgoing_.insert(me.outgoing_.end(), octets, octets + size);
    return static_cast<ssize_t>(size);
  }
  static int on_wants_mask(wslay_event_context_ptr, std::uint8_t* into, std::size_t size,
                           void* user) {
    return static_cast<websocket_session*>(user)->draw_mask({into, size}) ? 0 : -1;
  }
  /// The generator is asked for many masks at once: a call costs it as much as the octets do. None is
  /// used twice (RFC 6455 5.3).
  bool draw_mask(std::span<std::uint8_t> into) {
    if (into.size() > masks_.size()) return false;
    if (masks_.size() - masks_used_ < into.size()) {
      if (!crypto_.random(crypto_.user, masks_)) return false;
      masks_used_ = 0;
    }
    std::copy_n(masks_.begin() + static_cast<std::ptrdiff_t>(masks_used_), into.size(),
                into.begin());
    masks_used_ += into.size();
    return true;
  }
  static void on_message(wslay_event_context_ptr, const wslay_event_on_msg_recv_arg* what,
                         void* user) {
    auto& me = *static_cast<websocket_session*>(user);
    const std::string_view octets(reinterpret_cast<const char*>(what->msg), what->msg_length);
    switch (what->opcode) {
      case WSLAY_TEXT_FRAME:
        me.messages_.push_back({websocket_kind::text, std::string(octets)});
        return;
      case WSLAY_BINARY_FRAME:
        me.messages_.push_back({websocket_kind::binary, std::string(octets)});
        return;
      case WSLAY_PONG:
        ++me.pongs_;
        me.last_pong_ = octets;
        return;
      case WSLAY_CONNECTION_CLOSE:
        // wslay judges a reason piece by piece, as it comes, and misses what two pieces make.
        if (octets.size() == 1 || (octets.size() > 2 && !detail::is_utf8(octets.substr(2)))) {
          me.bad_close_ = true;
          return;
        }
        me.peer_close_.code = octets.empty() ? std::uint16_t{WSLAY_CODE_NO_STATUS_RCVD}
                                             : what->status_code;
        me.peer_close_.reason = octets.empty() ? std::string_view() : octets.substr(2);
        return;
      default: return;
    }
  }

  websocket_crypto crypto_;
  std::size_t limit_;
  std::optional<upgrade_response> response_;
  wslay_event_context_ptr frames_ = nullptr;
  std::vector<std::uint8_t> incoming_;
  std::size_t consumed_bytes_ = 0;
  std::vector<std::uint8_t> outgoing_;
  std::size_t sent_bytes_ = 0;
  std::array<std::uint8_t, 64> masks_{};
  std::size_t masks_used_ = sizeof masks_;
  std::deque<websocket_message> messages_;
  websocket_close peer_close_{};
  std::string last_pong_;
  std::uint64_t pongs_ = 0;
  state state_ = state::fresh;
  errc failure_ = errc::ok;
  bool ended_ = false;
  bool close_sent_ = false;
  bool peer_closed_ = false;
  bool bad_close_ = false;
};

}  // namespace v0
}  // namespace cotter
