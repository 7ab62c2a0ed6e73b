// SPDX-License-Identifier: BSL-1.0
#include "spool_view.hpp"

#include "../files.hpp"
#include "trail.hpp"

#include <cotter/posix/audit_cursor.hpp>

#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <vector>

namespace cotter::command {

namespace {

using reader = posix::basic_audit_spool_reader<>;

constexpr std::size_t batch_events = 256;
constexpr std::size_t batch_bytes = std::size_t{1} << 20;

/// The octets of a small file; none if it cannot be read.
std::vector<std::uint8_t> octets_of(const std::string& path) {
  std::vector<std::uint8_t> out;
  if (std::FILE* file = std::fopen(path.c_str(), "rbe")) {
    std::uint8_t piece[4096];
    for (std::size_t size; (size = std::fread(piece, 1, sizeof piece, file)) != 0;) {
      out.insert(out.end(), piece, piece + size);
    }
    std::fclose(file);
  }
  return out;
}

std::string cursor_path(const std::string& directory, std::string_view output) {
  return directory + "/cursor." + std::string(output);
}

}  // namespace

std::optional<problem> spool_view::open(const std::string& directory, std::string_view output) {
  directory_ = directory;
  reader_ = std::make_unique<reader>(directory_, output);
  const result<void> done = reader_->look();
  if (done) return {};
  reader_.reset();
  return describe_spool(done.error(), directory_);
}

posix::audit_retry spool_view::retry_of(const std::string& directory, std::string_view output) {
  const auto cursor = posix::audit_cursor::read(octets_of(cursor_path(directory, output)), output);
  return cursor ? cursor->retry : posix::audit_retry{};
}

std::optional<problem> spool_view::next(std::span<const audit_event>& out) {
  out = {};
  const auto some = reader_->next(batch_events, batch_bytes);
  if (!some) return describe_spool(some.error(), directory_);
  out = *some;
  reader_->settle(out.size());
  return {};
}

}  // namespace cotter::command
