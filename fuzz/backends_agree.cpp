// SPDX-License-Identifier: BSL-1.0
// Input: what a server sends as its leaf. Each backend shakes hands with it in memory, the way of
// tests/agreement: that runs every line that stands between the wire and the pin, which feeding the
// libraries' parsers would not, and is still quick enough for a fuzzer.
// Properties: no two backends compute different pins, and none another than form C's; without form C
// there is no pin and nothing is accepted; the server has the client's Finished exactly if accepted.
#include <cotter/certificate/form.hpp>

#include "../tests/agreement/trial.hpp"
#include "../tests/vectors/vectors_file.hpp"
#include "demand.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace {

struct laboratory {
  vectors_file::file file = vectors_file::read(COTTER_TEST_VECTORS "/vectors.json");
  agreement::question question;
  std::vector<agreement::backend> backends{
#ifdef COTTER_TEST_OPENSSL
      agreement::openssl(),
#endif
#ifdef COTTER_TEST_WOLFSSL
      agreement::wolfssl(),
#endif
#ifdef COTTER_TEST_MBEDTLS
      agreement::mbedtls(),
#endif
  };

  laboratory() {
    const vectors_file::octets& anchor = file.anchors.at("p256");
    question.host = file.host;
    question.anchors_pem.assign(anchor.begin(), anchor.end());
    question.key_pkcs8 = file.keys_pkcs8.at("p256");
    for (const vectors_file::vector& each : file.vectors) {
      if (each.name == "p256/sound") question.sound_leaf = each.der;
    }
    demand(!question.sound_leaf.empty(), "no sound leaf");
    question.leaf = question.sound_leaf;
    question.pins = {"cert-sha256:" + pin(question.leaf)};
    for (const agreement::backend& each : backends) {
      for (question.version = 0x0303; question.version <= 0x0304; ++question.version) {
        if (each.versions.back() < question.version) continue;
        const agreement::answer given = each.ask(question);
        demand(given.accepted, each.name + " refuses the sound leaf: " + given.reason);
      }
    }
  }

  /// Hex; empty if there is no form C.
  static std::string pin(const vectors_file::octets& leaf) {
    const auto form = cotter::read_form(leaf);
    return form ? vectors_file::sha256_hex(vectors_file::write_form_c(*form)) : std::string();
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static laboratory lab;
  agreement::question& question = lab.question;
  question.leaf.assign(data, data + size);
  const std::string pin = laboratory::pin(question.leaf);
  question.pins = {"cert-sha256:" + (pin.empty() ? std::string(64, '0') : pin)};
  const int version = size % 2 == 0 ? 0x0303 : 0x0304;
  for (const agreement::backend& each : lab.backends) {
    question.version = std::min(version, each.versions.back());
    const agreement::answer given = each.ask(question);
    if (!given.fingerprint.empty()) {
      demand(!pin.empty(), each.name + " has a pin where form C refuses");
      demand(given.fingerprint == pin, each.name + " has another pin: " + given.fingerprint);
    }
    demand(!given.accepted || !given.fingerprint.empty(), each.name + " accepts without a pin");
    demand(given.accepted == given.server_finished,
           each.name + (given.accepted ? " accepts too early" : " sends Finished and refuses"));
  }
  return 0;
}
