// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/testing/memory_stage.hpp>
#include <cotter/testing/recording_observer.hpp>
#include <cotter/values/bytes_view.hpp>

#include <support/catch.hpp>

#include "material.hpp"

#include <vector>

/// What B shows of a peer with one certificate, after a handshake that goes on or is refused.
template <typename B>
std::vector<std::vector<std::uint8_t>> presented(const lab_material& lab, bool accept) {
  using namespace cotter;
  testing::memory_stage<B> stage(lab.lend.anchors, lab.lend.good);
  testing::recording_observer observer(accept);
  typename B::attachment attachment;
  REQUIRE(B::attach(stage.client().native(), lab.lend.whom, observer, attachment));
  std::vector<std::vector<std::uint8_t>> seen;
  const auto note = [&seen](bytes_view der) { seen.emplace_back(der.begin(), der.end()); };
  B::for_each_peer_certificate(stage.client().native(), note);
  CHECK(seen.empty());
  CHECK(stage.handshake().client_finished() == accept);
  B::for_each_peer_certificate(stage.client().native(), note);
  B::detach(attachment);
  return seen;
}

template <typename B>
void check_peer_certificates(bool after_a_refusal_too) {
  const lab_material lab;
  const auto leaf = lab.lend.good.leaf_der;
  const std::vector<std::vector<std::uint8_t>> whole{{leaf.begin(), leaf.end()}};
  CHECK(presented<B>(lab, true) == whole);
  if (after_a_refusal_too) {
    CHECK(presented<B>(lab, false) == whole);
  } else {
    CHECK(presented<B>(lab, false).empty());
  }
}
