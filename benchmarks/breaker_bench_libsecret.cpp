// SPDX-License-Identifier: BSL-1.0
#include <cotter/libsecret/secret_vault.hpp>

#include <cotter/backends/openssl.hpp>

#include "breaker_bench.hpp"

#include <fstream>

namespace breaker_bench {

namespace {

/// A session bus and a gnome-keyring that are nobody else's.
struct keyring {
  scratch_directory directory{on_disk()};
  std::string socket = directory / "bus";
  bool told = tell();
  guest bus{[this] {
    become({"dbus-daemon", "--nofork", "--nopidfile", "--config-file=" + (directory / "conf")});
  }};
  bool listens = within_seconds([this] { return std::filesystem::exists(socket); });
  guest daemon{[] {
    become({"gnome-keyring-daemon", "--foreground", "--unlock", "--components=secrets"},
           "a bench's");
  }};

 private:
  bool tell() {
    std::filesystem::create_directory(directory / "run");
    std::filesystem::permissions(directory / "run", std::filesystem::perms::owner_all);
    ::setenv("HOME", directory.path().c_str(), 1);
    ::setenv("XDG_RUNTIME_DIR", (directory / "run").c_str(), 1);
    ::setenv("XDG_DATA_HOME", (directory / "data").c_str(), 1);
    ::setenv("DBUS_SESSION_BUS_ADDRESS", ("unix:path=" + socket).c_str(), 1);
    std::ofstream(directory / "conf")
        << "<busconfig><type>session</type><listen>unix:path=" << socket
        << "</listen><policy context='default'><allow send_destination='*' eavesdrop='true'/>"
           "<allow eavesdrop='true'/><allow own='*'/></policy></busconfig>";
    return true;
  }
};

}  // namespace

arm libsecret_arm() {
  auto guests = std::make_shared<keyring>();
  cotter::secret_vault_options options;
  options.store = "bench";
  cotter::result<cotter::secret_vault> made = cotter::errc::state_absent;
  const bool there = guests->listens && within_seconds([&] {
                       made = cotter::secret_vault::create(options);
                       return static_cast<bool>(made);
                     });
  if (!there) return {"file, keyring: gnome-keyring did not start", {}, {}, {}};
  return arm_of(
      "file, keyring (gnome-keyring); disk",
      std::make_shared<sealed_file<cotter::backends::openssl, cotter::secret_vault, keyring>>(
          std::make_shared<scratch_directory>(on_disk()), *std::move(made), guests));
}

}  // namespace breaker_bench
