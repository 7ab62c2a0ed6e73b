// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/values/error.hpp>

#include <tss2/tss2_esys.h>
#include <tss2/tss2_tcti.h>
#include <tss2/tss2_tctildr.h>

#include <poll.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

namespace cotter {
inline namespace v0 {
namespace tpm2 {
namespace detail {

/// What a TSS2_RC means to a store. `otherwise` is for what the TPM itself refused.
[[nodiscard]] inline error failed(TSS2_RC rc, errc otherwise) noexcept {
  const auto as = [rc](errc what) { return error{what, 0, static_cast<std::int32_t>(rc)}; };
  const TSS2_RC layer = rc & TSS2_RC_LAYER_MASK;
  const TSS2_RC base = rc & ~TSS2_RC_LAYER_MASK;
  if (layer == TSS2_TCTI_RC_LAYER) {
    return as(base == TSS2_BASE_RC_TRY_AGAIN ? errc::state_busy : errc::state_unwritable);
  }
  if (layer == TSS2_ESAPI_RC_LAYER) {
    if (base == TSS2_BASE_RC_MEMORY) return as(errc::out_of_memory);
    // The answer is not by the TPM that shares the session's secret.
    const bool forged = base == TSS2_BASE_RC_RSP_AUTH_FAILED;
    return as(forged ? errc::state_foreign : errc::state_unwritable);
  }
  if (layer != TSS2_TPM_RC_LAYER && layer != TSS2_RESMGR_TPM_RC_LAYER) {
    return as(errc::state_unwritable);
  }
  if (base == TPM2_RC_INITIALIZE || base == TPM2_RC_FAILURE) return as(errc::state_unwritable);
  const bool warning = (base & TPM2_RC_WARN) == TPM2_RC_WARN && (base & TPM2_RC_FMT1) == 0;
  const bool reference = base >= TPM2_RC_REFERENCE_H0 && base <= TPM2_RC_REFERENCE_S6;
  return as(warning && !reference ? errc::state_busy : otherwise);
}

/// The TPM's own code without the number of the handle, session or parameter that it is about.
[[nodiscard]] inline TSS2_RC about_nothing(TSS2_RC rc) noexcept {
  const bool of_the_tpm = (rc & TSS2_RC_LAYER_MASK) == TSS2_TPM_RC_LAYER ||
                          (rc & TSS2_RC_LAYER_MASK) == TSS2_RESMGR_TPM_RC_LAYER;
  if (!of_the_tpm || (rc & TPM2_RC_FMT1) == 0) return rc;
  return rc & (TPM2_RC_FMT1 | 0x3fU);
}

/// The way to a TPM, which gives up on an answer after a while. Esys waits for ever by itself.
class bounded_tcti {
 public:
  bounded_tcti() noexcept = default;
  bounded_tcti(const bounded_tcti&) = delete;
  bounded_tcti& operator=(const bounded_tcti&) = delete;
  ~bounded_tcti() { Tss2_TctiLdr_Finalize(&inner_); }

  [[nodiscard]] TSS2_RC open(const char* name, std::chrono::milliseconds patience) noexcept {
    patience_ms_ = static_cast<int>(patience.count());
    face_.owner = this;
    TSS2_TCTI_CONTEXT_COMMON_V1& face = face_.common.v1;
    face.magic = 0x636f747465720000U;
    face.version = 2;
    face.transmit = transmit;
    face.receive = receive;
    face.finalize = [](TSS2_TCTI_CONTEXT*) {};
    face.cancel = [](TSS2_TCTI_CONTEXT*) -> TSS2_RC { return TSS2_TCTI_RC_NOT_IMPLEMENTED; };
    face.getPollHandles = [](TSS2_TCTI_CONTEXT*, TSS2_TCTI_POLL_HANDLE*, std::size_t*) -> TSS2_RC {
      return TSS2_TCTI_RC_NOT_IMPLEMENTED;
    };
    face.setLocality = [](TSS2_TCTI_CONTEXT*, std::uint8_t) -> TSS2_RC {
      return TSS2_TCTI_RC_NOT_IMPLEMENTED;
    };
    face_.common.makeSticky = [](TSS2_TCTI_CONTEXT*, TPM2_HANDLE*, std::uint8_t) -> TSS2_RC {
      return TSS2_TCTI_RC_NOT_IMPLEMENTED;
    };
    return Tss2_TctiLdr_Initialize(name, &inner_);
  }
  [[nodiscard]] TSS2_TCTI_CONTEXT* face() noexcept {
    return reinterpret_cast<TSS2_TCTI_CONTEXT*>(&face_);
  }
  [[nodiscard]] bool gave_up() const noexcept { return gave_up_; }

 private:
  struct face_type {
    TSS2_TCTI_CONTEXT_COMMON_V2 common{};
    bounded_tcti* owner = nullptr;
  };
  static bounded_tcti& of(TSS2_TCTI_CONTEXT* context) noexcept {
    return *reinterpret_cast<face_type*>(context)->owner;
  }

  static TSS2_RC transmit(TSS2_TCTI_CONTEXT* context, std::size_t size,
                          const std::uint8_t* command) {
    bounded_tcti& self = of(context);
    if (self.gave_up_) return TSS2_TCTI_RC_IO_ERROR;
    return self.way().transmit(self.inner_, size, command);
  }
  static TSS2_RC receive(TSS2_TCTI_CONTEXT* context, std::size_t* size, std::uint8_t* response,
                         std::int32_t) {
    bounded_tcti& self = of(context);
    if (self.gave_up_ || !self.answered()) {
      self.gave_up_ = true;
      return TSS2_TCTI_RC_IO_ERROR;
    }
    return self.way().receive(self.inner_, size, response, TSS2_TCTI_TIMEOUT_BLOCK);
  }
  /// What the macros of tss2_tcti.h reach by casts of the old style.
  [[nodiscard]] TSS2_TCTI_CONTEXT_COMMON_V1& way() const noexcept {
    return *reinterpret_cast<TSS2_TCTI_CONTEXT_COMMON_V1*>(inner_);
  }
  /// True where the way to the TPM cannot be waited for, too.
  [[nodiscard]] bool answered() noexcept {
    TSS2_TCTI_POLL_HANDLE handle{};
    std::size_t count = 1;
    const auto handles = way().getPollHandles;
    if (handles == nullptr || handles(inner_, &handle, &count) != TSS2_RC_SUCCESS || count != 1) {
      return true;
    }
    handle.events = POLLIN;
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(patience_ms_);
    while (true) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
          until - std::chrono::steady_clock::now());
      const int ready = ::poll(&handle, 1, left.count() > 0 ? static_cast<int>(left.count()) : 0);
      if (ready > 0) return true;
      if (left.count() <= 0) return false;
    }
  }

  face_type face_{};
  TSS2_TCTI_CONTEXT* inner_ = nullptr;
  int patience_ms_ = 0;
  bool gave_up_ = false;
};

/// A conversation with a TPM.
class connection {
 public:
  connection() noexcept = default;
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;
  ~connection() { Esys_Finalize(&esys_); }

  [[nodiscard]] TSS2_RC open(const char* tcti, std::chrono::milliseconds patience) noexcept {
    const TSS2_RC rc = tcti_.open(tcti, patience);
    return rc != TSS2_RC_SUCCESS ? rc : Esys_Initialize(&esys_, tcti_.face(), nullptr);
  }
  [[nodiscard]] ESYS_CONTEXT* get() noexcept { return esys_; }

  /// As the free function; a TPM that we gave up waiting for is busy.
  [[nodiscard]] error failed(TSS2_RC rc, errc otherwise) const noexcept {
    error why = detail::failed(rc, otherwise);
    if (tcti_.gave_up()) why.what = errc::state_busy;
    return why;
  }

 private:
  bounded_tcti tcti_{};
  ESYS_CONTEXT* esys_ = nullptr;
};

/// An object or a session inside the TPM, where there is room for three of either: taken out again
/// when it goes.
class transient {
 public:
  explicit transient(connection& in) noexcept : in_(in) {}
  transient(const transient&) = delete;
  transient& operator=(const transient&) = delete;
  ~transient() { flush(); }

  [[nodiscard]] ESYS_TR* out() noexcept { return &handle_; }
  [[nodiscard]] ESYS_TR get() const noexcept { return handle_; }
  void flush() noexcept {
    const ESYS_TR was = std::exchange(handle_, ESYS_TR_NONE);
    if (was != ESYS_TR_NONE) static_cast<void>(Esys_FlushContext(in_.get(), was));
  }

 private:
  connection& in_;
  ESYS_TR handle_ = ESYS_TR_NONE;
};

struct esys_free {
  void operator()(void* what) const noexcept { Esys_Free(what); }
};
/// What Esys allocated.
template <typename T>
using answer = std::unique_ptr<T, esys_free>;

}  // namespace detail
}  // namespace tpm2
}  // namespace v0
}  // namespace cotter
