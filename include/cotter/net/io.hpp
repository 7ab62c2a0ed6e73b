// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/concepts/engine.hpp>
#include <cotter/net/error.hpp>
#include <cotter/values/bytes_view.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

#include <asio/associated_cancellation_slot.hpp>
#include <asio/basic_waitable_timer.hpp>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/buffer.hpp>
#include <asio/cancellation_state.hpp>
#include <asio/compose.hpp>
#include <asio/error.hpp>
#include <asio/post.hpp>
#include <asio/version.hpp>
#include <asio/wait_traits.hpp>

#if ASIO_VERSION < 101900
#error "cotter::net needs standalone Asio 1.19 or later: earlier ones have no cancellation slots"
#endif

namespace cotter {
inline namespace v0 {

/// cotter over standalone Asio. `boost_net` is the same over Boost.Asio: same bodies, same names.
/// The two Asios' own headers cannot share a translation unit.
namespace net {

namespace asio_api = ::asio;
using error_code = ::std::error_code;
using system_error = ::std::system_error;

/// True: operations honour the cancellation slot of their handler.
inline constexpr bool has_cancellation_slots = true;

namespace detail {

enum class cancellation : std::uint8_t { terminal, partial, total };

inline error_code to_error_code(errc c) noexcept { return cotter::make_error_code(c); }
inline error_code to_error_code(reason r) noexcept { return cotter::make_error_code(r); }

/// Lets more than terminal cancellation through, where `async_compose` can be told to.
template <cancellation Filter, typename Self>
void allow(Self& self) {
  if constexpr (Filter == cancellation::partial && requires {
                  self.reset_cancellation_state(asio_api::enable_partial_cancellation());
                }) {
    self.reset_cancellation_state(asio_api::enable_partial_cancellation());
  } else if constexpr (Filter == cancellation::total && requires {
                         self.reset_cancellation_state(asio_api::enable_total_cancellation());
                       }) {
    self.reset_cancellation_state(asio_api::enable_total_cancellation());
  }
}
template <typename Self>
[[nodiscard]] bool is_cancelled(const Self& self) noexcept {
  return self.get_cancellation_state().cancelled() != asio_api::cancellation_type::none;
}

/// The slot to be handed on to the parts of an operation, and a handler that listens to it.
template <typename Self>
[[nodiscard]] auto slot_of(const Self& self) noexcept {
  return asio_api::get_associated_cancellation_slot(self);
}
template <typename Slot, typename Handler>
[[nodiscard]] auto bind_slot(const Slot& slot, Handler&& handler) {
  return asio_api::bind_cancellation_slot(slot, std::forward<Handler>(handler));
}

}  // namespace detail

#include <cotter/net/detail/io.ipp>

}  // namespace net
}  // namespace v0
}  // namespace cotter
