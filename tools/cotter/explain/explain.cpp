// SPDX-License-Identifier: BSL-1.0
#include "explain.hpp"

#include "pages.hpp"

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <string_view>
#include <utility>

namespace cotter::command {

namespace {

constexpr std::size_t line_width = 96;

std::string_view breaker_text(counting counts) {
  switch (counts) {
    case counting::none: break;
    case counting::never: return "does not count";
    case counting::always: return "counts, and locks if it goes on";
    case counting::with_the_pins: return "counts with pin_mismatch; does not with any other reason";
  }
  return {};
}

json counts_json(counting counts) {
  switch (counts) {
    case counting::none: break;
    case counting::never: return "never";
    case counting::always: return "always";
    case counting::with_the_pins: return "with_pin_mismatch";
  }
  return nullptr;
}

json object(const page& one) {
  return {{"code", one.word},
          {"kind", to_string(one.kind)},
          {"meaning", one.meaning},
          {"confirm", one.confirm},
          {"do", one.action},
          {"counts", counts_json(one.counts)},
          {"phone", one.phone.empty() ? json(nullptr) : json(one.phone)}};
}

/// `text` under `head`, its further lines below where it begins.
std::string paragraph(std::string_view head, std::string_view text) {
  std::string out = "  " + std::string(head) + std::string(10 - head.size(), ' ');
  const std::string indent(out.size(), ' ');
  std::size_t column = out.size();
  for (bool first = true; !text.empty(); first = false) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!first && column + 1 + word.size() > line_width) {
      out += "\n" + indent;
      column = indent.size();
    } else if (!first) {
      out += " ";
      ++column;
    }
    out += word;
    column += word.size();
  }
  return out + "\n";
}

std::string text(const page& one) {
  std::string out = std::string(one.word) + "  (" + std::string(to_string(one.kind)) + ")\n";
  out += paragraph("meaning", one.meaning);
  out += paragraph("confirm", one.confirm);
  out += paragraph("do", one.action);
  if (one.counts != counting::none) out += paragraph("breaker", breaker_text(one.counts));
  if (!one.phone.empty()) out += paragraph("phone", one.phone);
  return out;
}

/// Levenshtein's, with the exchange of two neighbours as one step.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), now(b.size() + 1);
  std::iota(last.begin(), last.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    now[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      now[j] =
          std::min({last[j] + 1, now[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        now[j] = std::min(now[j], before[j - 2] + 1);
      }
    }
    std::swap(before, last);
    std::swap(last, now);
  }
  return last[b.size()];
}

/// As people type it: `Pin-Mismatch` is `pin_mismatch`.
std::string spelled(std::string_view typed) {
  std::string out(typed.substr(0, 64));
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (c == '-' || c == ' ') c = '_';
  }
  return out;
}

}  // namespace

std::string_view to_string(word_kind kind) noexcept {
  switch (kind) {
    case word_kind::error: return "error";
    case word_kind::reason: return "reason";
    case word_kind::diagnosis: return "diagnosis";
    case word_kind::evidence: return "evidence";
    case word_kind::event: return "event";
    case word_kind::finding: return "finding";
  }
  return "unknown";
}

page explain(errc what) noexcept {
  const advice told = advise(what);
  return {code(what), word_kind::error, told.meaning, told.confirm, told.action, counting::none,
          {}};
}

std::vector<page> all_pages() {
  std::vector<page> out;
  for (int i = 0; i <= static_cast<int>(last_reason); ++i) {
    out.push_back(explain(static_cast<reason>(i)));
  }
  out.push_back(explain(cause::none));
  for (const cause one : all_causes) out.push_back(explain(one));
  for (const evidence one : all_evidence) out.push_back(explain(one));
  for (int i = 0; i <= static_cast<int>(audit_type::loss); ++i) {
    out.push_back(explain(static_cast<audit_type>(i)));
  }
  for (int i = 0; i <= static_cast<int>(last_errc); ++i) {
    out.push_back(explain(static_cast<errc>(i)));
  }
  const std::vector<page>& own = command_pages();
  out.insert(out.end(), own.begin(), own.end());
  return out;
}

std::vector<std::string_view> nearest(std::string_view word, const std::vector<page>& pages) {
  constexpr std::size_t most = 3;
  std::vector<std::pair<std::size_t, std::string_view>> ranked;
  for (const page& one : pages) {
    const bool part = word.size() >= 4 && one.word.find(word) != std::string_view::npos;
    const std::size_t far = part ? 1 : distance(word, one.word);
    if (far <= 1 + word.size() / 4) ranked.emplace_back(far, one.word);
  }
  std::sort(ranked.begin(), ranked.end());
  ranked.erase(std::unique(ranked.begin(), ranked.end()), ranked.end());
  std::vector<std::string_view> out;
  for (std::size_t i = 0; i < std::min(most, ranked.size()); ++i) out.push_back(ranked[i].second);
  return out;
}

exit_code explain(const explain_options& options, format how) {
  const std::vector<page> pages = all_pages();
  if (options.list == !options.word.empty()) {
    problem p = describe_usage("neither a code nor --list, or both", "explain");
    p.action = "give one code, for example `cotter explain pin_mismatch`, or --list";
    write_diagnostic("explain", p);
    if (how == format::json_lines) write_line({{"error", to_json(p)}});
    return exit_code::no_verdict;
  }
  const std::string word = spelled(options.word);
  bool found = false;
  for (const page& one : pages) {
    if (!options.list && one.word != word) continue;
    if (how == format::json_lines) {
      write_line(object(one));
    } else if (options.list) {
      write_text(std::string(one.word) + "  (" + std::string(to_string(one.kind)) + ")\n");
    } else {
      write_text((found ? "\n" : "") + text(one));
    }
    found = true;
  }
  if (found) return exit_code::ok;
  problem p{"unknown_code", "no code of this name: " + printable(options.word.substr(0, 64)),
            "a code, reason, diagnosis, evidence or event",
            "`cotter explain --list` prints all of them"};
  for (const std::string_view one : nearest(word, pages)) {
    p.suggestion += (p.suggestion.empty() ? "" : ", ") + std::string(one);
  }
  write_diagnostic("explain", p);
  if (how == format::json_lines) write_line({{"error", to_json(p)}});
  return exit_code::no_verdict;
}

}  // namespace cotter::command
