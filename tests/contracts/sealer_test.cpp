// SPDX-License-Identifier: BSL-1.0
#include <cotter/testing/laws/sealer.hpp>

#include <support/catch.hpp>

#include "sealer_cases.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <new>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace cotter;
using octets = std::vector<std::uint8_t>;

namespace {

octets sample(std::size_t size) { return testing::detail::seal_sample(size); }

/// The nonce of a new seal.
octets fresh_nonce(const sealer_face& by, const seal_key& key) {
  octets sealed(sealed_size(0));
  if (by.seal(key, {}, {}, sealed) != errc::ok) return {};
  sealed.resize(seal_nonce_bytes);
  return sealed;
}

/// Draws in a child of this process: nonces, then octets, all joined.
octets drawn_by_a_child(const sealer_face& by, const seal_key& key, std::size_t nonces) {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    bool good = true;
    for (std::size_t i = 0; i < nonces; ++i) {
      const octets nonce = fresh_nonce(by, key);
      good = good && nonce.size() == seal_nonce_bytes &&
             write(ends[1], nonce.data(), nonce.size()) == static_cast<ssize_t>(nonce.size());
    }
    octets key_octets(seal_nonce_bytes);
    good = good && by.random_octets(key_octets) &&
           write(ends[1], key_octets.data(), key_octets.size()) ==
               static_cast<ssize_t>(key_octets.size());
    _exit(good ? 0 : 1);
  }
  close(ends[1]);
  octets all;
  std::uint8_t buffer[1024];
  for (ssize_t n = read(ends[0], buffer, sizeof buffer); n > 0;
       n = read(ends[0], buffer, sizeof buffer)) {
    all.insert(all.end(), buffer, buffer + n);
  }
  close(ends[0]);
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  REQUIRE(WEXITSTATUS(status) == 0);
  return all;
}

}  // namespace

TEST_CASE("every library opens what any library sealed, and refuses what is changed in it") {
  REQUIRE_FALSE(all_sealers().empty());
  const seal_key key = testing::detail::seal_law_key();
  for (const sealer_face& by : all_sealers()) {
    for (const sealer_face& reader : all_sealers()) {
      for (const std::size_t size : {0u, 1u, 16u, 100u, 65'536u}) {
        INFO(by.name << " to " << reader.name << ", " << size);
        const octets plain = sample(size);
        const octets associated = sample(size / 3);
        octets sealed(sealed_size(size));
        REQUIRE(by.seal(key, plain, associated, sealed) == errc::ok);
        octets opened(size, 0xa5);
        CHECK(reader.open(key, sealed, associated, opened) == errc::ok);
        CHECK(opened == plain);
        for (const std::size_t at : {std::size_t{0}, sealed.size() / 2, sealed.size() - 1}) {
          octets changed = sealed;
          changed[at] ^= 1;
          octets out(size, 0xa5);
          CHECK(reader.open(key, changed, associated, out) == errc::bad_seal);
          CHECK(out == octets(size));
        }
      }
    }
  }
}

TEST_CASE("a process and its child never draw the same nonce, nor the same key") {
  const seal_key key = testing::detail::seal_law_key();
  for (const sealer_face& by : all_sealers()) {
    INFO(by.name);
    // The generator is in use before the fork: its state is what both would inherit.
    std::set<octets> seen{fresh_nonce(by, key)};
    constexpr std::size_t each = 20;
    constexpr std::size_t children = 3;
    for (std::size_t child = 0; child < children; ++child) {
      const octets theirs = drawn_by_a_child(by, key, each);
      REQUIRE(theirs.size() == (each + 1) * seal_nonce_bytes);
      for (std::size_t at = 0; at < theirs.size(); at += seal_nonce_bytes) {
        const auto begin = theirs.begin() + static_cast<std::ptrdiff_t>(at);
        seen.insert(octets(begin, begin + seal_nonce_bytes));
      }
    }
    for (std::size_t i = 0; i < each; ++i) seen.insert(fresh_nonce(by, key));
    octets own(seal_nonce_bytes);
    CHECK(by.random_octets(own));
    seen.insert(own);
    CHECK(seen.size() == 1 + children * (each + 1) + each + 1);
  }
}

TEST_CASE("seals are made and opened on several threads at once, and no nonce comes twice") {
  for (const sealer_face& by : all_sealers()) {
    INFO(by.name);
    constexpr std::size_t threads = 4;
    constexpr std::size_t each = 200;
    std::vector<std::vector<octets>> nonces(threads);
    std::vector<std::size_t> wrong(threads);
    std::vector<std::thread> running;
    for (std::size_t i = 0; i < threads; ++i) {
      running.emplace_back([&by, i, &mine = nonces[i], &bad = wrong[i]] {
        const seal_key key = testing::detail::seal_law_key(static_cast<std::uint8_t>(i));
        const octets plain = sample(300);
        for (std::size_t k = 0; k < each; ++k) {
          octets sealed(sealed_size(plain.size()));
          octets opened(plain.size());
          if (by.seal(key, plain, {}, sealed) != errc::ok ||
              by.open(key, sealed, {}, opened) != errc::ok || opened != plain) {
            ++bad;
          }
          sealed.resize(seal_nonce_bytes);
          mine.push_back(sealed);
        }
      });
    }
    for (std::thread& one : running) one.join();
    std::set<octets> all;
    for (const auto& of_one : nonces) all.insert(of_one.begin(), of_one.end());
    CHECK(all.size() == threads * each);
    for (const std::size_t count : wrong) CHECK(count == 0);
  }
}

TEST_CASE("a key is wiped where it moved from, and when it goes") {
  alignas(seal_key) unsigned char place[sizeof(seal_key)];
  seal_key* key = new (place) seal_key(testing::detail::seal_law_key());
  seal_key moved(std::move(*key));
  CHECK(key->octets == seal_key{}.octets);
  CHECK(moved.octets == testing::detail::seal_law_key().octets);
  *key = std::move(moved);
  CHECK(moved.octets == seal_key{}.octets);
  key->~seal_key();
  const volatile unsigned char* after = place;
  bool zero = true;
  for (std::size_t i = 0; i < sizeof place; ++i) zero = zero && after[i] == 0;
  CHECK(zero);
}
