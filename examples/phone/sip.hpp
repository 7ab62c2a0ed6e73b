// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "tls.hpp"

/// Text in a buffer of fixed size; what does not fit makes it `whole() == false`.
template <std::size_t Bytes>
class text_buffer {
 public:
  static constexpr std::size_t room = Bytes;

  text_buffer& operator<<(std::string_view more) noexcept {
    whole_ = whole_ && more.size() <= Bytes - size_;
    for (std::size_t i = 0; whole_ && i < more.size(); ++i) text_[size_++] = more[i];
    return *this;
  }
  [[nodiscard]] bool whole() const noexcept { return whole_; }
  [[nodiscard]] std::string_view view() const noexcept { return {text_.data(), size_}; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

  /// Reads until the text ends with an empty line; false if it never does, or does not fit.
  [[nodiscard]] bool read_header(tls& from) noexcept {
    while (view().find("\r\n\r\n") == std::string_view::npos) {
      if (size_ == Bytes) return false;
      const std::size_t n =
          from.read({reinterpret_cast<std::uint8_t*>(text_.data()) + size_, Bytes - size_});
      if (n == 0) return false;
      size_ += n;
    }
    return true;
  }

 private:
  std::array<char, Bytes> text_;
  std::size_t size_ = 0;
  bool whole_ = true;
};
using message = text_buffer<2048>;

/// OPTIONS as a phone that looks for its server asks it (RFC 3261 11). `transport` is TLS or WSS.
/// The branch is as random as a transaction needs it.
[[nodiscard]] inline message sip_options(std::string_view host, std::string_view transport,
                                         std::span<const std::uint8_t, 8> random) noexcept {
  text_buffer<16> tag;
  for (const std::uint8_t octet : random) {
    constexpr std::string_view digits = "0123456789abcdef";
    tag << digits.substr(octet >> 4, 1) << digits.substr(octet & 0xf, 1);
  }
  message text;
  text << "OPTIONS sip:" << host << " SIP/2.0\r\nVia: SIP/2.0/" << transport
       << " phone.invalid;rport;branch=z9hG4bK" << tag.view()
       << "\r\nMax-Forwards: 70\r\nFrom: <sip:phone@" << host << ">;tag=" << tag.view()
       << "\r\nTo: <sip:" << host << ">\r\nCall-ID: " << tag.view()
       << "@phone.invalid\r\nCSeq: 1 OPTIONS\r\nContact: <sip:phone@phone.invalid>\r\n"
          "Content-Length: 0\r\n\r\n";
  return text;
}

/// "200 OK" of "SIP/2.0 200 OK\r\n..."; empty if that is not how a response begins.
[[nodiscard]] inline std::string_view sip_status(std::string_view response) noexcept {
  constexpr std::string_view version = "SIP/2.0 ";
  const std::size_t end = response.find("\r\n");
  if (!response.starts_with(version) || end == std::string_view::npos) return {};
  return response.substr(version.size(), end - version.size());
}
