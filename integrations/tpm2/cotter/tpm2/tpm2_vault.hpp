// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/concepts/key_vault.hpp>
#include <cotter/tpm2/blob_file.hpp>
#include <cotter/tpm2/connection.hpp>

#include <tss2/tss2_mu.h>

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <span>

namespace cotter {
inline namespace v0 {

/// Where a `tpm2_vault` is. Without a value for each of the first four there is none.
struct tpm2_vault_options {
  /// The way to the TPM as Tss2_TctiLdr_Initialize takes it: "device:/dev/tpmrm0".
  const char* tcti = nullptr;
  /// The file that holds the sealed key. It is worth nothing without this TPM.
  const char* path = nullptr;
  /// The NV index of the counter, one for each vault: 0x01800000 to 0x01bfffff is the owner's range
  /// (TCG Registry of Reserved TPM 2.0 Handles 2.2).
  std::uint32_t nv_index = 0;
  /// The PCRs of the SHA-256 bank that the key is sealed to, bit i for PCR i; at least one.
  std::uint32_t pcrs = 0;
  /// The owner hierarchy's own authorization, if the machine's owner has set one; at most 32 octets.
  std::span<const std::uint8_t> owner_auth{};
  /// How long to wait for another process, and for each answer of the TPM. (What a software TPM's TCTI
  /// says on its control channel is not an answer, and it waits for that as long as it takes.)
  std::chrono::milliseconds patience{5000};
};

namespace tpm2 {
namespace detail {

/// What is sealed. The vault's key is its SHA-256, so that nobody can seal another base or another
/// counter under the same key.
struct sealed_part {
  static constexpr std::size_t name_bytes = 34;  // TPM_ALG_ID and SHA-256
  static constexpr std::size_t size_bytes = 4 + 32 + 32 + 8 + 4 + name_bytes;
  static constexpr std::array<std::uint8_t, 4> version{'c', 't', 't', 1};

  sealed_part() noexcept = default;
  sealed_part(const sealed_part&) = delete;
  sealed_part& operator=(const sealed_part&) = delete;
  ~sealed_part() { wipe(octets); }

  [[nodiscard]] bool of_this_version() const noexcept {
    return std::equal(version.begin(), version.end(), octets.begin());
  }
  [[nodiscard]] std::span<std::uint8_t, 32> secret() noexcept { return span_at<4, 32>(); }
  [[nodiscard]] std::span<std::uint8_t, 32> nv_auth() noexcept { return span_at<36, 32>(); }
  /// What the TPM's counter held when the vault was made.
  [[nodiscard]] std::uint64_t base() const noexcept { return number_at(68, 8); }
  [[nodiscard]] std::uint32_t nv_index() const noexcept {
    return static_cast<std::uint32_t>(number_at(76, 4));
  }
  /// A digest of the counter's public area: that it is a counter, written to, with our attributes.
  [[nodiscard]] std::span<std::uint8_t, name_bytes> nv_name() noexcept {
    return span_at<80, name_bytes>();
  }
  void set_base(std::uint64_t to) noexcept { set_number(68, 8, to); }
  void set_nv_index(std::uint32_t to) noexcept { set_number(76, 4, to); }

  std::array<std::uint8_t, size_bytes> octets{};

 private:
  template <std::size_t At, std::size_t Size>
  std::span<std::uint8_t, Size> span_at() noexcept {
    return std::span(octets).template subspan<At, Size>();
  }
  [[nodiscard]] std::uint64_t number_at(std::size_t at, std::size_t size) const noexcept {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < size; ++i) value = value << 8U | octets[at + i];
    return value;
  }
  void set_number(std::size_t at, std::size_t size, std::uint64_t value) noexcept {
    for (std::size_t i = size; i-- > 0; value >>= 8U) {
      octets[at + i] = static_cast<std::uint8_t>(value);
    }
  }
};
static_assert(sealed_part::size_bytes <= 128, "TPM 2.0 Part 2, MAX_SYM_DATA");

/// The file: our mark, the primary key's name, the object's two halves as TPM 2.0 Part 2 writes them.
struct blob {
  static constexpr std::array<std::uint8_t, 8> mark{'c', 'o', 't', 't', 'e', 'r', 't', 1};

  TPM2B_NAME parent{};
  TPM2B_PUBLIC public_half{};
  TPM2B_PRIVATE private_half{};

  /// @errors `state_damaged`
  [[nodiscard]] result<void> read(std::span<const std::uint8_t> octets) noexcept {
    if (octets.size() < mark.size() || !std::equal(mark.begin(), mark.end(), octets.begin())) {
      return errc::state_damaged;
    }
    std::size_t at = mark.size();
    const std::uint8_t* from = octets.data();
    const std::size_t end = octets.size();
    const bool good =
        Tss2_MU_TPM2B_NAME_Unmarshal(from, end, &at, &parent) == TSS2_RC_SUCCESS &&
        Tss2_MU_TPM2B_PUBLIC_Unmarshal(from, end, &at, &public_half) == TSS2_RC_SUCCESS &&
        Tss2_MU_TPM2B_PRIVATE_Unmarshal(from, end, &at, &private_half) == TSS2_RC_SUCCESS;
    // The library reads past a size that contradicts what follows it.
    std::array<std::uint8_t, max_blob_bytes> again{};
    const auto size = good ? write(again) : result<std::size_t>(errc::state_damaged);
    return size && at == end &&
                   std::equal(octets.begin(), octets.end(), again.begin(),
                              again.begin() + static_cast<std::ptrdiff_t>(*size))
               ? result<void>()
               : errc::state_damaged;
  }
  /// @errors `too_large`
  [[nodiscard]] result<std::size_t> write(std::span<std::uint8_t> into) const noexcept {
    if (into.size() < mark.size()) return errc::too_large;
    std::copy(mark.begin(), mark.end(), into.begin());
    std::size_t at = mark.size();
    const bool good =
        Tss2_MU_TPM2B_NAME_Marshal(&parent, into.data(), into.size(), &at) == TSS2_RC_SUCCESS &&
        Tss2_MU_TPM2B_PUBLIC_Marshal(&public_half, into.data(), into.size(), &at) ==
            TSS2_RC_SUCCESS &&
        Tss2_MU_TPM2B_PRIVATE_Marshal(&private_half, into.data(), into.size(), &at) ==
            TSS2_RC_SUCCESS;
    if (!good) return errc::too_large;
    return at;
  }
};

[[nodiscard]] inline bool same(const TPM2B_NAME& a, std::span<const std::uint8_t> b) noexcept {
  return a.size == b.size() && std::equal(b.begin(), b.end(), a.name);
}

[[nodiscard]] inline TPMT_SYM_DEF session_cipher() noexcept {
  TPMT_SYM_DEF cipher{};
  cipher.algorithm = TPM2_ALG_AES;
  cipher.keyBits.aes = 128;
  cipher.mode.aes = TPM2_ALG_CFB;
  return cipher;
}

[[nodiscard]] inline TPML_PCR_SELECTION selection_of(std::uint32_t pcrs) noexcept {
  TPML_PCR_SELECTION selection{};
  selection.count = 1;
  TPMS_PCR_SELECTION& bank = selection.pcrSelections[0];
  bank.hash = TPM2_ALG_SHA256;
  bank.sizeofSelect = 3;
  for (std::size_t i = 0; i < 3; ++i) {
    bank.pcrSelect[i] = static_cast<std::uint8_t>(pcrs >> (8 * i));
  }
  return selection;
}

/// The owner's primary key, made anew from the TPM's seed each time, and a session that is salted
/// with it: what goes through the session, nobody on the bus can read.
class storage {
 public:
  explicit storage(connection& in) noexcept : in_(in), key_(in), session_(in) {}

  [[nodiscard]] TSS2_RC open(std::span<const std::uint8_t> owner_auth) noexcept {
    ESYS_CONTEXT* const esys = in_.get();
    TPM2B_AUTH auth{};
    auth.size = static_cast<UINT16>(std::min(owner_auth.size(), sizeof auth.buffer));
    std::copy_n(owner_auth.begin(), auth.size, auth.buffer);
    TSS2_RC rc = Esys_TR_SetAuth(esys, ESYS_TR_RH_OWNER, &auth);
    wipe(auth.buffer);
    if (rc != TSS2_RC_SUCCESS) return rc;

    // An HMAC session, so that the owner's authorization itself never goes over the bus.
    transient unsalted(in_);
    const TPMT_SYM_DEF cipher = session_cipher();
    rc = Esys_StartAuthSession(esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                               ESYS_TR_NONE, nullptr, TPM2_SE_HMAC, &cipher, TPM2_ALG_SHA256,
                               unsalted.out());
    if (rc == TSS2_RC_SUCCESS) {
      rc = Esys_TRSess_SetAttributes(esys, unsalted.get(), TPMA_SESSION_CONTINUESESSION, 0xff);
    }
    if (rc != TSS2_RC_SUCCESS) return rc;

    TPM2B_PUBLIC shape{};
    TPMT_PUBLIC& area = shape.publicArea;
    area.type = TPM2_ALG_ECC;
    area.nameAlg = TPM2_ALG_SHA256;
    area.objectAttributes = TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_DECRYPT | TPMA_OBJECT_FIXEDTPM |
                            TPMA_OBJECT_FIXEDPARENT | TPMA_OBJECT_SENSITIVEDATAORIGIN |
                            TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_NODA;
    TPMS_ECC_PARMS& ecc = area.parameters.eccDetail;
    ecc.symmetric.algorithm = TPM2_ALG_AES;
    ecc.symmetric.keyBits.aes = 128;
    ecc.symmetric.mode.aes = TPM2_ALG_CFB;
    ecc.scheme.scheme = TPM2_ALG_NULL;
    ecc.curveID = TPM2_ECC_NIST_P256;
    ecc.kdf.scheme = TPM2_ALG_NULL;
    const TPM2B_SENSITIVE_CREATE nothing{};
    const TPM2B_DATA outside{};
    const TPML_PCR_SELECTION none{};
    rc = Esys_CreatePrimary(esys, ESYS_TR_RH_OWNER, unsalted.get(), ESYS_TR_NONE, ESYS_TR_NONE,
                            &nothing, &shape, &outside, &none, key_.out(), nullptr, nullptr,
                            nullptr, nullptr);
    if (rc != TSS2_RC_SUCCESS) return rc;
    TPM2B_NAME* name = nullptr;
    rc = Esys_TR_GetName(esys, key_.get(), &name);
    const answer<TPM2B_NAME> owned(name);
    if (rc != TSS2_RC_SUCCESS) return rc;
    name_ = *name;
    return Esys_StartAuthSession(esys, key_.get(), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                 ESYS_TR_NONE, nullptr, TPM2_SE_HMAC, &cipher, TPM2_ALG_SHA256,
                                 session_.out());
  }

  [[nodiscard]] ESYS_TR key() const noexcept { return key_.get(); }
  [[nodiscard]] const TPM2B_NAME& name() const noexcept { return name_; }
  /// The session, to encrypt the first parameter of the next command (TPMA_SESSION_DECRYPT), of its
  /// answer (TPMA_SESSION_ENCRYPT), or neither.
  [[nodiscard]] ESYS_TR session(TPMA_SESSION what) noexcept {
    const TSS2_RC rc = Esys_TRSess_SetAttributes(
        in_.get(), session_.get(), static_cast<TPMA_SESSION>(what | TPMA_SESSION_CONTINUESESSION),
        0xff);
    return rc == TSS2_RC_SUCCESS ? session_.get() : ESYS_TR_NONE;
  }

 private:
  connection& in_;
  transient key_;
  transient session_;
  TPM2B_NAME name_{};
};

/// A policy session that has seen the PCRs.
[[nodiscard]] inline TSS2_RC start_policy(connection& in, TPM2_SE kind, std::uint32_t pcrs,
                                          transient& session) noexcept {
  const TPMT_SYM_DEF cipher = session_cipher();
  const TSS2_RC rc =
      Esys_StartAuthSession(in.get(), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                            ESYS_TR_NONE, nullptr, kind, &cipher, TPM2_ALG_SHA256, session.out());
  if (rc != TSS2_RC_SUCCESS) return rc;
  const TPM2B_DIGEST now{};
  const TPML_PCR_SELECTION selection = selection_of(pcrs);
  return Esys_PolicyPCR(in.get(), session.get(), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &now,
                        &selection);
}

/// True if the TPM keeps these PCRs in its SHA-256 bank: it ignores in a policy what it has not.
[[nodiscard]] inline result<bool> has_pcrs(connection& in, std::uint32_t pcrs) noexcept {
  TPMI_YES_NO more = 0;
  TPMS_CAPABILITY_DATA* data = nullptr;
  const TSS2_RC rc = Esys_GetCapability(in.get(), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                        TPM2_CAP_PCRS, 0, TPM2_MAX_TPM_PROPERTIES, &more, &data);
  const answer<TPMS_CAPABILITY_DATA> owned(data);
  if (rc != TSS2_RC_SUCCESS) return in.failed(rc, errc::state_unwritable);
  const TPML_PCR_SELECTION& banks = data->data.assignedPCR;
  std::uint32_t kept = 0;
  for (UINT32 i = 0; i < banks.count; ++i) {
    const TPMS_PCR_SELECTION& bank = banks.pcrSelections[i];
    if (bank.hash != TPM2_ALG_SHA256) continue;
    for (UINT8 octet = 0; octet < bank.sizeofSelect && octet < 3; ++octet) {
      kept |= std::uint32_t{bank.pcrSelect[octet]} << (8U * octet);
    }
  }
  return (kept & pcrs) == pcrs;
}

inline constexpr TPMA_NV counter_attributes =
    TPM2_NT_COUNTER << TPMA_NV_TPM2_NT_SHIFT | TPMA_NV_AUTHREAD | TPMA_NV_AUTHWRITE | TPMA_NV_NO_DA;

/// Finds the index at a handle. @errors `state_absent`
[[nodiscard]] inline result<void> find_counter(connection& in, std::uint32_t nv_index,
                                               std::span<const std::uint8_t> auth, ESYS_TR& nv,
                                               TPM2B_NAME& name) noexcept {
  ESYS_CONTEXT* const esys = in.get();
  TSS2_RC rc = Esys_TR_FromTPMPublic(esys, nv_index, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &nv);
  if (about_nothing(rc) == TPM2_RC_HANDLE) return in.failed(rc, errc::state_absent);
  if (rc != TSS2_RC_SUCCESS) return in.failed(rc, errc::state_foreign);
  TPM2B_NAME* found = nullptr;
  rc = Esys_TR_GetName(esys, nv, &found);
  const answer<TPM2B_NAME> owned(found);
  if (rc != TSS2_RC_SUCCESS) return in.failed(rc, errc::state_unwritable);
  name = *found;
  TPM2B_AUTH value{};
  value.size = static_cast<UINT16>(std::min(auth.size(), sizeof value.buffer));
  std::copy_n(auth.begin(), value.size, value.buffer);
  rc = Esys_TR_SetAuth(esys, nv, &value);
  wipe(value.buffer);
  return rc == TSS2_RC_SUCCESS ? result<void>() : in.failed(rc, errc::state_unwritable);
}

[[nodiscard]] inline result<std::uint64_t> read_counter(connection& in, ESYS_TR nv,
                                                        ESYS_TR session) noexcept {
  TPM2B_MAX_NV_BUFFER* data = nullptr;
  const TSS2_RC rc =
      Esys_NV_Read(in.get(), nv, nv, session, ESYS_TR_NONE, ESYS_TR_NONE, 8, 0, &data);
  const answer<TPM2B_MAX_NV_BUFFER> owned(data);
  // Another authorization than the one sealed: an index that somebody else has made.
  if (rc != TSS2_RC_SUCCESS) return in.failed(rc, errc::state_foreign);
  if (data->size != 8) return errc::state_foreign;
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < 8; ++i) value = value << 8U | data->buffer[i];
  return value;
}

}  // namespace detail
}  // namespace tpm2

/// A key vault in a TPM 2.0: the key sealed under the owner's primary key (ECC P-256) and a PCR
/// policy, and an NV counter (TPM2_NT_COUNTER, written through on each increment). By tpm2-tss.
///
/// What makes the counter trustworthy to whoever may use the TPM, where the owner hierarchy has no
/// authorization of its own: he can undefine the index, but a counter defined anew starts above the
/// highest value that any counter of this TPM ever had (TPM 2.0 Part 3, TPM2_NV_Increment); an index
/// of another kind has another name, and the name is sealed; a counter with another authorization
/// does not answer; another base makes another key. All of that stops the program, and none of it
/// turns the counter back. Who may unseal, that is, use the TPM while the PCRs are as they were,
/// learns the key and can write what the store then believes.
///
/// Each call opens the way to the TPM and closes it, and leaves nothing in the TPM's short memory;
/// two objects, in two processes or one, may use a vault together. `key` takes a TPM some hundred
/// milliseconds; `advance` writes to the TPM's flash, which wears (TPM2_RC_NV_RATE is `state_busy`).
/// tpm2-tss reports failures on stderr of its own accord; TSS2_LOG=all+NONE silences it.
///
/// `native` of an error is the TSS2_RC, or errno where the file is meant.
class tpm2_vault {
 public:
  /// A vault without anything in it: every call gives `state_absent`.
  tpm2_vault() noexcept = default;

  /// Makes the key, the counter and the file, and replaces none of them.
  ///
  /// @errors `invalid_value` (options without a value, or PCRs that the TPM's SHA-256 bank lacks),
  ///   `state_exists` (such a file, or such an index), `state_unwritable` (the TPM refused or did not
  ///   answer), `state_busy`, `out_of_memory`
  [[nodiscard]] static result<tpm2_vault> create(const tpm2_vault_options& options) noexcept {
    namespace in = tpm2::detail;
    auto made = hold(options);
    if (!made) return made.error();
    if (const auto there = in::open_own(options.path); there.error().what != errc::state_absent) {
      return there ? error{errc::state_exists} : there.error();
    }
    in::sealed_part part;
    std::copy(part.version.begin(), part.version.end(), part.octets.begin());
    part.set_nv_index(options.nv_index);
    for (const auto random : {part.secret(), part.nv_auth()}) {
      if (::getrandom(random.data(), random.size(), 0) != static_cast<ssize_t>(random.size())) {
        return in::failed(errc::state_unwritable, errno);
      }
    }

    in::connection tpm;
    if (const TSS2_RC rc = tpm.open(options.tcti, options.patience); rc != TSS2_RC_SUCCESS) {
      return tpm.failed(rc, errc::state_unwritable);
    }
    const auto kept = in::has_pcrs(tpm, options.pcrs);
    if (!kept) return kept.error();
    if (!*kept) return errc::invalid_value;
    in::storage storage(tpm);
    if (const TSS2_RC rc = storage.open(options.owner_auth); rc != TSS2_RC_SUCCESS) {
      return tpm.failed(rc, errc::state_unwritable);
    }

    if (const auto defined = define_counter(tpm, storage, part); !defined) return defined.error();
    in::blob sealed;
    auto done = start_counter(tpm, storage, part);
    if (done) done = seal(tpm, storage, part, options.pcrs, sealed);
    if (done) done = write(options.path, sealed);
    if (!done) {
      undefine_counter(tpm, storage, options.nv_index);
      return done.error();
    }
    made->held_->remember(part);
    return made;
  }

  /// Opens what `create` made, and sees that all of it is there and answers.
  ///
  /// @errors `invalid_value`; `state_absent` (no file, or no counter); `state_foreign` (another TPM,
  ///   or one that has been cleared; PCRs that have changed, then `native` is TPM2_RC_POLICY_FAIL;
  ///   a counter that is not ours; another vault's file; a file that others may write);
  ///   `state_damaged`; `state_rolled_back` (a counter below its beginning); `state_unwritable`,
  ///   `state_busy` (a TPM that does not answer); `out_of_memory`
  [[nodiscard]] static result<tpm2_vault> open(const tpm2_vault_options& options) noexcept {
    auto made = hold(options);
    if (!made) return made.error();
    tpm2::detail::sealed_part part;
    if (const auto unsealed = made->held_->unseal(part, nullptr); !unsealed) {
      return unsealed.error();
    }
    made->held_->remember(part);
    if (const auto now = made->counter(); !now) return now.error();
    return made;
  }

  /// @see key_vault
  [[nodiscard]] rollback_resistance resistance() const noexcept {
    return rollback_resistance::hardware;
  }

  /// Unseals the key, so that the PCRs are asked each time. @errors those of `open`
  [[nodiscard]] result<void> key(seal_key& key) noexcept {
    if (held_ == nullptr) return errc::state_absent;
    tpm2::detail::sealed_part part;
    seal_key found;
    const auto unsealed = held_->unseal(part, &found);
    if (!unsealed) return unsealed;
    if (!held_->remembers(part)) return errc::state_foreign;
    key = std::move(found);
    return {};
  }

  /// The TPM's counter, counted from where it was when the vault was made. @errors those of `open`
  [[nodiscard]] result<std::uint64_t> counter() noexcept {
    if (held_ == nullptr) return errc::state_absent;
    const auto file = held_->lock_file();
    if (!file) return file.error();
    at_the_counter visit(*held_);
    return visit.read();
  }

  /// Increments the counter at most once; the file's lock keeps other processes out.
  ///
  /// @errors `state_rolled_back` (`to` is not the counter's successor, or somebody else
  ///   incremented it meanwhile), and those of `open`. After an error the counter may have been
  ///   incremented: `counter` says so.
  [[nodiscard]] result<void> advance(std::uint64_t to) noexcept {
    if (held_ == nullptr) return errc::state_absent;
    const auto file = held_->lock_file();
    if (!file) return file.error();
    at_the_counter visit(*held_);
    const auto before = visit.read();
    if (!before) return before.error();
    if (to == 0 || *before != to - 1) return errc::state_rolled_back;
    if (const auto incremented = visit.increment(); !incremented) return incremented;
    const auto after = visit.read();
    if (!after) return after.error();
    return *after == to ? result<void>() : errc::state_rolled_back;
  }

 private:
  /// Where the vault is, and what the counter is read with.
  struct held {
    held() noexcept = default;
    held(const held&) = delete;
    held& operator=(const held&) = delete;
    ~held() {
      wipe(owner_auth);
      wipe(nv_auth);
    }

    /// The vault's own file, locked: without a resource manager a TPM has no room for two of us.
    [[nodiscard]] result<tpm2::detail::descriptor> lock_file() const noexcept {
      auto file = tpm2::detail::open_own(path.get());
      if (!file) return file;
      const auto alone = tpm2::detail::lock(*file, patience);
      if (!alone) return alone.error();
      return file;
    }

    /// Unseals the file's object, and derives the key from it where one is wanted.
    [[nodiscard]] result<void> unseal(tpm2::detail::sealed_part& part,
                                      seal_key* key) const noexcept {
      namespace in = tpm2::detail;
      const auto file = lock_file();
      if (!file) return file.error();
      std::array<std::uint8_t, tpm2::max_blob_bytes> octets{};
      const auto size = in::read_all(*file, octets);
      if (!size) return size.error();
      in::blob sealed;
      if (const auto read = sealed.read(std::span(octets).first(*size)); !read) return read;

      in::connection tpm;
      TSS2_RC rc = tpm.open(tcti.get(), patience);
      if (rc != TSS2_RC_SUCCESS) return tpm.failed(rc, errc::state_unwritable);
      in::storage storage(tpm);
      rc = storage.open(std::span(owner_auth).first(owner_auth_bytes));
      if (rc != TSS2_RC_SUCCESS) return tpm.failed(rc, errc::state_unwritable);
      const TPM2B_NAME& parent = storage.name();
      if (!in::same(sealed.parent, {parent.name, parent.size})) return errc::state_foreign;

      ESYS_CONTEXT* const esys = tpm.get();
      in::transient object(tpm);
      rc = Esys_Load(esys, storage.key(), storage.session(0), ESYS_TR_NONE, ESYS_TR_NONE,
                     &sealed.private_half, &sealed.public_half, object.out());
      if (rc != TSS2_RC_SUCCESS) return tpm.failed(rc, errc::state_damaged);
      in::transient policy(tpm);
      rc = in::start_policy(tpm, TPM2_SE_POLICY, pcrs, policy);
      if (rc != TSS2_RC_SUCCESS) return tpm.failed(rc, errc::state_unwritable);
      TPM2B_SENSITIVE_DATA* data = nullptr;
      rc = Esys_Unseal(esys, object.get(), policy.get(), storage.session(TPMA_SESSION_ENCRYPT),
                       ESYS_TR_NONE, &data);
      const in::answer<TPM2B_SENSITIVE_DATA> owned(data);
      if (rc != TSS2_RC_SUCCESS) {
        const bool other_pcrs =
            in::about_nothing(rc) == TPM2_RC_POLICY_FAIL || rc == TPM2_RC_PCR_CHANGED;
        return tpm.failed(rc, other_pcrs ? errc::state_foreign : errc::state_damaged);
      }
      const bool whole = data->size == part.octets.size();
      if (whole) std::copy_n(data->buffer, data->size, part.octets.begin());
      wipe(data->buffer);
      auto done = !whole || !part.of_this_version() ? result<void>(errc::state_damaged)
                  : part.nv_index() != nv_index     ? result<void>(errc::state_foreign)
                  : key != nullptr                  ? derive(tpm, storage, part, *key)
                                                    : result<void>();
      overwrite(tpm);
      return done;
    }

    void remember(tpm2::detail::sealed_part& part) noexcept {
      std::copy(part.nv_auth().begin(), part.nv_auth().end(), nv_auth.begin());
      std::copy(part.nv_name().begin(), part.nv_name().end(), nv_name.begin());
      base = part.base();
    }
    [[nodiscard]] bool remembers(tpm2::detail::sealed_part& part) const noexcept {
      return base == part.base() &&
             std::equal(nv_auth.begin(), nv_auth.end(), part.nv_auth().begin()) &&
             std::equal(nv_name.begin(), nv_name.end(), part.nv_name().begin());
    }

    std::unique_ptr<char[]> tcti;
    std::unique_ptr<char[]> path;
    std::uint32_t nv_index = 0;
    std::uint32_t pcrs = 0;
    std::chrono::milliseconds patience{};
    std::array<std::uint8_t, 32> owner_auth{};
    std::size_t owner_auth_bytes = 0;
    std::array<std::uint8_t, 32> nv_auth{};
    std::array<std::uint8_t, tpm2::detail::sealed_part::name_bytes> nv_name{};
    std::uint64_t base = 0;
  };

  /// A conversation about the counter, by a session that is bound to its authorization.
  class at_the_counter {
   public:
    explicit at_the_counter(const held& whose) noexcept : whose_(whose) { opened_ = open(); }

    [[nodiscard]] result<std::uint64_t> read() noexcept {
      if (!opened_) return opened_.error();
      const auto now = tpm2::detail::read_counter(tpm_, nv_, session_.get());
      if (!now) return now;
      if (*now < whose_.base) return errc::state_rolled_back;
      return *now - whose_.base;
    }
    [[nodiscard]] result<void> increment() noexcept {
      if (!opened_) return opened_;
      const TSS2_RC rc =
          Esys_NV_Increment(tpm_.get(), nv_, nv_, session_.get(), ESYS_TR_NONE, ESYS_TR_NONE);
      return rc == TSS2_RC_SUCCESS ? result<void>() : tpm_.failed(rc, errc::state_foreign);
    }

   private:
    result<void> open() noexcept {
      TSS2_RC rc = tpm_.open(whose_.tcti.get(), whose_.patience);
      if (rc != TSS2_RC_SUCCESS) return tpm_.failed(rc, errc::state_unwritable);
      TPM2B_NAME name{};
      auto found = tpm2::detail::find_counter(tpm_, whose_.nv_index, whose_.nv_auth, nv_, name);
      if (!found) return found;
      if (!tpm2::detail::same(name, whose_.nv_name)) return errc::state_foreign;
      const TPMT_SYM_DEF cipher = tpm2::detail::session_cipher();
      rc = Esys_StartAuthSession(tpm_.get(), ESYS_TR_NONE, nv_, ESYS_TR_NONE, ESYS_TR_NONE,
                                 ESYS_TR_NONE, nullptr, TPM2_SE_HMAC, &cipher, TPM2_ALG_SHA256,
                                 session_.out());
      if (rc != TSS2_RC_SUCCESS) return tpm_.failed(rc, errc::state_unwritable);
      rc =
          Esys_TRSess_SetAttributes(tpm_.get(), session_.get(), TPMA_SESSION_CONTINUESESSION, 0xff);
      return rc == TSS2_RC_SUCCESS ? result<void>() : tpm_.failed(rc, errc::state_unwritable);
    }

    const held& whose_;
    tpm2::detail::connection tpm_{};
    tpm2::detail::transient session_{tpm_};
    ESYS_TR nv_ = ESYS_TR_NONE;
    result<void> opened_{};
  };

  [[nodiscard]] static std::unique_ptr<char[]> copy(const char* text) noexcept {
    const std::size_t size = std::strlen(text) + 1;
    std::unique_ptr<char[]> made(new (std::nothrow) char[size]);
    if (made != nullptr) std::memcpy(made.get(), text, size);
    return made;
  }

  [[nodiscard]] static result<tpm2_vault> hold(const tpm2_vault_options& options) noexcept {
    constexpr std::uint32_t every_pcr = 0xffffff;
    const bool named = options.tcti != nullptr && *options.tcti != '\0' &&
                       options.path != nullptr && *options.path != '\0';
    if (!named || options.nv_index >> 24U != TPM2_HT_NV_INDEX || options.pcrs == 0 ||
        (options.pcrs & ~every_pcr) != 0 || options.owner_auth.size() > sizeof held::owner_auth ||
        options.patience.count() < 0 || options.patience > std::chrono::hours(1)) {
      return errc::invalid_value;
    }
    tpm2_vault made;
    made.held_.reset(new (std::nothrow) held);
    if (made.held_ == nullptr) return errc::out_of_memory;
    held& it = *made.held_;
    it.tcti = copy(options.tcti);
    it.path = copy(options.path);
    if (it.tcti == nullptr || it.path == nullptr) return errc::out_of_memory;
    it.nv_index = options.nv_index;
    it.pcrs = options.pcrs;
    it.patience = options.patience;
    std::copy(options.owner_auth.begin(), options.owner_auth.end(), it.owner_auth.begin());
    it.owner_auth_bytes = options.owner_auth.size();
    return made;
  }

  [[nodiscard]] static result<void> define_counter(tpm2::detail::connection& tpm,
                                                   tpm2::detail::storage& storage,
                                                   tpm2::detail::sealed_part& part) noexcept {
    TPM2B_NV_PUBLIC shape{};
    shape.nvPublic.nvIndex = part.nv_index();
    shape.nvPublic.nameAlg = TPM2_ALG_SHA256;
    shape.nvPublic.attributes = tpm2::detail::counter_attributes;
    shape.nvPublic.dataSize = 8;
    TPM2B_AUTH auth{};
    auth.size = static_cast<UINT16>(part.nv_auth().size());
    std::copy(part.nv_auth().begin(), part.nv_auth().end(), auth.buffer);
    ESYS_TR nv = ESYS_TR_NONE;
    const TSS2_RC rc =
        Esys_NV_DefineSpace(tpm.get(), ESYS_TR_RH_OWNER, storage.session(TPMA_SESSION_DECRYPT),
                            ESYS_TR_NONE, ESYS_TR_NONE, &auth, &shape, &nv);
    wipe(auth.buffer);
    static_cast<void>(Esys_TR_Close(tpm.get(), &nv));
    return rc == TSS2_RC_SUCCESS
               ? result<void>()
               : tpm.failed(rc,
                            rc == TPM2_RC_NV_DEFINED ? errc::state_exists : errc::state_unwritable);
  }

  /// A counter has no value before its first increment, and another name.
  [[nodiscard]] static result<void> start_counter(tpm2::detail::connection& tpm,
                                                  tpm2::detail::storage& storage,
                                                  tpm2::detail::sealed_part& part) noexcept {
    ESYS_TR nv = ESYS_TR_NONE;
    TPM2B_NAME name{};
    auto found = tpm2::detail::find_counter(tpm, part.nv_index(), part.nv_auth(), nv, name);
    if (!found) return found;
    const TSS2_RC rc =
        Esys_NV_Increment(tpm.get(), nv, nv, storage.session(0), ESYS_TR_NONE, ESYS_TR_NONE);
    if (rc != TSS2_RC_SUCCESS) return tpm.failed(rc, errc::state_unwritable);
    static_cast<void>(Esys_TR_Close(tpm.get(), &nv));
    found = tpm2::detail::find_counter(tpm, part.nv_index(), part.nv_auth(), nv, name);
    if (!found) return found;
    const auto base = tpm2::detail::read_counter(tpm, nv, storage.session(0));
    if (!base) return base.error();
    if (name.size != part.nv_name().size()) return errc::state_unwritable;
    part.set_base(*base);
    std::copy_n(name.name, name.size, part.nv_name().begin());
    return {};
  }

  static void undefine_counter(tpm2::detail::connection& tpm, tpm2::detail::storage& storage,
                               std::uint32_t nv_index) noexcept {
    ESYS_TR nv = ESYS_TR_NONE;
    if (Esys_TR_FromTPMPublic(tpm.get(), nv_index, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &nv) ==
        TSS2_RC_SUCCESS) {
      static_cast<void>(Esys_NV_UndefineSpace(tpm.get(), ESYS_TR_RH_OWNER, nv, storage.session(0),
                                              ESYS_TR_NONE, ESYS_TR_NONE));
    }
  }

  [[nodiscard]] static result<void> seal(tpm2::detail::connection& tpm,
                                         tpm2::detail::storage& storage,
                                         const tpm2::detail::sealed_part& part, std::uint32_t pcrs,
                                         tpm2::detail::blob& into) noexcept {
    namespace in = tpm2::detail;
    ESYS_CONTEXT* const esys = tpm.get();
    TPM2B_PUBLIC shape{};
    TPMT_PUBLIC& area = shape.publicArea;
    {
      in::transient trial(tpm);
      TSS2_RC rc = in::start_policy(tpm, TPM2_SE_TRIAL, pcrs, trial);
      if (rc != TSS2_RC_SUCCESS) return tpm.failed(rc, errc::state_unwritable);
      TPM2B_DIGEST* digest = nullptr;
      rc = Esys_PolicyGetDigest(esys, trial.get(), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                &digest);
      const in::answer<TPM2B_DIGEST> owned(digest);
      if (rc != TSS2_RC_SUCCESS) return tpm.failed(rc, errc::state_unwritable);
      area.authPolicy = *digest;
    }
    area.type = TPM2_ALG_KEYEDHASH;
    area.nameAlg = TPM2_ALG_SHA256;
    // Neither TPMA_OBJECT_USERWITHAUTH nor a password: by the policy alone.
    area.objectAttributes = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT | TPMA_OBJECT_NODA |
                            TPMA_OBJECT_ADMINWITHPOLICY;
    area.parameters.keyedHashDetail.scheme.scheme = TPM2_ALG_NULL;
    TPM2B_SENSITIVE_CREATE sensitive{};
    TPM2B_SENSITIVE_DATA& data = sensitive.sensitive.data;
    data.size = static_cast<UINT16>(part.octets.size());
    std::copy(part.octets.begin(), part.octets.end(), data.buffer);
    const TPM2B_DATA outside{};
    const TPML_PCR_SELECTION none{};
    TPM2B_PRIVATE* private_half = nullptr;
    TPM2B_PUBLIC* public_half = nullptr;
    const TSS2_RC rc = Esys_Create(esys, storage.key(), storage.session(TPMA_SESSION_DECRYPT),
                                   ESYS_TR_NONE, ESYS_TR_NONE, &sensitive, &shape, &outside, &none,
                                   &private_half, &public_half, nullptr, nullptr, nullptr);
    wipe(data.buffer);
    const in::answer<TPM2B_PRIVATE> owned_private(private_half);
    const in::answer<TPM2B_PUBLIC> owned_public(public_half);
    if (rc != TSS2_RC_SUCCESS) return tpm.failed(rc, errc::state_unwritable);
    into.parent = storage.name();
    into.private_half = *private_half;
    into.public_half = *public_half;
    return {};
  }

  [[nodiscard]] static result<void> write(const char* path,
                                          const tpm2::detail::blob& sealed) noexcept {
    std::array<std::uint8_t, tpm2::max_blob_bytes> octets{};
    const auto size = sealed.write(octets);
    if (!size) return size.error();
    return tpm2::detail::write_new(path, std::span(octets).first(*size));
  }

  [[nodiscard]] static result<void> derive(tpm2::detail::connection& tpm,
                                           tpm2::detail::storage& storage,
                                           const tpm2::detail::sealed_part& part,
                                           seal_key& key) noexcept {
    TPM2B_MAX_BUFFER data{};
    data.size = static_cast<UINT16>(part.octets.size());
    std::copy(part.octets.begin(), part.octets.end(), data.buffer);
    TPM2B_DIGEST* digest = nullptr;
    TPMT_TK_HASHCHECK* ticket = nullptr;
    const TSS2_RC rc = Esys_Hash(
        tpm.get(), storage.session(TPMA_SESSION_DECRYPT | TPMA_SESSION_ENCRYPT), ESYS_TR_NONE,
        ESYS_TR_NONE, &data, TPM2_ALG_SHA256, ESYS_TR_RH_NULL, &digest, &ticket);
    wipe(std::span(data.buffer).first(data.size));
    const tpm2::detail::answer<TPM2B_DIGEST> owned(digest);
    const tpm2::detail::answer<TPMT_TK_HASHCHECK> owned_ticket(ticket);
    if (rc != TSS2_RC_SUCCESS) return tpm.failed(rc, errc::state_unwritable);
    const bool whole = digest->size == seal_key::size_bytes;
    if (whole) std::copy_n(digest->buffer, seal_key::size_bytes, key.octets.begin());
    wipe(digest->buffer);
    return whole ? result<void>() : errc::state_unwritable;
  }

  /// Puts zeros where Esys decrypted what was unsealed: one buffer serves all commands, and nothing
  /// else reaches into it.
  static void overwrite(tpm2::detail::connection& tpm) noexcept {
    TPM2B_SENSITIVE_DATA zeros{};
    zeros.size = 128;
    static_cast<void>(Esys_StirRandom(tpm.get(), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &zeros));
  }

  std::unique_ptr<held> held_{};
};

static_assert(key_vault<tpm2_vault>);

}  // namespace v0
}  // namespace cotter
