// SPDX-License-Identifier: BSL-1.0
#include <cotter/backends/mbedtls.hpp>
#include <cotter/embedded.hpp>

#include <phone_config.hpp>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "flash_file.hpp"
#include "sip.hpp"
#include "tls.hpp"
#include "websocket.hpp"

// A phone that asks its server for OPTIONS. No heap, exceptions or RTTI of its own: pins are constant
// data, the breaker lives in flash, the audit in a ring.
namespace {

using store_type = cotter::flash_store<flash_file, 1024>;
using breaker_type = cotter::stored_breaker<store_type, 4, 64>;
static_assert(breaker_type::image_bytes <= 1024 &&
              store_type::slot_bytes <= flash_file::block_bytes);

enum exit_status : int { answered = 0, refused = 2, no_verdict = 3 };

void print(const char* what, std::string_view value, std::string_view more = "") {
  std::printf("%s %.*s%s%.*s\n", what, static_cast<int>(value.size()), value.data(),
              more.empty() ? "" : " ", static_cast<int>(more.size()), more.data());
}

int fail(const char* why) {
  print("failed", why);
  return no_verdict;
}

int report(const cotter::verdict& why) {
  print("refused", cotter::to_string(why.reason()),
        why.detail().what == cotter::errc::ok ? "" : cotter::code(why.detail().what));
  return refused;
}

/// The state that a device gets in its factory, once: where it is missing later, nothing is admitted.
int make_flash(const char* path) {
  cotter::store_id id{};
  if (!flash_file::make(path)) return fail("the flash is there already, or cannot be made");
  if (::getentropy(id.octets, sizeof id.octets) != 0) return fail("no entropy");
  flash_file flash(path);
  store_type store(flash);
  std::array<std::uint8_t, breaker_type::image_bytes> image{};
  const std::size_t size = breaker_type::fresh_image(image);
  const cotter::result<void> made = store.create(id, cotter::bytes_view(image).first(size));
  if (!made) return fail(cotter::code(made.error().what).data());
  print("made", path);
  return answered;
}

/// The question and the answer; empty if there was none.
std::string_view ask(tls& server, bool websockets, std::array<char, 2048>& room) {
  std::array<std::uint8_t, 8> random{};
  if (!server.random(random)) return {};
  const message question = sip_options(phone_config::host, websockets ? "WSS" : "TLS", random);
  if (!question.whole()) return {};
  if (websockets) {
    std::string_view answer;
    return websocket::open(server, phone_config::host) &&
                   websocket::send(server, question.view()) &&
                   websocket::receive(server, room, answer)
               ? answer
               : std::string_view{};
  }
  message answer;
  if (!server.write(question.view()) || !answer.read_header(server)) return {};
  std::memcpy(room.data(), answer.view().data(), answer.size());
  return {room.data(), answer.size()};
}

int call(bool websockets, const char* flash_path, const char* anchors, const char* address,
         std::uint16_t port) {
  flash_file flash(flash_path);
  store_type store(flash);
  breaker_type breaker(store, phone_config::breaker);
  cotter::ring_audit_sink<4> audit;
  cotter::guard guard{phone_config::pins, breaker, cotter::embedded_manifest{}, audit,
                      cotter::no_lock{}};

  const cotter::target server =
      websockets
          ? cotter::target{phone_config::host, phone_config::wss_port, cotter::identity::host}
          : cotter::target{phone_config::host, phone_config::sips_port, cotter::identity::sip};
  auto permit = guard.admit(server, cotter::parse_ip(address));
  if (!permit) return report(permit.verdict());

  tcp wire(address, port);
  if (!wire.connected()) return fail("no connection");
  tls session(wire, anchors);
  if (!session.ready()) return fail("no TLS session, or no trust anchors");

  auto connection = guard.attach(session.native(), *permit);
  static_cast<void>(session.handshake());
  const cotter::verdict verdict = connection.confirm();
  if (!verdict) return report(connection.verdict());
  print("accepted", cotter::to_string(verdict.matched()), verdict.pin_label());

  std::array<char, 2048> room;
  const std::string_view status = sip_status(ask(session, websockets, room));
  session.close();
  if (status.empty()) return fail("no answer");
  print("answered", status);
  return answered;
}

int usage() {
  std::fputs(
      "usage: phone make-flash FLASH\n"
      "       phone sips|wss FLASH ANCHORS.pem ADDRESS PORT\n"
      "Asks the configured host, reached at ADDRESS, for OPTIONS. Exit: 0 answered, 2 refused,\n"
      "3 no verdict.\n",
      stderr);
  return no_verdict;
}

}  // namespace

int main(int count, char** arguments) {
  static std::array<char, 512> line;
  std::setvbuf(stdout, line.data(), _IOLBF, line.size());
  const std::string_view verb = count > 1 ? arguments[1] : "";
  if (verb == "make-flash" && count == 3) return make_flash(arguments[2]);
  if ((verb != "sips" && verb != "wss") || count != 6) return usage();
  const long port = std::strtol(arguments[5], nullptr, 10);
  if (port < 1 || port > 65535) return usage();
  return call(verb == "wss", arguments[2], arguments[3], arguments[4],
              static_cast<std::uint16_t>(port));
}
