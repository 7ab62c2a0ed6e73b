// Included inside the namespaces `net` and `boost_net`; see cotter/net/wss_client.hpp.

/// What `wss_client::async_connect` may be told beyond the URL.
struct wss_options {
  wss_options() {}  // NOLINT(*-equals-default): see http_field

  std::string subprotocol{};         ///< `sip` for RFC 7118; the server must agree to it
  std::vector<http_field> fields{};  ///< see `upgrade_request`
  std::string network{};             ///< see `guard::admit`
  std::chrono::steady_clock::duration timeout = std::chrono::seconds(30);  ///< for everything
  /// Where to connect instead of resolving the URL's host, which stays the target.
  std::vector<asio_api::ip::tcp::endpoint> endpoints{};
};

/// What `wss_client` must know of a stream; only `tls_stream` has it. A test may specialise it for
/// a stream of its own, as `tls_stream`'s does, and thereby says that the stream needs no TLS:
///
///   static constexpr bool secure = true;
///   static bool confirmed(const Stream&);              // application octets may flow
///   static websocket_crypto crypto(Stream&);           // its `user` outlives the stream
template <typename Stream>
struct wss_transport {
  static constexpr bool secure = false;
};

template <typename NextLayer, typename Backend>
struct wss_transport<tls_stream<NextLayer, Backend>> {
  using stream = tls_stream<NextLayer, Backend>;
  using context = typename Backend::context;

  static constexpr bool secure = true;
  static bool confirmed(const stream& on) noexcept { return on.confirmed(); }
  static websocket_crypto crypto(stream& on) noexcept {
    return {[](void* user, std::span<std::uint8_t> out) {
              return static_cast<bool>(static_cast<context*>(user)->random(out));
            },
            [](void*, bytes_view in, std::span<std::uint8_t, 20> out) {
              return static_cast<bool>(Backend::sha1(in, out));
            },
            &on.context()};
  }
};

namespace detail {

inline ip_address to_ip_address(const asio_api::ip::address& from) noexcept {
  ip_address to;
  const auto copy = [&to](const auto& octets) {
    for (const unsigned char octet : octets) to.octets[to.size_bytes++] = octet;
  };
  if (from.is_v4()) {
    copy(from.to_v4().to_bytes());
  } else {
    copy(from.to_v6().to_bytes());
  }
  return to;
}

/// The state of a wss_client.
template <typename Stream>
class wss_core : public io_core<Stream, websocket_session> {
 public:
  wss_core(Stream&& stream, websocket_limits limits)
      : io_core<Stream, websocket_session>(std::move(stream), wss_transport<Stream>::crypto(stream),
                                           limits) {}

  void begin() noexcept {}
  void end() noexcept {}
  [[nodiscard]] error_code stopped() const noexcept {
    return this->abandoned ? error_code(asio_api::error::operation_aborted) : error_code();
  }
  [[nodiscard]] bool confirmed() const noexcept {
    return wss_transport<Stream>::confirmed(this->next);
  }
  void abandon() {
    this->abandoned = true;
    this->machine.reset();
    if constexpr (requires { this->next.close(); }) this->next.close();
    this->output.wake();
    this->input.wake();
  }

  error_code transport_error{};  ///< under `resolve_failed` and `connect_failed`
  std::string network{};         ///< what a permit borrows
};

struct websocket_action : action_base {
  template <typename Core>
  error_code failure(Core&, const error& why) const noexcept {
    return to_error_code(why.what);
  }
};

struct upgrade_action : websocket_action, completes_without_size {
  template <typename Core>
  step operator()(Core& core) {
    if (!core.confirmed()) return {want::failed, 0, {errc::not_confirmed, 0, 0}};
    return core.machine->upgrade(ask);
  }

  upgrade_request ask;
};

struct message_read_action : websocket_action, completes_without_size {
  static constexpr bool waits_for_output = false;
  static constexpr bool keeps_result = true;
  static constexpr cancellation filter = cancellation::total;

  template <typename Core>
  step operator()(Core& core) {
    return core.machine->read(*into);
  }

  websocket_message* into = nullptr;
};

struct message_write_action : websocket_action, completes_without_size {
  template <typename Core>
  step operator()(Core& core) {
    return core.machine->write(kind, payload);
  }

  websocket_kind kind = websocket_kind::text;
  bytes_view payload;
};

struct ping_action : websocket_action, completes_without_size {
  template <typename Core>
  step operator()(Core& core) {
    return core.machine->ping(payload);
  }

  bytes_view payload;
};

struct close_action : websocket_action, completes_without_size {
  template <typename Core>
  step operator()(Core& core) {
    return core.machine->close(code, reason);
  }

  std::uint16_t code = 1000;
  std::string reason;
};

inline bytes_view octets_of(std::string_view text) noexcept {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

/// The steps of `wss_client::async_connect`.
template <typename Guard, typename Core>
class connect_op {
  using tcp = asio_api::ip::tcp;
  using executor = typename Core::executor_type;
  using resolver = asio_api::ip::basic_resolver<tcp, executor>;
  using results = typename resolver::results_type;
  using clock = std::chrono::steady_clock;

  /// What resolving and connecting share with their deadline.
  struct stage {
    explicit stage(const executor& on) : lookup(on), deadline(on) {}

    resolver lookup;
    asio_api::basic_waitable_timer<clock, asio_api::wait_traits<clock>, executor> deadline;
    bool expired = false;
  };
  /// An operation that either the resolver or the deadline resumes, whichever is first.
  template <typename Self>
  struct race {
    race(Self&& op, std::shared_ptr<stage> in) : held(std::move(op)), during(std::move(in)) {}

    void resume(error_code ec, results found) {
      if (!held) return;
      Self op(std::move(*held));
      held.reset();
      during->deadline.cancel();
      during->lookup.cancel();
      op(ec, std::move(found));
    }

    std::optional<Self> held;
    std::shared_ptr<stage> during;
  };

 public:
  connect_op(std::shared_ptr<Core> core, Guard& guard, std::string_view url, wss_options&& options)
      : core_(std::move(core)), guard_(&guard), url_(url), options_(std::move(options)) {}

  template <typename Self>
  void operator()(Self& self, error_code ec = {}) {
    switch (at_) {
      case point::start: return start(self);
      case point::posted: return self.complete(outcome_);
      case point::handshaking:
        if (ec) return finish(self, ec);
        at_ = point::upgrading;
        return upgrade(self);
      case point::upgrading:
        if (!ec) core_->next.expires_never();
        return finish(self, ec);
    }
  }

  template <typename Self>
  void operator()(Self& self, error_code ec, results found) {
    if (const error_code stop = core_->stopped()) return finish(self, stop);
    if (ec == asio_api::error::operation_aborted || ec == to_error_code(errc::timeout)) {
      return finish(self, ec);
    }
    if (ec || found.empty()) {
      core_->transport_error = ec;
      return finish(self, to_error_code(errc::resolve_failed));
    }
    std::vector<tcp::endpoint> endpoints;
    for (const auto& one : found) endpoints.push_back(one.endpoint());
    connect(self, std::move(endpoints));
  }

  template <typename Self>
  void operator()(Self& self, error_code ec, const tcp::endpoint& reached) {
    const bool expired = stage_->expired;
    stage_->deadline.cancel();
    if (const error_code stop = core_->stopped()) return finish(self, stop);
    if (expired) return finish(self, to_error_code(errc::timeout));
    if (is_cancelled(self)) return finish(self, asio_api::error::operation_aborted);
    if (ec) {
      core_->transport_error = ec;
      return finish(self, to_error_code(errc::connect_failed));
    }
    error_code ignored;
    core_->next.lowest_layer().set_option(tcp::no_delay(true), ignored);
    at_ = point::handshaking;
    core_->next.expires_at(deadline_);
    Core& core = *core_;
    Guard& guard = *guard_;
    typename Guard::permit permit = std::move(permit_);
    permit.reached(to_ip_address(reached.address()));
    core.next.async_handshake(guard, std::move(permit), std::move(self));
  }

 private:
  enum class point : std::uint8_t { start, posted, handshaking, upgrading };

  template <typename Self>
  void start(Self& self) {
    deadline_ = clock::now() + options_.timeout;
    const result<url> to = parse_url(url_);
    if (!to) return finish_later(self, to_error_code(to.error().what));
    if (to->scheme != url_scheme::wss && to->scheme != url_scheme::https) {
      return finish_later(self, to_error_code(errc::invalid_url));
    }
    action_.ask = upgrade_request::from(*to);
    action_.ask.subprotocol = std::move(options_.subprotocol);
    action_.ask.fields = std::move(options_.fields);
    if (const result<std::string> fit = write_upgrade(action_.ask, {}); !fit) {
      return finish_later(self, to_error_code(fit.error().what));
    }
    core_->network = std::move(options_.network);
    auto admission = guard_->admit(to->endpoint(), {}, core_->network);
    if (!admission) {
      core_->next.note_refusal(admission.verdict());
      return finish_later(self, to_error_code(admission.verdict().reason()));
    }
    permit_ = std::move(*admission);
    stage_ = std::make_shared<stage>(core_->next.get_executor());
    stage_->deadline.expires_at(deadline_);
    if (!options_.endpoints.empty()) return connect(self, std::move(options_.endpoints));
    resolve(self);
  }

  template <typename Self>
  void resolve(Self& self) {
    const auto during = stage_;
    const std::string host = action_.ask.host;
    const std::string port = std::to_string(action_.ask.port);
    const auto on = asio_api::get_associated_executor(self, core_->next.get_executor());
    const auto slot = slot_of(self);
    const auto both = std::make_shared<race<Self>>(std::move(self), during);
    during->deadline.async_wait(bind_slot(
        slot, asio_api::bind_executor(on, [both](error_code ec) {
          both->resume(ec ? error_code(asio_api::error::operation_aborted)
                          : to_error_code(errc::timeout),
                       {});
        })));
    during->lookup.async_resolve(
        host, port, tcp::resolver::numeric_service,
        asio_api::bind_executor(on, [both](error_code ec, results found) {
          both->resume(ec, std::move(found));
        }));
  }

  template <typename Self>
  void connect(Self& self, std::vector<tcp::endpoint>&& endpoints) {
    stage_->deadline.async_wait([during = stage_, core = core_](error_code ec) {
      if (ec) return;
      during->expired = true;
      core->next.close();
    });
    auto& socket = core_->next.lowest_layer();
    asio_api::async_connect(socket, std::move(endpoints), std::move(self));
  }

  template <typename Self>
  void upgrade(Self& self) {
    const std::shared_ptr<Core> core = core_;
    upgrade_action action = std::move(action_);
    start_on<void(error_code), Self>(core, std::move(action), self);
  }

  template <typename Self>
  void finish(Self& self, error_code ec) {
    if (ec && !core_->abandoned) core_->next.close();
    self.complete(ec);
  }
  template <typename Self>
  void finish_later(Self& self, error_code ec) {
    at_ = point::posted;
    outcome_ = ec;
    const auto on = core_->next.get_executor();
    asio_api::post(on, std::move(self));
  }

  std::shared_ptr<Core> core_;
  Guard* guard_;
  std::string url_;
  wss_options options_;
  upgrade_action action_;
  typename Guard::permit permit_{};
  std::shared_ptr<stage> stage_;
  clock::time_point deadline_{};
  error_code outcome_{};
  point at_ = point::start;
};

}  // namespace detail

/// A WebSocket client (RFC 6455) over a pinned stream. There is no way to run it over anything
/// else.
///
/// One read and one of write, ping, close may be outstanding at once, in the stream's implicit
/// strand. Everything that is sent is masked with the TLS library's random octets; extensions and
/// redirects are never followed. Movable; destroying it closes the connection and ends its
/// operations.
///
/// Asynchronous operations take any completion token and complete with `void(error_code)`; those
/// without `async_` block and, without an `error_code`, throw. Errors are an `errc`, the stream's,
/// or the transport's. Cancellation is terminal, except for reads, which lose nothing.
template <typename Stream>
class wss_client {
  static_assert(wss_transport<Stream>::secure,
                "cotter: a WSS client runs over cotter's tls_stream only; see wss_transport");
  using core_type = detail::wss_core<Stream>;

 public:
  using next_layer_type = Stream;
  using executor_type = typename Stream::executor_type;
  using clock = std::chrono::steady_clock;

  explicit wss_client(Stream stream, websocket_limits limits = {})
      : core_(std::make_shared<core_type>(std::move(stream), limits)) {}
  /// Makes the stream: `next` is what the stream's next layer is made of, an executor for a socket.
  template <typename Next, typename Context>
    requires std::constructible_from<Stream, Next, Context&>
  wss_client(Next&& next, Context& context, websocket_limits limits = {})
      : wss_client(Stream(std::forward<Next>(next), context), limits) {}
  wss_client(wss_client&&) noexcept = default;
  wss_client& operator=(wss_client&& other) noexcept {
    if (this != &other) {
      if (core_) core_->abandon();
      core_ = std::move(other.core_);
    }
    return *this;
  }
  ~wss_client() {
    if (core_) core_->abandon();
  }

  [[nodiscard]] executor_type get_executor() noexcept { return core_->next.get_executor(); }
  [[nodiscard]] Stream& next_layer() noexcept { return core_->next; }
  [[nodiscard]] const Stream& next_layer() const noexcept { return core_->next; }

  /// As the stream's: for every asynchronous operation, outstanding and future.
  void expires_at(clock::time_point when) { core_->next.expires_at(when); }
  void expires_after(clock::duration delay) { core_->next.expires_after(delay); }
  void expires_never() { core_->next.expires_never(); }

  /// Everything from a URL to an open WebSocket, under one deadline: `url` is parsed, the guard
  /// asked for admission, and only then the host resolved, TCP connected, the pinned handshake run
  /// and the upgrade made. Completes with `void(error_code)`: an `errc`, or the `reason` of a
  /// refusal, by `admit` (before DNS and TCP) or by the handshake; `next_layer().verdict()` says
  /// more.
  ///
  /// For streams over a TCP socket. `guard` outlives the client. A client connects once. A
  /// blocking getaddrinfo cannot be interrupted: after a timeout the operation has ended, but the
  /// `io_context` runs until the resolver has returned.
  template <typename Guard, typename CompletionToken>
  auto async_connect(Guard& guard, std::string_view url, wss_options options,
                     CompletionToken&& token) {
    return asio_api::async_compose<CompletionToken, void(error_code)>(
        detail::connect_op<Guard, core_type>(core_, guard, url, std::move(options)), token,
        core_->next.get_executor());
  }

  /// The opening handshake, after the stream's own has been accepted.
  void upgrade(upgrade_request ask, error_code& ec) {
    detail::run_blocking(*core_, upgrading(std::move(ask)), ec);
  }
  template <typename CompletionToken>
  auto async_upgrade(upgrade_request ask, CompletionToken&& token) {
    return detail::start_on<void(error_code), CompletionToken>(
        core_, upgrading(std::move(ask)), token);
  }

  /// Reads one message. `errc::closed` after the peer's Close frame, which has been answered then:
  /// see `peer_close()`. `into` outlives the operation.
  void read(websocket_message& into, error_code& ec) {
    detail::run_blocking(*core_, reading(into), ec);
  }
  template <typename CompletionToken>
  auto async_read(websocket_message& into, CompletionToken&& token) {
    return detail::start_on<void(error_code), CompletionToken>(
        core_, reading(into), token);
  }

  /// Sends one message, unfragmented. `payload` outlives the operation. Once begun a message is
  /// sent whole: after a cancelled write the rest goes out before whatever is sent next.
  void write(std::string_view payload, error_code& ec, websocket_kind kind = websocket_kind::text) {
    detail::run_blocking(*core_, writing(payload, kind), ec);
  }
  template <typename CompletionToken>
  auto async_write(std::string_view payload, CompletionToken&& token) {
    return async_write(payload, websocket_kind::text, std::forward<CompletionToken>(token));
  }
  template <typename CompletionToken>
  auto async_write(std::string_view payload, websocket_kind kind, CompletionToken&& token) {
    return detail::start_on<void(error_code), CompletionToken>(
        core_, writing(payload, kind), token);
  }

  /// Sends a ping of at most 125 octets; completes when it is sent. Pongs are noticed while a read
  /// is outstanding.
  void ping(std::string_view payload, error_code& ec) {
    detail::run_blocking(*core_, pinging(payload), ec);
  }
  template <typename CompletionToken>
  auto async_ping(std::string_view payload, CompletionToken&& token) {
    return detail::start_on<void(error_code), CompletionToken>(
        core_, pinging(payload), token);
  }
  [[nodiscard]] std::uint64_t pongs() const noexcept { return core_->machine->pongs(); }
  [[nodiscard]] const std::string& last_pong() const noexcept {
    return core_->machine->last_pong();
  }

  /// The closing handshake: sends Close and completes when the peer's has arrived. Messages that
  /// come in between are dropped. Then shut the stream down, or destroy the client.
  void close(std::uint16_t code, std::string reason, error_code& ec) {
    detail::run_blocking(*core_, closing(code, std::move(reason)), ec);
  }
  template <typename CompletionToken>
  auto async_close(std::uint16_t code, std::string reason, CompletionToken&& token) {
    return detail::start_on<void(error_code), CompletionToken>(
        core_, closing(code, std::move(reason)), token);
  }

  [[nodiscard]] bool is_open() const noexcept { return core_->machine->is_open(); }
  [[nodiscard]] const websocket_close& peer_close() const noexcept {
    return core_->machine->peer_close();
  }
  /// The HTTP status of the answer to the upgrade, for people; 0 if there was none.
  [[nodiscard]] unsigned http_status() const noexcept { return core_->machine->http_status(); }
  /// What lies under `resolve_failed` and `connect_failed`, for people.
  [[nodiscard]] const error_code& transport_error() const noexcept {
    return core_->transport_error;
  }

 private:
  static detail::upgrade_action upgrading(upgrade_request&& ask) {
    detail::upgrade_action action;
    action.ask = std::move(ask);
    return action;
  }
  static detail::message_read_action reading(websocket_message& into) noexcept {
    detail::message_read_action action;
    action.into = &into;
    return action;
  }
  static detail::message_write_action writing(std::string_view payload,
                                              websocket_kind kind) noexcept {
    detail::message_write_action action;
    action.kind = kind;
    action.payload = detail::octets_of(payload);
    return action;
  }
  static detail::ping_action pinging(std::string_view payload) noexcept {
    detail::ping_action action;
    action.payload = detail::octets_of(payload);
    return action;
  }
  static detail::close_action closing(std::uint16_t code, std::string&& reason) {
    detail::close_action action;
    action.code = code;
    action.reason = std::move(reason);
    return action;
  }

  std::shared_ptr<core_type> core_;
};
