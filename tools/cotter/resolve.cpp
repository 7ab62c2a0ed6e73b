// SPDX-License-Identifier: BSL-1.0
#include "resolve.hpp"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <condition_variable>
#include <cstring>
#include <memory>
#include <mutex>
#include <thread>

namespace cotter::command {

namespace {

struct query {
  std::mutex mutex;
  std::condition_variable answered;
  bool done = false;
  int status = 0;
  std::vector<ip_address> addresses;
};

ip_address address_of(const sockaddr* from) {
  ip_address address;
  if (from->sa_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, from, sizeof v4);
    address.size_bytes = 4;
    std::memcpy(address.octets, &v4.sin_addr, 4);
  } else if (from->sa_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, from, sizeof v6);
    address.size_bytes = 16;
    std::memcpy(address.octets, &v6.sin6_addr, 16);
  }
  return address;
}

void ask(const std::string& host, query& about) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int status = ::getaddrinfo(host.c_str(), nullptr, &hints, &found);
  std::vector<ip_address> addresses;
  for (const addrinfo* each = status == 0 ? found : nullptr; each != nullptr;
       each = each->ai_next) {
    if (const ip_address one = address_of(each->ai_addr)) addresses.push_back(one);
  }
  if (status == 0) ::freeaddrinfo(found);
  const std::lock_guard held(about.mutex);
  about.status = status;
  about.addresses = std::move(addresses);
  about.done = true;
  about.answered.notify_all();
}

}  // namespace

std::optional<problem> resolve(const std::string& host,
                               std::chrono::steady_clock::time_point deadline,
                               std::vector<ip_address>& out) {
  if (const ip_address literal = parse_ip(host)) {
    out = {literal};
    return {};
  }
  const auto about = std::make_shared<query>();
  std::thread([host, about] { ask(host, *about); }).detach();
  std::unique_lock held(about->mutex);
  if (!about->answered.wait_until(held, deadline, [&] { return about->done; })) {
    return describe(errc::timeout, "DNS");
  }
  if (about->status != 0 || about->addresses.empty()) {
    return describe(errc::resolve_failed,
                    about->status != 0 ? ::gai_strerror(about->status) : std::string_view{});
  }
  out = about->addresses;
  return {};
}

}  // namespace cotter::command
