// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <stores/support/private_directory.hpp>
#include <support/catch.hpp>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <string>
#include <thread>
#include <vector>

/// A session bus with a gnome-keyring on it, both the test's own: their home goes with them, and they
/// are killed when they go out of scope or the test dies.
class private_keyring {
 public:
  private_keyring() {
    const std::string run = directory_ / "run";
    std::filesystem::create_directory(run);
    std::filesystem::permissions(run, std::filesystem::perms::owner_all);
    ::setenv("HOME", directory_.path().c_str(), 1);
    ::setenv("XDG_RUNTIME_DIR", run.c_str(), 1);
    ::setenv("XDG_DATA_HOME", (directory_ / "data").c_str(), 1);
    ::setenv("DBUS_SESSION_BUS_ADDRESS", ("unix:path=" + socket()).c_str(), 1);
    std::ofstream(directory_ / "bus.conf")
        << "<busconfig><type>session</type><listen>unix:path=" << socket()
        << "</listen><policy context='default'><allow send_destination='*' eavesdrop='true'/>"
           "<allow eavesdrop='true'/><allow own='*'/></policy></busconfig>";
    bus_ = start(
        {"dbus-daemon", "--nofork", "--nopidfile", "--config-file=" + (directory_ / "bus.conf")});
    REQUIRE(within_seconds([this] { return std::filesystem::exists(socket()); }));
    start_unlocked();
  }
  private_keyring(const private_keyring&) = delete;
  private_keyring& operator=(const private_keyring&) = delete;
  ~private_keyring() {
    kill_daemon();
    kill(bus_);
  }

  void start_unlocked() {
    daemon_ = start({"gnome-keyring-daemon", "--foreground", "--unlock", "--components=secrets"},
                    "a test's");
    REQUIRE(within_seconds([] { return there(); }));
  }
  void start_locked() {
    daemon_ = start({"gnome-keyring-daemon", "--foreground", "--start", "--components=secrets"});
    REQUIRE(within_seconds([] { return there(); }));
  }
  void kill_daemon() {
    kill(daemon_);
    std::filesystem::remove_all(directory_ / "run/keyring");
    if (!hanging_) {
      REQUIRE(within_seconds([] { return !there(); }));
    }
  }
  void lock() {
    REQUIRE(tell("org.freedesktop.secrets", "/org/freedesktop/secrets",
                 "org.freedesktop.Secret.Service.Lock",
                 "array:objpath:/org/freedesktop/secrets/collection/login"));
  }
  void hang_daemon() const { ::kill(daemon_, SIGSTOP); }
  void hang_bus() {
    hanging_ = true;
    ::kill(bus_, SIGSTOP);
  }
  [[nodiscard]] std::string file() const { return directory_ / "data/keyrings/login.keyring"; }

 private:
  [[nodiscard]] std::string socket() const { return directory_ / "bus"; }

  template <typename Condition>
  static bool within_seconds(Condition condition) {
    for (int i = 0; i < 500; ++i) {
      if (condition()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
  }
  static void kill(pid_t& process) {
    if (process <= 0) return;
    ::kill(process, SIGKILL);
    ::waitpid(process, nullptr, 0);
    process = -1;
  }
  static pid_t start(const std::vector<std::string>& words, const std::string& input = {}) {
    int pipe[2] = {-1, -1};
    REQUIRE(::pipe2(pipe, O_CLOEXEC) == 0);
    const pid_t process = ::fork();
    REQUIRE(process >= 0);
    if (process == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      const int nothing = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
      ::dup2(pipe[0], 0);
      ::dup2(nothing, 1);
      ::dup2(nothing, 2);
      std::vector<char*> arguments;
      for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
      arguments.push_back(nullptr);
      ::execvp(arguments[0], arguments.data());
      ::_exit(127);
    }
    ::close(pipe[0]);
    CHECK(::write(pipe[1], input.data(), input.size()) == static_cast<ssize_t>(input.size()));
    ::close(pipe[1]);
    return process;
  }
  static bool tell(const std::string& whom, const std::string& path, const std::string& method,
                   const std::string& argument) {
    const pid_t process = start({"dbus-send", "--session", "--print-reply", "--reply-timeout=3000",
                                 "--dest=" + whom, path, method, argument});
    int status = -1;
    return ::waitpid(process, &status, 0) == process && status == 0;
  }
  static bool there() {
    return tell("org.freedesktop.DBus", "/org/freedesktop/DBus",
                "org.freedesktop.DBus.GetNameOwner", "string:org.freedesktop.secrets");
  }

  cotter::stores::private_directory directory_;
  pid_t bus_ = -1;
  pid_t daemon_ = -1;
  bool hanging_ = false;
};
