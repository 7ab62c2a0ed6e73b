// SPDX-License-Identifier: BSL-1.0
#include "until_told.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

namespace cotter::command {

until_told::until_told(bool armed) {
  if (!armed) return;
  sigset_t ends;
  ::sigemptyset(&ends);
  ::sigaddset(&ends, SIGTERM);
  ::sigaddset(&ends, SIGINT);
  // Before any thread is made, so that none is left to take them.
  ::sigprocmask(SIG_BLOCK, &ends, nullptr);
  signals_ = ::signalfd(-1, &ends, SFD_CLOEXEC);
}

until_told::~until_told() {
  if (signals_ >= 0) ::close(signals_);
}

bool until_told::within(std::chrono::milliseconds longest) const {
  const auto most = std::clamp<std::chrono::milliseconds::rep>(longest.count(), 0, 3'600'000);
  if (signals_ < 0) {
    std::this_thread::sleep_for(std::chrono::milliseconds(most));
    return false;
  }
  pollfd waiting{signals_, POLLIN, 0};
  return ::poll(&waiting, 1, static_cast<int>(most)) > 0;
}

}  // namespace cotter::command
