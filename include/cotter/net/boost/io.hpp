// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/concepts/engine.hpp>
#include <cotter/net/boost/error.hpp>
#include <cotter/values/bytes_view.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/compose.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/version.hpp>
#include <boost/asio/wait_traits.hpp>
#include <boost/system/system_error.hpp>

// Boost 1.77 brought cancellation slots. Below, Boost.Asio itself has none, and `static_assert(
// cotter::boost_net::has_cancellation_slots)` says so in a program that needs them; deadlines and
// closing the next layer end operations with every Boost.
#if BOOST_ASIO_VERSION >= 101900
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_state.hpp>
#endif

namespace cotter {
inline namespace v0 {

/// cotter over Boost.Asio. `net` is the same over standalone Asio: same bodies, same names.
/// The two Asios' own headers cannot share a translation unit.
namespace boost_net {

namespace asio_api = ::boost::asio;
using error_code = ::boost::system::error_code;
using system_error = ::boost::system::system_error;

/// True if operations honour the cancellation slot of their handler.
inline constexpr bool has_cancellation_slots = BOOST_ASIO_VERSION >= 101900;

namespace detail {

enum class cancellation : std::uint8_t { terminal, partial, total };

inline error_code to_error_code(errc c) noexcept { return boost_net::make_error_code(c); }
inline error_code to_error_code(reason r) noexcept { return boost_net::make_error_code(r); }

#if BOOST_ASIO_VERSION >= 101900
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
#else
template <cancellation, typename Self>
void allow(Self&) noexcept {}
template <typename Self>
[[nodiscard]] bool is_cancelled(const Self&) noexcept {
  return false;
}

template <typename Self>
[[nodiscard]] int slot_of(const Self&) noexcept {
  return 0;
}
template <typename Handler>
[[nodiscard]] Handler bind_slot(int, Handler handler) {
  return handler;
}
#endif

}  // namespace detail

#include <cotter/net/detail/io.ipp>

}  // namespace boost_net
}  // namespace v0
}  // namespace cotter
