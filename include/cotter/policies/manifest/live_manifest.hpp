// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/concepts/manifest_source.hpp>
#include <cotter/concepts/pin_set.hpp>
#include <cotter/policies/pin_set/indexed_pins.hpp>
#include <cotter/values/pin_manifest.hpp>
#include <cotter/values/runtime.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cotter {
inline namespace v0 {

namespace detail {

/// A `shared_ptr` that is read and replaced in one step. libstdc++ 11 and libc++ have no
/// `std::atomic` of one; the free functions that it replaces guard by a lock of their own.
template <typename T>
class shared_cell {
 public:
  explicit shared_cell(std::shared_ptr<T> first) noexcept : held_(std::move(first)) {}

#if defined(__cpp_lib_atomic_shared_ptr)
  [[nodiscard]] std::shared_ptr<T> load() const noexcept { return held_.load(); }
  bool compare_exchange_strong(std::shared_ptr<T>& seen, std::shared_ptr<T> next) noexcept {
    return held_.compare_exchange_strong(seen, std::move(next));
  }

 private:
  std::atomic<std::shared_ptr<T>> held_;
#else
  [[nodiscard]] std::shared_ptr<T> load() const noexcept { return std::atomic_load(&held_); }
  bool compare_exchange_strong(std::shared_ptr<T>& seen, std::shared_ptr<T> next) noexcept {
    return std::atomic_compare_exchange_strong(&held_, &seen, std::move(next));
  }

 private:
  std::shared_ptr<T> held_;
#endif
};

}  // namespace detail

/// The pins of the manifest in force, and its standing: one object for both slots.
///
/// A manifest that somebody has verified is given to `adopt`, which takes it whole or not at all and
/// swaps it in one step: a connection sees the old pins or the new ones, and keeps those it was
/// admitted with. Before the first one everything is refused. Any number of threads may read while
/// one or more adopt. Reading allocates nothing.
class live_manifest {
  struct state;
  struct entry;

 public:
  static constexpr bool reloadable = true;

  /// A target found, or nothing; keeps its manifest alive.
  class handle {
   public:
    handle() noexcept = default;
    [[nodiscard]] explicit operator bool() const noexcept { return found_ != nullptr; }
    [[nodiscard]] const pinned_target& operator*() const noexcept { return *found_; }

   private:
    friend class live_manifest;
    explicit handle(std::shared_ptr<const pinned_target> found) noexcept
        : found_(std::move(found)) {}
    std::shared_ptr<const pinned_target> found_;  // owns the manifest that the target lies in
  };

  /// Another target, or another region, that a leaf belongs to, or nothing; keeps its manifest alive.
  class owner_handle {
   public:
    owner_handle() noexcept = default;
    [[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(owner_); }
    [[nodiscard]] const pin_owner& operator*() const noexcept { return owner_; }

   private:
    friend class live_manifest;
    std::shared_ptr<const state> kept_;
    pin_owner owner_{};
  };

  /// `remembered` is what `memory()` gave when a manifest was last adopted, perhaps by another
  /// process: no manifest before it is taken.
  /// @throws std::bad_alloc
  explicit live_manifest(const manifest_memory& remembered = {})
      : state_(std::make_shared<const state>(remembered)) {}

  /// Takes a manifest into force. `now` is the time by the program's clock; it is lifted to the
  /// latest time known, but for the first manifest of a higher `epoch`: keys that were lost may have
  /// signed a time that never comes. A fallback that the manifest in force has too ends when the earlier of the
  /// two says: signing again never prolongs it.
  ///
  /// On an error nothing changes: the last good manifest stays.
  /// @errors `key_set_rollback`, `sequence_rollback`, `sequence_reused`, `document_expired`,
  ///   `observation_too_long`; `invalid_value` (sequence, version, times or breaker out of bounds),
  ///   `too_many_targets`, `invalid_host`, `invalid_port`, `invalid_pin` (a target or region without
  ///   a primary), `duplicate_target`, `missing_key` (no targets, or regions without a default),
  ///   `conflicting_keys` (more than one default).
  /// @throws std::bad_alloc, and nothing changes.
  result<void> adopt(const pin_manifest& manifest, instant now) {
    if (const auto sound = check(manifest); !sound) return sound;
    const std::uint64_t order = manifest_order(manifest.epoch, manifest.sequence);
    std::shared_ptr<const state> seen = state_.load();
    for (;;) {
      const manifest_memory& before = seen->memory;
      if (manifest.key_set_version < before.key_set_version) return errc::key_set_rollback;
      if (order < before.order) return errc::sequence_rollback;
      if (order == before.order && manifest.payload != before.payload) return errc::sequence_reused;
      if (std::max(now, floor_of(before, manifest.epoch)) > manifest.expires_at) {
        return errc::document_expired;
      }
      std::shared_ptr<const state> next = compose(manifest, *seen, order, now);
      if (next == nullptr) return errc::duplicate_target;
      if (state_.compare_exchange_strong(seen, std::move(next))) return {};
    }
  }

  /// Notes why a manifest was not even given to `adopt`: while none is in force, `current` reports
  /// it. `reason::none` notes nothing.
  /// @throws std::bad_alloc, and nothing changes.
  void refuse(reason why) {
    std::shared_ptr<const state> seen = state_.load();
    while (seen->problem != reason::none && why != reason::none) {
      auto next = std::make_shared<state>(seen->memory);
      next->problem = why;
      if (state_.compare_exchange_strong(seen, std::move(next))) return;
    }
  }

  /// What to remember over a restart. Changes with each adoption.
  [[nodiscard]] manifest_memory memory() const noexcept { return state_.load()->memory; }

  /// The manifest in force; null before the first.
  [[nodiscard]] std::shared_ptr<const pin_manifest> document() const noexcept {
    std::shared_ptr<const state> seen = state_.load();
    if (seen->problem != reason::none) return nullptr;
    return {seen, &seen->document};
  }

  /// @see manifest_source
  [[nodiscard]] manifest_standing current() const noexcept {
    const std::shared_ptr<const state> seen = state_.load();
    return {seen->problem, seen->memory.order, seen->memory.latest, seen->document.expires_at,
            seen->document.observe_until};
  }

  /// True if the manifest in force lets this library verify: it names none, or this one.
  [[nodiscard]] bool allows(std::string_view library,
                            const library_version& running) const noexcept {
    const std::shared_ptr<const state> seen = state_.load();
    if (seen->document.runtimes.empty()) return true;
    for (const manifest_runtime& one : seen->document.runtimes) {
      if (runtime_range{one.library, one.at_least, one.below}.allows(library, running)) return true;
    }
    return false;
  }

  /// @see pin_set. `peer` chooses the region with the longest prefix that holds it, else the default.
  [[nodiscard]] handle find(const target& whom, const ip_address& peer) const noexcept {
    std::shared_ptr<const state> seen = state_.load();
    const entry* known = seen->at(whom);
    if (known == nullptr) return {};
    const pinned_target* found = &known->choose(peer);
    return handle{{std::move(seen), found}};
  }

  /// @see owner_telling_pin_set. A region of the target asked for comes before other targets. Linear
  /// in the number of pins.
  [[nodiscard]] owner_handle owner_of(const pinned_target& asked, const sha256_digest& certificate,
                                      const sha256_digest* key) const noexcept {
    owner_handle found;
    found.kept_ = state_.load();
    for (const bool same_target : {true, false}) {
      for (const entry& one : found.kept_->entries) {
        const target endpoint{one.host, one.port};
        if (endpoint.same_endpoint(asked.endpoint) != same_target) continue;
        for (const choice& each : one.choices) {
          if (same_target && each.view.region == asked.region) continue;
          if (!each.view.knows(certificate, key)) continue;
          found.owner_ = {endpoint, each.view.region};
          return found;
        }
      }
    }
    return found;
  }

 private:
  struct choice {
    std::string region{};
    std::vector<ip_prefix> prefixes{};
    std::vector<std::string> labels{};
    detail::indexed_pins known{};
    pinned_target view{};
  };

  struct entry {
    std::string host{};
    std::uint16_t port = 0;
    std::vector<choice> choices{};
    std::size_t otherwise = 0;

    [[nodiscard]] bool before(const target& other) const noexcept {
      const int order = std::string_view(host).compare(other.host);
      return order < 0 || (order == 0 && port < other.port);
    }
    [[nodiscard]] const pinned_target& choose(const ip_address& peer) const noexcept {
      const choice* best = &choices[otherwise];
      int longest = -1;
      for (const choice& one : choices) {
        for (const ip_prefix& block : one.prefixes) {
          if (block.length_bits > longest && block.contains(peer)) {
            longest = block.length_bits;
            best = &one;
          }
        }
      }
      return best->view;
    }
  };

  struct state {
    explicit state(const manifest_memory& remembered) noexcept : memory(remembered) {
      memory.latest = std::max(memory.latest, library_made_at);
    }
    reason problem = reason::manifest_invalid;
    manifest_memory memory{};
    pin_manifest document{};
    std::vector<entry> entries{};

    [[nodiscard]] const entry* at(const target& whom) const noexcept {
      const auto found = std::lower_bound(
          entries.begin(), entries.end(), whom,
          [](const entry& one, const target& wanted) { return one.before(wanted); });
      const bool same =
          found != entries.end() && found->port == whom.port && found->host == whom.host;
      return same ? &*found : nullptr;
    }
    /// When this pin ends as a fallback of the target; `no_expiry` if it is none.
    [[nodiscard]] instant end_of(const target& whom, const pin& wanted) const noexcept {
      instant end = no_expiry;
      const entry* known = at(whom);
      if (known == nullptr) return end;
      for (const choice& one : known->choices) {
        for (const pin& p : one.view.near(wanted.digest)) {
          const bool same = p.role == pin_role::fallback && p.form == wanted.form;
          if (same && p.digest == wanted.digest) end = std::min(end, p.not_after);
        }
      }
      return end;
    }
  };

  static instant floor_of(const manifest_memory& before, std::uint64_t epoch) noexcept {
    return epoch > before.epoch ? library_made_at : before.latest;
  }

  static result<void> check_pins(const std::vector<manifest_pin>& pins) noexcept {
    const bool has_primary = std::any_of(pins.begin(), pins.end(), [](const manifest_pin& one) {
      return one.value.role == pin_role::primary;
    });
    return has_primary ? result<void>{} : errc::invalid_pin;
  }

  static bool names_differ(const std::vector<manifest_region>& regions) {
    std::vector<std::string_view> names;
    names.reserve(regions.size());
    for (const manifest_region& one : regions) names.push_back(one.name);
    std::sort(names.begin(), names.end());
    return std::adjacent_find(names.begin(), names.end()) == names.end();
  }

  static result<void> check(const pin_manifest& manifest) {
    if (manifest.sequence == 0 || manifest.sequence > highest_sequence ||
        manifest.key_set_version > highest_key_set_version ||
        manifest.epoch > manifest.key_set_version || !manifest.breaker.valid() ||
        manifest.issued_at < instant{} || manifest.issued_at > manifest.expires_at) {
      return errc::invalid_value;
    }
    if (manifest.observe_until > manifest.issued_at &&
        manifest.observe_until - manifest.issued_at > longest_observation) {
      return errc::observation_too_long;
    }
    std::size_t pins = 0;
    for (const manifest_target& one : manifest.targets) {
      pins += one.pins.size();
      for (const manifest_region& region : one.regions) pins += region.pins.size();
    }
    if (manifest.targets.empty()) return errc::missing_key;
    if (manifest.targets.size() > max_manifest_targets || pins > max_manifest_pins) {
      return errc::too_many_targets;
    }
    for (const manifest_target& one : manifest.targets) {
      if (const auto kind = classify_host(one.host); !kind) return kind.error();
      if (one.port == 0) return errc::invalid_port;
      std::size_t defaults = one.pins.empty() ? 0 : 1;
      for (const manifest_region& region : one.regions) {
        if (region.is_default) ++defaults;
        if (const auto sound = check_pins(region.pins); !sound) return sound;
      }
      if (!one.pins.empty()) {
        if (const auto sound = check_pins(one.pins); !sound) return sound;
      }
      if (defaults > 1) return errc::conflicting_keys;
      if (defaults == 0) return one.regions.empty() ? errc::invalid_pin : errc::missing_key;
      if (!names_differ(one.regions)) return errc::duplicate_target;
    }
    return {};
  }

  static choice compose(const std::vector<manifest_pin>& pins, const std::string& region,
                        const target& endpoint, const state& before) {
    choice made;
    made.region = region;
    made.labels.reserve(pins.size());
    made.known.pins.reserve(pins.size());
    for (const manifest_pin& one : pins) {
      std::string label = one.label;
      if (label.empty()) label = one.value.role == pin_role::primary ? "primary" : "fallback";
      made.labels.push_back(region.empty() ? std::move(label) : region + "/" + label);
      pin value = one.value;
      value.label = made.labels.back();
      if (value.role == pin_role::fallback) {
        value.not_after = std::min(value.not_after, before.end_of(endpoint, value));
      }
      made.known.pins.push_back(value);
    }
    made.known.build();
    return made;
  }

  /// Null if one target is there twice.
  static std::shared_ptr<const state> compose(const pin_manifest& manifest, const state& before,
                                              std::uint64_t order, instant now) {
    auto next = std::make_shared<state>(before.memory);
    next->problem = reason::none;
    next->memory.order = order;
    next->memory.payload = manifest.payload;
    next->memory.key_set_version = manifest.key_set_version;
    next->memory.epoch = manifest.epoch;
    next->memory.latest =
        std::max({floor_of(before.memory, manifest.epoch), manifest.issued_at, now});
    next->document = manifest;
    next->entries.reserve(manifest.targets.size());
    for (const manifest_target& one : manifest.targets) {
      entry made;
      made.host = one.host;
      made.port = one.port;
      const target endpoint{one.host, one.port};
      made.choices.reserve(one.regions.size() + 1);
      if (!one.pins.empty()) made.choices.push_back(compose(one.pins, {}, endpoint, before));
      for (const manifest_region& region : one.regions) {
        if (region.is_default) made.otherwise = made.choices.size();
        made.choices.push_back(compose(region.pins, region.name, endpoint, before));
        made.choices.back().prefixes = region.prefixes;
      }
      next->entries.push_back(std::move(made));
    }
    std::sort(next->entries.begin(), next->entries.end(), [](const entry& a, const entry& b) {
      return a.before({b.host, b.port});
    });
    for (std::size_t i = 0; i < next->entries.size(); ++i) {
      entry& one = next->entries[i];
      if (i > 0 && !next->entries[i - 1].before({one.host, one.port})) return nullptr;
      // Last, because sorting moves the hosts.
      for (choice& each : one.choices) {
        each.view = {{one.host, one.port}, each.known.pins, each.region, each.known.find_index()};
      }
    }
    return next;
  }

  detail::shared_cell<const state> state_;
};

static_assert(reloadable_pin_set<live_manifest>);
static_assert(owner_telling_pin_set<live_manifest>);
static_assert(runtime_restricting<live_manifest>);

}  // namespace v0
}  // namespace cotter
