// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/values/error.hpp>

#include <type_traits>
#include <utility>

namespace cotter {
inline namespace v0 {

/// A value or the error that prevented it. Never throws, never allocates of its own.
///
/// `T` is default-constructible and nothrow-movable. Dereferencing a result that holds an error
/// yields a default-constructed `T`: never memory that was not meant.
template <typename T>
class [[nodiscard]] result {
  static_assert(std::is_default_constructible_v<T> && std::is_nothrow_move_constructible_v<T>);

 public:
  constexpr result(T value) noexcept : value_(std::move(value)) {}  // NOLINT(*-explicit-*)
  constexpr result(cotter::error e) noexcept : error_(e) {}                 // NOLINT(*-explicit-*)
  constexpr result(errc c, std::size_t offset = 0) noexcept         // NOLINT(*-explicit-*)
      : error_{c, static_cast<std::uint32_t>(offset), 0} {}

  [[nodiscard]] constexpr explicit operator bool() const noexcept {
    return error_.what == errc::ok;
  }
  [[nodiscard]] constexpr const T& operator*() const& noexcept { return value_; }
  [[nodiscard]] constexpr T& operator*() & noexcept { return value_; }
  [[nodiscard]] constexpr T&& operator*() && noexcept { return std::move(value_); }
  [[nodiscard]] constexpr const T* operator->() const noexcept { return &value_; }
  [[nodiscard]] constexpr T* operator->() noexcept { return &value_; }
  /// `errc::ok` when there is a value.
  [[nodiscard]] constexpr const cotter::error& error() const noexcept { return error_; }

 private:
  T value_{};
  cotter::error error_{};
};

/// Success, or the error that prevented it.
template <>
class [[nodiscard]] result<void> {
 public:
  constexpr result() noexcept = default;
  constexpr result(cotter::error e) noexcept : error_(e) {}          // NOLINT(*-explicit-*)
  constexpr result(errc c, std::size_t offset = 0) noexcept  // NOLINT(*-explicit-*)
      : error_{c, static_cast<std::uint32_t>(offset), 0} {}

  [[nodiscard]] constexpr explicit operator bool() const noexcept {
    return error_.what == errc::ok;
  }
  [[nodiscard]] constexpr const cotter::error& error() const noexcept { return error_; }

 private:
  cotter::error error_{};
};

}  // namespace v0
}  // namespace cotter
