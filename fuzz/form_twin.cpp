// SPDX-License-Identifier: BSL-1.0
// Twin: form C, octet by octet, and the code of every refusal are those of the independent
// implementation, tests/vectors/form_c.py, which one process of Python runs for all inputs.
#include <cotter/certificate/form.hpp>

#include "demand.hpp"

#include <spawn.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace {

class independent_implementation {
 public:
  independent_implementation() {
    std::array<int, 2> ends{};
    demand(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0, "no socket");
    posix_spawn_file_actions_t actions;
    demand(::posix_spawn_file_actions_init(&actions) == 0, "no memory");
    demand(::posix_spawn_file_actions_adddup2(&actions, ends[1], STDIN_FILENO) == 0, "no memory");
    std::array<std::string, 4> words{COTTER_FUZZ_PYTHON, "-B", COTTER_FUZZ_SOURCES "/form_twin.py",
                                     COTTER_FUZZ_FORM_C};
    std::array<char*, words.size() + 1> arguments{};
    for (std::size_t i = 0; i < words.size(); ++i) arguments[i] = words[i].data();
    pid_t process = 0;
    demand(::posix_spawn(&process, arguments[0], &actions, nullptr, arguments.data(), environ) == 0,
           "the independent implementation: " COTTER_FUZZ_PYTHON " cannot be started");
    ::posix_spawn_file_actions_destroy(&actions);
    ::close(ends[1]);
    peer_ = ends[0];
    demand(answer() == "ready", "the independent implementation does not begin");
  }
  independent_implementation(const independent_implementation&) = delete;
  independent_implementation& operator=(const independent_implementation&) = delete;
  ~independent_implementation() { ::close(peer_); }  // it ends by itself

  /// 0 and form C, or 1 and the refusal's code.
  [[nodiscard]] std::string ask(cotter::bytes_view input) {
    std::string question;
    for (const int shift : {24, 16, 8, 0}) {
      question += static_cast<char>(static_cast<unsigned char>(input.size() >> shift & 0xff));
    }
    question.append(reinterpret_cast<const char*>(input.data()), input.size());
    for (std::size_t at = 0; at < question.size();) {
      const ssize_t moved = ::send(peer_, question.data() + at, question.size() - at, MSG_NOSIGNAL);
      if (moved < 0 && errno == EINTR) continue;
      demand(moved > 0, "the independent implementation takes no more questions");
      at += static_cast<std::size_t>(moved);
    }
    return answer();
  }

 private:
  [[nodiscard]] std::string answer() const {
    std::size_t size = 0;
    for (const char c : receive(4)) size = size << 8 | static_cast<unsigned char>(c);
    return receive(size);
  }
  [[nodiscard]] std::string receive(std::size_t size) const {
    std::string out(size, '\0');
    for (std::size_t at = 0; at < size;) {
      const ssize_t moved = ::recv(peer_, out.data() + at, size - at, 0);
      if (moved < 0 && errno == EINTR) continue;
      demand(moved > 0, "the independent implementation does not answer");
      at += static_cast<std::size_t>(moved);
    }
    return out;
  }

  int peer_ = -1;
};

std::string own_answer(cotter::bytes_view input) {
  const auto form = cotter::read_form(input);
  if (!form) return '\1' + std::string(cotter::code(form.error().what));
  std::string out(1, '\0');
  cotter::write_form(*form, [&out](cotter::bytes_view piece) {
    out.append(reinterpret_cast<const char*>(piece.data()), piece.size());
  });
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static independent_implementation twin;
  const std::string own = own_answer({data, size});
  const std::string other = twin.ask({data, size});
  if (own == other) return 0;
  const auto spelled = [](const std::string& answer) {
    return answer[0] == '\0' ? std::string("form C of ") + std::to_string(answer.size() - 1)
                             : answer.substr(1);
  };
  demand(false, "here " + spelled(own) + ", there " + spelled(other));
  return 0;
}
