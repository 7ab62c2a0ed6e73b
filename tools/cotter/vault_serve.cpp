// SPDX-License-Identifier: BSL-1.0
#include "breaker_verbs.hpp"

#include "documents.hpp"

#include <cotter/backends/openssl.hpp>
#include <cotter/posix/vault_service.hpp>

#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>

#include <charconv>
#include <cstdlib>
#include <fstream>
#include <string_view>

namespace cotter::command {

namespace {

using wrong = std::optional<problem>;

problem unusable(const std::string& seen, const char* action) {
  return {"usage", seen, "a socket, a directory of its own, and users", action};
}

/// Whom the kernel names where it cannot name the user: any number of them (user_namespaces(7)).
uid_t overflow_user() {
  std::ifstream file("/proc/sys/kernel/overflowuid");
  uid_t user = 65534;
  file >> user;
  return user;
}

wrong read_users(const std::vector<std::string>& texts, std::vector<uid_t>& out) {
  for (const std::string& text : texts) {
    uid_t number = 0;
    const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (fault == std::errc{} && end == text.data() + text.size()) {
      out.push_back(number);
    } else if (const struct passwd* const known = ::getpwnam(text.c_str())) {
      out.push_back(known->pw_uid);
    } else {
      return unusable("--user " + printable(text) + ": no such user",
                      "name a user of this machine");
    }
    if (out.back() == overflow_user()) {
      return unusable(
          "--user " + printable(text) + ": stands for every user that is not known here",
          "give the program a user of its own");
    }
  }
  return {};
}

/// The socket that the service manager opened (sd_listen_fds(3)), or -1.
int inherited_socket() {
  const char* const process = std::getenv("LISTEN_PID");
  const char* const count = std::getenv("LISTEN_FDS");
  if (process == nullptr || count == nullptr) return -1;
  return std::to_string(::getpid()) == process && std::string_view(count) == "1" ? 3 : -1;
}

/// Listens at `path`, where a socket that nobody serves any more may be in the way.
wrong listen_at(const std::string& path, int& out) {
  sockaddr_un address;
  if (!posix::detail::socket_address(path, address)) {
    return unusable("--socket: too long for the address of a socket", "take a path of 107 octets");
  }
  const auto* const generic = reinterpret_cast<const sockaddr*>(&address);
  const int probe = ::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const bool reached = probe >= 0 && ::connect(probe, generic, sizeof address) == 0;
  const bool served = reached || errno == EAGAIN;  // it does not answer at once, and is there
  // A plain file refuses a connection as a dead socket does, and is not ours to remove.
  struct stat about {};
  const bool stale = !served && errno == ECONNREFUSED && ::lstat(path.c_str(), &about) == 0 &&
                     S_ISSOCK(about.st_mode);
  if (probe >= 0) ::close(probe);
  if (served) return unusable(path + ": already served", "end the other one, or take another path");
  if (stale) ::unlink(path.c_str());
  out = ::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  // Everybody may ask: the kernel says who does.
  const mode_t before = ::umask(0111);
  const bool good = out >= 0 && ::bind(out, generic, sizeof address) == 0 && ::listen(out, 64) == 0;
  ::umask(before);
  if (good) return {};
  problem p = unusable(path + ": cannot listen there", "take a directory that this user can write");
  p.native = errno;
  return p;
}

wrong serve(const serve_options& options) {
  // Keys pass through: no core dump, and no other process of this user may look (prctl(2)).
  ::prctl(PR_SET_DUMPABLE, 0);
  std::vector<uid_t> users;
  if (auto fault = read_users(options.users, users)) return fault;
  posix::vault_service<backends::openssl> service(options.directory, std::move(users));
  if (const auto fit = service.check(); !fit) {
    problem p = describe(fit.error().what, "--directory " + options.directory);
    p.expected = "a directory of this user, which nobody else can read (0700)";
    return p;
  }
  int listener = -1;
  if (!options.socket.empty()) {
    if (auto fault = listen_at(options.socket, listener)) return fault;
  } else {
    listener = inherited_socket();
    if (listener < 0) return unusable("neither --socket nor a socket of systemd", "give --socket");
    // Whoever listened last is whom the kernel names to the other end: not the manager.
    ::listen(listener, 64);
  }
  sigset_t ends;
  ::sigemptyset(&ends);
  ::sigaddset(&ends, SIGTERM);
  ::sigaddset(&ends, SIGINT);
  ::sigprocmask(SIG_BLOCK, &ends, nullptr);
  const int stop = ::signalfd(-1, &ends, SFD_CLOEXEC);
  write_note("serving");
  const bool told = stop >= 0 && service.serve(listener, stop);
  if (!options.socket.empty()) ::unlink(options.socket.c_str());
  return told ? wrong{} : unusable("the socket failed", "look at the system's log");
}

}  // namespace

exit_code serve_vault(const serve_options& options, format how) {
  const auto fault = serve(options);
  if (!fault) return exit_code::ok;
  write_diagnostic("vault serve", *fault);
  if (how == format::json_lines) write_line({{"error", to_json(*fault)}});
  return exit_code::no_verdict;
}

}  // namespace cotter::command
