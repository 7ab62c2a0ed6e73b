// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/posix/audit_drainer.hpp>
#include <cotter/posix/audit_spool.hpp>

#include <stores/support/private_directory.hpp>
#include <support/catch.hpp>

#include <chrono>
#include <cstdint>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace cotter::spool_lab {

inline constexpr posix::audit_spool_bounds smallest{512u << 10, 128u << 10};

inline instant at(std::int64_t seconds) {
  return instant{std::chrono::seconds{1'800'000'000 + seconds}};
}

inline audit_record refusal(std::string_view host, std::int64_t seconds = 0,
                            reason why = reason::pin_mismatch) {
  audit_record what;
  what.at = at(seconds);
  what.endpoint = {host, 5061};
  what.backend = "openssl";
  sha256_digest seen;
  seen.octets.fill(0x5a);
  what.outcome = verdict::refuse(why).with_fingerprint(seen);
  return what;
}
inline audit_record acceptance(std::string_view host, std::int64_t seconds = 0) {
  audit_record what = refusal(host, seconds);
  what.outcome = verdict::accept(matched::primary).with_label("the primary");
  return what;
}
inline audit_record change(std::int64_t seconds = 0) {
  audit_record what;
  what.at = at(seconds);
  what.subject = audit_subject::manifest;
  what.manifest = manifest_change::adopted;
  what.sequence = 7;
  return what;
}

/// An event without anything borrowed.
struct received {
  event_id id{};
  std::string client{};
  audit_type type{};
  std::string host{};
  std::uint32_t suppressed_count = 0;
  instant at{};
  instant since{};
  error detail{};
  reason why{};
  std::size_t leaf_bytes = 0;
  std::size_t pins = 0;

  /// How many records it stands for.
  [[nodiscard]] std::uint64_t weight() const {
    return suppressed_count != 0 ? suppressed_count : 1;
  }
  friend bool operator==(const received&, const received&) = default;
};

inline received keep(const audit_event& e) {
  return {e.id,
          std::string(e.client),
          type_of(e.what),
          std::string(e.what.endpoint.host),
          e.what.suppressed_count,
          e.what.at,
          e.what.since,
          e.what.detail,
          e.what.outcome.reason(),
          e.what.leaf.size(),
          e.what.pins.size()};
}

/// A receiver that has a good memory.
struct collector {
  std::vector<received> all{};
  std::map<event_id, received> unique{};
  std::uint64_t duplicates = 0;
  std::uint64_t contradictions = 0;  ///< one id, two contents

  void take(const audit_event& e) {
    all.push_back(keep(e));
    const auto [known, fresh] = unique.emplace(e.id, all.back());
    if (fresh) return;
    ++duplicates;
    if (!(known->second == all.back())) ++contradictions;
  }
  delivery deliver(std::span<const audit_event> events, std::chrono::steady_clock::time_point) {
    for (const audit_event& e : events) take(e);
    delivery done;
    done.settled = events.size();
    return done;
  }

  [[nodiscard]] std::uint64_t plain() const {
    return count(
        [](const received& r) { return r.type != audit_type::loss && r.suppressed_count == 0; });
  }
  [[nodiscard]] std::uint64_t repeats() const {
    return count(
        [](const received& r) { return r.type != audit_type::loss && r.suppressed_count != 0; });
  }
  [[nodiscard]] std::uint64_t losses(errc why) const {
    return count(
        [why](const received& r) { return r.type == audit_type::loss && r.detail.what == why; });
  }
  [[nodiscard]] std::uint64_t losses() const {
    return count([](const received& r) { return r.type == audit_type::loss; });
  }
  [[nodiscard]] std::uint64_t total() const {
    return count([](const received&) { return true; });
  }
  [[nodiscard]] std::set<std::string> hosts() const {
    std::set<std::string> names;
    for (const auto& [id, r] : unique) {
      if (r.type != audit_type::loss && r.suppressed_count == 0) names.insert(r.host);
    }
    return names;
  }

 private:
  template <typename Which>
  [[nodiscard]] std::uint64_t count(Which which) const {
    std::uint64_t sum = 0;
    for (const auto& [id, r] : unique) {
      if (which(r)) sum += r.weight();
    }
    return sum;
  }
};

inline const auto no_hurry = [] {
  return std::chrono::steady_clock::now() + std::chrono::minutes(1);
};

/// A spool with one output, of a test's own.
struct lab {
  explicit lab(const posix::audit_spool_bounds& bounds = {}) {
    REQUIRE(posix::audit_spool::create(path, bounds));
    REQUIRE(posix::audit_spool_reader::enroll(path, "siem"));
  }
  /// Delivers everything there is now.
  posix::audit_drain_report drain(collector& to, const char* output = "siem",
                                  std::chrono::milliseconds time = std::chrono::minutes(1)) const {
    posix::audit_spool_reader reader(path, output);
    const auto opened = reader.open();
    INFO(code(opened.error().what) << " " << opened.error().native);
    REQUIRE(opened);
    posix::audit_drainer drainer(reader, to);
    return drainer.drain(std::chrono::steady_clock::now() + time);
  }
  [[nodiscard]] std::vector<std::string> segments() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(path)) {
      if (entry.path().extension() == ".events") names.push_back(entry.path().string());
    }
    std::sort(names.begin(), names.end());
    return names;
  }
  [[nodiscard]] std::uint64_t bytes() const {
    std::uint64_t sum = 0;
    for (const auto& entry : std::filesystem::directory_iterator(path)) sum += entry.file_size();
    return sum;
  }

  stores::private_directory directory{stores::in_memory};
  std::string path = directory / "spool";
};

}  // namespace cotter::spool_lab
