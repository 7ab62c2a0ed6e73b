// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/concepts/key_vault.hpp>
#include <cotter/posix/system_calls.hpp>
#include <cotter/posix/vault_protocol.hpp>

#include <poll.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cotter {
inline namespace v0 {
namespace posix {

/// How long a `service_vault` waits for its service, each time that it is asked something.
inline constexpr std::chrono::milliseconds longest_vault_wait{250};

/// A key and a counter that another user of the machine keeps: what runs `vault_service` behind a
/// Unix socket. The kernel tells each side who the other is.
///
/// It notices state that was put back or deleted. Like every vault it gives the key to whoever has
/// the program's user rights: such a one can still write state of his own making.
class service_vault {
 public:
  /// `socket`: the service's path. `name`: 1 to 64 letters, digits, `-` or `_`, one for each store of
  /// this user. `keeper`: the user that must be at the other end; without one, any but this one.
  service_vault(std::string_view socket, std::string_view name,
                std::optional<uid_t> keeper = std::nullopt)
      : socket_(socket), name_(name), keeper_(keeper) {}

  /// Has the service make key and counter. @errors `state_exists`, and those of `counter`
  [[nodiscard]] result<void> create() noexcept {
    vault_reply reply;
    return ask({vault_verb::create, name_, 0}, reply);
  }

  /// @see key_vault
  [[nodiscard]] rollback_resistance resistance() const noexcept {
    return rollback_resistance::other_principal;
  }
  [[nodiscard]] result<void> key(seal_key& out) noexcept {
    vault_reply reply;
    const result<void> done = ask({vault_verb::key, name_, 0}, reply);
    if (done) out = std::move(reply.key);
    return done;
  }
  /// @errors `state_absent` (no such vault, no service), `state_foreign` (the service is this user, or
  ///   not the keeper, or does not serve this one), `state_busy` (no answer in time),
  ///   `state_damaged`, `state_unreadable`
  [[nodiscard]] result<std::uint64_t> counter() noexcept {
    vault_reply reply;
    const result<void> done = ask({vault_verb::counter, name_, 0}, reply);
    if (!done) return done.error();
    return reply.counter;
  }
  /// @errors `state_rolled_back`, `state_unwritable`, and those of `counter`
  [[nodiscard]] result<void> advance(std::uint64_t to) noexcept {
    vault_reply reply;
    return ask({vault_verb::advance, name_, to}, reply);
  }

 private:
  result<void> ask(const vault_request& request, vault_reply& reply) noexcept {
    if (!detail::is_vault_name(request.name)) return errc::state_absent;
    sockaddr_un address;
    if (!detail::socket_address(socket_, address)) return errc::state_absent;
    const int channel = ::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (channel < 0) return error{errc::state_unreadable, 0, errno};
    const result<void> done = talk(channel, address, request, reply);
    ::close(channel);
    return done;
  }

  result<void> talk(int channel, const sockaddr_un& address, const vault_request& request,
                    vault_reply& reply) const noexcept {
    const long long until = system_calls::milliseconds() + longest_vault_wait.count();
    while (::connect(channel, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      // EAGAIN: more are waiting already than it has room for.
      if (errno != EAGAIN && errno != EINTR) return failed(errno);
      if (system_calls::milliseconds() >= until) return failed(EAGAIN);
      system_calls::pause();
    }
    const std::optional<uid_t> other = detail::peer_user(channel);
    if (!other || (keeper_ ? *other != *keeper_ : *other == ::geteuid())) {
      return errc::state_foreign;
    }
    std::array<std::uint8_t, vault_request::size_bytes> out;
    detail::write_request(out, request);
    // One that hung up may have said why.
    if (::send(channel, out.data(), out.size(), MSG_NOSIGNAL) < 0 && !hung_up(errno)) {
      return failed(errno);
    }
    std::array<std::uint8_t, vault_reply::size_bytes + 1> in{};
    ssize_t size = -1;
    int native = EAGAIN;
    while (size < 0 && (native == EAGAIN || native == EINTR || hung_up(native))) {
      const long long left = until - system_calls::milliseconds();
      if (left <= 0) return failed(EAGAIN);
      struct pollfd answer {
        channel, POLLIN, 0
      };
      ::poll(&answer, 1, static_cast<int>(left));
      size = ::recv(channel, in.data(), in.size(), 0);
      native = errno;
    }
    const bool read = size >= 0 && detail::read_reply(
                                       bytes_view(in).first(static_cast<std::size_t>(size)), reply);
    wipe(in);
    if (size < 0) return failed(native);
    if (!read) return size == 0 ? errc::state_foreign : errc::state_damaged;  // 0: it hung up
    return reply.what == errc::ok ? result<void>() : error{reply.what};
  }

  static bool hung_up(int native) noexcept { return native == EPIPE || native == ECONNRESET; }
  static error failed(int native) noexcept {
    switch (native) {
      case ENOENT:
      case ECONNREFUSED: return {errc::state_absent, 0, native};
      case EACCES:
      case EPERM: return {errc::state_foreign, 0, native};
      case EAGAIN: return {errc::state_busy, 0, native};
      default: return {errc::state_unreadable, 0, native};
    }
  }

  std::string socket_;
  std::string name_;
  std::optional<uid_t> keeper_;
};

static_assert(key_vault<service_vault>);

}  // namespace posix
}  // namespace v0
}  // namespace cotter
