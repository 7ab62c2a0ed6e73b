// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/testing/memory_stage.hpp>
#include <cotter/testing/recording_observer.hpp>
#include <cotter/values/error.hpp>
#include <cotter/values/tls_version.hpp>

#include <support/catch.hpp>

#include "material.hpp"

#include <string>
#include <string_view>

/// What `B`'s guarded client and its server agreed on, or "none".
template <typename B>
std::string version_agreed_on(typename B::context& context, const lab_material& lab) {
  using namespace cotter;
  typename B::client client(context);
  typename B::server server(lab.lend.good.leaf_der, lab.lend.good.key_der);
  testing::recording_observer observer;
  typename B::attachment attachment;
  if (!B::attach(client.native(), lab.lend.whom, observer, attachment)) return "not attached";
  step here{}, there{};
  const auto open = [](const step& s) { return s.next != want::nothing && s.next != want::failed; };
  here.next = there.next = want::input;
  for (bool moving = true; moving;) {
    if (open(here)) here = client.handshake();
    moving = testing::carry(client, server);
    if (open(there)) there = server.handshake();
    moving = testing::carry(server, client) || moving;
  }
  std::string agreed = "none";
  if (here.next == want::nothing && there.next == want::nothing) {
    agreed = B::tls_version(client.native());
  }
  B::detach(attachment);
  return agreed;
}

/// `newest` is what B speaks without a limit.
template <typename B>
void check_version_limits(cotter::tls_version newest) {
  using cotter::errc;
  using cotter::tls_version;
  const lab_material lab;
  typename B::context context;
  REQUIRE(context.load_anchors(lab.lend.anchors));
  const auto agreed = [&] { return version_agreed_on<B>(context, lab); };
  CHECK(agreed() == to_string(newest));

  REQUIRE(context.limit_versions(tls_version::tls1_2, tls_version::tls1_2));
  CHECK(agreed() == "TLSv1.2");

  CHECK(context.limit_versions(tls_version::tls1_3, tls_version::tls1_2).error().what ==
        errc::unfit_backend);
  CHECK(agreed() == "TLSv1.2");

  if (newest == tls_version::tls1_2) {
    for (const tls_version lowest : {tls_version::tls1_2, tls_version::tls1_3}) {
      CHECK(context.limit_versions(lowest, tls_version::tls1_3).error().what ==
            errc::unfit_backend);
      CHECK(agreed() == "TLSv1.2");
    }
    return;
  }
  REQUIRE(context.limit_versions(tls_version::tls1_3, tls_version::tls1_3));
  CHECK(agreed() == "TLSv1.3");
  REQUIRE(context.limit_versions(tls_version::tls1_2, tls_version::tls1_3));
  CHECK(agreed() == "TLSv1.3");
}
