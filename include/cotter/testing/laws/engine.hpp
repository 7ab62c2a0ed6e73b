// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/concepts/backend.hpp>
#include <cotter/concepts/engine.hpp>
#include <cotter/testing/law_report.hpp>
#include <cotter/testing/laws/backend.hpp>
#include <cotter/testing/memory_stage.hpp>
#include <cotter/values/bytes_view.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace cotter {
inline namespace v0 {
namespace testing {

inline constexpr std::array<law_by_review, 1> engine_laws_by_review{{
    {"E1", "that no step blocks shows in that the suite ends; that none touches the network shows "
           "in the code"},
}};

namespace detail {

inline std::string name_of(const step& s) {
  switch (s.next) {
    case want::nothing: return "nothing, " + std::to_string(s.size_bytes) + " octets";
    case want::input: return "wants input";
    case want::output: return "wants output";
    case want::failed: return "failed: " + std::string(code(s.why.what));
  }
  return "unknown";
}

/// Reads once, fetching from `from` whatever is pending first.
template <engine To, engine From>
step read_from(To& to, From& from, std::vector<std::uint8_t>& out) {
  step done = to.read(out);
  for (int i = 0; i < 1000 && (done.next == want::input || done.next == want::output); ++i) {
    if (!carry(from, to) && !carry(to, from)) break;
    done = to.read(out);
  }
  return done;
}

template <backend B>
void check_start(law_report& report, const backend_material& material) {
  attached_stage<B> one(material, material.good, material.whom);
  auto& client = one.stage.client();
  report.check("E6", "before the first step nothing is pending", client.pending().empty());
  const auto handle = client.native();
  report.check("E1", "without input the handshake returns and wants something",
               client.handshake().next != want::failed);
  const bytes_view first = client.pending();
  report.check("E3", "a ClientHello is pending", !first.empty());
  if (first.size() > 3) {
    const std::vector<std::uint8_t> whole(first.begin(), first.end());
    client.sent(3);
    const bytes_view rest = client.pending();
    report.check("E3", "sent drops the first octets and no others",
                 !rest.empty() && rest[0] == whole[3], std::to_string(rest.size()));
    client.sent(0);
    report.check("E3", "sent of nothing drops nothing", client.pending().size() == rest.size());
  }
  report.check("E6", "the handle is the same after a step", client.native() == handle);
}

template <backend B>
void check_in_pieces(law_report& report, const backend_material& material, std::size_t piece) {
  attached_stage<B> one(material, material.good, material.whom);
  auto& client = one.stage.client();
  auto& server = one.stage.server();
  const auto handle = client.native();
  const stage_outcome outcome = one.stage.handshake(piece);
  const std::string how = "in pieces of " + std::to_string(piece);
  if (!report.check("E2", "a handshake completes however its octets are cut", outcome.finished(),
                    how + ": " + name_of(outcome.client))) {
    return;
  }
  report.check("E6", "the handle is the same after the handshake", client.native() == handle);

  std::vector<std::uint8_t> in(200);
  report.check("E4", "without data a read wants input", client.read(in).next == want::input);

  const std::array<std::uint8_t, 5> text{'h', 'e', 'l', 'l', 'o'};
  const step wrote = client.write(text);
  report.check("E5", "a write that returns has moved at least an octet",
               wrote.next == want::nothing && wrote.size_bytes > 0 &&
                   wrote.size_bytes <= text.size(),
               name_of(wrote));
  carry(client, server, piece);
  const step got = read_from(server, client, in);
  report.check("E4", "a read that returns has at least an octet",
               got.next == want::nothing && got.size_bytes == wrote.size_bytes &&
                   std::equal(text.begin(),
                              text.begin() + static_cast<std::ptrdiff_t>(wrote.size_bytes),
                              in.begin()),
               name_of(got));
  report.check("E5", "a write of nothing moves nothing", client.write({}).size_bytes == 0);
}

template <backend B>
void check_bulk(law_report& report, const backend_material& material) {
  attached_stage<B> one(material, material.good, material.whom);
  auto& client = one.stage.client();
  auto& server = one.stage.server();
  if (!one.stage.handshake().finished()) return;
  std::vector<std::uint8_t> out(100'000);
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<std::uint8_t>(i * 31 >> 3);
  std::vector<std::uint8_t> in(4096);
  std::size_t written = 0;
  std::size_t read = 0;
  bool same = true;
  bool progress = true;
  for (int round = 0; round < 10'000 && read < out.size() && same && progress; ++round) {
    progress = false;
    if (written < out.size()) {
      const step wrote = client.write(bytes_view(out).subspan(written));
      same = wrote.next != want::failed && (wrote.next != want::nothing || wrote.size_bytes > 0);
      if (wrote.next == want::nothing) written += wrote.size_bytes;
      progress = wrote.next == want::nothing;
    }
    progress = carry(client, server) || progress;
    for (step got = server.read(in); got.next == want::nothing && same; got = server.read(in)) {
      same = got.size_bytes > 0 && got.size_bytes <= out.size() - read &&
             std::equal(in.begin(), in.begin() + static_cast<std::ptrdiff_t>(got.size_bytes),
                        out.begin() + static_cast<std::ptrdiff_t>(read));
      read += got.size_bytes;
      progress = true;
      carry(client, server);
    }
  }
  report.check("E5", "what is written arrives whole and in order, also beyond every buffer",
               same && read == out.size(),
               std::to_string(read) + " of " + std::to_string(out.size()));
}

template <backend B>
void check_ends(law_report& report, const backend_material& material) {
  std::vector<std::uint8_t> in(64);
  {
    attached_stage<B> one(material, material.good, material.whom);
    if (!one.stage.handshake().finished()) return;
    static_cast<void>(one.stage.server().shutdown());
    const step got = read_from(one.stage.client(), one.stage.server(), in);
    report.check("E4", "after the peer's close_notify a read fails as closed",
                 got.next == want::failed && got.why.what == errc::tls_closed, name_of(got));
  }
  {
    attached_stage<B> one(material, material.good, material.whom);
    if (!one.stage.handshake().finished()) return;
    auto& client = one.stage.client();
    while (read_from(client, one.stage.server(), in).next == want::nothing) {
    }
    client.end_of_input();
    const step got = client.read(in);
    report.check("E4", "an end of input without close_notify fails as truncated",
                 got.next == want::failed && got.why.what == errc::tls_truncated, name_of(got));
  }
  {
    attached_stage<B> one(material, material.foreign, material.whom);
    auto& client = one.stage.client();
    auto& server = one.stage.server();
    step done = client.handshake();
    for (int i = 0; i < 100 && done.next != want::failed; ++i) {
      carry(client, server);
      static_cast<void>(server.handshake());
      carry(server, client);
      done = client.handshake();
    }
    report.check("E3", "a step that failed for a bad chain says so and leaves an alert",
                 done.next == want::failed && done.why.what != errc::ok &&
                     !client.pending().empty(),
                 name_of(done));
  }
  {
    attached_stage<B> one(material, material.good, material.whom);
    auto& client = one.stage.client();
    static_cast<void>(client.handshake());
    client.end_of_input();
    const step done = client.handshake();
    report.check("E4", "a handshake whose input ends fails, and does not wait",
                 done.next == want::failed || done.next == want::output, name_of(done));
    client.sent(client.pending().size());
    const step again = client.handshake();
    report.check("E4", "a handshake whose input ends fails once its output is gone",
                 again.next == want::failed, name_of(again));
  }
}

template <backend B>
void check_feed(law_report& report, const backend_material& material) {
  attached_stage<B> one(material, material.good, material.whom);
  auto& client = one.stage.client();
  static_cast<void>(client.handshake());
  const std::vector<std::uint8_t> much(1'000'000, 0x16);
  const std::size_t taken = client.feed(much);
  report.check("E2", "feed takes a prefix and says how long it was",
               taken > 0 && taken <= much.size(), std::to_string(taken));
  report.check("E2", "feed of nothing takes nothing", client.feed({}) == 0);
  step done = client.handshake();
  for (int i = 0; i < 100 && done.next == want::output; ++i) {
    client.sent(client.pending().size());
    done = client.handshake();
  }
  report.check("E1", "octets that are no TLS make the handshake fail",
               done.next == want::failed && done.why.what != errc::ok, name_of(done));
}

}  // namespace detail

/// Checks E2 to E6 of `B::client` and `B::server`, which are engines, face to face in memory.
template <backend B>
  requires engine<typename B::client> && engine<typename B::server>
[[nodiscard]] law_report check_engine_laws(const backend_material& material) {
  law_report report;
  detail::check_start<B>(report, material);
  for (const std::size_t piece : {std::size_t{1}, std::size_t{100}, std::size_t{1'000'000}}) {
    detail::check_in_pieces<B>(report, material, piece);
  }
  detail::check_bulk<B>(report, material);
  detail::check_ends<B>(report, material);
  detail::check_feed<B>(report, material);
  return report;
}

}  // namespace testing
}  // namespace v0
}  // namespace cotter
