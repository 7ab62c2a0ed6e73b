// Included by the test of each backend, which names
//   backend
//   versions           those of TLS that its library speaks
//   takes_huge         whether the library takes in a certificate above 20 KB
//   used_again         makes a session ready for another handshake
//   list_every_suite   an application that offers all of them

namespace {

int each_version() { return GENERATE(from_range(std::begin(versions), std::end(versions))); }

lab::request pinned(const std::string& name) {
  lab::request wanted;
  wanted.pin = peer::certificate_pin(lab::file(name + ".pem"));
  return wanted;
}
lab::request key_pinned(const std::string& name) {
  lab::request wanted;
  wanted.pin = peer::key_pin(lab::file(name + ".pem"));
  return wanted;
}
cotter::sha256_digest fingerprint(const std::string& name) {
  return (*cotter::parse_pin(peer::certificate_pin(lab::file(name + ".pem")))).digest;
}

/// Serves NAME.pem with more certificates behind it.
peer::options serve_with(const std::string& name, std::initializer_list<const char*> more,
                         int version) {
  peer::options how = lab::serve(name, version);
  for (const char* one : more) how.more_files.push_back(lab::file(std::string(one) + ".pem"));
  return how;
}

/// Runs against a server of NAME.pem, with the application interfering before or after attach.
template <typename Before>
lab::outcome before_attach(const std::string& name, int version, const lab::request& wanted,
                           Before before) {
  peer::server server(lab::serve(name, version));
  return lab::run<backend>(server, wanted, before, lab::leave_alone);
}
template <typename After>
lab::outcome after_attach(const std::string& name, int version, const lab::request& wanted,
                          After after) {
  peer::server server(lab::serve(name, version));
  return lab::run<backend>(server, wanted, lab::leave_alone, after);
}

/// In the pipeline's place: writes down what a backend hands over.
class witness final : public cotter::handshake_observer {
 public:
  void on_start() noexcept override { ++starts; }
  void on_leaf(cotter::bytes_view der) noexcept override {
    leaf.assign(der.begin(), der.end());
    ++leaves;
  }
  bool on_chain(cotter::chain_outcome chain) noexcept override {
    trusted = chain.trusted;
    ++chains;
    return answer;
  }

  std::vector<std::uint8_t> leaf{};
  int starts = 0;
  int leaves = 0;
  int chains = 0;
  bool trusted = false;
  bool answer = false;  ///< of on_chain
};

/// A handshake that a witness decides, with nothing of the pipeline in it. True if the server had
/// the client's Finished.
bool finishes(const peer::options& how, witness& says) {
  peer::server server(how);
  backend::context context;
  REQUIRE(context.load_anchors_file(lab::file("ca.pem").c_str()));
  backend::client client(context);
  auto there = server.accept();
  backend::attachment held;
  REQUIRE(backend::attach(client.native(), {"localhost", 443}, says, held));
  std::vector<std::uint8_t> rest;
  (void)lab::shake_hands(client, *there, rest);
  backend::detach(held);
  return there->finished();
}

}  // namespace

TEST_CASE("the pinned leaf behind an oversized leaf is not the leaf") {
  const int version = each_version();
  for (const char* presented : {"large", "huge"}) {
    INFO(presented << ", version " << version);
    const bool seen_at_all = presented == std::string_view("large") || takes_huge;
    for (const lab::request& wanted : {pinned("good"), key_pinned("good")}) {
      const auto seen =
          lab::run<backend>(serve_with(presented, {"good", "intermediate", "ca"}, version), wanted);
      if (seen_at_all) {
        lab::refused_in_handshake(seen, reason::pin_mismatch);
        CHECK(seen.verdict.fingerprint() == fingerprint(presented));
      } else {
        lab::nothing_left(seen);
        CHECK(seen.verdict.reason() == reason::unbound);
        CHECK_FALSE(seen.verdict.has_fingerprint());
        CHECK_FALSE(seen.client_finished);
        CHECK_FALSE(seen.server_finished);
        CHECK(seen.audited == std::vector<reason>{reason::unbound});
      }
    }
  }
}

TEST_CASE("an honest oversized leaf is accepted, as far as the library takes it in") {
  const int version = each_version();
  for (const char* leaf : {"large", "huge"}) {
    INFO(leaf << ", version " << version);
    const bool fits = leaf == std::string_view("large") || takes_huge;
    for (const lab::request& wanted : {pinned(leaf), key_pinned(leaf)}) {
      const auto seen = lab::run<backend>(serve_with(leaf, {"ca"}, version), wanted);
      if (fits) {
        lab::accepted(seen);
        CHECK(seen.verdict.fingerprint() == fingerprint(leaf));
      } else {
        lab::nothing_left(seen);
        CHECK(seen.verdict.reason() == reason::unbound);
        CHECK_FALSE(seen.server_finished);
      }
    }
  }
}

TEST_CASE("a pinned certificate above the leaf is not the leaf") {
  const int version = each_version();
  INFO("version " << version);
  for (const char* above : {"intermediate", "ca"}) {
    INFO(above);
    for (const lab::request& wanted : {pinned(above), key_pinned(above)}) {
      const auto seen = lab::run<backend>(serve_with("chained", {"ca"}, version), wanted);
      lab::refused_in_handshake(seen, reason::pin_mismatch);
      CHECK(seen.verdict.fingerprint() == fingerprint("chained"));
    }
  }
}

TEST_CASE("a pinned certificate beside the chain is not the leaf") {
  const int version = each_version();
  INFO("version " << version);
  for (const char* leaf : {"other", "rsa", "chained"}) {
    INFO(leaf);
    for (const auto& more : {std::initializer_list<const char*>{"good"},
                             {"good", "ca"},
                             {"ca", "good"},
                             {"good", "good"}}) {
      for (const lab::request& wanted : {pinned("good"), key_pinned("good")}) {
        const auto seen = lab::run<backend>(serve_with(leaf, more, version), wanted);
        lab::refused_in_handshake(seen, reason::pin_mismatch);
        CHECK(seen.verdict.fingerprint() == fingerprint(leaf));
      }
    }
  }
}

TEST_CASE("what the backend hands over is the first certificate, once") {
  const int version = each_version();
  INFO("version " << version);
  for (const char* leaf : {"good", "other", "rsa", "large", "chained"}) {
    INFO(leaf);
    for (const bool answer : {true, false}) {
      witness says;
      says.answer = answer;
      CHECK(finishes(serve_with(leaf, {"good", "ca"}, version), says) == answer);
      CHECK(says.leaf == peer::der(lab::file(std::string(leaf) + ".pem")));
      CHECK(says.starts == 1);
      CHECK(says.leaves == 1);
      CHECK(says.chains == 1);
      CHECK(says.trusted);
    }
  }
}

TEST_CASE("the pinned key in another certificate is no pinned certificate") {
  const int version = each_version();
  INFO("version " << version);
  const auto seen = lab::run<backend>(lab::serve("renewed", version), pinned("good"));
  lab::refused_in_handshake(seen, reason::pin_mismatch);
  CHECK(seen.verdict.fingerprint() == fingerprint("renewed"));
  lab::accepted(lab::run<backend>(lab::serve("renewed", version), key_pinned("good")));
}

TEST_CASE("the pinned leaf replayed without its key is no success and clears no count") {
  const int version = each_version();
  const bool can_sign = GENERATE(false, true);
  INFO("version " << version << (can_sign ? ", signs with another key" : ", cannot sign"));
  peer::options replay = lab::serve("good", version);
  replay.without_key = !can_sign;
  if (can_sign) replay.forged_key_file = lab::file("other.key");

  lab::watched_breaker counting(cotter::breaker_config{5, 4, std::chrono::milliseconds{0}});
  for (lab::request wanted : {pinned("good"), key_pinned("good")}) {
    wanted.breaker = &counting;
    lab::refused_in_handshake(lab::run<backend>(lab::serve("other", version), wanted),
                              reason::pin_mismatch);
    const auto streak = counting.last.streak;
    const int mismatches = counting.mismatches;
    REQUIRE(streak == mismatches);

    const auto seen = lab::run<backend>(replay, wanted);
    lab::nothing_left(seen);
    CHECK(seen.verdict.reason() == reason::unbound);
    CHECK(seen.verdict.fingerprint() == fingerprint("good"));  // the hook has seen it, and said yes
    CHECK_FALSE(seen.client_finished);
    CHECK_FALSE(seen.server_finished);
    CHECK(seen.audited == std::vector<reason>{reason::unbound});
    CHECK(counting.successes == 0);
    CHECK(counting.mismatches == mismatches);

    lab::refused_in_handshake(lab::run<backend>(lab::serve("other", version), wanted),
                              reason::pin_mismatch);
    CHECK(counting.last.streak == streak + 1);
    REQUIRE(counting.last.streak <= 4);
  }
}

TEST_CASE("the same leaf with ECDSA's s turned to n - s is another certificate with the same key") {
  const int version = each_version();
  INFO("version " << version);
  peer::options mirrored = lab::serve("good", version);
  mirrored.mirrored_signature = true;
  lab::watched_breaker counting;
  lab::request wanted = pinned("good");
  wanted.breaker = &counting;
  const auto seen = lab::run<backend>(mirrored, wanted);
  lab::refused_in_handshake(seen, reason::pin_mismatch);
  CHECK(seen.verdict.has_fingerprint());
  CHECK(seen.verdict.fingerprint() != fingerprint("good"));
  CHECK(counting.mismatches == 1);  // anybody on the path can cause it, and it counts
  lab::accepted(lab::run<backend>(mirrored, key_pinned("good")));
}

TEST_CASE("a fault of the chain is found above the leaf, whatever the pin says") {
  const int version = each_version();
  INFO("version " << version);
  for (const lab::request& wanted :
       {pinned("expired-intermediate"), key_pinned("expired-intermediate")}) {
    lab::refused_in_handshake(
        lab::run<backend>(lab::serve("expired-intermediate", version), wanted), reason::pkix);
  }
  for (const lab::request& wanted : {pinned("foreign"), key_pinned("foreign")}) {
    for (const auto& more : {std::initializer_list<const char*>{},
                             {"other-ca"},
                             {"ca"},
                             {"other-ca", "ca"},
                             {"good"}}) {
      lab::refused_in_handshake(lab::run<backend>(serve_with("foreign", more, version), wanted),
                                reason::pkix);
    }
  }
}

TEST_CASE("another name is refused, whatever the pin says") {
  const int version = each_version();
  INFO("version " << version);
  for (lab::request wanted : {pinned("wrong-name"), key_pinned("wrong-name")}) {
    for (const char* host : {"localhost", "127.0.0.1"}) {
      wanted.host = host;
      wanted.kind = cotter::identity::host;
      lab::refused_in_handshake(lab::run<backend>(lab::serve("wrong-name", version), wanted),
                                reason::hostname);
    }
    wanted.host = "localhost";
    wanted.kind = cotter::identity::sip;
    lab::refused_in_handshake(lab::run<backend>(lab::serve("wrong-name", version), wanted),
                              reason::hostname);
  }
  lab::refused_in_handshake(lab::run<backend>(lab::serve("cn-only", version), pinned("cn-only")),
                            reason::hostname);
}

TEST_CASE("the library checks the chain and the name by itself, before the pipeline does") {
  const int version = each_version();
  INFO("version " << version);
  for (const char* fault : {"wrong-name", "foreign", "expired-intermediate"}) {
    INFO(fault);
    witness says;
    says.answer = true;
    CHECK_FALSE(finishes(lab::serve(fault, version), says));
    CHECK(says.chains == 1);
    CHECK_FALSE(says.trusted);
  }
}

TEST_CASE("a renegotiation to another leaf does not happen") {
  const int version = each_version();
  for (const char* second : {"good", "other"}) {
    INFO("version " << version << ", then " << second);
    cotter::owned_pin_set pins;
    const auto pin = *cotter::parse_pin(pinned("good").pin);
    REQUIRE(pins.add({"localhost", 443}, {&pin, 1}));
    lab::watched_breaker breaking;
    cotter::guard guard(pins, breaking, cotter::embedded_manifest{}, cotter::null_audit_sink{});
    backend::context context;
    REQUIRE(context.load_anchors_file(lab::file("ca.pem").c_str()));
    auto admission = guard.admit({"localhost", 443});
    backend::client client(context);
    peer::server server(lab::serve("good", version));
    auto there = server.accept();
    auto connection = guard.attach(client.native(), *admission);
    std::vector<std::uint8_t> held;
    (void)lab::shake_hands(client, *there, held);
    REQUIRE(connection.confirm());
    const int before = there->handshakes();

    (void)there->ask_again(lab::file(std::string(second) + ".pem"),
                           lab::file(std::string(second) + ".key"));
    std::array<std::uint8_t, 64> plain{};
    for (int flight = 0; flight < 10; ++flight) {
      lab::carry_back(*there, client, held);
      CHECK(client.read(plain).size_bytes == 0);
      lab::carry(client, *there);
      there->drive();
    }
    CHECK(there->handshakes() == before);
    const cotter::verdict still = connection.confirm();
    if (still) CHECK(still.fingerprint() == fingerprint("good"));
    CHECK(breaking.successes == 1);
  }
}

TEST_CASE("a session that is used again does not inherit the verdict") {
  const int version = each_version();
  for (const char* second : {"good", "other"}) {
    INFO("version " << version << ", then " << second);
    cotter::owned_pin_set pins;
    const auto pin = *cotter::parse_pin(pinned("good").pin);
    REQUIRE(pins.add({"localhost", 443}, {&pin, 1}));
    lab::watched_breaker breaking;
    cotter::guard guard(pins, breaking, cotter::embedded_manifest{}, cotter::null_audit_sink{});
    backend::context context;
    REQUIRE(context.load_anchors_file(lab::file("ca.pem").c_str()));
    auto admission = guard.admit({"localhost", 443});
    backend::client client(context);
    auto connection = guard.attach(client.native(), *admission);
    const auto handshake = [&](peer::server& server) {
      auto there = server.accept();
      std::vector<std::uint8_t> held;
      (void)lab::shake_hands(client, *there, held);
      return there->finished();
    };
    peer::server first(lab::serve("good", version));
    REQUIRE(handshake(first));
    REQUIRE(connection.confirm());
    (void)client.shutdown();
    client.sent(client.pending().size());
    used_again(client.native());
    peer::server again(lab::serve(second, version));
    CHECK_FALSE(handshake(again));
    CHECK_FALSE(connection.confirm());
    CHECK(breaking.successes == 1);
  }
}

TEST_CASE("suites without certificate or forward secrecy are not negotiated, though listed") {
  peer::options anonymous;
  anonymous.anonymous = true;
  anonymous.version = 0x0303;
  peer::options psk = anonymous;
  psk.anonymous = false;
  psk.ciphers = "PSK-AES128-GCM-SHA256:PSK-AES128-CBC-SHA";
  psk.psk = "0123456789abcdef";
  peer::options static_rsa = lab::serve("rsa", 0x0303);
  static_rsa.ciphers = "AES128-GCM-SHA256:AES256-GCM-SHA384:AES128-SHA";
  for (const peer::options& how : {anonymous, psk, static_rsa}) {
    INFO(how.ciphers);
    peer::server server(how);
    const auto seen = lab::run<backend>(server, pinned("rsa"), list_every_suite, lab::leave_alone);
    lab::nothing_left(seen);
    CHECK_FALSE(seen.server_finished);
  }
}
