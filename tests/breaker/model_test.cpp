// SPDX-License-Identifier: BSL-1.0
#include <cotter/policies/breaker/stored_breaker.hpp>

#include <cotter/policies/store/memory_store.hpp>
#include <cotter/testing/faulty_store.hpp>

#include <support/catch.hpp>

#include "model.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

using namespace cotter;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t room = 4;
using disk_type = memory_store<512, room>;
using view_type = testing::faulty_store<disk_type>;
using breaker_type = stored_breaker<view_type, room, 24>;
const store_id own_id{{1, 2, 3}};

/// What the sequences have shown so far, so that none of it is missed unnoticed.
using tally = std::map<std::string, std::size_t>;

/// One process: its view of the store, its breaker, its attempts, and what the model knows of them.
struct process {
  struct attempt {
    reservation held;
    std::size_t at = 0;
    unsigned probes_lock = 0;
  };
  enum class health { well, cannot_begin, cannot_commit };

  view_type view;
  breaker_type breaker;
  std::vector<attempt> attempts{};
  std::vector<std::size_t> debts{};  // keys of mismatches that are not stored
  health store = health::well;
  bool alerts_are_late = false;  // after a debt

  process(disk_type& disk, const breaker_config& config, lock_recovery recovery)
      : view(disk), breaker(view, config, recovery) {}
};

/// One machine with its disk, driven by a seed, beside the model.
class machine {
 public:
  machine(std::uint32_t seed, tally& seen) : random_(seed), seen_(seen) {
    constexpr breaker_config configs[] = {{3, 2, 300s, 0ms}, {1, 1, 60s, 0ms}, {4, 4, 60s, 0ms},
                                          {6, 1, 2h, 0ms},   {5, 3, 0ms, 0ms}, {4, 2, 30s, 0ms}};
    config_ = configs[pick(6)];
    recovery_ = pick(2) == 0 ? lock_recovery::administrator : lock_recovery::verified_probe;
    stored_ = {config_, recovery_, room};
    std::array<std::uint8_t, 512> image{};
    const std::size_t size = breaker_type::fresh_image(image);
    static_cast<void>(disk_.create(own_id, bytes_view(image).first(size)));
    for (auto& one : processes_) start(one);
    start(observer_);
  }

  /// What disagreed; empty if nothing did.
  std::string run(int events) {
    for (int i = 0; i < events && problem_.empty(); ++i) {
      step();
      if (problem_.empty()) compare();
    }
    std::string log;
    for (const std::string& line : log_) log += line + "\n";
    return problem_.empty() ? std::string() : log + problem_;
  }

 private:
  std::size_t pick(std::size_t below) { return random_() % below; }
  void start(std::unique_ptr<process>& one) {
    one = std::make_unique<process>(disk_, config_, recovery_);
  }
  void note(const std::string& what) { log_.push_back(what + " at " + spelled(uptime_)); }
  static std::string spelled(model::milliseconds t) { return std::to_string(t.count()); }
  template <typename A, typename B>
  void agree(const char* what, const A& is, const B& owed) {
    if (is == owed || !problem_.empty()) return;
    std::ostringstream text;
    text << what << ": " << static_cast<std::int64_t>(is) << " instead of "
         << static_cast<std::int64_t>(owed);
    problem_ = text.str();
  }

  unsigned flying(std::size_t at) const {
    unsigned count = 0;
    for (const auto& one : processes_) {
      for (const auto& attempt : one->attempts) count += attempt.at == at ? 1u : 0u;
      for (const std::size_t debt : one->debts) count += debt == at ? 1u : 0u;
    }
    return count;
  }
  time_reading now() {
    // Processes read the clock at about the same time, not in the order in which they get the store.
    return {wall_, uptime_ - std::chrono::milliseconds(pick(8) == 0 ? pick(40) : 0)};
  }

  /// What a transaction of `one` meets: debts are stored before anything else.
  bool begins(process& one, time_reading at) {
    if (one.store == process::health::cannot_begin) return false;
    if (one.debts.empty()) return true;
    if (one.store == process::health::cannot_commit) return false;
    for (const std::size_t debt : one.debts) stored_.mismatch(debt, at);
    one.debts.clear();
    ++seen_["debts paid"];
    return true;
  }
  static bool commits(const process& one) { return one.store == process::health::well; }

  void step() {
    process& one = *processes_[pick(processes_.size())];
    const std::size_t what = pick(40);
    if (what < 14) return reserve(one);
    if (what < 22) return end(one, what < 18 ? 'm' : what < 20 ? 's' : 'r');
    if (what < 25) return pass(std::chrono::milliseconds(pick(400'000)));
    if (what < 26) return pass(std::chrono::milliseconds(pick(60 * 3'600'000)));
    if (what < 27) return reboot();
    if (what < 28) return set_wall();
    if (what < 29) return raise();
    if (what < 31) return reset(one);
    if (what < 33) return crash();
    if (what < 36) return change_health(one);
    end(one, 'm');
  }

  void reserve(process& one) {
    static const model::name names[] = {{"a.example", 443, ""},     {"a.example", 443, "home"},
                                        {"a.example", 443, "cafe"}, {"a.example", 5061, ""},
                                        {"b.example", 443, ""},     {"b.example", 443, "cafe"}};
    const model::name& of = names[pick(6)];
    const std::uint64_t sequence = pick(8) == 0 ? 0 : sequence_ - pick(2);
    const time_reading at = now();
    const bool cannot_mark = pick(30) == 0;
    if (cannot_mark) one.view.fail_enter();
    note("reserve " + of.host + " " + of.network + " " + std::to_string(sequence));
    reservation got = one.breaker.reserve({{of.host, of.port}, of.network}, at, sequence);
    if (cannot_mark) {
      one.view.heal();
      apply(one);
    }

    if (!begins(one, at)) {
      agree("refusal without a store", got.refused(), reason::state_unavailable);
      ++seen_["refused without a store"];
      return;
    }
    model::stored after = stored_;
    const model::answer owed =
        after.reserve(of, at, sequence, [&](std::size_t k) { return flying(k); });
    if (owed.refused != reason::none) {
      agree("refusal", got.refused(), owed.refused);
      agree("a refusal holds", got.held(), false);
      if (owed.writes && commits(one)) stored_ = after;
      ++seen_[std::string("refused: ") + std::string(to_string(owed.refused))];
      return;
    }
    if (cannot_mark || (owed.writes && !commits(one))) {
      agree("refusal of what cannot be written", got.refused(), reason::state_unavailable);
      ++seen_["refused because it could not be written"];
      return;
    }
    agree("grant", got.refused(), reason::none);
    agree("probe", got.probe(), owed.probes_lock != 0);
    if (owed.probes_lock != 0) ++seen_["probes"];
    if (after.keys.size() == stored_.keys.size() && after.find(of) && !stored_.find(of)) {
      ++seen_["rooms taken over"];
    }
    const auto before = stored_.find(of);
    if (before && stored_.keys[*before].locked && !after.keys[*before].locked) {
      ++seen_["opened by sequence"];
    }
    if (owed.writes) stored_ = after;
    one.attempts.push_back({std::move(got), owed.at, owed.probes_lock});
  }

  void end(process& one, char how) {
    if (one.attempts.empty()) return;
    const std::size_t which = pick(one.attempts.size());
    process::attempt attempt = std::move(one.attempts[which]);
    one.attempts.erase(one.attempts.begin() + static_cast<std::ptrdiff_t>(which));
    const time_reading at = now();
    note(std::string("end ") + how);
    if (how == 'r') {
      one.breaker.release(attempt.held);
      return;
    }
    const bool reaches = begins(one, at);
    if (how == 'm') {
      const breaker_change change = one.breaker.mismatch(attempt.held, at);
      if (reaches && commits(one)) {
        compare_change(one, change, stored_.mismatch(attempt.at, at));
        if (change.state == breaker_state::locked) ++seen_["locks"];
      } else {
        one.debts.push_back(attempt.at);
        one.alerts_are_late = true;
        ++seen_["debts made"];
      }
      return;
    }
    const breaker_change change = one.breaker.success(attempt.held, at);
    if (!reaches) return;
    model::stored after = stored_;
    bool writes = false;
    const bool was_locked = after.keys[attempt.at].locked;
    const model::outcome owed = after.success(attempt.at, attempt.probes_lock, at, writes);
    compare_change(one, change, owed);
    if (!writes || !commits(one)) return;
    if (was_locked && !after.keys[attempt.at].locked) ++seen_["opened by probe"];
    stored_ = after;
    ++seen_["successes that cleared"];
  }

  void compare_change(const process& one, const breaker_change& is, const model::outcome& owed) {
    agree("state after", is.state, owed.state);
    agree("streak after", is.streak, owed.streak);
    agree("24 h after", is.mismatches_24h, owed.in_24h);
    if (!one.alerts_are_late) agree("alert", is.alert, owed.alert);
    if (is.alert) ++seen_["alerts"];
  }

  void pass(std::chrono::milliseconds by) {
    uptime_ += by;
    wall_ += std::chrono::duration_cast<std::chrono::seconds>(by);
    note("time passes");
  }
  void reboot() {
    for (auto& one : processes_) start(one);
    start(observer_);
    uptime_ = std::chrono::milliseconds(pick(2) == 0 ? pick(90'000) : pick(6 * 3'600'000));
    note("reboot");
    ++seen_["reboots"];
  }
  void set_wall() {
    wall_ = instant{std::chrono::seconds(pick(2'000'000'000))};
    note("the clock is set");
  }
  void raise() {
    sequence_ += 1 + pick(2);
    note("a newer manifest");
  }

  void reset(process& one) {
    breaker_reset word;
    std::size_t at = 0;
    model::name of{"a.example", 443, ""};
    if (!stored_.keys.empty()) {
      at = pick(stored_.keys.size());
      // Locked ones more often: there is something to reset.
      for (int tries = 0; tries < 6 && !stored_.keys[at].locked; ++tries) {
        at = pick(stored_.keys.size());
      }
      of = stored_.keys[at].of;
      word.lock_epoch = stored_.keys[at].lock_number;
    }
    word.store = own_id;
    const time_reading when = now();
    word.expires_at = when.wall;
    const std::size_t wrong = pick(10);
    if (wrong == 0) of.network += "x";
    if (wrong == 1) of.port ^= 1;
    if (wrong == 2) word.store.octets[15] = 1;
    if (wrong == 3) ++word.lock_epoch;
    if (wrong == 4) --word.lock_epoch;
    if (wrong == 5) word.expires_at -= 1s;
    word.host = of.host;
    word.port = of.port;
    word.network = of.network;
    note("reset " + std::to_string(wrong));

    const errc got = one.breaker.reset(word, when).error().what;
    if (!begins(one, when)) {
      agree("a reset without a store fails", got != errc::ok && got != errc::reset_not_for_this,
            true);
      return;
    }
    // The clock was further once, and the store knows.
    const auto latest = std::max(stored_.latest_day, when.wall.time_since_epoch());
    if (word.expires_at.time_since_epoch() < latest) {
      if (wrong != 5) ++seen_["expired by a clock that was set back"];
      return agree("expired reset", got, errc::reset_expired);
    }
    model::stored after = stored_;
    if (wrong == 2 || !after.reset(of, word.lock_epoch)) {
      agree("reset", got, errc::reset_not_for_this);
      ++seen_["resets refused"];
    } else if (commits(one)) {
      agree("reset", got, errc::ok);
      stored_ = after;
      ++seen_["opened by reset"];
    } else {
      agree("reset", got, errc::state_unwritable);
    }
  }

  void crash() {
    auto& one = processes_[pick(processes_.size())];
    seen_["attempts lapsed"] += one->attempts.size();
    // The breaker goes before its view: nothing of it is said to the store any more.
    start(one);
    note("crash");
  }

  static void apply(process& one) {
    one.view.heal();
    if (one.store == process::health::cannot_begin) {
      one.view.fail_begin(errc::state_busy, view_type::always);
    }
    if (one.store == process::health::cannot_commit) one.view.fail_commit(view_type::always);
  }
  void change_health(process& one) {
    constexpr process::health all[] = {process::health::well, process::health::well,
                                       process::health::cannot_begin,
                                       process::health::cannot_commit};
    one.store = all[pick(4)];
    apply(one);
    note("store: " + std::to_string(static_cast<int>(one.store)));
  }

  /// Everything that is stored, by another process's eyes.
  void compare() {
    const time_reading at{wall_, uptime_};
    model::stored seen = stored_;
    model::milliseconds counted{};
    seen.look(counted, at);
    for (const model::key& k : seen.keys) {
      const auto is = observer_->breaker.status({{k.of.host, k.of.port}, k.of.network}, at);
      if (!is) {
        problem_ = "no status";
        return;
      }
      agree("state", is->state, seen.state_of(k));
      agree("streak", is->streak, k.streak);
      agree("24 h", is->mismatches_24h, seen.in_24h(k, counted));
      agree("lock number", is->lock_epoch, k.lock_number);
      agree("sequence", is->sequence, k.highest_sequence);
      const bool waits = k.locked || k.streak >= config_.alert_threshold;
      const auto left = waits ? std::max(k.waits_until - counted, 0ms) : 0ms;
      agree("wait", is->next_attempt_in.count(), left.count());
    }
    agree("any locked", observer_->breaker.any_locked(), stored_.any_locked());
    agree("known keys", observer_->breaker.status({{"a.example", 9}, ""}, at)->sequence, 0u);
  }

  std::mt19937 random_;
  tally& seen_;
  breaker_config config_{};
  lock_recovery recovery_{};
  model::stored stored_{{}, {}, 0};
  disk_type disk_{};
  std::array<std::unique_ptr<process>, 2> processes_{};
  std::unique_ptr<process> observer_{};
  model::milliseconds uptime_ = 10min;
  instant wall_{1'800'000'000s};
  std::uint64_t sequence_ = 5;
  std::vector<std::string> log_{};
  std::string problem_{};
};

}  // namespace

TEST_CASE("stored_breaker does what the model does, whatever happens in whatever order") {
  // One sequence alone: COTTER_BREAKER_SEED=<seed>.
  const char* one = std::getenv("COTTER_BREAKER_SEED");
  const auto first = one != nullptr ? static_cast<std::uint32_t>(std::atoi(one)) : 1u;
  const std::uint32_t last = one != nullptr ? first : 2000u;
  tally seen;
  for (std::uint32_t seed = first; seed <= last; ++seed) {
    const std::string problem = machine(seed, seen).run(150);
    if (problem.empty()) continue;
    FAIL("COTTER_BREAKER_SEED=" << seed << "\n" << problem);
  }
  if (one != nullptr) return;
  for (const char* what :
       {"locks", "alerts", "probes", "opened by probe", "opened by sequence", "opened by reset",
        "expired by a clock that was set back", "resets refused", "attempts lapsed", "debts made",
        "debts paid", "reboots", "rooms taken over", "successes that cleared",
        "refused without a store", "refused because it could not be written",
        "refused: breaker_cooling", "refused: breaker_locked", "refused: state_unavailable"}) {
    INFO(what);
    CHECK(seen[what] > 25);
  }
}
