// SPDX-License-Identifier: BSL-1.0
#include <cotter/tpm2/tpm2_vault.hpp>

#include <cotter/backends/openssl.hpp>

#include "breaker_bench.hpp"

namespace breaker_bench {

namespace {

struct software_tpm {
  scratch_directory directory{on_disk()};
  std::string socket = directory / "tpm";
  guest process{[this] {
    become({"swtpm", "socket", "--tpm2", "--tpmstate", "dir=" + directory.path().string(),
            "--server", "type=unixio,path=" + socket, "--ctrl",
            "type=unixio,path=" + socket + ".ctrl", "--flags", "not-need-init,startup-clear"});
  }};
};

}  // namespace

arm tpm2_arm() {
  auto tpm = std::make_shared<software_tpm>();
  auto directory = std::make_shared<scratch_directory>(on_disk());
  const std::string tcti = "swtpm:path=" + tpm->socket;
  const std::string path = *directory / "vault";
  cotter::tpm2_vault_options options;
  options.tcti = tcti.c_str();
  options.path = path.c_str();
  options.nv_index = 0x01800100;
  options.pcrs = 1U << 7U;
  ::setenv("TSS2_LOG", "all+NONE", 0);
  cotter::result<cotter::tpm2_vault> made = cotter::errc::state_absent;
  within_seconds([&] {
    if (std::filesystem::exists(tpm->socket)) made = cotter::tpm2_vault::create(options);
    return static_cast<bool>(made);
  });
  if (!made) return {"file, TPM: swtpm did not start", {}, {}, {}};
  return arm_of(
      "file, TPM (swtpm); disk",
      std::make_shared<sealed_file<cotter::backends::openssl, cotter::tpm2_vault, software_tpm>>(
          directory, *std::move(made), tpm));
}

}  // namespace breaker_bench
