// SPDX-License-Identifier: BSL-1.0
#include <cotter/libsecret/secret_vault.hpp>

#include <cotter/testing/laws/key_vault.hpp>

#include <stores/libsecret_lab.hpp>
#include <support/laws.hpp>

#include <sys/mman.h>

#include <atomic>
#include <cstring>
#include <new>

namespace {

using namespace std::chrono_literals;
using cotter::errc;
using cotter::seal_key;
using cotter::secret_vault;
using cotter::secret_vault_options;
using cotter::libsecret::detail::conversation;
using cotter::libsecret::detail::secret_text;

constexpr secret_vault_options state{"state", 2000ms};

secret_vault made(const secret_vault_options& options = state) {
  auto vault = secret_vault::create(options);
  INFO(cotter::code(vault.error().what) << " " << vault.error().native);
  REQUIRE(vault);
  return *std::move(vault);
}
secret_vault opened(const secret_vault_options& options = state) {
  auto vault = secret_vault::open(options);
  // On a busy machine a keyring may take longer than little patience.
  for (int tries = 0; tries < 50 && vault.error().what == errc::state_busy; ++tries) {
    vault = secret_vault::open(options);
  }
  INFO(cotter::code(vault.error().what) << " " << vault.error().native);
  REQUIRE(vault);
  return *std::move(vault);
}
std::array<std::uint8_t, 32> key_of(secret_vault& vault) {
  seal_key key;
  REQUIRE(vault.key(key));
  return key.octets;
}
std::uint64_t counter_of(secret_vault& vault) {
  const auto value = vault.counter();
  INFO(cotter::code(value.error().what) << " " << value.error().native);
  REQUIRE(value);
  return *value;
}
errc why(const cotter::result<secret_vault>& refused) { return refused.error().what; }

void require_all(secret_vault& vault, errc expected) {
  seal_key key;
  CHECK(vault.key(key).error().what == expected);
  CHECK(key.octets == std::array<std::uint8_t, 32>{});
  CHECK(vault.counter().error().what == expected);
  CHECK(vault.advance(1).error().what == expected);
  CHECK(why(secret_vault::open(state)) == expected);
}

/// What anybody on the session's bus does with the item.
class anybody {
 public:
  anybody() { REQUIRE(talk_.open()); }
  ~anybody() { g_hash_table_unref(attributes_); }
  anybody(const anybody&) = delete;
  anybody& operator=(const anybody&) = delete;

  [[nodiscard]] std::string read() {
    const cotter::libsecret::detail::value value(secret_item_get_secret(item().get()));
    REQUIRE(value != nullptr);
    return secret_value_get_text(value.get());
  }
  void write(const std::string& text) { REQUIRE(talk_.replace(item().get(), value(text).get())); }
  void add(const std::string& text) {
    REQUIRE(talk_.make(schema_, attributes_, "another", value(text).get()));
  }
  void remove() { REQUIRE(secret_item_delete_sync(item().get(), nullptr, nullptr) != FALSE); }

 private:
  static cotter::libsecret::detail::value value(const std::string& text) {
    return cotter::libsecret::detail::value(
        secret_value_new(text.data(), static_cast<gssize>(text.size()), "text/plain"));
  }
  cotter::libsecret::detail::object<SecretItem> item() {
    cotter::libsecret::detail::object<SecretItem> found;
    REQUIRE(talk_.find(schema_, attributes_, found));
    return found;
  }

  SecretSchema schema_{"cotter.state",
                       SECRET_SCHEMA_NONE,
                       {{"store", SECRET_SCHEMA_ATTRIBUTE_STRING}},
                       0,
                       nullptr,
                       nullptr,
                       nullptr,
                       nullptr,
                       nullptr,
                       nullptr,
                       nullptr};
  GHashTable* attributes_ = secret_attributes_build(&schema_, "store", state.store, nullptr);
  conversation talk_{5s};
};

}  // namespace

TEST_CASE("two processes advance a keyring's counter one after the other") {
  const private_keyring keyring;
  constexpr std::size_t goal = 30;
  using flags = std::array<std::atomic<std::uint8_t>, goal + 1>;
  void* const shared =
      ::mmap(nullptr, sizeof(flags), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  REQUIRE(shared != MAP_FAILED);
  flags& reached = *new (shared) flags{};

  // This case stands first: a thread of GLib's would not come along.
  std::array<pid_t, 2> children{};
  for (pid_t& child : children) {
    child = ::fork();
    REQUIRE(child >= 0);
    if (child != 0) continue;
    ::alarm(60);
    const auto first = secret_vault::create({"state", 10s});
    if (!first && first.error().what != errc::state_exists) ::_exit(1);
    auto shared_one = secret_vault::open({"state", 10s});
    if (!shared_one) ::_exit(2);
    while (true) {
      const auto now = shared_one->counter();
      if (!now) ::_exit(3);
      if (*now >= goal) ::_exit(0);
      const auto moved = shared_one->advance(*now + 1);
      if (moved) reached[*now + 1] = 1;
      if (!moved && moved.error().what != errc::state_rolled_back) ::_exit(4);
    }
  }
  for (const pid_t child : children) {
    int status = -1;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(status == 0);
  }
  secret_vault vault = opened();
  CHECK(counter_of(vault) == goal);
  for (std::size_t to = 1; to <= goal; ++to) {
    INFO(to);
    CHECK(reached[to] == 1);
  }
  ::munmap(shared, sizeof(flags));
}

TEST_CASE("a keyring's vault keeps the laws of key_vault") {
  const private_keyring keyring;
  secret_vault first;
  secret_vault second;
  require_laws(cotter::testing::check_key_vault_laws<secret_vault>(
      {first, second, [&]() -> cotter::result<void> {
         auto vault = secret_vault::create(state);
         if (!vault) return vault.error();
         first = *vault;
         second = opened();
         return {};
       }}));
}

TEST_CASE("a keyring's vault gives one key and counts from nothing") {
  const private_keyring keyring;
  CHECK(why(secret_vault::open(state)) == errc::state_absent);
  secret_vault vault = made();
  CHECK(vault.resistance() == cotter::rollback_resistance::partial);
  CHECK(counter_of(vault) == 0);
  const auto key = key_of(vault);
  CHECK(key != std::array<std::uint8_t, 32>{});
  secret_vault other = opened();
  CHECK(key_of(other) == key);

  CHECK(other.advance(1));
  CHECK(counter_of(vault) == 1);
  CHECK(vault.advance(1).error().what == errc::state_rolled_back);
  CHECK(vault.advance(0).error().what == errc::state_rolled_back);
  CHECK(vault.advance(3).error().what == errc::state_rolled_back);
  CHECK(vault.advance(UINT64_MAX).error().what == errc::state_rolled_back);
  CHECK(counter_of(other) == 1);
  CHECK(vault.advance(2));
  CHECK(counter_of(other) == 2);
  CHECK(key_of(vault) == key);

  secret_vault second = made({"another-state", 2000ms});
  CHECK(key_of(second) != key);
  CHECK(counter_of(second) == 0);
  CHECK(counter_of(vault) == 2);
}

TEST_CASE("a keyring's vault never replaces an item") {
  const private_keyring keyring;
  secret_vault vault = made();
  const auto key = key_of(vault);
  REQUIRE(vault.advance(1));
  const auto again = secret_vault::create(state);
  CHECK(why(again) == errc::state_exists);
  CHECK(key_of(vault) == key);
  CHECK(counter_of(vault) == 1);
}

TEST_CASE("a keyring's vault without a plain name is refused") {
  const std::string longest(cotter::libsecret::max_name_bytes, 'x');
  const std::string too_long = longest + "x";
  const char* const none_at_all = nullptr;
  for (const char* const name : {none_at_all, "", "a b", "a/b", "\xc3\xa4", too_long.c_str()}) {
    CHECK(why(secret_vault::create({name, 100ms})) == errc::invalid_value);
    CHECK(why(secret_vault::open({name, 100ms})) == errc::invalid_value);
  }
  CHECK(why(secret_vault::open({"a", -1ms})) == errc::invalid_value);
  secret_vault none;
  seal_key key;
  CHECK(none.key(key).error().what == errc::state_absent);
  CHECK(none.counter().error().what == errc::state_absent);
  CHECK(none.advance(1).error().what == errc::state_absent);

  const private_keyring keyring;
  secret_vault vault = made({longest.c_str(), 2000ms});
  CHECK(vault.advance(1));
}

TEST_CASE("what a keyring's counter was advanced to outlives the keyring's sudden death") {
  private_keyring keyring;
  secret_vault vault = made();
  const auto key = key_of(vault);
  for (std::uint64_t to = 1; to <= 5; ++to) {
    REQUIRE(vault.advance(to));
    keyring.kill_daemon();
    keyring.start_unlocked();
    CHECK(counter_of(vault) == to);
  }
  CHECK(key_of(vault) == key);
}

TEST_CASE("a locked keyring gives nothing, and asks nobody") {
  private_keyring keyring;
  secret_vault vault = made();
  REQUIRE(vault.advance(1));
  SECTION("since a moment ago") { keyring.lock(); }
  SECTION("since it began") {
    keyring.kill_daemon();
    keyring.start_locked();
  }
  const auto asked = std::chrono::steady_clock::now();
  require_all(vault, errc::state_busy);
  CHECK(why(secret_vault::create(state)) == errc::state_busy);
  CHECK(why(secret_vault::create({"another-state", 2000ms})) == errc::state_busy);
  CHECK(std::chrono::steady_clock::now() - asked < 6s);
  keyring.kill_daemon();
  keyring.start_unlocked();
  CHECK(counter_of(vault) == 1);
}

TEST_CASE("a keyring that is not there, or does not answer, is given up on") {
  private_keyring keyring;
  static_cast<void>(made());
  secret_vault_options brief = state;
  brief.patience = 300ms;
  secret_vault hasty = opened(brief);
  const auto asked = std::chrono::steady_clock::now();
  const auto require_hasty = [&](errc expected) {
    seal_key key;
    CHECK(hasty.key(key).error().what == expected);
    CHECK(hasty.counter().error().what == expected);
    CHECK(hasty.advance(1).error().what == expected);
    CHECK(why(secret_vault::open(brief)) == expected);
    CHECK(why(secret_vault::create(brief)) == expected);
  };
  // GLib shares a connection for as long as anybody holds it, its own worker too: that ends a moment
  // after the last of ours.
  const auto forget_connection = [&] {
    seal_key key;
    for (int tries = 0; tries < 100 && hasty.key(key); ++tries) ::usleep(20'000);
  };
  SECTION("no keyring") {
    keyring.kill_daemon();
    require_hasty(errc::state_unwritable);
  }
  SECTION("no bus at this address") {
    ::setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus", 1);
    forget_connection();
    require_hasty(errc::state_unwritable);
  }
  SECTION("no bus at all") {
    ::unsetenv("DBUS_SESSION_BUS_ADDRESS");
    forget_connection();
    require_hasty(errc::state_unwritable);
  }
  SECTION("a keyring that hangs") {
    keyring.hang_daemon();
    require_hasty(errc::state_busy);
  }
  SECTION("a bus that hangs") {
    keyring.hang_bus();
    require_hasty(errc::state_busy);
  }
  CHECK(std::chrono::steady_clock::now() - asked < 5s);
}

TEST_CASE("a keyring's item that was deleted is absent, not new") {
  private_keyring keyring;
  secret_vault vault = made();
  SECTION("by its own call") { anybody().remove(); }
  SECTION("with the keyring's file") {
    keyring.kill_daemon();
    std::filesystem::remove(keyring.file());
    keyring.start_unlocked();
  }
  require_all(vault, errc::state_absent);
}

TEST_CASE("a keyring declares partial resistance: its older copy turns the counter back") {
  private_keyring keyring;
  secret_vault vault = made();
  const auto key = key_of(vault);
  REQUIRE(vault.advance(1));
  SECTION("of the file") {
    const std::string aside = keyring.file() + ".older";
    std::filesystem::copy_file(keyring.file(), aside);
    REQUIRE(vault.advance(2));
    REQUIRE(vault.advance(3));
    keyring.kill_daemon();
    std::filesystem::rename(aside, keyring.file());
    keyring.start_unlocked();
  }
  SECTION("of the item") {
    const std::string older = anybody().read();
    REQUIRE(vault.advance(2));
    REQUIRE(vault.advance(3));
    anybody().write(older);
  }
  CHECK(counter_of(vault) == 1);
  CHECK(key_of(vault) == key);
}

TEST_CASE("a keyring's item that the vault did not write is refused") {
  const private_keyring keyring;
  secret_vault vault = made();
  const std::string good = anybody().read();
  for (const std::string& bad :
       {std::string("x"), good + "x", good.substr(1), good.substr(0, good.size() - 5)}) {
    anybody().write(bad);
    const errc seen = why(secret_vault::open(state));
    CHECK((seen == errc::state_damaged || seen == errc::state_foreign));
  }
  anybody().write(good.substr(0, secret_text::store_at) + "another-state");
  require_all(vault, errc::state_foreign);
  anybody().write(good);
  CHECK(counter_of(vault) == 0);
  anybody().add(good);
  require_all(vault, errc::state_foreign);
  CHECK(why(secret_vault::create(state)) == errc::state_exists);
}

TEST_CASE("a vault's item has one spelling") {
  seal_key key;
  for (std::size_t i = 0; i < seal_key::size_bytes; ++i) {
    key.octets[i] = static_cast<std::uint8_t>(7 * i + 200);
  }
  for (const std::uint64_t counter : {std::uint64_t{0}, std::uint64_t{9'876'543'210}, UINT64_MAX}) {
    secret_text text;
    text.write(key, counter, "state");
    seal_key read_key;
    std::uint64_t read_counter = 0;
    REQUIRE(secret_text::read(text.view(), "state", read_key, read_counter));
    CHECK(read_key.octets == key.octets);
    CHECK(read_counter == counter);
    for (std::size_t at = 0; at < text.size; ++at) {
      for (const char c : {' ', '/', ':', 'A', 'F', '`', 'g', '\0', '\xff'}) {
        std::string changed(text.view());
        if (changed[at] == c) continue;
        changed[at] = c;
        const auto read = secret_text::read(changed, "state", read_key, read_counter);
        const errc expected =
            at < secret_text::store_at ? errc::state_damaged : errc::state_foreign;
        INFO(at << " " << static_cast<int>(c));
        CHECK(read.error().what == expected);
      }
    }
  }
  secret_text text;
  text.write(key, UINT64_MAX, "state");
  std::string above(text.view());
  above[secret_text::counter_at + 19] = '6';  // 2^64
  std::uint64_t counter = 0;
  CHECK(secret_text::read(above, "state", key, counter).error().what == errc::state_damaged);
}

TEST_CASE("only one at a time advances a keyring's counter") {
  const private_keyring keyring;
  secret_vault vault = made();
  secret_vault_options brief = state;
  brief.patience = 300ms;
  secret_vault hasty = opened(brief);
  {
    conversation other(5s);
    REQUIRE(other.open());
    REQUIRE(other.be_alone(state.store));
    CHECK(hasty.advance(1).error().what == errc::state_busy);
    CHECK(counter_of(hasty) == 0);
  }
  CHECK(hasty.advance(1));
  CHECK(counter_of(vault) == 1);
}

TEST_CASE("a program's own way with its session bus stays as it was") {
  const private_keyring keyring;
  const cotter::libsecret::detail::object<GDBusConnection> own(
      g_bus_get_sync(G_BUS_TYPE_SESSION, nullptr, nullptr));
  REQUIRE(own != nullptr);
  REQUIRE(g_dbus_connection_get_exit_on_close(own.get()) != FALSE);
  secret_vault vault = made();
  CHECK(vault.advance(1));
  CHECK(counter_of(vault) == 1);
  CHECK(g_dbus_connection_get_exit_on_close(own.get()) != FALSE);
  CHECK(g_dbus_connection_is_closed(own.get()) == FALSE);
  g_dbus_connection_set_exit_on_close(own.get(), FALSE);
}
