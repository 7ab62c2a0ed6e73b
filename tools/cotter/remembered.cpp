// SPDX-License-Identifier: BSL-1.0
#include "remembered.hpp"

#include "documents.hpp"
#include "files.hpp"
#include "output.hpp"

#include <cotter/json/timestamp.hpp>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <string_view>
#include <thread>
#include <utility>

namespace cotter::command {

namespace {

using wrong = std::optional<problem>;

/// Holds the directory of a file for itself, among those who ask. False if it cannot be had, for
/// some seconds: whoever may read a directory may lock it.
class directory_lock {
 public:
  explicit directory_lock(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
    handle_ = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (handle_ < 0) return;
    for (int tries = 0; tries < 500 && !held_; ++tries) {
      held_ = ::flock(handle_, LOCK_EX | LOCK_NB) == 0;
      if (!held_) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  }
  directory_lock(const directory_lock&) = delete;
  directory_lock& operator=(const directory_lock&) = delete;
  ~directory_lock() {
    if (handle_ >= 0) ::close(handle_);
  }

  explicit operator bool() const noexcept { return held_; }

 private:
  int handle_ = -1;
  bool held_ = false;
};

/// All that the file says.
struct memory_file {
  std::optional<manifest_memory> manifest{};
  std::vector<known_leaf> leaves{};
};

std::string mark_text(std::uint64_t mark) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (int shift = 60; shift >= 0; shift -= 4) out += digits[(mark >> shift) & 15];
  return out;
}

std::optional<std::uint64_t> mark_of(std::string_view text) {
  std::uint64_t mark = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), mark, 16);
  if (text.size() != 16 || fault != std::errc{} || end != text.data() + text.size()) return {};
  return mark;
}

std::optional<manifest_memory> manifest_of(const documents::value& root) {
  const auto number = [&](std::string_view name) {
    const auto found = root.find(name);
    return found ? found.integer() : std::nullopt;
  };
  const auto order = number("order");
  const auto version = number("keySetVersion");
  const auto epoch = number("epoch");
  const auto payload = root.find("payloadSha256");
  const auto latest = root.find("latest");
  if (!order || !version || !epoch || !payload || !latest) return {};
  const auto digest = parse_pin("cert-sha256:" + std::string(payload.text()));
  const auto when = documents::parse_timestamp(latest.text());
  if (!digest || !when) return {};
  return manifest_memory{*order, digest->digest, *version, *epoch, *when};
}

std::optional<known_leaf> leaf_of(const documents::value& one) {
  known_leaf out;
  const auto host = one.find("host");
  const auto port = one.find("port");
  const auto issuer = one.find("issuer");
  const auto names = one.find("names");
  const auto since = one.find("notBefore");
  const auto issued = one.find("publicIssuance");
  if (!host || !port || !issuer || !names || !since || !issued) return {};
  const auto number = port.integer();
  const auto issuer_mark = mark_of(issuer.text());
  const auto names_mark = mark_of(names.text());
  const auto when = documents::parse_timestamp(since.text());
  if (!number || *number == 0 || *number > 0xffff || !issuer_mark || !names_mark || !when)
    return {};
  out.host = host.text();
  out.port = static_cast<std::uint16_t>(*number);
  out.traits = {*issuer_mark, *names_mark, *when, issued.truth()};
  return out;
}

wrong load(const std::string& path, memory_file& out) {
  if (path.empty()) return {};
  struct stat about {};
  if (::stat(path.c_str(), &about) != 0 && errno == ENOENT) return {};
  std::string text;
  if (auto fault = read_file(path, text)) {
    fault->seen = path + ": " + fault->seen;
    return fault;
  }
  problem damaged = describe(errc::invalid_value, path);
  damaged.expected = "what cotter wrote there";
  damaged.action =
      "without it an older manifest could come back: restore it, or remove it if you know that "
      "the manifest you have is the newest";
  const auto read = documents::read_document(text);
  if (!read || read->root().kind() != documents::kind::object) return damaged;
  const auto leaves = read->root().find("leaves");
  // A file that holds leaves need not know of a manifest; what is there must be whole.
  bool some = !leaves;
  for (const char* key : {"order", "payloadSha256", "keySetVersion", "epoch", "latest"}) {
    some = some || static_cast<bool>(read->root().find(key));
  }
  if (some) {
    out.manifest = manifest_of(read->root());
    if (!out.manifest) return damaged;
  }
  if (!leaves) return {};
  if (leaves.kind() != documents::kind::array || leaves.size() > most_known_leaves) return damaged;
  for (auto at = leaves.first(); at; at = at.next()) {
    auto one = leaf_of(at);
    if (!one) return damaged;
    out.leaves.push_back(*std::move(one));
  }
  return {};
}

wrong store(const std::string& path, const memory_file& all) {
  json object = json::object();
  if (all.manifest) {
    object["order"] = all.manifest->order;
    object["payloadSha256"] = hex(all.manifest->payload);
    object["keySetVersion"] = all.manifest->key_set_version;
    object["epoch"] = all.manifest->epoch;
    object["latest"] = rfc3339(all.manifest->latest);
  }
  for (const known_leaf& one : all.leaves) {
    object["leaves"].push_back({{"host", one.host},
                                {"port", one.port},
                                {"issuer", mark_text(one.traits.issuer)},
                                {"names", mark_text(one.traits.names)},
                                {"notBefore", rfc3339(one.traits.not_before)},
                                {"publicIssuance", one.traits.public_issuance}});
  }
  return write_file(path, object.dump(2) + "\n", 0600);
}

/// Changes the file while no other process does: it is replaced whole, so that its directory is what
/// two processes can both lock.
template <typename Change>
wrong change(const std::string& path, Change body) {
  if (path.empty()) return {};
  const directory_lock held(path);
  if (!held) {
    return problem{"unwritable", path + ": its directory cannot be locked",
                   "a directory of its own",
                   "check that it exists, and that no other process holds it"};
  }
  memory_file all;
  if (auto fault = load(path, all)) return fault;
  if (auto fault = body(all)) return fault;
  return store(path, all);
}

}  // namespace

wrong load_memory(const std::string& path, manifest_memory& out) {
  memory_file all;
  if (auto fault = load(path, all)) return fault;
  if (all.manifest) out = *all.manifest;
  return {};
}

wrong store_memory(const std::string& path, const manifest_memory& memory) {
  return change(path, [&](memory_file& all) -> wrong {
    const manifest_memory now = all.manifest.value_or(manifest_memory{});
    if (now.key_set_version > memory.key_set_version) return describe(errc::key_set_rollback, path);
    if (now.order > memory.order) return describe(errc::sequence_rollback, path);
    if (now.order == memory.order && now.order != 0 && now.payload != memory.payload) {
      return describe(errc::sequence_reused, path);
    }
    all.manifest = memory;
    all.manifest->latest = std::max(memory.latest, now.latest);
    return {};
  });
}

wrong load_leaves(const std::string& path, std::vector<known_leaf>& out) {
  memory_file all;
  if (auto fault = load(path, all)) return fault;
  out = std::move(all.leaves);
  return {};
}

wrong store_leaf(const std::string& path, const known_leaf& leaf) {
  return change(path, [&](memory_file& all) -> wrong {
    std::erase_if(all.leaves, [&](const known_leaf& one) {
      return one.port == leaf.port && one.host == leaf.host;
    });
    if (all.leaves.size() >= most_known_leaves) all.leaves.erase(all.leaves.begin());
    all.leaves.push_back(leaf);
    return {};
  });
}

}  // namespace cotter::command
