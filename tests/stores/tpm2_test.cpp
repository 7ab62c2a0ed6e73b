// SPDX-License-Identifier: BSL-1.0
#include <cotter/tpm2/tpm2_vault.hpp>

#include <cotter/testing/laws/key_vault.hpp>

#include <stores/tpm2_lab.hpp>
#include <support/laws.hpp>

#include <sys/file.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <atomic>

namespace {

using namespace std::chrono_literals;
using cotter::errc;
using cotter::seal_key;
using cotter::tpm2_vault;
using cotter::tpm2_vault_options;
using octets = std::vector<std::uint8_t>;

constexpr std::uint32_t first_index = 0x0180'0100;
constexpr std::uint32_t debug_pcr = 1U << 16U;  // PCR 16: nobody's, and reset by a restart
constexpr std::size_t auth_at = 36;
constexpr std::size_t base_at = 68;

/// A TPM, and a place for a vault's file.
struct lab {
  lab() {
    options.tcti = (tcti = tpm.tcti()).c_str();
    options.path = (path = directory / "vault").c_str();
    options.nv_index = first_index;
    options.pcrs = debug_pcr;
  }

  [[nodiscard]] octets sealed_auth() {
    const octets part = anybody(tcti).unseal(path, debug_pcr);
    return {part.begin() + auth_at, part.begin() + auth_at + 32};
  }

  software_tpm tpm;
  cotter::stores::private_directory directory;
  std::string tcti;
  std::string path;
  tpm2_vault_options options;
};

tpm2_vault made_in(const lab& in) {
  auto made = tpm2_vault::create(in.options);
  INFO(cotter::code(made.error().what) << " " << std::hex << made.error().native);
  REQUIRE(made);
  return *std::move(made);
}
tpm2_vault opened_in(const lab& in) {
  auto opened = tpm2_vault::open(in.options);
  INFO(cotter::code(opened.error().what) << " " << std::hex << opened.error().native);
  REQUIRE(opened);
  return *std::move(opened);
}
std::array<std::uint8_t, 32> key_of(tpm2_vault& vault) {
  seal_key key;
  REQUIRE(vault.key(key));
  return key.octets;
}
std::uint64_t counter_of(tpm2_vault& vault) {
  const auto value = vault.counter();
  REQUIRE(value);
  return *value;
}
void advance_to(tpm2_vault& vault, std::uint64_t to) {
  while (counter_of(vault) < to) REQUIRE(vault.advance(counter_of(vault) + 1));
}
errc why(const cotter::result<tpm2_vault>& refused) { return refused.error().what; }

octets read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}
/// Keeps the file's mode and place.
void write_file(const std::string& path, const octets& to) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(reinterpret_cast<const char*>(to.data()), static_cast<std::streamsize>(to.size()));
}

}  // namespace

TEST_CASE("a TPM vault keeps the laws of key_vault") {
  lab in;
  tpm2_vault first;
  tpm2_vault second;
  require_laws(cotter::testing::check_key_vault_laws<tpm2_vault>(
      {first, second, [&]() -> cotter::result<void> {
         auto made = tpm2_vault::create(in.options);
         if (!made) return made.error();
         first = *std::move(made);
         auto opened = tpm2_vault::open(in.options);
         if (!opened) return opened.error();
         second = *std::move(opened);
         return {};
       }}));
}

TEST_CASE("a TPM vault gives one key and counts from nothing") {
  lab in;
  tpm2_vault made = made_in(in);
  CHECK(made.resistance() == cotter::rollback_resistance::hardware);
  CHECK(counter_of(made) == 0);
  const auto key = key_of(made);
  CHECK(key != std::array<std::uint8_t, 32>{});
  CHECK(key_of(made) == key);
  tpm2_vault opened = opened_in(in);
  CHECK(key_of(opened) == key);

  CHECK(opened.advance(1));
  CHECK(counter_of(made) == 1);
  CHECK(made.advance(1).error().what == errc::state_rolled_back);
  CHECK(counter_of(made) == 1);
  CHECK(made.advance(0).error().what == errc::state_rolled_back);
  CHECK(made.advance(3).error().what == errc::state_rolled_back);
  CHECK(made.advance(UINT64_MAX).error().what == errc::state_rolled_back);
  CHECK(counter_of(opened) == 1);
  CHECK(made.advance(2));
  CHECK(counter_of(opened) == 2);
}

TEST_CASE("a TPM vault never replaces a file or an index") {
  lab in;
  tpm2_vault made = made_in(in);
  const auto key = key_of(made);
  advance_to(made, 2);

  auto again = tpm2_vault::create(in.options);
  CHECK(why(again) == errc::state_exists);

  const std::string elsewhere = in.directory / "elsewhere";
  tpm2_vault_options other = in.options;
  other.path = elsewhere.c_str();
  again = tpm2_vault::create(other);
  CHECK(why(again) == errc::state_exists);
  CHECK(again.error().native == static_cast<std::int32_t>(TPM2_RC_NV_DEFINED));
  CHECK_FALSE(std::filesystem::exists(elsewhere));

  tpm2_vault opened = opened_in(in);
  CHECK(key_of(opened) == key);
  CHECK(counter_of(opened) == 2);
}

TEST_CASE("a TPM vault that cannot write its file leaves no index") {
  lab in;
  const std::string nowhere = in.directory / "no such directory" + "/vault";
  in.options.path = nowhere.c_str();
  const auto made = tpm2_vault::create(in.options);
  CHECK(why(made) == errc::state_unwritable);
  CHECK(made.error().native == ENOENT);
  CHECK_FALSE(anybody(in.tcti).has_index(first_index));
}

TEST_CASE("a TPM vault without a value for each option is refused") {
  lab in;
  using change = void (*)(tpm2_vault_options&);
  for (const change each : {
           change{[](tpm2_vault_options& o) { o = {}; }},
           change{[](tpm2_vault_options& o) { o.tcti = nullptr; }},
           change{[](tpm2_vault_options& o) { o.tcti = ""; }},
           change{[](tpm2_vault_options& o) { o.path = ""; }},
           change{[](tpm2_vault_options& o) { o.nv_index = 0; }},
           change{[](tpm2_vault_options& o) { o.nv_index = 0x8100'0001; }},
           change{[](tpm2_vault_options& o) { o.pcrs = 0; }},
           change{[](tpm2_vault_options& o) { o.pcrs = 1U << 24U; }},
           change{[](tpm2_vault_options& o) { o.patience = -1ms; }},
       }) {
    tpm2_vault_options options = in.options;
    each(options);
    CHECK(why(tpm2_vault::create(options)) == errc::invalid_value);
    CHECK(why(tpm2_vault::open(options)) == errc::invalid_value);
  }
  tpm2_vault none;
  seal_key key;
  CHECK(none.key(key).error().what == errc::state_absent);
  CHECK(none.counter().error().what == errc::state_absent);
  CHECK(none.advance(1).error().what == errc::state_absent);
}

TEST_CASE("a TPM's counter and key outlive a power cut") {
  lab in;
  tpm2_vault made = made_in(in);
  const auto key = key_of(made);
  for (std::uint64_t to = 1; to <= 4; ++to) {
    REQUIRE(made.advance(to));
    in.tpm.restart();
    CHECK(counter_of(made) == to);
  }
  CHECK(key_of(made) == key);
  tpm2_vault opened = opened_in(in);
  CHECK(counter_of(opened) == 4);
  CHECK(key_of(opened) == key);
}

TEST_CASE("a TPM gives no key when the PCRs have changed, and gives it when they are back") {
  lab in;
  tpm2_vault made = made_in(in);
  const auto key = key_of(made);
  advance_to(made, 1);
  anybody(in.tcti).extend_pcr(16);

  seal_key refused;
  const auto why_not = made.key(refused);
  CHECK(why_not.error().what == errc::state_foreign);
  CHECK((why_not.error().native & 0xbf) == static_cast<std::int32_t>(TPM2_RC_POLICY_FAIL & 0xbfU));
  CHECK(refused.octets == std::array<std::uint8_t, 32>{});
  CHECK(why(tpm2_vault::open(in.options)) == errc::state_foreign);
  CHECK(counter_of(made) == 1);
  CHECK(anybody(in.tcti).unseal_without_policy(in.path) != TSS2_RC_SUCCESS);
  CHECK(anybody(in.tcti).left_behind() == 0);

  tpm2_vault_options other = in.options;
  other.pcrs = 1U << 23U;
  CHECK(why(tpm2_vault::open(other)) == errc::state_foreign);

  in.tpm.restart();
  CHECK(key_of(made) == key);
}

TEST_CASE("a TPM vault's file is refused when it was changed anywhere") {
  lab in;
  static_cast<void>(made_in(in));
  const octets good = read_file(in.path);
  REQUIRE(good.size() > 100);
  for (std::size_t at = 0; at < good.size(); at += at < 60 ? 1 : 5) {
    octets bad = good;
    bad[at] = static_cast<std::uint8_t>(bad[at] ^ (1U << (at % 8)));
    write_file(in.path, bad);
    const errc seen = why(tpm2_vault::open(in.options));
    INFO("octet " << at << ": " << cotter::code(seen));
    CHECK((seen == errc::state_damaged || seen == errc::state_foreign));
  }
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{7}, std::size_t{8}, good.size() / 2, good.size() - 1}) {
    write_file(in.path, {good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size)});
    CHECK(why(tpm2_vault::open(in.options)) == errc::state_damaged);
  }
  octets longer = good;
  longer.push_back(0);
  write_file(in.path, longer);
  CHECK(why(tpm2_vault::open(in.options)) == errc::state_damaged);
  longer.resize(cotter::tpm2::max_blob_bytes + 1);
  write_file(in.path, longer);
  CHECK(why(tpm2_vault::open(in.options)) == errc::state_damaged);
  write_file(in.path, good);
  static_cast<void>(opened_in(in));
  CHECK(anybody(in.tcti).left_behind() == 0);
}

TEST_CASE("a TPM vault's file that is another's, or anybody's, is refused") {
  lab in;
  tpm2_vault made = made_in(in);
  const octets good = read_file(in.path);
  seal_key key;

  ::chmod(in.path.c_str(), 0640);
  CHECK(why(tpm2_vault::open(in.options)) == errc::state_foreign);
  ::chmod(in.path.c_str(), 0600);
  if (::geteuid() == 0) {
    REQUIRE(::chown(in.path.c_str(), 65534, 65534) == 0);
    CHECK(why(tpm2_vault::open(in.options)) == errc::state_foreign);
    REQUIRE(::chown(in.path.c_str(), 0, 0) == 0);
  }
  const std::string aside = in.directory / "aside";
  std::filesystem::rename(in.path, aside);
  CHECK(why(tpm2_vault::open(in.options)) == errc::state_absent);
  CHECK(made.key(key).error().what == errc::state_absent);
  CHECK(made.advance(1).error().what == errc::state_absent);
  std::filesystem::create_symlink(aside, in.path);
  CHECK(why(tpm2_vault::open(in.options)) == errc::state_foreign);
  std::filesystem::remove(in.path);
  REQUIRE(::mkfifo(in.path.c_str(), 0600) == 0);
  CHECK(why(tpm2_vault::open(in.options)) == errc::state_foreign);
  std::filesystem::remove(in.path);

  // The file of another vault of this TPM.
  lab neighbour;
  tpm2_vault_options second = in.options;
  const std::string second_path = in.directory / "second";
  second.path = second_path.c_str();
  second.nv_index = first_index + 1;
  tpm2_vault other = *tpm2_vault::create(second);
  const auto other_key = key_of(other);
  std::filesystem::copy_file(second_path, in.path);
  CHECK(why(tpm2_vault::open(in.options)) == errc::state_foreign);
  CHECK(made.key(key).error().what == errc::state_foreign);
  CHECK(key.octets == std::array<std::uint8_t, 32>{});
  std::filesystem::remove(in.path);

  // The file on another TPM, whether or not it has such a vault too.
  std::filesystem::rename(aside, in.path);
  CHECK(key_of(made) != other_key);
  tpm2_vault_options moved = in.options;
  moved.tcti = neighbour.options.tcti;
  CHECK(why(tpm2_vault::open(moved)) == errc::state_foreign);
  static_cast<void>(made_in(neighbour));
  CHECK(why(tpm2_vault::open(moved)) == errc::state_foreign);
  CHECK(read_file(in.path) == good);
}

TEST_CASE("a TPM's counter that was undefined and defined anew never reads lower") {
  lab in;
  tpm2_vault made = made_in(in);
  advance_to(made, 5);
  const octets auth = in.sealed_auth();
  const std::uint64_t raw = anybody(in.tcti).read(first_index, auth);

  anybody(in.tcti).undefine(first_index);
  CHECK(made.counter().error().what == errc::state_absent);
  CHECK(made.advance(6).error().what == errc::state_absent);
  CHECK(why(tpm2_vault::open(in.options)) == errc::state_absent);

  const auto refused = [&] {
    CHECK(made.counter().error().what == errc::state_foreign);
    CHECK(made.advance(6).error().what == errc::state_foreign);
    CHECK(why(tpm2_vault::open(in.options)) == errc::state_foreign);
  };
  SECTION("as a counter that has not been incremented") {
    anybody(in.tcti).define(first_index, cotter::tpm2::detail::counter_attributes, auth);
    refused();
  }
  SECTION("as a counter with an authorization of his own") {
    anybody(in.tcti).define(first_index, cotter::tpm2::detail::counter_attributes, {1, 2, 3});
    anybody(in.tcti).increment(first_index, {1, 2, 3});
    refused();
  }
  SECTION("as an index of another kind, with the value that he wants") {
    anybody(in.tcti).define(first_index, TPMA_NV_AUTHREAD | TPMA_NV_AUTHWRITE | TPMA_NV_NO_DA,
                            auth);
    anybody(in.tcti).write(first_index, auth, raw - 2);
    refused();
  }
  SECTION("as a counter that is lost by a power cut") {
    anybody(in.tcti).define(first_index, cotter::tpm2::detail::counter_attributes | TPMA_NV_ORDERLY,
                            auth);
    anybody(in.tcti).increment(first_index, auth);
    refused();
  }
  SECTION("as the very same counter") {
    anybody(in.tcti).define(first_index, cotter::tpm2::detail::counter_attributes, auth);
    anybody(in.tcti).increment(first_index, auth);
    CHECK(anybody(in.tcti).read(first_index, auth) == raw + 1);
    CHECK(counter_of(made) == 6);
    CHECK(made.advance(5).error().what == errc::state_rolled_back);
  }
  SECTION("as the very same counter, after a restart and with others between") {
    in.tpm.restart();
    for (int i = 0; i < 3; ++i) {
      anybody(in.tcti).define(first_index, cotter::tpm2::detail::counter_attributes, auth);
      anybody(in.tcti).increment(first_index, auth);
      anybody(in.tcti).undefine(first_index);
    }
    anybody(in.tcti).define(first_index, cotter::tpm2::detail::counter_attributes, auth);
    anybody(in.tcti).increment(first_index, auth);
    CHECK(counter_of(made) >= 6);
    CHECK(made.advance(5).error().what == errc::state_rolled_back);
  }
  CHECK(anybody(in.tcti).left_behind() == 0);
}

TEST_CASE("a TPM's counter that is counted from another base comes with another key") {
  lab in;
  tpm2_vault made = made_in(in);
  const auto key = key_of(made);
  advance_to(made, 5);
  octets part = anybody(in.tcti).unseal(in.path, debug_pcr);
  part[base_at + 7] = static_cast<std::uint8_t>(part[base_at + 7] + 3);
  anybody(in.tcti).seal_instead(in.path, part);

  seal_key refused;
  CHECK(made.key(refused).error().what == errc::state_foreign);
  CHECK(counter_of(made) == 5);
  tpm2_vault forged = opened_in(in);
  CHECK(counter_of(forged) == 2);
  CHECK(key_of(forged) != key);

  part[base_at] = 0xff;  // far above the counter
  anybody(in.tcti).seal_instead(in.path, part);
  CHECK(why(tpm2_vault::open(in.options)) == errc::state_rolled_back);
}

TEST_CASE("a TPM that was cleared gives neither key nor counter, and counts on") {
  lab in;
  tpm2_vault made = made_in(in);
  advance_to(made, 5);
  const octets auth = in.sealed_auth();
  const std::uint64_t raw = anybody(in.tcti).read(first_index, auth);
  anybody(in.tcti).clear();

  seal_key key;
  CHECK(made.key(key).error().what == errc::state_foreign);
  CHECK(made.counter().error().what == errc::state_absent);
  CHECK(made.advance(6).error().what == errc::state_absent);
  CHECK(why(tpm2_vault::open(in.options)) == errc::state_foreign);

  anybody(in.tcti).define(first_index, cotter::tpm2::detail::counter_attributes, auth);
  anybody(in.tcti).increment(first_index, auth);
  CHECK(anybody(in.tcti).read(first_index, auth) > raw);
  CHECK(counter_of(made) > 5);
}

TEST_CASE("a TPM with an owner wants his authorization") {
  lab in;
  const std::string secret = "the owner's";
  anybody(in.tcti).set_owner_auth(secret);
  CHECK(why(tpm2_vault::create(in.options)) == errc::state_unwritable);
  in.options.owner_auth = {reinterpret_cast<const std::uint8_t*>(secret.data()), secret.size()};
  tpm2_vault made = made_in(in);
  CHECK(made.advance(1));
  tpm2_vault opened = opened_in(in);
  CHECK(key_of(opened) == key_of(made));
  in.options.owner_auth = {};
  CHECK(why(tpm2_vault::open(in.options)) == errc::state_unwritable);
}

TEST_CASE("a PCR that the TPM's SHA-256 bank lacks is not sealed to") {
  lab in;
  // A bank without this PCR: TPM2_PolicyPCR would leave it out and say nothing.
  TPML_PCR_SELECTION banks = cotter::tpm2::detail::selection_of(0x00ff'ffffU & ~debug_pcr);
  {
    anybody platform(in.tcti);
    TPMI_YES_NO good = 0;
    UINT32 most = 0;
    UINT32 needed = 0;
    UINT32 available = 0;
    REQUIRE(Esys_PCR_Allocate(platform.esys(), ESYS_TR_RH_PLATFORM, ESYS_TR_PASSWORD, ESYS_TR_NONE,
                              ESYS_TR_NONE, &banks, &good, &most, &needed,
                              &available) == TSS2_RC_SUCCESS);
    REQUIRE(good == TPM2_YES);
  }
  in.tpm.restart();
  CHECK(why(tpm2_vault::create(in.options)) == errc::invalid_value);
  CHECK_FALSE(anybody(in.tcti).has_index(first_index));
}

TEST_CASE("a TPM that does not answer is given up on") {
  lab in;
  tpm2_vault made = made_in(in);
  in.options.patience = 300ms;
  tpm2_vault hasty = opened_in(in);
  seal_key key;
  const auto asked = std::chrono::steady_clock::now();
  SECTION("gone") {
    in.tpm.cut_power();
    CHECK(hasty.key(key).error().what == errc::state_unwritable);
    CHECK(hasty.counter().error().what == errc::state_unwritable);
    CHECK(hasty.advance(1).error().what == errc::state_unwritable);
    CHECK(why(tpm2_vault::open(in.options)) == errc::state_unwritable);
  }
  SECTION("hanging") {
    in.options.tcti = "cmd:exec sleep 60";
    CHECK(why(tpm2_vault::open(in.options)) == errc::state_busy);
    std::filesystem::remove(in.path);
    CHECK(why(tpm2_vault::create(in.options)) == errc::state_busy);
  }
  SECTION("locked by another process that hangs") {
    const int file = ::open(in.path.c_str(), O_RDONLY | O_CLOEXEC);
    REQUIRE(::flock(file, LOCK_EX) == 0);
    CHECK(hasty.key(key).error().what == errc::state_busy);
    CHECK(hasty.counter().error().what == errc::state_busy);
    CHECK(hasty.advance(1).error().what == errc::state_busy);
    ::close(file);
    CHECK(hasty.advance(1));
  }
  SECTION("no such way to a TPM") {
    in.options.tcti = "no-such-way";
    CHECK(why(tpm2_vault::open(in.options)) == errc::state_unwritable);
  }
  CHECK(std::chrono::steady_clock::now() - asked < 10s);
}

TEST_CASE("two processes advance a TPM's counter one after the other") {
  lab in;
  tpm2_vault made = made_in(in);
  constexpr std::size_t goal = 40;
  using flags = std::array<std::atomic<std::uint8_t>, goal + 1>;
  void* const shared =
      ::mmap(nullptr, sizeof(flags), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  REQUIRE(shared != MAP_FAILED);
  flags& reached = *new (shared) flags{};

  std::array<pid_t, 2> children{};
  for (pid_t& child : children) {
    child = ::fork();
    REQUIRE(child >= 0);
    if (child != 0) continue;
    ::alarm(60);
    auto vault = tpm2_vault::open(in.options);
    if (!vault) ::_exit(1);
    while (true) {
      const auto now = vault->counter();
      if (!now) ::_exit(2);
      if (*now >= goal) ::_exit(0);
      const auto moved = vault->advance(*now + 1);
      if (moved) reached[*now + 1] = 1;
      if (!moved && moved.error().what != errc::state_rolled_back) ::_exit(3);
    }
  }
  for (const pid_t child : children) {
    int status = -1;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(status == 0);
  }
  CHECK(counter_of(made) == goal);
  for (std::size_t to = 1; to <= goal; ++to) {
    INFO(to);
    CHECK(reached[to] == 1);
  }
  ::munmap(shared, sizeof(flags));
  CHECK(anybody(in.tcti).left_behind() == 0);
}

TEST_CASE("nothing secret goes over the bus to a TPM") {
  lab in;
  const std::string capture = in.directory / "capture";
  const std::string by_way_of = "pcap:" + in.tcti;
  ::setenv("TCTI_PCAP_FILE", capture.c_str(), 1);
  in.options.tcti = by_way_of.c_str();
  octets key;
  {
    tpm2_vault made = made_in(in);
    REQUIRE(made.advance(1));
    tpm2_vault opened = opened_in(in);
    const auto found = key_of(opened);
    key.assign(found.begin(), found.end());
  }
  const octets seen = read_file(capture);
  const octets part = anybody(in.tcti).unseal(in.path, debug_pcr);
  const auto crossed = [&seen](const octets& what) {
    return std::search(seen.begin(), seen.end(), what.begin(), what.end()) != seen.end();
  };
  const auto slice = [&part](std::ptrdiff_t at, std::ptrdiff_t size) {
    return octets(part.begin() + at, part.begin() + at + size);
  };
  // That the capture would show it: a part of the object has crossed.
  const octets file = read_file(in.path);
  CHECK(crossed({file.begin() + 200, file.begin() + 232}));
  CHECK_FALSE(crossed(key));
  CHECK_FALSE(crossed(slice(4, 32)));
  CHECK_FALSE(crossed(slice(auth_at, 32)));
}

TEST_CASE("a TPM vault leaves nothing in the TPM, however a call ends") {
  lab in;
  for (int i = 0; i < 5; ++i) {
    auto again = tpm2_vault::create(in.options);
    CHECK(static_cast<bool>(again) == (i == 0));
  }
  for (int i = 0; i < 5; ++i) {
    tpm2_vault opened = opened_in(in);
    static_cast<void>(key_of(opened));
    CHECK(opened.advance(0).error().what == errc::state_rolled_back);
    CHECK(opened.advance(static_cast<std::uint64_t>(i) + 1));
  }
  CHECK(anybody(in.tcti).left_behind() == 0);
}
