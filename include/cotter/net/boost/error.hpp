// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/net/error.hpp>

#include <boost/system/error_code.hpp>

#include <string>

namespace cotter {
inline namespace v0 {
namespace boost_net {
namespace detail {

// Boost.System's base has a public destructor that is not virtual; nobody deletes through it.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"
class errc_category final : public boost::system::error_category {
 public:
  const char* name() const noexcept override { return "cotter"; }
  std::string message(int value) const override {
    return cotter::detail::message(static_cast<errc>(value));
  }
};

class reason_category final : public boost::system::error_category {
 public:
  const char* name() const noexcept override { return "cotter.verdict"; }
  std::string message(int value) const override {
    return cotter::detail::message(static_cast<reason>(value));
  }
};
#pragma GCC diagnostic pop

}  // namespace detail

/// As `cotter::error_category`, for Boost.System.
[[nodiscard]] inline const boost::system::error_category& error_category() noexcept {
  static const detail::errc_category category;
  return category;
}
/// As `cotter::verdict_category`, for Boost.System.
[[nodiscard]] inline const boost::system::error_category& verdict_category() noexcept {
  static const detail::reason_category category;
  return category;
}

/// Compare with `ec == cotter::boost_net::make_error_code(cotter::errc::timeout)`: Boost finds the
/// standard overload by ADL, so `ec == cotter::errc::timeout` is for `std::error_code` only.
[[nodiscard]] inline boost::system::error_code make_error_code(errc c) noexcept {
  return {static_cast<int>(c), boost_net::error_category()};
}
[[nodiscard]] inline boost::system::error_code make_error_code(reason r) noexcept {
  return {static_cast<int>(r), boost_net::verdict_category()};
}

}  // namespace boost_net
}  // namespace v0
}  // namespace cotter
