// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/concepts/audit_sink.hpp>

#include <tuple>
#include <type_traits>

namespace cotter {
inline namespace v0 {

namespace detail {

/// The first sink's, of those that have one.
template <typename... Sinks>
struct keeper_of {};
template <typename First, typename... Rest>
struct keeper_of<First, Rest...> : keeper_of<Rest...> {};
template <leaf_wanting_sink First, typename... Rest>
struct keeper_of<First, Rest...> {
  using leaf_keeper = typename First::leaf_keeper;
};

}  // namespace detail

/// Gives every record to several sinks, in order. They are borrowed. Keeps the leaf of refusals if one
/// of them does.
template <audit_sink... Sinks>
class tee_audit_sink : public detail::keeper_of<Sinks...> {
 public:
  using decisions_only = std::conditional_t<(decision_sink<Sinks> && ...), tee_audit_sink, void>;

  constexpr explicit tee_audit_sink(Sinks&... sinks) noexcept : sinks_(sinks...) {}

  constexpr void record(const audit_record& what) noexcept {
    std::apply([&what](auto&... each) noexcept { (each.record(what), ...); }, sinks_);
  }

 private:
  std::tuple<Sinks&...> sinks_;
};

}  // namespace v0
}  // namespace cotter
