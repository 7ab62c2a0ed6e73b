// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/concepts/backend.hpp>
#include <cotter/testing/law_report.hpp>
#include <cotter/testing/memory_stage.hpp>
#include <cotter/testing/recording_observer.hpp>
#include <cotter/values/bytes_view.hpp>
#include <cotter/values/handshake.hpp>
#include <cotter/values/target.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace cotter {
inline namespace v0 {
namespace testing {

inline constexpr std::array<law_by_review, 8> backend_laws_by_review{{
    {"B7", "the concept demands noexcept; that nothing is logged, started or read from the "
           "environment shows in the code"},
    {"B8", "only the library itself could tell; tests/backends compares with what it prints"},
    {"F1", "a resumption takes two connections to one server, and a stage has one: tests/resumption, "
           "octets flipped one by one"},
    {"F2", "as F1; tests/resumption puts other sessions in between"},
    {"F3", "as F1; tests/resumption has servers that take psk_ke and that have no extended master "
           "secret"},
    {"F4", "as F1; tests/resumption has servers that decline"},
    {"F5", "as F1; tests/resumption counts the sessions that servers send"},
    {"F6", "as F1; tests/resumption has a server without extended master secret"},
}};

/// What the suites of `backend` and `engine` need. Each leaf but `foreign` is issued by `anchors`.
struct backend_material {
  bytes_view anchors{};              ///< PEM or DER
  target whom{};                     ///< a DNS name and its port, that `good` speaks for
  server_credentials good{};
  server_credentials foreign{};      ///< good, but for an issuer that is not in `anchors`
  server_credentials wrong_name{};   ///< good, but for the names
  server_credentials expired{};      ///< good, but for the time
};

namespace detail {

/// A stage with an observer attached to the client, detached in time.
template <backend B>
class attached_stage {
 public:
  attached_stage(const backend_material& material, const server_credentials& shown,
                 const target& whom, bool answer = true)
      : stage(material.anchors, shown), observer(answer) {
    attached = B::attach(stage.client().native(), whom, observer, attachment);
  }
  ~attached_stage() { B::detach(attachment); }
  attached_stage(const attached_stage&) = delete;
  attached_stage& operator=(const attached_stage&) = delete;

  memory_stage<B> stage;
  recording_observer observer;
  typename B::attachment attachment{};
  result<void> attached = errc::unfit_session;
};

inline bool all_good(const handshake_facts& f) {
  return f.finished && !f.resumed && f.hooks_intact && f.authenticated;
}

template <backend B>
void check_attach(law_report& report, const backend_material& material) {
  {
    attached_stage<B> one(material, material.good, material.whom);
    report.check("B1", "attach succeeds on a client session that has not begun a handshake",
                 static_cast<bool>(one.attached), std::string(code(one.attached.error().what)));
    recording_observer second;
    typename B::attachment state{};
    report.check("B1", "a session is attached to once",
                 !B::attach(one.stage.client().native(), material.whom, second, state));
    B::detach(state);
    report.check("B1", "a second attach that fails leaves nobody with a handshake",
                 !one.stage.handshake().server_finished());
  }
  {
    memory_stage<B> stage(material.anchors, material.good);
    recording_observer observer;
    typename B::attachment state{};
    report.check("B1", "attach refuses a server's session",
                 !B::attach(stage.server().native(), material.whom, observer, state));
    B::detach(state);
  }
  {
    memory_stage<B> stage(material.anchors, material.good);
    recording_observer observer;
    typename B::attachment state{};
    static_cast<void>(stage.client().handshake());
    report.check("B1", "attach refuses a session whose handshake has begun",
                 !B::attach(stage.client().native(), material.whom, observer, state));
    const stage_outcome outcome = stage.handshake();
    report.check("B1", "no handshake succeeds after an attach that came too late",
                 !outcome.server_finished());
    B::detach(state);
  }
  for (const std::string_view host : {"UPPER.example", "", "trailing.example."}) {
    attached_stage<B> one(material, material.good, {host, 443});
    report.check("B1", "attach refuses a host that is not canonical", !one.attached,
                 std::string(host));
    report.check("B1", "no handshake succeeds after an attach that failed",
                 !one.stage.handshake().server_finished(), std::string(host));
  }
}

template <backend B>
void check_good_handshake(law_report& report, const backend_material& material) {
  attached_stage<B> one(material, material.good, material.whom);
  report.check("B5", "before the handshake, inspect refuses", !all_good(B::inspect(one.attachment)));
  const stage_outcome outcome = one.stage.handshake();
  report.check("B4", "a handshake that on_chain agrees to completes on both sides",
               outcome.finished(), std::string(code(outcome.client.why.what)));
  report.check("B2", "start, leaf and chain are reported once each, in this order",
               one.observer.calls() == "slc", one.observer.calls());
  report.check("B2", "the leaf is handed over octet by octet",
               std::equal(one.observer.leaf().begin(), one.observer.leaf().end(),
                          material.good.leaf_der.begin(), material.good.leaf_der.end()),
               std::to_string(one.observer.leaf().size()) + " octets");
  report.check("B3", "a chain without fault is trusted", one.observer.outcome().trusted,
               std::to_string(one.observer.outcome().native));
  report.check("B5", "after a good handshake, inspect says so",
               all_good(B::inspect(one.attachment)));

  const std::string calls = one.observer.calls();
  B::detach(one.attachment);
  report.check("B5", "once detached, inspect refuses", !all_good(B::inspect(one.attachment)));
  static_cast<void>(one.stage.handshake());
  report.check("B6", "once detached, nobody is called", one.observer.calls() == calls,
               one.observer.calls());
}

template <backend B>
void check_faulty_chain(law_report& report, const backend_material& material,
                        const server_credentials& shown, std::string_view what) {
  attached_stage<B> one(material, shown, material.whom);
  const stage_outcome outcome = one.stage.handshake();
  const std::string name(what);
  report.check("B3", "a chain with a fault is not trusted",
               one.observer.calls().find('c') != std::string::npos &&
                   !one.observer.outcome().trusted,
               name + ": " + one.observer.calls());
  report.check("B2", "the leaf is handed over before the chain is judged, good or not",
               one.observer.calls() == "slc" &&
                   std::equal(one.observer.leaf().begin(), one.observer.leaf().end(),
                              shown.leaf_der.begin(), shown.leaf_der.end()),
               name + ": " + one.observer.calls());
  report.check("B4", "the peer gets no Finished over a faulty chain", !outcome.server_finished(),
               name);
  report.check("B5", "after a refused handshake, inspect refuses",
               !all_good(B::inspect(one.attachment)), name);
}

template <backend B>
void check_refusal(law_report& report, const backend_material& material) {
  attached_stage<B> one(material, material.good, material.whom, false);
  const stage_outcome outcome = one.stage.handshake();
  report.check("B4", "a no of on_chain aborts the handshake",
               outcome.client.next == want::failed, one.observer.calls());
  report.check("B4", "after a no of on_chain the peer gets no Finished",
               !outcome.server_finished());
  report.check("B5", "after a no of on_chain, inspect refuses",
               !all_good(B::inspect(one.attachment)));
}

template <backend B>
void check_detach(law_report& report, const backend_material& material) {
  memory_stage<B> stage(material.anchors, material.good);
  recording_observer observer;
  typename B::attachment state{};
  static_cast<void>(B::attach(stage.client().native(), material.whom, observer, state));
  B::detach(state);
  const std::string calls = observer.calls();
  const stage_outcome outcome = stage.handshake();
  report.check("B6", "a session that was detached completes no handshake unguarded",
               !outcome.server_finished());
  report.check("B6", "a session that was detached calls nobody", observer.calls() == calls,
               observer.calls());
  B::detach(state);
  typename B::attachment never{};
  B::detach(never);
  report.check("B6", "detaching twice, or what was never attached, does nothing",
               !all_good(B::inspect(state)) && !all_good(B::inspect(never)));
}

template <backend B>
void check_identities(law_report& report, const backend_material& material) {
  target sip = material.whom;
  sip.kind = identity::sip;
  attached_stage<B> named(material, material.good, sip);
  static_cast<void>(named.stage.handshake());
  report.check("B3", "a SIP identity is left to the pipeline, its chain is trusted",
               named.observer.outcome().trusted, named.observer.calls());
  attached_stage<B> foreign(material, material.foreign, sip);
  static_cast<void>(foreign.stage.handshake());
  report.check("B3", "a SIP identity excuses nothing but the name",
               !foreign.observer.outcome().trusted);
}

}  // namespace detail

/// Checks B1 to B6 over handshakes in memory. What an application may do to a session behind the
/// backend's back differs from library to library: see `check_backend_tampering`.
template <backend B>
[[nodiscard]] law_report check_backend_laws(const backend_material& material) {
  law_report report;
  report.check("B5", "what was never attached refuses",
               !detail::all_good(B::inspect(typename B::attachment{})));
  detail::check_attach<B>(report, material);
  detail::check_good_handshake<B>(report, material);
  detail::check_faulty_chain<B>(report, material, material.foreign, "foreign");
  detail::check_faulty_chain<B>(report, material, material.wrong_name, "wrong name");
  detail::check_faulty_chain<B>(report, material, material.expired, "expired");
  detail::check_refusal<B>(report, material);
  detail::check_detach<B>(report, material);
  detail::check_identities<B>(report, material);
  return report;
}

/// Checks B5 against one way of tampering: `tamper(session)` runs between attach and the handshake
/// and replaces whatever it likes. Then either the peer gets no Finished, or `inspect` refuses, or
/// the hooks did their work all the same. The server shows `foreign`, which no guard accepts.
template <backend B, typename Tamper>
[[nodiscard]] law_report check_backend_tampering(const backend_material& material,
                                                 Tamper&& tamper) {
  law_report report;
  for (const bool answer : {true, false}) {
    detail::attached_stage<B> one(material, answer ? material.foreign : material.good,
                                  material.whom, answer);
    tamper(one.stage.client().native());
    const stage_outcome outcome = one.stage.handshake();
    report.check("B5", "behind the backend's back, nothing is accepted that it would refuse",
                 !outcome.finished() || !detail::all_good(B::inspect(one.attachment)),
                 one.observer.calls());
  }
  return report;
}

}  // namespace testing
}  // namespace v0
}  // namespace cotter
