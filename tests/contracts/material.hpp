// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/testing/laws/backend.hpp>
#include <cotter/testing/laws/hasher.hpp>

#include <support/pki.hpp>

#include <string>

/// The lab's certificates, as the backend and engine suites want them.
class lab_material {
 public:
  lab_material() {
    anchors_ = pki::text("ca.pem");
    lend.anchors = cotter::testing::detail::octets_of(anchors_);
    lend.whom = {"localhost", 443};
    lend.good = load(good_, "good");
    lend.foreign = load(foreign_, "foreign");
    lend.wrong_name = load(wrong_name_, "wrong-name");
    lend.expired = load(expired_, "expired");
  }
  lab_material(const lab_material&) = delete;
  lab_material& operator=(const lab_material&) = delete;

  cotter::testing::backend_material lend;

 private:
  struct pair {
    pki::octets leaf;
    pki::octets key;
  };
  static cotter::testing::server_credentials load(pair& into, const std::string& name) {
    into = {pki::certificate(name), pki::key(name)};
    return {into.leaf, into.key};
  }

  std::string anchors_;
  pair good_, foreign_, wrong_name_, expired_;
};
