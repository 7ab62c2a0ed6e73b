// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/values/audit_event.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

/// Events in a row, and a rendering that says of each its number, so that a sender is tested without
/// JSON. Every seventh renders as nothing if asked.
namespace numbered {

inline std::vector<cotter::audit_event> events(std::uint64_t first, std::size_t count) {
  std::vector<cotter::audit_event> out(count);
  for (std::size_t i = 0; i < count; ++i) {
    out[i].id.number = first + i;
    out[i].what.at = cotter::instant{std::chrono::seconds{1'790'000'000}};
    out[i].what.endpoint = {"edge.example.com", 5061};
    out[i].what.outcome = cotter::verdict::refuse(cotter::reason::pin_mismatch);
  }
  return out;
}

/// `{"id":"<id>","host":"<host>","pad":"..."}`
struct render {
  std::size_t padding = 0;
  bool skip_sevenths = false;

  void operator()(const cotter::audit_event& event, std::string& out) const {
    if (skip_sevenths && event.id.number % 7 == 0) return;
    std::array<char, cotter::event_id_chars> id;
    out += "{\"id\":\"";
    out.append(id.data(), to_chars(event.id, id));
    out += "\",\"host\":\"";
    out += event.what.endpoint.host;
    out += "\",\"pad\":\"";
    out.append(padding, 'x');
    out += "\"}";
  }
};

/// The number in a line of `render` or of `append_cut`; 0 if it is not whole.
inline std::uint64_t number_in(const std::string& line) {
  const std::size_t id = line.find("\"id\":\"00000000000000000000000000000000-");
  if (id == line.npos || !line.ends_with('}')) return 0;
  return std::stoull(line.substr(id + 39));
}

inline std::vector<std::uint64_t> numbers_in(const std::vector<std::string>& lines) {
  std::vector<std::uint64_t> out;
  for (const std::string& line : lines) out.push_back(number_in(line));
  return out;
}

inline std::vector<std::uint64_t> from_to(std::uint64_t first, std::uint64_t last) {
  std::vector<std::uint64_t> out;
  for (; first <= last; ++first) out.push_back(first);
  return out;
}

inline std::chrono::steady_clock::time_point within(int milliseconds) {
  return std::chrono::steady_clock::now() + std::chrono::milliseconds{milliseconds};
}

}  // namespace numbered
