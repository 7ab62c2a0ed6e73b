// SPDX-License-Identifier: BSL-1.0
// Input: a host, a zero octet, the octets of a GeneralNames element.
// Properties: whoever is named is canonical; a name in upper case names whom the same in lower case
// does; a wildcard never names what has another number of labels; a SIP domain is never named by a
// wildcard or an iPAddress; a list spoiled at its end names nobody.
#include <cotter/certificate/names.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace {

using cotter::bytes_view;
using cotter::identity;

void demand(bool holds) {
  if (!holds) std::abort();
}

bool names(bytes_view san, std::string_view host, identity kind) {
  cotter::certificate_view view;
  view.san = san;
  view.problems[static_cast<std::size_t>(cotter::field::san)] = {};
  return cotter::names_target(view, {host, 443, kind});
}

std::vector<std::uint8_t> one_name(std::uint8_t identifier, bytes_view value) {
  std::vector<std::uint8_t> out{0x30, 0x82, 0, 0, identifier, 0x82, 0, 0};
  out.insert(out.end(), value.begin(), value.end());
  const std::size_t inner = value.size();
  const std::size_t outer = inner + 4;
  out[2] = static_cast<std::uint8_t>(outer >> 8);
  out[3] = static_cast<std::uint8_t>(outer);
  out[6] = static_cast<std::uint8_t>(inner >> 8);
  out[7] = static_cast<std::uint8_t>(inner);
  return out;
}

void check_list(bytes_view san, std::string_view host) {
  const auto kind = cotter::classify_host(host);
  const bool as_host = names(san, host, identity::host);
  const bool as_sip = names(san, host, identity::sip);
  if (!as_host && !as_sip) return;
  demand(static_cast<bool>(kind));
  std::vector<std::uint8_t> longer(san.begin(), san.end());
  longer.push_back(0x05);
  demand(!names(longer, host, identity::host) && !names(longer, host, identity::sip));
  demand(!names(san.first(san.size() - 1), host, identity::host));
}

// One name against the host, every kind of name.
void check_single(bytes_view value, std::string_view host) {
  if (value.size() > 60'000) return;
  const auto kind = cotter::classify_host(host);
  const std::string text(value.begin(), value.end());
  std::string folded = text;
  for (char& c : folded) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  std::vector<std::uint8_t> upper(value.begin(), value.end());
  for (std::uint8_t& c : upper) c = static_cast<std::uint8_t>(c >= 'a' && c <= 'z' ? c - 32 : c);

  const auto dns = one_name(0x82, value);
  const bool by_dns = names(dns, host, identity::host);
  demand(by_dns == names(one_name(0x82, upper), host, identity::host));
  // Against a second definition: equal, or equal behind the first label, with a dot left.
  bool expected = false;
  if (kind && *kind == cotter::host_kind::dns_name) {
    expected = folded == host;
    const std::size_t dot = host.find('.');
    if (dot != std::string_view::npos && host.find('.', dot + 1) != std::string_view::npos) {
      expected = expected || folded == "*" + std::string(host.substr(dot));
    }
  }
  demand(by_dns == expected);
  if (by_dns)
    demand(std::count(text.begin(), text.end(), '.') == std::count(host.begin(), host.end(), '.'));
  const bool sip_by_dns = names(dns, host, identity::sip);
  demand(sip_by_dns == (expected && folded == host));

  demand(!names(one_name(0x87, value), host, identity::sip));
  const bool by_ip = names(one_name(0x87, value), host, identity::host);
  if (by_ip) demand(kind && *kind != cotter::host_kind::dns_name);

  demand(!names(one_name(0x86, value), host, identity::host));
  const bool by_uri = names(one_name(0x86, value), host, identity::sip);
  if (by_uri) {
    demand(folded.starts_with("sip:") && folded.find('@') == std::string::npos);
    demand(*kind != cotter::host_kind::dns_name || folded.substr(4).starts_with(host));
  }
  constexpr std::uint8_t others[] = {0x81, 0x88, 0x80, 0xa4, 0x0c};
  for (const std::uint8_t other : others) {
    demand(!names(one_name(other, value), host, identity::host));
    demand(!names(one_name(other, value), host, identity::sip));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::uint8_t* const end = data + size;
  const std::uint8_t* const zero = std::find(data, end, std::uint8_t{0});
  const std::string host(data, zero);
  const bytes_view rest = zero == end ? bytes_view{} : bytes_view(zero + 1, end);
  check_list(rest, host);
  check_single(rest, host);
  check_single(bytes_view(data, zero), host);
  const std::size_t dot = host.find('.');
  if (dot != std::string::npos) {
    const std::string wildcard = "*" + host.substr(dot);
    const std::vector<std::uint8_t> presented(wildcard.begin(), wildcard.end());
    check_single(presented, host);
  }
  return 0;
}
