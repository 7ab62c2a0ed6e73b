// SPDX-License-Identifier: BSL-1.0
#include <cotter/posix/sealed_session_file.hpp>

#include <cotter/backends/openssl.hpp>
#include <cotter/posix/key_file_vault.hpp>
#include <cotter/testing/laws/session_store.hpp>
#include <cotter/testing/memory_vault.hpp>

#include "support/lab.hpp"

#include <stores/support/private_directory.hpp>
#include <support/laws.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <memory>

using namespace cotter;
using stores::octets_in;
using stores::private_directory;
using stores::put_octets;
using testing::detail::bound_for;
using testing::detail::octets_for;
using testing::detail::take_from;

namespace {

using library = backends::openssl;
const auto same_octet = [](char a, std::uint8_t b) { return static_cast<std::uint8_t>(a) == b; };

using sealed = posix::sealed_session_file<library, posix::key_file_vault, 16'384>;

struct place {
  private_directory directory{};
  std::string path = directory / "sessions";
  std::string key = directory / "key";
  std::unique_ptr<posix::key_file_vault> vault;

  place() {
    vault = std::make_unique<posix::key_file_vault>(key);
    REQUIRE(vault->create<library>());
  }
  std::unique_ptr<sealed> open(std::string_view name = "sessions") {
    return std::make_unique<sealed>(posix::sealed_file_options{path, name, {}}, *vault);
  }
};

}  // namespace

TEST_CASE("the sealed session file keeps the laws of session_store") {
  place where;
  auto store = where.open();
  REQUIRE(store->create());
  require_laws(testing::check_session_store_laws(*store, 60));
}

TEST_CASE("no octet of a session, nor whose it is, can be read from the disk") {
  place where;
  auto store = where.open();
  REQUIRE(store->create());
  store->put(bound_for(1), octets_for(1));
  const auto session = octets_for(1);
  for (const char* end : {"", ".next"}) {
    const auto on_disk = octets_in(where.path + end);
    REQUIRE(on_disk.size() > 16'384);
    CHECK(std::search(on_disk.begin(), on_disk.end(), session.begin(), session.begin() + 16,
                      same_octet) == on_disk.end());
    const std::string_view host = "law.example";
    CHECK(std::search(on_disk.begin(), on_disk.end(), host.begin(), host.end()) == on_disk.end());
  }
}

TEST_CASE("another process takes what this one put, once") {
  place where;
  auto store = where.open();
  REQUIRE(store->create());
  store->put(bound_for(1), octets_for(1));
  const pid_t child = ::fork();
  if (child == 0) {
    bool got = false;
    auto theirs = where.open();
    theirs->take(bound_for(1).whose, [&](const session_binding&, bytes_view) { got = true; });
    ::_exit(got ? 0 : 1);
  }
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WEXITSTATUS(status) == 0);
  CHECK_FALSE(take_from(*store, bound_for(1).whose).any);
}

TEST_CASE("a file that was changed anywhere, or that is another's, gives nothing") {
  place where;
  auto store = where.open();
  REQUIRE(store->create());
  store->put(bound_for(1), octets_for(1));
  const auto good = octets_in(where.path);

  SECTION("one octet") {
    for (std::size_t at = 0; at < good.size(); at += 97) {
      auto changed = good;
      changed[at] = static_cast<char>(changed[at] ^ 1);
      put_octets(where.path, changed);
      auto fresh = where.open();
      CHECK_FALSE(take_from(*fresh, bound_for(1).whose).any);
    }
    put_octets(where.path, good);
    CHECK(take_from(*where.open(), bound_for(1).whose).any);
  }
  SECTION("cut short") {
    auto changed = good;
    changed.resize(good.size() - 1);
    put_octets(where.path, changed);
    CHECK_FALSE(take_from(*where.open(), bound_for(1).whose).any);
  }
  SECTION("another program's, under the same key") {
    CHECK_FALSE(take_from(*where.open("another"), bound_for(1).whose).any);
  }
  SECTION("another key") {
    std::filesystem::remove(where.key);
    REQUIRE(where.vault->create<library>());
    CHECK_FALSE(take_from(*where.open(), bound_for(1).whose).any);
  }
  SECTION("others may write it") {
    REQUIRE(::chmod(where.path.c_str(), 0666) == 0);
    CHECK_FALSE(take_from(*where.open(), bound_for(1).whose).any);
  }
  SECTION("it belongs to another user") {
    if (::geteuid() != 0) return;
    REQUIRE(::chown(where.path.c_str(), 65534, 65534) == 0);
    CHECK_FALSE(take_from(*where.open(), bound_for(1).whose).any);
  }
  SECTION("it is gone") {
    std::filesystem::remove(where.path);
    std::filesystem::remove(where.path + ".next");
    CHECK_FALSE(take_from(*where.open(), bound_for(1).whose).any);
    store->put(bound_for(1), octets_for(1));
    CHECK_FALSE(take_from(*store, bound_for(1).whose).any);
  }
}

TEST_CASE("an older file put back gives nothing where the vault counts") {
  private_directory directory;
  testing::memory_vault vault{rollback_resistance::hardware};
  seal_key key;
  key.octets.fill(7);
  vault.create(key);
  using counted = posix::sealed_session_file<library, testing::memory_vault, 16'384>;
  const std::string path = directory / "sessions";
  const auto open = [&] {
    return std::make_unique<counted>(posix::sealed_file_options{path, "sessions", {}}, vault);
  };
  auto store = open();
  REQUIRE(store->create());
  REQUIRE(store->resistance() != rollback_resistance::none);
  store->put(bound_for(1), octets_for(1));
  const auto used = octets_in(path);
  REQUIRE(take_from(*store, bound_for(1).whose).any);
  put_octets(path, used);
  put_octets(path + ".next", used);
  CHECK_FALSE(take_from(*store, bound_for(1).whose).any);
  CHECK_FALSE(take_from(*open(), bound_for(1).whose).any);
}

TEST_CASE("a phone that is started anew resumes what it left sealed, under the name it shares") {
  place where;
  REQUIRE(where.open()->create());
  for (const int version : {0x0303, 0x0304}) {
    peer::server server(lab::serve("good", version));
    using phone = lab::phone<library, sealed, share_sessions>;
    {
      auto store = where.open();
      phone one(*store, share_sessions{"desk"});
      lab::full(one.call(server));
    }
    {
      auto store = where.open();
      phone one(*store, share_sessions{"desk"});
      lab::resumed(one.call(server));
    }
    {
      auto store = where.open();
      phone one(*store, share_sessions{"another"});
      lab::full(one.call(server));
    }
    {
      auto store = where.open();
      lab::phone<library, sealed> nameless(*store);
      lab::full(nameless.call(server));
    }
    {
      // What is on the disk is another octet: a full handshake, no error.
      auto changed = octets_in(where.path);
      changed[changed.size() / 2] = static_cast<char>(changed[changed.size() / 2] ^ 1);
      auto good = octets_in(where.path);
      put_octets(where.path, changed);
      auto store = where.open();
      phone one(*store, share_sessions{"desk"});
      lab::full(one.call(server));
      put_octets(where.path, good);
    }
  }
}
