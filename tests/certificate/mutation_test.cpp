// SPDX-License-Identifier: BSL-1.0
#include <cotter/certificate/form.hpp>

#include <support/catch.hpp>
#include "properties.hpp"
#include "real_certificates.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace {

using cotter::bytes_view;
using namespace cotter_test;

// Everything there is to say about one input; empty if it is all true.
std::string_view fault_in(bytes_view input) {
  const std::string_view form_fault = fault_in_form(input);
  if (!form_fault.empty()) return form_fault;
  const auto form = cotter::read_form(input);
  if (!form) return "";
  const std::string_view view_fault = fault_in_view(form->tbs);
  if (!view_fault.empty()) return view_fault;
  // Only that it ends: what it answers is tested elsewhere.
  const cotter::certificate_view view = cotter::locate(*form);
  static_cast<void>(cotter::names_target(view, {"sip.example.com", 443, cotter::identity::host}));
  static_cast<void>(cotter::names_target(view, {"sip.example.com", 5061, cotter::identity::sip}));
  return "";
}

TEST_CASE("every input of up to three octets is refused within its bounds") {
  std::uint8_t input[3]{};
  std::size_t tried = 0;
  for (unsigned n = 0; n < 1u << 24;
       n += n < 1u << 16 ? 1 : 251) {  // all pairs, a sieve of triples
    input[0] = static_cast<std::uint8_t>(n);
    input[1] = static_cast<std::uint8_t>(n >> 8);
    input[2] = static_cast<std::uint8_t>(n >> 16);
    for (std::size_t size = 0; size <= 3; ++size) {
      const bytes_view view(input, size);
      if (cotter::read_form(view)) FAIL("accepted");
      ++tried;
      const std::string_view fault = fault_in(view);
      if (!fault.empty()) FAIL(fault);
    }
  }
  CHECK(tried > 4 * 65'536);
}

TEST_CASE("every short row of shell octets keeps the properties") {
  // Long enough for the smallest certificate there is, 30 07 30 00 30 00 03 02 00 11 and its
  // relatives, with three places free.
  constexpr std::uint8_t alphabet[] = {0x00, 0x01, 0x02, 0x03, 0x05, 0x09, 0x10, 0x1f,
                                       0x24, 0x30, 0x3f, 0x80, 0x81, 0x82, 0xa0, 0xff};
  const std::vector<std::uint8_t> smallest{0x30, 0x08, 0x30, 0x00, 0x30, 0x00,
                                           0x03, 0x02, 0x00, 0x11, 0x00, 0x00};
  REQUIRE(cotter::read_form(smallest));
  std::size_t accepted = 0;
  for (std::size_t i = 0; i < smallest.size(); ++i) {
    for (std::size_t j = i + 1; j < smallest.size(); ++j) {
      for (std::size_t k = j + 1; k < smallest.size(); ++k) {
        std::vector<std::uint8_t> input = smallest;
        for (const std::uint8_t a : alphabet) {
          input[i] = a;
          for (const std::uint8_t b : alphabet) {
            input[j] = b;
            for (const std::uint8_t c : alphabet) {
              input[k] = c;
              const std::string_view fault = fault_in_form(input);
              if (!fault.empty()) FAIL(fault);
              if (cotter::read_form(input)) ++accepted;
            }
          }
        }
      }
    }
  }
  CHECK(accepted > 1'000);
}

void keeps_properties_when_cut(bytes_view certificate) {
  for (std::size_t size = 0; size < certificate.size(); ++size) {
    // A copy of exactly that size, so that a sanitizer sees a read behind it.
    const std::vector<std::uint8_t> cut(certificate.begin(),
                                        certificate.begin() + static_cast<std::ptrdiff_t>(size));
    CHECK_FALSE(cotter::read_form(cut));
    const std::string_view fault = fault_in(cut);
    if (!fault.empty()) FAIL(fault);
  }
}

TEST_CASE("every truncation of a real certificate is refused") {
  keeps_properties_when_cut(ecdsa_certificate);
  keeps_properties_when_cut(pss_certificate);
}

void keeps_properties_when_changed(bytes_view certificate) {
  std::size_t tried = 0;
  std::vector<std::uint8_t> changed(certificate.begin(), certificate.end());
  for (std::size_t i = 0; i < changed.size(); ++i) {
    const std::uint8_t original = changed[i];
    for (unsigned value = 0; value < 256; ++value) {
      changed[i] = static_cast<std::uint8_t>(value);
      const std::string_view fault = fault_in(changed);
      ++tried;
      if (!fault.empty()) {
        INFO("octet " << i << " to " << value);
        FAIL(fault);
      }
    }
    changed[i] = original;
  }
  CHECK(tried == certificate.size() * 256);
}

TEST_CASE("every change of one octet of a real certificate keeps the properties") {
  keeps_properties_when_changed(ecdsa_certificate);
  keeps_properties_when_changed(pss_certificate);
}

TEST_CASE("every truncation of a real TBSCertificate is looked at within its bounds") {
  const auto form = cotter::read_form(ecdsa_certificate);
  for (std::size_t size = 0; size <= form->tbs.size(); ++size) {
    std::vector<std::uint8_t> cut(form->tbs.begin(),
                                  form->tbs.begin() + static_cast<std::ptrdiff_t>(size));
    const std::string_view fault = fault_in_view(cut);
    if (!fault.empty()) FAIL(fault);
    if (size < 4) continue;
    // The header made to fit, so that it is the fields inside that are cut.
    cut[2] = static_cast<std::uint8_t>((size - 4) >> 8);
    cut[3] = static_cast<std::uint8_t>(size - 4);
    const std::string_view inner_fault = fault_in_view(cut);
    if (!inner_fault.empty()) FAIL(inner_fault);
    const cotter::certificate_view view = cotter::locate(cut);
    CHECK(view.located(cotter::field::san) == (size == form->tbs.size() || size == 258));
  }
}

}  // namespace
