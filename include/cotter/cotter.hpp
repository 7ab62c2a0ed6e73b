// SPDX-License-Identifier: BSL-1.0
#pragma once

// The whole library without a TLS library: add <cotter/backends/openssl.hpp>, <.../wolfssl.hpp> or
// <.../mbedtls.hpp>, one per translation unit. No third party is pulled in.
#include <cotter/embedded.hpp>
#include <cotter/values/pin_manifest.hpp>
#include <cotter/values/audit_event.hpp>
#include <cotter/values/audit_encoding.hpp>
#include <cotter/values/hello_tap.hpp>
#include <cotter/concepts/engine.hpp>
#include <cotter/concepts/audit_sender.hpp>
#include <cotter/policies/pin_set/indexed_pins.hpp>
#include <cotter/policies/pin_set/owned_pin_set.hpp>
#include <cotter/policies/audit/heap_leaf.hpp>
#include <cotter/policies/session/memory_session_store.hpp>
#include <cotter/policies/session/stored_sessions.hpp>
#include <cotter/policies/audit/event_text.hpp>
#include <cotter/policies/audit/syslog_message.hpp>
#include <cotter/policies/manifest/live_manifest.hpp>
#include <cotter/pipeline/verified_connection.hpp>
