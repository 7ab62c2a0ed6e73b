// SPDX-License-Identifier: BSL-1.0
#include "rotation.hpp"

#include "authority.hpp"
#include "phone.hpp"

#include <cotter/json/manifest.hpp>
#include <json/support/documents.hpp>
#include <support/catch.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

// The dates of the year, by which every answer is foretold. From the day on which no public
// certificate lives longer than 47 days, one is renewed every 35:
//
//   day  0  the next certificate is issued, the first phase signed: next primary, present fallback
//        3  the second phase signed
//        5  the server changes
//        7  the window ends, the third phase is signed: the old certificate is none of ours
//       12  the old certificate expires; for five days only the pins have been against it

namespace {

using cotter::errc;
using cotter::instant;
using cotter::reason;
using rotation::answer;
using std::chrono::days;
using std::chrono::hours;
using std::chrono::seconds;

namespace json = cotter::json;

constexpr instant first_day{std::chrono::sys_days{std::chrono::year{2029} / 3 / 15}};
constexpr days year_length{385};
constexpr days renewal{35};
constexpr days lifetime{47};
constexpr days server_waits{5};
constexpr days window{7};

/// Sets the clock of everything in this process that asks the operating system, by libfaketime.
void set_clock(instant when) {
  const auto at = static_cast<std::time_t>(when.time_since_epoch().count());
  std::tm parts{};
  gmtime_r(&at, &parts);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S", &parts);
  setenv("FAKETIME", text.data(), 1);
  if (std::time(nullptr) != at) {
    throw std::runtime_error(
        "the clock does not move: this test is run by ctest, which preloads "
        "libfaketime");
  }
}

const std::vector<rotation::phone_model>& models() {
  static const std::vector<rotation::phone_model> all{rotation::openssl(), rotation::wolfssl(),
                                                      rotation::mbedtls()};
  return all;
}

rotation::authority& ca() {
  static rotation::authority one{COTTER_TEST_CERTIFICATES};
  return one;
}

const lab::named_signer& ann() {
  static const lab::named_signer one{"ann", lab::signer{}};
  return one;
}

std::string key_set() {
  lab::key_set_plan plan;
  plan.keys = {&ann()};
  plan.key_set_role = {0};
  plan.manifest_role = {0};
  plan.expires = first_day + days(2000);
  return lab::signed_text(json::role::key_set, lab::key_set_text(plan), {&ann()});
}

/// One certificate of the server's, from its rotation's start on, and how it is served.
struct generation {
  instant start;  ///< issued, and known to a manifest
  rotation::certificate files;
  std::string pin;
  std::map<int, std::unique_ptr<peer::server>> servers;  ///< by TLS version

  [[nodiscard]] instant served_from() const { return start + server_waits; }
};

struct release {
  instant from;
  std::string envelope;
  bool is_first_phase = false;
};

class history {
 public:
  history() {
    for (int k = 0; start_of(k) < first_day + year_length; ++k) {
      generation one;
      one.start = start_of(k);
      one.files = ca().issue("leaf-" + std::to_string(k), rotation::host, one.start - hours(1),
                             one.start + lifetime);
      one.pin = peer::certificate_pin(one.files.chain_file);
      for (const int version : {0x0303, 0x0304}) {
        peer::options how;
        how.chain_file = one.files.chain_file;
        how.key_file = one.files.key_file;
        how.version = version;
        one.servers[version] = std::make_unique<peer::server>(how);
      }
      generations.push_back(std::move(one));
    }
    cotter::pin_manifest last = first_manifest();
    add(last, false);
    for (std::size_t k = 1; k < generations.size(); ++k) {
      cotter::command::rotation_request request;
      request.host = rotation::host;
      request.port = 5061;
      request.successor = *cotter::parse_pin(generations[k].pin);
      request.start = generations[k].start;
      request.window = window;
      cotter::command::rotation planned;
      if (const auto problem = plan_rotation(last, request, planned)) {
        throw std::runtime_error("no plan: " + problem->code + ", " + problem->seen);
      }
      for (const cotter::pin_manifest& phase : planned.phases) {
        add(phase, &phase == &planned.phases[0]);
      }
      last = planned.phases[2];
    }
  }

  std::vector<generation> generations{};
  std::vector<release> releases{};

 private:
  /// The first certificate is in service already on the first day.
  static instant start_of(int k) { return first_day - server_waits + renewal * k; }

  [[nodiscard]] cotter::pin_manifest first_manifest() const {
    cotter::pin_manifest made;
    made.version = "2.1.0";
    made.sequence = 1;
    made.issued_at = generations[0].start;
    made.expires_at = made.issued_at + days(90);
    cotter::manifest_target target;
    target.host = rotation::host;
    target.port = 5061;
    cotter::manifest_pin pin;
    pin.value = *cotter::parse_pin(generations[0].pin);
    pin.value.role = cotter::pin_role::primary;
    target.pins.push_back(pin);
    made.targets.push_back(target);
    return made;
  }

  void add(const cotter::pin_manifest& one, bool is_first_phase) {
    const auto text = json::write_manifest(one);
    if (!text) throw std::runtime_error("no manifest: " + text.error().pointer);
    releases.push_back(
        {one.issued_at, lab::signed_text(json::role::manifest, *text, {&ann()}), is_first_phase});
  }
};

const history& the_year() {
  static const history one;
  return one;
}

/// A phone that gets every manifest so many days after it was signed.
struct customer {
  std::unique_ptr<rotation::phone> phone;
  const rotation::phone_model* model;
  days lag;
  std::size_t next_release = 0;

  /// Another version every day, where the library has two.
  [[nodiscard]] int version_on(int day) const {
    return model->versions[static_cast<std::size_t>(day + lag.count()) % model->versions.size()];
  }
};

std::vector<customer> customers() {
  std::vector<customer> all;
  for (const rotation::phone_model& model : models()) {
    for (const days lag : {days(0), days(4)}) {
      all.push_back({model.make(key_set(), ca().root_pem()), &model, lag});
    }
  }
  return all;
}

struct figures {
  int days = 0;
  int instants = 0;
  int handshakes = 0;
  int accepted = 0;
  int accepted_by_fallback = 0;
  int manifests_taken = 0;
  int restarts = 0;
  int outages = 0;               ///< the certificate in service was refused
  int accepted_past_window = 0;  ///< or past its notAfter, or before any manifest named it
  int server_finished_too = 0;   ///< refused, but the server was told otherwise
  int other_reasons = 0;         ///< refused, not for the reason foretold
  std::map<reason, int> refused{};
};

/// What the dates say of a certificate that is shown at `when` to a phone so late.
struct forecast {
  reason refused_for = reason::none;
  cotter::matched matched = cotter::matched::none;
};

forecast foretell(const history& of, std::size_t k, instant when, days lag) {
  const generation& shown = of.generations[k];
  const instant manifest_was = when - lag;  // the latest manifest the phone has was signed by then
  if (when < shown.files.not_before || when > shown.files.not_after) return {reason::validity};
  if (manifest_was < shown.start && k > 0) return {reason::pin_mismatch};
  const bool last = k + 1 == of.generations.size();
  if (last || manifest_was < of.generations[k + 1].start) {
    return {reason::none, cotter::matched::primary};
  }
  const instant end = of.generations[k + 1].start + window;
  if (when <= end) return {reason::none, cotter::matched::fallback};
  return {manifest_was <= end ? reason::fallback_expired : reason::pin_mismatch};
}

class simulation {
 public:
  /// `withheld`: no phone gets the first phase of a rotation.
  explicit simulation(bool withheld = false) : withheld_(withheld) {}

  figures run(days from, days to) {
    const history& year = the_year();
    for (auto day = static_cast<int>(from.count()); day < to.count(); ++day) {
      const instant midnight = first_day + days(day);
      std::vector<instant> moments{midnight + hours(12)};
      for (std::size_t k = 0; k + 1 < year.generations.size(); ++k) {
        const instant end = year.generations[k + 1].start + window;
        const instant expiry = year.generations[k].files.not_after;
        // On which side of its last second a library puts notAfter is its own affair.
        for (const instant edge :
             {end, end + seconds(1), expiry - seconds(1), expiry + seconds(1)}) {
          if (edge >= midnight && edge < midnight + days(1)) moments.push_back(edge);
        }
      }
      std::sort(moments.begin(), moments.end());
      for (const instant when : moments) at(when, day);
      ++seen.days;
    }
    return seen;
  }

 private:
  void at(instant when, int day) {
    set_clock(when);
    ++seen.instants;
    const history& year = the_year();
    std::size_t in_service = 0;
    while (in_service + 1 < year.generations.size() &&
           year.generations[in_service + 1].served_from() <= when) {
      ++in_service;
    }
    for (customer& one : all_) {
      deliver(one, when);
      if (day % 20 == 19 && day != one_restart_[&one]) {
        one_restart_[&one] = day;
        seen.restarts += one.phone->restart() == errc::ok ? 1 : 0;
      }
      show(one, in_service, when, day, true);
      // Whoever has an older certificate, or the next one too soon, and the key to it.
      for (std::size_t k = in_service >= 2 ? in_service - 2 : 0; k <= in_service + 1; ++k) {
        const bool issued = k < year.generations.size() && when >= year.generations[k].start;
        if (k == in_service || !issued) continue;
        const bool long_gone = when > year.generations[k].files.not_after + days(3);
        if (long_gone && day % 5 != 0) continue;
        show(one, k, when, day, false);
      }
    }
  }

  void deliver(customer& one, instant when) {
    const history& year = the_year();
    while (one.next_release < year.releases.size() &&
           year.releases[one.next_release].from + one.lag <= when) {
      const release& now = year.releases[one.next_release++];
      if (withheld_ && now.is_first_phase) continue;
      // Of several that came at once, those before the last may have expired: none has here.
      const errc taken = one.phone->reload(now.envelope);
      INFO(one.model->name << ", release " << one.next_release << ": " << cotter::code(taken));
      REQUIRE(taken == errc::ok);
      ++seen.manifests_taken;
    }
  }

  void show(customer& one, std::size_t k, instant when, int day, bool in_service) {
    const history& year = the_year();
    peer::server& there = *year.generations[k].servers.at(one.version_on(day));
    const answer given = in_service ? one.phone->call(there) : one.phone->call_impostor(there);
    const forecast due = foretell(year, k, when, one.lag);
    ++seen.handshakes;
    if (given.accepted()) {
      ++seen.accepted;
      if (given.matched == cotter::matched::fallback) ++seen.accepted_by_fallback;
    } else {
      ++seen.refused[given.reason];
      if (given.server_finished) ++seen.server_finished_too;
    }
    if (in_service && !given.accepted()) ++seen.outages;
    if (given.accepted() && due.refused_for != reason::none) ++seen.accepted_past_window;
    if (given.reason != due.refused_for || given.matched != due.matched) {
      ++seen.other_reasons;
      if (!withheld_ && seen.other_reasons <= 10) {
        UNSCOPED_INFO(one.model->name << ", " << one.lag.count() << " days late, day " << day
                                      << " (" << *json::format_timestamp(when) << "), certificate "
                                      << k << ": " << to_string(given.reason) << " by "
                                      << to_string(given.matched) << ", foretold "
                                      << to_string(due.refused_for) << " by "
                                      << to_string(due.matched));
      }
    }
  }

  bool withheld_;
  std::vector<customer> all_ = customers();
  std::map<const customer*, int> one_restart_{};
  figures seen{};
};

}  // namespace

TEST_CASE("every TLS library sees the day that is set, and not only cotter's clock") {
  for (const int day : {0, 100, 300}) {
    const instant noon = first_day + days(day) + hours(12);
    const auto of_that_day = ca().issue("day-" + std::to_string(day), rotation::host,
                                        noon - hours(12), noon + hours(12));
    const std::string pin = peer::certificate_pin(of_that_day.chain_file);
    for (const rotation::phone_model& model : models()) {
      const auto phone = model.make(key_set(), ca().root_pem());
      for (const int version : model.versions) {
        peer::options how;
        how.chain_file = of_that_day.chain_file;
        how.key_file = of_that_day.key_file;
        how.version = version;
        peer::server there(how);
        INFO(model.name << ", day " << day << ", TLS " << version);
        set_clock(noon);
        CHECK(phone->call_by_other_clock(there, pin, noon).accepted());
        for (const days off : {days(-1), days(1)}) {
          set_clock(noon + off);
          const answer given = phone->call_by_other_clock(there, pin, noon);
          CHECK(given.reason == reason::pkix);
          CHECK_FALSE(given.server_finished);
        }
      }
    }
  }
}

TEST_CASE("a year of 47-day certificates has no outage and no day of grace") {
  const figures seen = simulation{}.run(days(0), year_length);
  std::cout << "rotation: " << seen.days << " days, " << seen.instants << " instants, "
            << the_year().generations.size() << " certificates, " << seen.manifests_taken
            << " manifests taken, " << seen.restarts << " restarts, " << seen.handshakes
            << " handshakes, " << seen.accepted << " accepted (" << seen.accepted_by_fallback
            << " by a fallback)";
  int refused = 0;
  for (const auto& [why, count] : seen.refused) refused += count;
  std::cout << ", " << refused << " refused (";
  const char* comma = "";
  for (const auto& [why, count] : seen.refused) {
    std::cout << comma << count << ' ' << to_string(why);
    comma = ", ";
  }
  std::cout << "), " << seen.outages << " outages, " << seen.accepted_past_window
            << " accepted past window\n";

  CHECK(seen.outages == 0);
  CHECK(seen.accepted_past_window == 0);
  CHECK(seen.other_reasons == 0);
  CHECK(seen.server_finished_too == 0);
  // That there was something to see.
  CHECK(seen.days >= 365);
  CHECK(seen.handshakes > 6 * 365 * 2);
  CHECK(seen.accepted > seen.days * 6);
  CHECK(seen.accepted_by_fallback > 100);
  CHECK(seen.restarts == 6 * (year_length / days(20)));
  for (const reason why : {reason::validity, reason::pin_mismatch, reason::fallback_expired}) {
    CHECK(seen.refused.count(why) == 1);
  }
  CHECK(seen.refused.size() == 3);
}

TEST_CASE("a rotation without its first phase would be noticed as an outage") {
  CHECK(simulation{true}.run(renewal - days(7), renewal + days(2)).outages > 0);
}

TEST_CASE("a clock that is set back brings no certificate of the past back") {
  const history& year = the_year();
  for (customer& one : customers()) {
    for (const release& each : year.releases) {
      set_clock(each.from + one.lag);
      REQUIRE(one.phone->reload(each.envelope) == errc::ok);
    }
    for (std::size_t k = 0; k + 2 < year.generations.size(); ++k) {
      set_clock(year.generations[k].served_from() + hours(1));
      for (const int version : one.model->versions) {
        const answer given = one.phone->call(*year.generations[k].servers.at(version));
        INFO(one.model->name << ", certificate " << k);
        CHECK(given.reason == reason::validity);
      }
    }
  }
}
