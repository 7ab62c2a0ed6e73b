// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/concepts/pin_set.hpp>
#include <cotter/policies/pin_set/indexed_pins.hpp>
#include <cotter/values/pin.hpp>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace cotter {
inline namespace v0 {

/// Pins that arrive at run time from a source the program trusts as much as itself: a command line,
/// a provisioning record. Filled before the guard is built, read-only afterwards. Uses the heap.
class owned_pin_set {
 public:
  /// A target found, or nothing; shares ownership, so it outlives the set.
  class handle {
   public:
    handle() noexcept = default;
    [[nodiscard]] explicit operator bool() const noexcept { return entry_ != nullptr; }
    [[nodiscard]] const pinned_target& operator*() const noexcept { return entry_->view; }

   private:
    friend class owned_pin_set;
    struct entry {
      std::string host;
      std::vector<std::string> labels;
      detail::indexed_pins known;
      pinned_target view;
    };
    explicit handle(std::shared_ptr<const entry> found) noexcept : entry_(std::move(found)) {}
    std::shared_ptr<const entry> entry_;
  };

  /// Another target that a leaf belongs to, or nothing; shares ownership.
  class owner_handle {
   public:
    owner_handle() noexcept = default;
    [[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(owner_); }
    [[nodiscard]] const pin_owner& operator*() const noexcept { return owner_; }

   private:
    friend class owned_pin_set;
    handle kept_{};
    pin_owner owner_{};
  };

  /// Adds a target with its pins, copying all text.
  ///
  /// @errors `invalid_host`, `invalid_port`, `invalid_pin` (no pins, or no primary among them). A
  ///   second target of the same host and port is `invalid_host`. On an error nothing is added.
  result<void> add(const target& whom, std::span<const pin> pins) {
    if (const auto kind = classify_host(whom.host); !kind) return kind.error();
    if (whom.port == 0) return errc::invalid_port;
    bool has_primary = false;
    for (const pin& p : pins) has_primary = has_primary || p.role == pin_role::primary;
    if (!has_primary) return errc::invalid_pin;
    if (find(whom, {})) return errc::invalid_host;

    auto one = std::make_shared<handle::entry>();
    one->host = std::string(whom.host);
    one->known.pins.assign(pins.begin(), pins.end());
    one->labels.reserve(pins.size());
    for (pin& p : one->known.pins) {
      one->labels.emplace_back(p.label);
      p.label = one->labels.back();
    }
    one->known.build();
    one->view = {
        {one->host, whom.port, identity::host}, one->known.pins, {}, one->known.find_index()};
    entries_.insert(place_of(whom), std::move(one));
    return {};
  }

  /// @see pin_set. The set has no regions: `peer` is ignored.
  [[nodiscard]] handle find(const target& whom, const ip_address&) const noexcept {
    const auto found = place_of(whom);
    const bool same = found != entries_.end() && (*found)->view.endpoint.same_endpoint(whom);
    return same ? handle{*found} : handle{};
  }

  /// @see owner_telling_pin_set
  [[nodiscard]] owner_handle owner_of(const pinned_target& asked, const sha256_digest& certificate,
                                      const sha256_digest* key) const noexcept {
    owner_handle found;
    for (const auto& one : entries_) {
      if (one->view.endpoint.same_endpoint(asked.endpoint)) continue;
      if (!one->view.knows(certificate, key)) continue;
      found.kept_ = handle{one};
      found.owner_ = {one->view.endpoint, {}};
      break;
    }
    return found;
  }

 private:
  using entries = std::vector<std::shared_ptr<const handle::entry>>;

  /// Where the target stands, or would.
  [[nodiscard]] entries::const_iterator place_of(const target& whom) const noexcept {
    return std::lower_bound(
        entries_.begin(), entries_.end(), whom, [](const auto& one, const target& wanted) {
          const int order = one->view.endpoint.host.compare(wanted.host);
          return order < 0 || (order == 0 && one->view.endpoint.port < wanted.port);
        });
  }

  entries entries_;  // by host and port
};

static_assert(owner_telling_pin_set<owned_pin_set>);

}  // namespace v0
}  // namespace cotter
