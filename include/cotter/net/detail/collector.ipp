// Included inside the namespaces `net` and `boost_net`; see cotter/net/https_reporter.hpp.

/// Where a collector is and how to know it.
struct collector_options {
  collector_options() {}  // NOLINT(*-equals-default): see http_field

  using endpoint = asio_api::ip::tcp::endpoint;
  using time_point = std::chrono::steady_clock::time_point;

  /// Beside chain, name and validity, which are always asked for; see `verified_connection`. Labels
  /// are borrowed.
  std::vector<pin> pins{};
  /// Where to connect instead of resolving the host, which stays the target.
  std::vector<endpoint> endpoints{};
  /// Resolves instead of the system's resolver, by `deadline`; empty: there is no address.
  std::function<std::vector<endpoint>(const std::string& host, std::uint16_t port,
                                      time_point deadline)>
      resolve{};
};

namespace detail {

/// A connection to a collector, driven from within single calls that return by their deadline.
///
/// The handlers share what they need: one that is still under way when a call returns (the
/// system's resolver cannot be interrupted) finds it alive.
template <typename Backend, typename Clock>
class collector {
  using tcp = asio_api::ip::tcp;
  using stream = tls_stream<tcp::socket, Backend>;

 public:
  using context_type = typename Backend::context;
  using clock = std::chrono::steady_clock;
  using time_point = clock::time_point;

  collector(context_type& context, std::string host, std::uint16_t port,
            collector_options&& options, Clock time)
      : context_(&context),
        host_(std::move(host)),
        port_(port),
        options_(std::move(options)),
        time_(time),
        io_(1) {}
  collector(const collector&) = delete;
  collector& operator=(const collector&) = delete;
  ~collector() { close(); }

  [[nodiscard]] const std::string& host() const noexcept { return host_; }
  [[nodiscard]] instant now() const noexcept { return time_.now().wall; }
  [[nodiscard]] bool is_open() const noexcept { return link_ != nullptr; }
  [[nodiscard]] const cotter::verdict& verdict() const noexcept { return verdict_; }
  void forget_verdict() noexcept { verdict_ = {}; }

  /// Resolves, connects, and runs the handshake to an accepted verdict.
  [[nodiscard]] error open(time_point deadline) {
    close();
    verdict_ = {};
    std::vector<tcp::endpoint> endpoints;
    if (const error why = find(endpoints, deadline); why.what != errc::ok) return why;
    tcp::socket socket(io_);
    if (const error why = connect(socket, endpoints, deadline); why.what != errc::ok) return why;

    link_ = std::make_shared<link>(std::move(socket), *context_);
    verified_peer<Clock> peer;
    peer.endpoint = {host_, port_};
    peer.pins = options_.pins;
    peer.unpinned = options_.pins.empty();
    peer.time = time_;
    const auto shaken = begin(
        [&](auto&& done) { link_->tls.async_handshake(peer, std::forward<decltype(done)>(done)); });
    const bool in_time = run_until(deadline, *shaken);
    verdict_ = link_->tls.verdict();
    if (in_time && !shaken->ec) return {};
    error why = in_time ? failure(shaken->ec) : error{errc::timeout, 0, 0};
    if (verdict_.reason() != reason::unbound) {
      why = {errc::tls_failure, 0, verdict_.detail().native};
    }
    close();
    return why;
  }

  /// Sends `request` and reads the answer, both at once: a collector that refuses does not always
  /// read to the end. `answered` says whether any of the answer came.
  [[nodiscard]] error exchange(std::string&& request, report_answer& answer, bool& answered,
                               time_point deadline) {
    const auto writing = begin_write(std::move(request));
    idle_ = answered = false;
    while (!answer.complete()) {
      const auto reading = begin_read();
      if (!run_until(deadline, *reading)) return {errc::timeout, 0, 0};
      if (reading->size_bytes != 0) {
        answered = true;
        const result<void> read =
            answer.read(bytes_view(link_->incoming).first(reading->size_bytes));
        if (!read) return read.error();
        continue;
      }
      if (reading->ec == asio_api::error::eof) {
        if (!answer.end()) return {errc::report_truncated, 0, 0};
        break;
      }
      const error why = failure(reading->ec);
      return answered || why.what != errc::tls_failure ? error{errc::report_truncated, 0, 0} : why;
    }
    // An agreement to what has not been sent is none.
    const bool agreed = answer.status() >= 200 && answer.status() < 300;
    if (agreed && !run_until(deadline, *writing)) return {errc::timeout, 0, 0};
    if (agreed && writing->ec) return {errc::report_truncated, 0, 0};
    idle_ = writing->done && !writing->ec;
    reusable_ = idle_ && answer.keeps_alive();
    return {};
  }
  [[nodiscard]] bool reusable() const noexcept { return reusable_; }

  /// Sends `octets` and closes: well only if the peer's close_notify answers ours.
  [[nodiscard]] error send_and_close(std::string&& octets, time_point deadline) {
    auto reading = begin_read();
    const auto writing = begin_write(std::move(octets));
    if (!run_until(deadline, *writing)) return {errc::timeout, 0, 0};
    if (writing->ec) return failure(writing->ec);
    // A peer that closed of its own accord need not have read anything.
    io_.restart();
    io_.poll();
    if (reading->done && reading->ec) return failure(reading->ec);
    const auto closing =
        begin([&](auto&& done) { link_->tls.async_shutdown(std::forward<decltype(done)>(done)); });
    if (!run_until(deadline, *closing)) return {errc::timeout, 0, 0};
    if (closing->ec) return failure(closing->ec);
    for (std::size_t ignored_bytes = 0;;) {
      if (!run_until(deadline, *reading)) return {errc::timeout, 0, 0};
      if (reading->ec == asio_api::error::eof) break;
      if (reading->ec) return failure(reading->ec);
      ignored_bytes += reading->size_bytes;
      if (ignored_bytes > max_ignored_bytes) return {errc::protocol_error, 0, 0};
      reading = begin_read();
    }
    close();
    return {};
  }

  /// Closes in good order, as far as that takes no waiting for the peer and nothing is half sent.
  void shut_down(time_point deadline) {
    if (link_ != nullptr && idle_) {
      const auto closing = begin(
          [&](auto&& done) { link_->tls.async_shutdown(std::forward<decltype(done)>(done)); });
      static_cast<void>(run_until(std::min(deadline, clock::now() + longest_farewell), *closing));
    }
    close();
  }
  void close() noexcept {
    idle_ = reusable_ = false;
    if (link_ == nullptr) return;
    link_->tls.close();
    link_.reset();
    try {
      // What was under way ends here and lets go of the connection.
      io_.restart();
      io_.poll();
    } catch (...) {
      // Without memory it ends when somebody next looks.
    }
  }

 private:
  static constexpr std::size_t max_ignored_bytes = 16'384;
  static constexpr std::chrono::milliseconds longest_farewell{200};

  /// What operations of one connection share.
  struct link {
    link(tcp::socket&& socket, context_type& context) : tls(std::move(socket), context) {}

    stream tls;
    std::string outgoing{};
    std::array<std::uint8_t, 4096> incoming{};
  };
  /// One operation. The handler owns it, too.
  struct outcome {
    bool done = false;
    error_code ec{};
    std::size_t size_bytes = 0;

    void set(error_code failed, std::size_t moved = 0) noexcept {
      done = true;
      ec = failed;
      size_bytes = moved;
    }
  };
  struct lookup : outcome {
    explicit lookup(asio_api::io_context& io) : resolver(io) {}

    tcp::resolver resolver;
    std::vector<tcp::endpoint> found{};
  };

  template <typename Start>
  std::shared_ptr<outcome> begin(Start&& start) {
    auto state = std::make_shared<outcome>();
    start([state, keep = link_](error_code ec, std::size_t moved = 0) { state->set(ec, moved); });
    return state;
  }
  std::shared_ptr<outcome> begin_read() {
    return begin([this](auto&& done) {
      link_->tls.async_read_some(asio_api::buffer(link_->incoming),
                                 std::forward<decltype(done)>(done));
    });
  }
  std::shared_ptr<outcome> begin_write(std::string&& octets) {
    link_->outgoing = std::move(octets);
    return begin([this](auto&& done) {
      asio_api::async_write(link_->tls, asio_api::buffer(link_->outgoing),
                            std::forward<decltype(done)>(done));
    });
  }
  /// True if the operation has ended.
  [[nodiscard]] bool run_until(time_point deadline, const outcome& awaited) {
    while (!awaited.done) {
      io_.restart();
      if (io_.run_one_until(deadline) == 0) return awaited.done;
    }
    return true;
  }

  [[nodiscard]] error find(std::vector<tcp::endpoint>& out, time_point deadline) {
    error_code no_literal;
    const auto literal = asio_api::ip::make_address(host_, no_literal);
    if (!options_.endpoints.empty()) {
      out = options_.endpoints;
    } else if (!no_literal) {
      out.emplace_back(literal, port_);
    } else if (options_.resolve) {
      out = options_.resolve(host_, port_, deadline);
    } else {
      const auto asked = std::make_shared<lookup>(io_);
      asked->resolver.async_resolve(
          host_, std::to_string(port_), tcp::resolver::numeric_service,
          [asked](error_code ec, const typename tcp::resolver::results_type& found) {
            for (const auto& one : found) asked->found.push_back(one.endpoint());
            asked->set(ec);
          });
      if (!run_until(deadline, *asked)) {
        asked->resolver.cancel();
        return {errc::timeout, 0, 0};
      }
      if (!asked->ec) out = asked->found;
    }
    return out.empty() ? error{errc::resolve_failed, 0, 0} : error{};
  }

  /// Tries each address in turn; one that does not answer leaves time for the others.
  [[nodiscard]] error connect(tcp::socket& out, const std::vector<tcp::endpoint>& endpoints,
                              time_point deadline) {
    bool in_time = true;
    for (std::size_t i = 0; i < endpoints.size(); ++i) {
      const time_point now = clock::now();
      if (now >= deadline) return {errc::timeout, 0, 0};
      const auto socket = std::make_shared<tcp::socket>(io_);
      const auto state = std::make_shared<outcome>();
      socket->async_connect(endpoints[i], [socket, state](error_code ec) { state->set(ec); });
      const auto left = static_cast<clock::rep>(endpoints.size() - i);
      in_time = run_until(left == 1 ? deadline : now + (deadline - now) / left, *state);
      error_code ignored;
      if (in_time && !state->ec) {
        socket->set_option(tcp::no_delay(true), ignored);
        out = std::move(*socket);
        return {};
      }
      socket->close(ignored);
    }
    return {in_time ? errc::connect_failed : errc::timeout, 0, 0};
  }

  /// What the stream said, as a code of ours.
  [[nodiscard]] error failure(const error_code& ec) const noexcept {
    if (ec == asio_api::error::eof) return {errc::tls_closed, 0, 0};
    if (ec.category() == error_category()) {
      const error& last = link_->tls.last_error();
      return {static_cast<errc>(ec.value()), 0, last.native};
    }
    const bool cut = ec == asio_api::error::connection_reset ||
                     ec == asio_api::error::broken_pipe ||
                     ec == asio_api::error::connection_aborted;
    return {cut ? errc::tls_truncated : errc::tls_failure, 0, 0};
  }

  context_type* context_;
  std::string host_;
  std::uint16_t port_;
  collector_options options_;
  Clock time_;
  cotter::verdict verdict_{};
  bool idle_ = false;      // the last exchange is over, with all of the request sent
  bool reusable_ = false;  // and the collector means to go on
  asio_api::io_context io_;
  std::shared_ptr<link> link_{};
};

/// The same host, however an event spells it: a refused one need not have been canonical.
inline bool is_same_host(std::string_view canonical, std::string_view host) noexcept {
  if (host.size() > 1 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  }
  if (host.ends_with('.')) host.remove_suffix(1);
  if (cotter::detail::equals_ignoring_case(canonical, host)) return true;
  const ip_address ours = unwrap(parse_ip(canonical));
  return ours && ours == unwrap(parse_ip(host));
}

}  // namespace detail
