// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/tpm2/tpm2_vault.hpp>

#include <stores/support/private_directory.hpp>
#include <support/catch.hpp>

#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

/// A software TPM with its own state, on Unix sockets; killed when it goes, or when the test dies.
class software_tpm {
 public:
  software_tpm() { start(); }
  software_tpm(const software_tpm&) = delete;
  software_tpm& operator=(const software_tpm&) = delete;
  ~software_tpm() { cut_power(); }

  [[nodiscard]] std::string tcti() const { return "swtpm:path=" + socket(); }

  void start() {
    std::filesystem::create_directory(directory_ / "state");
    const std::string state = "dir=" + (directory_ / "state");
    const std::string server = "type=unixio,path=" + socket();
    const std::string control = "type=unixio,path=" + socket() + ".ctrl";
    const std::string log = "file=" + (directory_ / "log");
    process_ = ::fork();
    REQUIRE(process_ >= 0);
    if (process_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      ::execlp("swtpm", "swtpm", "socket", "--tpm2", "--tpmstate", state.c_str(), "--server",
               server.c_str(), "--ctrl", control.c_str(), "--flags", "not-need-init,startup-clear",
               "--log", log.c_str(), nullptr);
      ::_exit(127);
    }
    for (int i = 0; i < 500 && !listens(); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    REQUIRE(listens());
  }
  /// Without TPM2_Shutdown: as a pulled plug does.
  void cut_power() {
    if (process_ <= 0) return;
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
    process_ = -1;
    std::filesystem::remove(socket());
    std::filesystem::remove(socket() + ".ctrl");
  }
  void restart() {
    cut_power();
    start();
  }

 private:
  [[nodiscard]] std::string socket() const { return directory_ / "tpm"; }
  [[nodiscard]] bool listens() const {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string name = socket();
    REQUIRE(name.size() < sizeof address.sun_path);
    name.copy(address.sun_path, name.size());
    const int probe = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const bool good =
        ::connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    ::close(probe);
    return good;
  }

  cotter::stores::private_directory directory_;
  pid_t process_ = -1;
};

/// What somebody does who may use the TPM, and is not the vault.
class anybody {
 public:
  explicit anybody(const std::string& tcti) {
    REQUIRE(tpm_.open(tcti.c_str(), std::chrono::seconds(5)) == TSS2_RC_SUCCESS);
  }

  [[nodiscard]] ESYS_CONTEXT* esys() noexcept { return tpm_.get(); }
  [[nodiscard]] cotter::tpm2::detail::connection& connection() noexcept { return tpm_; }

  void extend_pcr(ESYS_TR pcr) {
    TPML_DIGEST_VALUES digests{};
    digests.count = 1;
    digests.digests[0].hashAlg = TPM2_ALG_SHA256;
    digests.digests[0].digest.sha256[0] = 1;
    REQUIRE(Esys_PCR_Extend(esys(), pcr, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &digests) ==
            TSS2_RC_SUCCESS);
  }
  void clear() {
    REQUIRE(Esys_Clear(esys(), ESYS_TR_RH_LOCKOUT, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE) ==
            TSS2_RC_SUCCESS);
  }
  void set_owner_auth(const std::string& to) {
    const TPM2B_AUTH auth = auth_of({to.begin(), to.end()});
    REQUIRE(Esys_HierarchyChangeAuth(esys(), ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD, ESYS_TR_NONE,
                                     ESYS_TR_NONE, &auth) == TSS2_RC_SUCCESS);
  }

  [[nodiscard]] ESYS_TR index(std::uint32_t handle) {
    ESYS_TR nv = ESYS_TR_NONE;
    REQUIRE(Esys_TR_FromTPMPublic(esys(), handle, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &nv) ==
            TSS2_RC_SUCCESS);
    return nv;
  }
  [[nodiscard]] bool has_index(std::uint32_t handle) {
    ESYS_TR nv = ESYS_TR_NONE;
    return Esys_TR_FromTPMPublic(esys(), handle, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &nv) ==
           TSS2_RC_SUCCESS;
  }
  void undefine(std::uint32_t handle) {
    REQUIRE(Esys_NV_UndefineSpace(esys(), ESYS_TR_RH_OWNER, index(handle), ESYS_TR_PASSWORD,
                                  ESYS_TR_NONE, ESYS_TR_NONE) == TSS2_RC_SUCCESS);
  }
  void define(std::uint32_t handle, TPMA_NV attributes, const std::vector<std::uint8_t>& secret) {
    TPM2B_NV_PUBLIC shape{};
    shape.nvPublic.nvIndex = handle;
    shape.nvPublic.nameAlg = TPM2_ALG_SHA256;
    shape.nvPublic.attributes = attributes;
    shape.nvPublic.dataSize = 8;
    const TPM2B_AUTH auth = auth_of(secret);
    ESYS_TR nv = ESYS_TR_NONE;
    REQUIRE(Esys_NV_DefineSpace(esys(), ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD, ESYS_TR_NONE,
                                ESYS_TR_NONE, &auth, &shape, &nv) == TSS2_RC_SUCCESS);
    REQUIRE(Esys_TR_Close(esys(), &nv) == TSS2_RC_SUCCESS);
  }
  void increment(std::uint32_t handle, const std::vector<std::uint8_t>& secret) {
    const ESYS_TR nv = with_auth(handle, secret);
    REQUIRE(Esys_NV_Increment(esys(), nv, nv, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE) ==
            TSS2_RC_SUCCESS);
  }
  void write(std::uint32_t handle, const std::vector<std::uint8_t>& secret, std::uint64_t value) {
    const ESYS_TR nv = with_auth(handle, secret);
    TPM2B_MAX_NV_BUFFER data{};
    data.size = 8;
    for (std::size_t i = 8; i-- > 0; value >>= 8U) {
      data.buffer[i] = static_cast<std::uint8_t>(value);
    }
    REQUIRE(Esys_NV_Write(esys(), nv, nv, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &data, 0) ==
            TSS2_RC_SUCCESS);
  }
  [[nodiscard]] std::uint64_t read(std::uint32_t handle, const std::vector<std::uint8_t>& secret) {
    const ESYS_TR nv = with_auth(handle, secret);
    const auto value = cotter::tpm2::detail::read_counter(tpm_, nv, ESYS_TR_PASSWORD);
    REQUIRE(value);
    return *value;
  }

  /// How many objects and sessions are left in the TPM.
  [[nodiscard]] std::size_t left_behind() {
    std::size_t count = 0;
    for (const TPM2_HANDLE first : {TPM2_TRANSIENT_FIRST, TPM2_LOADED_SESSION_FIRST}) {
      TPMI_YES_NO more = 0;
      TPMS_CAPABILITY_DATA* data = nullptr;
      REQUIRE(Esys_GetCapability(esys(), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, TPM2_CAP_HANDLES,
                                 first, TPM2_MAX_CAP_HANDLES, &more, &data) == TSS2_RC_SUCCESS);
      count += data->data.handles.count;
      Esys_Free(data);
    }
    return count;
  }

  /// What is sealed in a vault's file: whoever may use the TPM can see it while the PCRs allow.
  [[nodiscard]] std::vector<std::uint8_t> unseal(const std::string& path, std::uint32_t pcrs) {
    namespace in = cotter::tpm2::detail;
    const in::blob sealed = read_blob(path);
    in::storage storage(tpm_);
    REQUIRE(storage.open({}) == TSS2_RC_SUCCESS);
    in::transient object(tpm_);
    REQUIRE(Esys_Load(esys(), storage.key(), ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE,
                      &sealed.private_half, &sealed.public_half, object.out()) == TSS2_RC_SUCCESS);
    in::transient policy(tpm_);
    REQUIRE(in::start_policy(tpm_, TPM2_SE_POLICY, pcrs, policy) == TSS2_RC_SUCCESS);
    TPM2B_SENSITIVE_DATA* data = nullptr;
    REQUIRE(Esys_Unseal(esys(), object.get(), policy.get(), ESYS_TR_NONE, ESYS_TR_NONE, &data) ==
            TSS2_RC_SUCCESS);
    std::vector<std::uint8_t> octets(data->buffer, data->buffer + data->size);
    Esys_Free(data);
    return octets;
  }
  /// What the TPM says to somebody who knows no policy, and tries without a password.
  [[nodiscard]] TSS2_RC unseal_without_policy(const std::string& path) {
    namespace in = cotter::tpm2::detail;
    const in::blob sealed = read_blob(path);
    in::storage storage(tpm_);
    REQUIRE(storage.open({}) == TSS2_RC_SUCCESS);
    in::transient object(tpm_);
    REQUIRE(Esys_Load(esys(), storage.key(), ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE,
                      &sealed.private_half, &sealed.public_half, object.out()) == TSS2_RC_SUCCESS);
    TPM2B_SENSITIVE_DATA* data = nullptr;
    const TSS2_RC rc =
        Esys_Unseal(esys(), object.get(), ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &data);
    Esys_Free(data);
    return rc;
  }
  /// Seals other octets under the policy of the file's own object, in its place.
  void seal_instead(const std::string& path, const std::vector<std::uint8_t>& octets) {
    namespace in = cotter::tpm2::detail;
    in::blob sealed = read_blob(path);
    in::storage storage(tpm_);
    REQUIRE(storage.open({}) == TSS2_RC_SUCCESS);
    TPM2B_SENSITIVE_CREATE sensitive{};
    sensitive.sensitive.data.size = static_cast<UINT16>(octets.size());
    std::copy(octets.begin(), octets.end(), sensitive.sensitive.data.buffer);
    TPM2B_PUBLIC shape = sealed.public_half;
    shape.publicArea.unique.keyedHash.size = 0;
    const TPM2B_DATA outside{};
    const TPML_PCR_SELECTION none{};
    TPM2B_PRIVATE* private_half = nullptr;
    TPM2B_PUBLIC* public_half = nullptr;
    REQUIRE(Esys_Create(esys(), storage.key(), ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE,
                        &sensitive, &shape, &outside, &none, &private_half, &public_half, nullptr,
                        nullptr, nullptr) == TSS2_RC_SUCCESS);
    sealed.private_half = *private_half;
    sealed.public_half = *public_half;
    Esys_Free(private_half);
    Esys_Free(public_half);
    std::vector<std::uint8_t> file(cotter::tpm2::max_blob_bytes);
    const auto size = sealed.write(file);
    REQUIRE(size);
    std::filesystem::remove(path);
    REQUIRE(in::write_new(path.c_str(), std::span(file).first(*size)));
  }

 private:
  static TPM2B_AUTH auth_of(const std::vector<std::uint8_t>& secret) {
    TPM2B_AUTH auth{};
    auth.size = static_cast<UINT16>(secret.size());
    std::copy(secret.begin(), secret.end(), auth.buffer);
    return auth;
  }
  ESYS_TR with_auth(std::uint32_t handle, const std::vector<std::uint8_t>& secret) {
    const ESYS_TR nv = index(handle);
    const TPM2B_AUTH auth = auth_of(secret);
    REQUIRE(Esys_TR_SetAuth(esys(), nv, &auth) == TSS2_RC_SUCCESS);
    return nv;
  }
  static cotter::tpm2::detail::blob read_blob(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    const std::vector<char> text{std::istreambuf_iterator<char>(file), {}};
    cotter::tpm2::detail::blob sealed;
    REQUIRE(sealed.read({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}));
    return sealed;
  }

  cotter::tpm2::detail::connection tpm_;
};
