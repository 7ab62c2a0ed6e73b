// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <support/pki.hpp>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

/// collector.py as a process of its own, and what it says.
namespace reports {

using fields = std::vector<std::string>;

inline fields split(std::string_view text, char by) {
  fields parts(1);
  for (const char c : text) {
    if (c == by) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

inline std::string hex(std::string_view octets) {
  std::string text;
  for (const char c : octets) {
    const auto octet = static_cast<unsigned char>(c);
    text += "0123456789abcdef"[octet >> 4];
    text += "0123456789abcdef"[octet & 15];
  }
  return text;
}

inline std::string from_hex(std::string_view text) {
  std::string octets;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    octets += static_cast<char>(cotter::detail::hex_value(text[i]) * 16 +
                                cotter::detail::hex_value(text[i + 1]));
  }
  return octets;
}

class collector_process {
 public:
  collector_process() {
    int to_child[2];
    int from_child[2];
    if (::pipe(to_child) != 0 || ::pipe(from_child) != 0) throw std::runtime_error("pipe");
    const std::string directory = pki::path("");
    child_ = ::fork();
    if (child_ == 0) {
      ::dup2(to_child[0], 0);
      ::dup2(from_child[1], 1);
      for (const int fd : {to_child[0], to_child[1], from_child[0], from_child[1]}) ::close(fd);
      ::execlp(COTTER_PYTHON, COTTER_PYTHON, "-B", COTTER_COLLECTOR, directory.c_str(), nullptr);
      ::_exit(127);
    }
    ::close(to_child[0]);
    ::close(from_child[1]);
    in_ = to_child[1];
    out_ = from_child[0];
    const fields line = next();
    if (line.empty() || line[0] != "ports") throw std::runtime_error("no collector");
    for (std::size_t i = 1; i < line.size(); ++i) {
      const fields one = split(line[i], '=');
      ports_[one.at(0)] = static_cast<std::uint16_t>(std::stoi(one.at(1)));
    }
  }
  collector_process(const collector_process&) = delete;
  collector_process& operator=(const collector_process&) = delete;
  ~collector_process() {
    ::close(in_);
    ::close(out_);
    ::waitpid(child_, nullptr, 0);
  }

  [[nodiscard]] std::uint16_t port(const std::string& name) const { return ports_.at(name); }

  /// The next line; empty if none comes within `patience`.
  fields next(std::chrono::milliseconds patience = std::chrono::seconds(20)) {
    const auto until = std::chrono::steady_clock::now() + patience;
    for (;;) {
      const std::size_t end = unread_.find('\n');
      if (end != std::string::npos) {
        const std::string line = unread_.substr(0, end);
        unread_.erase(0, end + 1);
        return split(line, '\t');
      }
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
          until - std::chrono::steady_clock::now());
      pollfd waited{out_, POLLIN, 0};
      const int ready = ::poll(&waited, 1, left.count() > 0 ? static_cast<int>(left.count()) : 0);
      if (ready < 0 && errno == EINTR) continue;
      if (ready <= 0) return {};
      std::array<char, 65536> some;
      const ssize_t size = ::read(out_, some.data(), some.size());
      if (size <= 0) return {};
      unread_.append(some.data(), static_cast<std::size_t>(size));
    }
  }

 private:
  pid_t child_ = -1;
  int in_ = -1;
  int out_ = -1;
  std::string unread_;
  std::map<std::string, std::uint16_t> ports_;
};

/// What a collector saw of the deliveries of one test.
struct sight {
  std::vector<fields> requests;  ///< name, path, fields, body (no longer in hex)
  std::vector<fields> ends;      ///< name, count, how, version
  std::vector<std::string> frames;
  int touched = 0;
};

/// Reads until `connections` have ended, or until nothing more comes.
inline sight see(collector_process& from, std::size_t connections) {
  sight seen;
  while (seen.ends.size() < connections) {
    fields line = from.next();
    if (line.empty()) break;
    const std::string what = line.front();
    line.erase(line.begin());
    if (what == "request") {
      line.at(3) = from_hex(line.at(3));
      seen.requests.push_back(std::move(line));
    } else if (what == "end") {
      seen.ends.push_back(std::move(line));
    } else if (what == "frames") {
      seen.frames.push_back(from_hex(line.at(1)));
    } else if (what == "touched") {
      ++seen.touched;
    }
  }
  return seen;
}

}  // namespace reports
