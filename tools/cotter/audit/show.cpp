// SPDX-License-Identifier: BSL-1.0
#include "audit_verbs.hpp"
#include "formats.hpp"
#include "spool_view.hpp"
#include "until_told.hpp"

#include <cotter/policies/audit/event_text.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <map>
#include <string>
#include <system_error>
#include <tuple>
#include <utility>
#include <vector>

namespace cotter::command {

namespace {

using wrong = std::optional<problem>;

/// One event as it is shown, with what it is put in order by: events know whole seconds only, but
/// the files that processes leave tell which of two ended first.
struct shown {
  instant at{};
  std::filesystem::file_time_type ended{};
  event_id id{};
  std::string text{};

  [[nodiscard]] auto order() const noexcept { return std::tie(at, ended, id); }
};

/// When each process last wrote: by the 32 digits that its files' names begin with.
std::map<std::string, std::filesystem::file_time_type> ends_of(const std::string& directory) {
  constexpr std::size_t digits = 32;
  std::map<std::string, std::filesystem::file_time_type> out;
  std::error_code ignored;
  for (const auto& one : std::filesystem::directory_iterator(directory, ignored)) {
    std::error_code gone;
    const auto when = one.last_write_time(gone);
    if (gone) continue;
    const auto [at, anew] = out.try_emplace(one.path().filename().string().substr(0, digits), when);
    if (!anew) at->second = std::max(at->second, when);
  }
  return out;
}

std::string origin_of(const event_id& id) {
  std::array<char, event_id_chars> text{};
  return std::string(text.data(), to_chars(id, text)).substr(0, 2 * id.origin.size());
}

std::string line_of(const audit_event& event) {
  std::string summary;
  append_summary(event, summary);
  std::string out;
  append_time(event.what.at, out);
  out += "  " + printable(summary);
  if (!event.client.empty()) out += "  [" + printable(event.client) + "]";
  return out;
}

class shower {
 public:
  shower(const audit_show_options& options, format how)
      : directory_(options.directory),
        render_{find_format(options.format)},
        as_json_(how == format::json_lines || options.format_given) {}

  /// All that there is now. Each process writes its events in order; theirs among each other are put
  /// in order by time.
  wrong turn(spool_view& from) {
    const auto ends = ends_of(directory_);
    std::vector<shown> all;
    for (;;) {
      std::span<const audit_event> some;
      if (auto fault = from.next(some)) return fault;
      if (some.empty()) break;
      for (const audit_event& one : some) {
        const auto known = ends.find(origin_of(one.id));
        shown next{one.what.at, {}, one.id, {}};
        if (known != ends.end()) next.ended = known->second;
        if (as_json_) {
          render_(one, next.text);
        } else {
          next.text = line_of(one);
        }
        if (!next.text.empty()) all.push_back(std::move(next));
      }
    }
    std::stable_sort(all.begin(), all.end(),
                     [](const shown& a, const shown& b) { return a.order() < b.order(); });
    std::string text;
    for (const shown& one : all) text += one.text + "\n";
    if (!text.empty()) write_text(text);
    return {};
  }

 private:
  const std::string& directory_;
  render_event render_;
  bool as_json_;
};

}  // namespace

exit_code show_audit(const audit_show_options& options, format how) {
  constexpr std::chrono::milliseconds pause{500};
  const until_told ended(options.follow);
  spool_view view;
  wrong fault = view.open(options.directory);
  shower out(options, how);
  if (!fault) fault = out.turn(view);
  while (!fault && options.follow && !ended.within(pause) && std::ferror(stdout) == 0) {
    fault = out.turn(view);
  }
  if (!fault) return exit_code::ok;
  write_diagnostic("audit show", *fault);
  if (how == format::json_lines) write_line({{"error", to_json(*fault)}});
  return exit_code::no_verdict;
}

}  // namespace cotter::command
