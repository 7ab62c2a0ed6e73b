// SPDX-License-Identifier: BSL-1.0
// Input: what a server answers to the upgrade.
// Properties: the answer is the same whether it comes whole or octet by octet; nothing is accepted
// that does not say 101 and the accept key; no more than the bound is read.
#include <cotter/net/upgrade.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace {

struct outcome {
  cotter::errc fault = cotter::errc::ok;
  bool complete = false;
  unsigned status = 0;
  std::size_t used = 0;
  bool operator==(const outcome&) const = default;
};

outcome answer(cotter::bytes_view in, std::size_t piece) {
  cotter::upgrade_response response("accepted", "sip");
  outcome seen;
  while (seen.used < in.size() && !response.complete() && seen.fault == cotter::errc::ok) {
    const auto next = in.subspan(seen.used, std::min(piece, in.size() - seen.used));
    const auto read = response.read(next);
    if (!read) {
      seen.fault = read.error().what;
    } else {
      seen.used += *read;
    }
  }
  seen.complete = response.complete() && seen.fault == cotter::errc::ok;
  if (seen.fault != cotter::errc::ok) seen.used = 0;
  seen.status = seen.complete ? response.status() : 0;
  return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const cotter::bytes_view in(data, size);
  const outcome whole = answer(in, size + 1);
  if (whole != answer(in, 1)) std::abort();
  if (whole.complete) {
    const std::string_view text(reinterpret_cast<const char*>(data), whole.used);
    if (whole.status != 101 || text.find("accepted") == std::string_view::npos ||
        whole.used > cotter::max_upgrade_bytes) {
      std::abort();
    }
  }
  return 0;
}
