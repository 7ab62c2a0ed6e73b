// SPDX-License-Identifier: BSL-1.0
#pragma once

// What a device without a heap to spare includes: the order is the flow.
#include <cotter/values/bytes_view.hpp>
#include <cotter/values/error.hpp>
#include <cotter/values/result.hpp>
#include <cotter/values/digest.hpp>
#include <cotter/values/time.hpp>
#include <cotter/values/target.hpp>
#include <cotter/values/pin.hpp>
#include <cotter/values/verdict.hpp>
#include <cotter/values/manifest.hpp>
#include <cotter/values/prefix.hpp>
#include <cotter/values/runtime.hpp>
#include <cotter/values/signature.hpp>
#include <cotter/values/signature_encoding.hpp>
#include <cotter/values/sealing.hpp>
#include <cotter/values/tls_version.hpp>
#include <cotter/values/breaker_config.hpp>
#include <cotter/values/store.hpp>
#include <cotter/values/breaker_state.hpp>
#include <cotter/values/diagnosis.hpp>
#include <cotter/values/audit_record.hpp>
#include <cotter/values/reservation.hpp>
#include <cotter/values/session_binding.hpp>
#include <cotter/values/hello.hpp>
#include <cotter/values/handshake.hpp>

#include <cotter/der/reader.hpp>
#include <cotter/der/writer.hpp>

#include <cotter/certificate/form.hpp>
#include <cotter/certificate/view.hpp>
#include <cotter/certificate/names.hpp>
#include <cotter/certificate/issuance.hpp>
#include <cotter/certificate/signature.hpp>

#include <cotter/concepts/hasher.hpp>
#include <cotter/concepts/backend.hpp>
#include <cotter/concepts/verifier.hpp>
#include <cotter/concepts/sealer.hpp>
#include <cotter/concepts/pin_set.hpp>
#include <cotter/concepts/manifest_source.hpp>
#include <cotter/concepts/breaker.hpp>
#include <cotter/concepts/state_store.hpp>
#include <cotter/concepts/key_vault.hpp>
#include <cotter/concepts/audit_sink.hpp>
#include <cotter/concepts/peer_history.hpp>
#include <cotter/concepts/session_store.hpp>
#include <cotter/concepts/clock.hpp>
#include <cotter/concepts/lock.hpp>
#include <cotter/concepts/notifier.hpp>

#include <cotter/policies/pin_set/fixed_pin_set.hpp>
#include <cotter/policies/manifest/embedded_manifest.hpp>
#include <cotter/policies/breaker/breaker_ledger.hpp>
#include <cotter/policies/breaker/memory_breaker.hpp>
#include <cotter/policies/breaker/stored_breaker.hpp>
#include <cotter/policies/store/attempt_marks.hpp>
#include <cotter/policies/store/memory_store.hpp>
#include <cotter/policies/store/flash_store.hpp>
#include <cotter/policies/audit/null_audit_sink.hpp>
#include <cotter/policies/audit/ring_audit_sink.hpp>
#include <cotter/policies/audit/callback_audit_sink.hpp>
#include <cotter/policies/audit/tee_audit_sink.hpp>
#include <cotter/policies/history/no_history.hpp>
#include <cotter/policies/history/memory_history.hpp>
#include <cotter/policies/session/fixed_session_store.hpp>
#include <cotter/policies/clock/system_clock.hpp>
#include <cotter/policies/lock/no_lock.hpp>
#include <cotter/policies/lock/flag_lock.hpp>
#include <cotter/policies/notifier/no_notifier.hpp>
#include <cotter/policies/notifier/callback_notifier.hpp>

#include <cotter/pipeline/diagnosis.hpp>
#include <cotter/pipeline/guard.hpp>
