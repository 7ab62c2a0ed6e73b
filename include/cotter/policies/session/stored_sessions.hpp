// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/concepts/session_store.hpp>
#include <cotter/concepts/state_store.hpp>
#include <cotter/values/audit_encoding.hpp>
#include <cotter/values/sealing.hpp>
#include <cotter/values/session_binding.hpp>
#include <cotter/values/store.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace cotter {
inline namespace v0 {
namespace detail {

/// No encoded binding is longer.
inline constexpr std::size_t max_binding_bytes = 640;

/// Returns how many octets of `out` it took; 0 if they are too few.
inline std::size_t encode_binding(const session_binding& bound,
                                  std::span<std::uint8_t> out) noexcept {
  audit_writer to{out};
  to.text(bound.whose.host.view());
  to.number(bound.whose.port, 2);
  to.number(static_cast<std::uint8_t>(bound.whose.kind), 1);
  to.octets(bound.whose.anchors.octets);
  to.octets(bound.whose.guard.octets);
  to.text(bound.whose.backend.view());
  to.number(bound.whose.library.major_number, 2);
  to.number(bound.whose.library.minor_number, 2);
  to.number(bound.whose.library.patch, 2);
  to.octets(bound.fingerprint.octets);
  to.octets(bound.key.octets);
  to.number(bound.has_key ? 1 : 0, 1);
  to.time(bound.not_before);
  to.time(bound.not_after);
  to.number(static_cast<std::uint8_t>(bound.version), 1);
  to.time(bound.established_at);
  to.number(bound.sequence, 8);
  to.octets(bound.octets.octets);
  return to.full ? 0 : to.at;
}

inline void read_digest(audit_reader& from, sha256_digest& out) noexcept {
  const bytes_view octets = from.octets(out.octets.size());
  if (!from.bad) std::copy(octets.begin(), octets.end(), out.octets.begin());
}

inline session_binding decode_binding(audit_reader& from) noexcept {
  session_binding bound;
  bound.whose.host = short_text<max_host_bytes>(from.text());
  bound.whose.port = static_cast<std::uint16_t>(from.number(2));
  bound.whose.kind = from.one_of(identity::sip);
  read_digest(from, bound.whose.anchors);
  read_digest(from, bound.whose.guard);
  bound.whose.backend = short_text<max_backend_name_bytes>(from.text());
  bound.whose.library.major_number = static_cast<std::uint16_t>(from.number(2));
  bound.whose.library.minor_number = static_cast<std::uint16_t>(from.number(2));
  bound.whose.library.patch = static_cast<std::uint16_t>(from.number(2));
  read_digest(from, bound.fingerprint);
  read_digest(from, bound.key);
  bound.has_key = from.flag();
  bound.not_before = from.time();
  bound.not_after = from.time();
  bound.version = from.one_of(tls_version::tls1_3);
  bound.established_at = from.time();
  bound.sequence = from.number(8);
  read_digest(from, bound.octets);
  return bound;
}

}  // namespace detail

/// Sessions that outlive the process, in any `state_store` that seals what it keeps: one of their
/// own, never a breaker's. What the store cannot vouch for is not given out, and an older image put
/// back gives out what was used before only as far as its `resistance` admits; the guard's own
/// questions (pins, validity, age) are asked of that as of any other session.
///
/// At most `PerTarget` of one target and `Bytes` in all: the oldest go. Every `put` and `take` is one
/// commit of the store, and waits for its disk; several processes share the store, and none gets a
/// session that another one took. Without state in it (`create` with no octets makes it) nothing is
/// kept. The store is borrowed. Its images and both buffers here are wiped after use.
template <state_store Store, std::size_t Bytes = max_image_bytes, std::size_t PerTarget = 4>
class stored_sessions {
  static_assert(Bytes > 0 && Bytes <= max_image_bytes && PerTarget > 0);

 public:
  explicit stored_sessions(Store& store) noexcept : store_(store) {}
  stored_sessions(const stored_sessions&) = delete;
  stored_sessions& operator=(const stored_sessions&) = delete;

  /// @see session_store
  void put(const session_binding& binding, bytes_view octets) noexcept {
    std::array<std::uint8_t, detail::max_binding_bytes> encoded;
    const std::size_t binding_bytes = detail::encode_binding(binding, encoded);
    const std::size_t needed = 2 + binding_bytes + 4 + octets.size();
    if (binding_bytes == 0 || octets.empty() || needed > Bytes) return;
    const result<std::size_t> size = store_.begin(image_);
    if (!size) return;
    // The newest of its target stay, and as many of all as there is room for.
    std::size_t of_target = 0;
    std::size_t total = needed;
    each(*size, [&](const entry& e) {
      total += e.whole.size();
      if (e.binding.whose == binding.whose) ++of_target;
    });
    std::size_t used = 0;
    each(*size, [&](const entry& e) {
      const bool same = e.binding.whose == binding.whose;
      const bool old = e.binding.established_at + longest_session < binding.established_at;
      if (old || total > Bytes || (same && of_target >= PerTarget)) {
        total -= e.whole.size();
        if (same) --of_target;
        return;
      }
      std::copy(e.whole.begin(), e.whole.end(), next_.begin() + static_cast<std::ptrdiff_t>(used));
      used += e.whole.size();
    });
    detail::audit_writer to{next_, used};
    to.number(binding_bytes, 2);
    to.octets(bytes_view(encoded).first(binding_bytes));
    to.number(octets.size(), 4);
    to.octets(octets);
    if (to.full) {
      store_.cancel();
    } else {
      static_cast<void>(store_.commit(bytes_view(next_).first(to.at)));
    }
    wipe_all();
  }

  /// @see session_store
  template <typename Use>
  bool take(const session_key& whose, Use&& use) noexcept {
    const result<std::size_t> size = store_.begin(image_);
    if (!size) return false;
    std::optional<entry> newest;
    each(*size, [&](const entry& e) {
      if (e.binding.whose == whose) newest = e;
    });
    bool gone = false;
    if (newest) {
      std::size_t used = 0;
      each(*size, [&](const entry& e) {
        if (e.whole.data() == newest->whole.data()) return;
        std::copy(e.whole.begin(), e.whole.end(),
                  next_.begin() + static_cast<std::ptrdiff_t>(used));
        used += e.whole.size();
      });
      // Not before it is gone from the disk: else another process would use it too.
      gone = static_cast<bool>(store_.commit(bytes_view(next_).first(used)));
    } else {
      store_.cancel();
    }
    if (gone) use(newest->binding, newest->octets);
    wipe_all();
    return gone;
  }

 private:
  struct entry {
    session_binding binding{};
    bytes_view octets{};
    bytes_view whole{};
  };

  /// Calls `with(entry)` for each, oldest first; stops at what is none.
  template <typename With>
  void each(std::size_t size, With&& with) const noexcept {
    detail::audit_reader from{bytes_view(image_).first(size)};
    while (from.at < size) {
      const std::size_t begin = from.at;
      const auto binding_bytes = static_cast<std::size_t>(from.number(2));
      detail::audit_reader inner{from.octets(binding_bytes)};
      entry one;
      if (!from.bad) one.binding = detail::decode_binding(inner);
      if (inner.bad || inner.at != inner.in.size()) return;
      one.octets = from.octets(static_cast<std::size_t>(from.number(4)));
      if (from.bad) return;
      one.whole = bytes_view(image_).subspan(begin, from.at - begin);
      with(one);
    }
  }
  void wipe_all() noexcept {
    wipe(image_);
    wipe(next_);
  }

  Store& store_;
  std::array<std::uint8_t, Bytes> image_{};
  std::array<std::uint8_t, Bytes> next_{};
};

}  // namespace v0
}  // namespace cotter
