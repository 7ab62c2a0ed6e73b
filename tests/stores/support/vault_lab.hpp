// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/posix/service_vault.hpp>
#include <cotter/posix/vault_service.hpp>

#include "private_directory.hpp"

#include <cotter/backends/openssl.hpp>

#include <support/catch.hpp>

#include <grp.h>
#include <signal.h>
#include <sys/wait.h>

#include <string>
#include <vector>

namespace cotter::stores {

/// A real vault service in a process of its own, run by another user (which takes root).
template <typename Calls>
class basic_vault_lab {
 public:
  static constexpr uid_t keeper = 65534;

  explicit basic_vault_lab(std::vector<uid_t> users = {::geteuid()}) : users_(std::move(users)) {
    REQUIRE(::geteuid() == 0);
    // Others must reach the socket, and nobody but the keeper what it keeps.
    REQUIRE(::chmod(directory_.path().c_str(), 0711) == 0);
    REQUIRE(::mkdir(state().c_str(), 0700) == 0);
    REQUIRE(::chown(state().c_str(), keeper, keeper) == 0);
    start();
  }
  basic_vault_lab(const basic_vault_lab&) = delete;
  basic_vault_lab& operator=(const basic_vault_lab&) = delete;
  ~basic_vault_lab() { stop(); }

  [[nodiscard]] std::string socket() const { return directory_ / "socket"; }
  [[nodiscard]] std::string state() const { return directory_ / "kept"; }

  void start() {
    ::unlink(socket().c_str());
    const int listener = ::socket(AF_UNIX, SOCK_SEQPACKET, 0);
    sockaddr_un address;
    REQUIRE(posix::detail::socket_address(socket(), address));
    REQUIRE(::bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(::chmod(socket().c_str(), 0666) == 0);
    int ready[2];
    REQUIRE(::pipe(ready) == 0);
    child_ = ::fork();
    REQUIRE(child_ >= 0);
    if (child_ == 0) {
      ::close(ready[0]);
      // Who listens is who the kernel names to the other end.
      if (::setgroups(0, nullptr) != 0 || ::setgid(keeper) != 0 || ::setuid(keeper) != 0)
        ::_exit(2);
      if (::listen(listener, 64) != 0) ::_exit(3);
      ::close(ready[1]);
      posix::vault_service<backends::openssl, Calls> service(state(), users_);
      ::_exit(service.check() && service.serve(listener, -1) ? 0 : 4);
    }
    ::close(ready[1]);
    char none = 0;
    REQUIRE(::read(ready[0], &none, 1) == 0);
    ::close(ready[0]);
    ::close(listener);
  }

  void stop() {
    if (child_ <= 0) return;
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
    child_ = -1;
  }

  [[nodiscard]] pid_t process() const { return child_; }

 private:
  private_directory directory_{in_memory};
  std::vector<uid_t> users_;
  pid_t child_ = -1;
};

using vault_lab = basic_vault_lab<posix::system_calls>;

}  // namespace cotter::stores
