// SPDX-License-Identifier: BSL-1.0
#include "output.hpp"

#include <array>
#include <chrono>
#include <cstdio>

namespace cotter::command {

namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";

void append_hex(std::string& out, unsigned char octet) {
  out += hex_digits[octet >> 4];
  out += hex_digits[octet & 15];
}

void write(std::FILE* to, std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), to);
  std::fflush(to);
}

}  // namespace

std::string hex(const sha256_digest& digest) {
  std::string out;
  out.reserve(digest.octets.size() * 2);
  for (const std::uint8_t octet : digest.octets) append_hex(out, octet);
  return out;
}

std::string rfc3339(instant at) {
  using namespace std::chrono;
  const auto day = floor<days>(at);
  const year_month_day date{day};
  const hh_mm_ss time{at - day};
  std::array<char, 40> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02dZ",
                static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()), static_cast<int>(time.hours().count()),
                static_cast<int>(time.minutes().count()), static_cast<int>(time.seconds().count()));
  return text.data();
}

std::string printable(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c >= ' ' && c <= '~') {
      out += c;
    } else {
      out += "\\x";
      append_hex(out, static_cast<unsigned char>(c));
    }
  }
  return out;
}

json to_json(const problem& p) {
  json object{{"code", p.code}};
  if (!p.pointer.empty()) object["pointer"] = p.pointer;
  if (p.offset_bytes) object["offset"] = *p.offset_bytes;
  object["seen"] = p.seen;
  object["expected"] = p.expected;
  object["do"] = p.action;
  if (!p.suggestion.empty()) object["suggestion"] = p.suggestion;
  if (p.native != 0) object["native"] = p.native;
  return object;
}

void write_line(const json& object) {
  write(stdout, object.dump(-1, ' ', false, json::error_handler_t::replace) + "\n");
}

void write_text(std::string_view text) { write(stdout, text); }

void write_diagnostic(std::string_view subject, const problem& p) {
  std::string text = "cotter: " + printable(subject);
  if (!subject.empty()) text += ": ";
  text += p.code;
  if (!p.pointer.empty()) text += " at " + printable(p.pointer);
  if (p.offset_bytes) text += " (at offset " + std::to_string(*p.offset_bytes) + ")";
  text += "\n  seen      " + printable(p.seen);
  text += "\n  expected  " + printable(p.expected);
  if (!p.suggestion.empty()) text += "\n  perhaps   " + printable(p.suggestion);
  text += "\n  do        " + printable(p.action) + "\n";
  write(stderr, text);
}

void write_note(std::string_view text) { write(stderr, "cotter: " + std::string(text) + "\n"); }

}  // namespace cotter::command
