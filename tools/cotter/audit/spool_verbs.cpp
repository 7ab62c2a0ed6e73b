// SPDX-License-Identifier: BSL-1.0
#include "audit_verbs.hpp"
#include "spool_view.hpp"
#include "trail.hpp"

#include "../documents.hpp"

#include <cotter/posix/audit_spool.hpp>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <system_error>
#include <vector>

namespace cotter::command {

namespace {

using wrong = std::optional<problem>;

/// What is in a spool, or waits for one output.
struct tally {
  std::uint64_t events = 0;
  std::uint64_t suppressed = 0;
  std::uint64_t dropped = 0;
  std::uint64_t damaged = 0;
};

wrong count(const std::string& directory, std::string_view output, tally& out) {
  spool_view view;
  if (auto fault = view.open(directory, output)) return fault;
  for (;;) {
    std::span<const audit_event> some;
    if (auto fault = view.next(some)) return fault;
    if (some.empty()) return {};
    for (const audit_event& one : some) {
      if (type_of(one.what) != audit_type::loss) {
        ++out.events;
        out.suppressed += one.what.suppressed_count;
      } else if (one.what.detail.what == errc::spool_damaged) {
        out.damaged += one.what.suppressed_count;
      } else {
        out.dropped += one.what.suppressed_count;
      }
    }
  }
}

struct output_line {
  std::string name{};
  tally waiting{};
  posix::audit_retry retry{};
};

struct spool_look {
  std::uint64_t segments = 0;
  std::uint64_t bytes = 0;  ///< of everything in the directory
  tally all{};
  std::vector<output_line> outputs{};
};

wrong look(const std::string& directory, spool_look& out) {
  if (auto fault = count(directory, {}, out.all)) return fault;
  std::error_code failed;
  for (const auto& one : std::filesystem::directory_iterator(directory, failed)) {
    const std::string name = one.path().filename().string();
    constexpr std::string_view cursor = "cursor.";
    std::error_code gone;
    const auto size = one.file_size(gone);
    if (!gone) out.bytes += size;
    if (name.ends_with(posix::audit_format::finished_suffix)) ++out.segments;
    const std::string output =
        name.starts_with(cursor) ? name.substr(cursor.size()) : std::string();
    if (!posix::is_audit_output(output)) continue;
    out.outputs.push_back({output, {}, {}});
  }
  if (failed) return describe(errc::state_unreadable, directory);
  std::sort(out.outputs.begin(), out.outputs.end(),
            [](const output_line& a, const output_line& b) { return a.name < b.name; });
  for (output_line& one : out.outputs) {
    one.retry = spool_view::retry_of(directory, one.name);
    if (auto fault = count(directory, one.name, one.waiting)) return fault;
  }
  return {};
}

}  // namespace

exit_code show_audit_status(const std::string& directory, format how) {
  spool_look seen;
  if (const wrong fault = look(directory, seen)) {
    write_diagnostic("audit status", *fault);
    if (how == format::json_lines) write_line({{"error", to_json(*fault)}});
    return exit_code::no_verdict;
  }
  const instant now = current_time();
  exit_code worst = exit_code::ok;
  if (seen.all.dropped != 0 || seen.all.damaged != 0) worst = exit_code::refused;
  std::string text = directory + "\n  events       " + std::to_string(seen.all.events) + ", and " +
                     std::to_string(seen.all.suppressed) + " more like them\n  dropped      " +
                     std::to_string(seen.all.dropped) + "\n  damaged      " +
                     std::to_string(seen.all.damaged) + "\n  files        " +
                     std::to_string(seen.segments) + ", " + std::to_string(seen.bytes) +
                     " octets in all\n";
  if (how == format::json_lines) {
    write_line({{"directory", directory},
                {"events", seen.all.events},
                {"suppressed", seen.all.suppressed},
                {"dropped", seen.all.dropped},
                {"damaged", seen.all.damaged},
                {"segments", seen.segments},
                {"bytes", seen.bytes}});
  }
  for (const output_line& one : seen.outputs) {
    if (one.waiting.events != 0) worst = worse(worst, exit_code::warning);
    const bool failing = one.retry.failures != 0;
    const bool waits = one.retry.left(now).count() > 0;
    if (how == format::json_lines) {
      write_line({{"output", one.name},
                  {"waiting", one.waiting.events},
                  {"failures", one.retry.failures},
                  {"next_attempt", waits ? json(rfc3339(one.retry.not_before)) : json(nullptr)}});
      continue;
    }
    text += one.name + "\n  waiting      " + std::to_string(one.waiting.events) + " events\n";
    if (failing) {
      text += "  failed       " + std::to_string(one.retry.failures) + " times in a row";
      if (waits) text += ", next attempt " + rfc3339(one.retry.not_before);
      text += "\n";
    }
  }
  if (how == format::text) write_text(text);
  return worst;
}

exit_code init_audit(const audit_init_options& options, format how) {
  posix::audit_spool_bounds bounds;
  bounds.max_bytes = options.max_bytes;
  // Small spools have small files: one is the least that drains free.
  bounds.segment_bytes = static_cast<std::uint32_t>(std::clamp<std::uint64_t>(
      options.max_bytes / 16, posix::min_segment_bytes, posix::audit_spool_bounds{}.segment_bytes));
  if (const auto made = posix::audit_spool::create(options.directory, bounds); !made) {
    problem p = describe_spool(made.error(), options.directory);
    switch (made.error().what) {
      case errc::invalid_value:
        p = describe_usage("--max-bytes: too few", "audit init");
        p.action = "give at least " + std::to_string(4 * posix::min_segment_bytes);
        break;
      case errc::state_exists:
        p.seen = options.directory + ": there is something in it";
        p.expected = "a directory that is not there yet, or is empty";
        p.action = "use it if it is a spool: `cotter audit status DIR` says so; else another one";
        break;
      case errc::state_absent:
        p.seen = options.directory + ": its parent directory is not there";
        p.expected = "a directory to make it in";
        p.action = "make that directory first";
        break;
      default: break;
    }
    write_diagnostic("audit init", p);
    if (how == format::json_lines) write_line({{"error", to_json(p)}});
    return exit_code::no_verdict;
  }
  if (how == format::json_lines) {
    write_line({{"directory", options.directory},
                {"max_bytes", bounds.max_bytes},
                {"segment_bytes", bounds.segment_bytes}});
  } else {
    write_text(options.directory + "\n  at most      " + std::to_string(bounds.max_bytes) +
               " octets, in files of " + std::to_string(bounds.segment_bytes) + "\n");
  }
  return exit_code::ok;
}

}  // namespace cotter::command
