// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "address.hpp"
#include "audit/collector.hpp"
#include "audit/trail.hpp"
#include "capture.hpp"
#include "kept_breaker.hpp"
#include "problem.hpp"

#include <cotter/json/trusted_keys.hpp>
#include <cotter/net/url.hpp>
#include <cotter/values/audit_record.hpp>
#include <cotter/values/breaker_config.hpp>
#include <cotter/values/diagnosis.hpp>
#include <cotter/values/manifest.hpp>
#include <cotter/values/pin.hpp>
#include <cotter/values/target.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cotter::command {

/// A signed manifest, not verified yet: the TLS library that connects does that.
struct manifest_request {
  std::string envelope{};
  cotter::json::trusted_keys trust{};
  manifest_memory remembered{};
};

/// What `cotter connect` was asked to do. `destination` and the pins' labels borrow from text that
/// outlives it.
struct connect_request {
  url destination{};
  std::vector<pin> pins{};
  std::optional<manifest_request> manifest{};  ///< instead of `pins`
  std::string ca_file{};
  std::string certificate_file{};  ///< empty: no client authentication
  std::string key_file{};
  std::optional<tcp_address> address{};
  std::chrono::milliseconds timeout{10'000};  ///< for each attempt, from DNS to the answer
  std::optional<std::string> send{};
  std::string subprotocol{};  ///< of the WebSocket; empty: none
  bool make_request = false;  ///< WebSocket upgrade or GET even without `send`
  unsigned attempts = 1;
  breaker_config breaker{};
  std::optional<state_options> stored_breaker{};  ///< its vault has been found to be one
  std::string network{};
  leaf_traits known{};            ///< the last accepted leaf of `destination`; nothing if unknown
  command_sink* trail = nullptr;  ///< where events are written down; null: nowhere
};

/// What probably lies behind a refusal.
struct diagnosis_report {
  cause what = cause::none;
  evidence_set seen{};
  std::string owner_host{};  ///< with `evidence::other_pins`
  std::uint16_t owner_port = 0;
  std::string owner_region{};
};

/// What came of one attempt.
struct attempt_report {
  unsigned number = 1;
  bool decided = false;  ///< there is a verdict; otherwise `wrong` says why there is none
  bool accepted = false;
  reason why = reason::unbound;
  cotter::matched matched = cotter::matched::none;
  reason would_refuse = reason::none;  ///< with `matched::observed`
  std::string pin_label{};
  std::optional<diagnosis_report> diagnosis{};
  breaker_state breaker = breaker_state::closed;
  std::string fingerprint{};  ///< hex; empty if no leaf was seen
  bool tcp = false;           ///< a connection was established
  bool resumed = false;
  std::string tls{};   ///< protocol version; empty before the end of the handshake
  std::string peer{};  ///< address and port; empty without TCP
  std::optional<std::string> received{};
  std::optional<problem> wrong{};
};

/// Who is told of each attempt as it ends.
class attempt_observer {
 public:
  attempt_observer(const attempt_observer&) = delete;
  attempt_observer& operator=(const attempt_observer&) = delete;

  virtual void on_attempt(const attempt_report& report) = 0;
  /// The manifest has been accepted: what to remember of it.
  virtual void on_manifest(const manifest_memory& memory) = 0;
  /// A leaf of the destination has been accepted that looks different from the one before.
  virtual void on_leaf(const leaf_traits& leaf) = 0;
  /// The breaker is cooling, and the next attempt waits.
  virtual void on_wait(std::chrono::milliseconds pause) = 0;

 protected:
  attempt_observer() = default;
  ~attempt_observer() = default;
};

/// One handshake of a self-test.
struct self_test_line {
  std::string_view name{};
  reason expected = reason::none;
  reason seen = reason::unbound;
  bool passed = false;
};

struct self_test_outcome {
  bool passed = false;
  bool server_side_available = false;
  std::string_view advice{};
  std::vector<self_test_line> lines{};
};

/// One TLS library, whichever it is: no two of their headers meet in one translation unit.
class backend_face {
 public:
  backend_face(const backend_face&) = delete;
  backend_face& operator=(const backend_face&) = delete;
  virtual ~backend_face() = default;

  [[nodiscard]] virtual std::string_view name() const noexcept = 0;
  /// The library that runs.
  [[nodiscard]] virtual std::string_view build() const noexcept = 0;
  /// All attempts under one guard; each is reported as it ends. Ends early if nothing can be tried.
  virtual void connect(const connect_request& request, attempt_observer& observer) const = 0;
  [[nodiscard]] virtual self_test_outcome self_test() const = 0;
  /// Who delivers events to a collector over TLS by this library; or `fault` says why nobody does.
  /// Borrows from `request`.
  [[nodiscard]] virtual std::unique_ptr<event_sender> collector(
      const collector_request& request, std::optional<problem>& fault) const = 0;
  /// One look at one edge.
  [[nodiscard]] virtual capture_report capture(const capture_request& request) const = 0;

 protected:
  backend_face() = default;
};

[[nodiscard]] const backend_face& openssl_face();
[[nodiscard]] const backend_face& wolfssl_face();
[[nodiscard]] const backend_face& mbedtls_face();

}  // namespace cotter::command
