// Included inside the namespaces `net` and `boost_net`; see cotter/net/tls_stream.hpp.

namespace detail {

template <typename Stream>
struct lowest_of {
  using type = Stream;
  static type& get(Stream& stream) noexcept { return stream; }
};
template <typename Stream>
  requires requires { typename Stream::lowest_layer_type; }
struct lowest_of<Stream> {
  using type = typename Stream::lowest_layer_type;
  static type& get(Stream& stream) noexcept { return stream.lowest_layer(); }
};

/// The state of a tls_stream.
template <typename NextLayer, typename Backend>
class tls_core : public io_core<NextLayer, typename Backend::client>,
                 public std::enable_shared_from_this<tls_core<NextLayer, Backend>> {
  using base = io_core<NextLayer, typename Backend::client>;

 public:
  using clock = std::chrono::steady_clock;
  using lowest = lowest_of<typename base::next_layer_type>;

  template <typename Next>
  tls_core(Next&& next_layer, typename Backend::context& made_from)
      : base(std::forward<Next>(next_layer), made_from),
        context(&made_from),
        timer_(this->next.get_executor()) {}

  template <typename Guard>
  void attach(Guard& guard, typename Guard::permit& permit) {
    anchors_identity anchors{};
    if constexpr (requires { anchors = context->anchors(); }) anchors = context->anchors();
    guarded_ = std::make_unique<connection<Guard, Backend>>(guard, this->machine->native(), permit,
                                                            anchors);
    seen_ = guarded_->verdict();
  }
  template <typename Clock>
  void attach(const verified_peer<Clock>& peer) {
    guarded_ = std::make_unique<verified_connection<Backend, Clock>>(this->machine->native(), peer);
    seen_ = guarded_->verdict();
  }
  [[nodiscard]] bool attached() const noexcept { return guarded_ != nullptr; }
  [[nodiscard]] bool confirmed() const noexcept {
    return guarded_ != nullptr && static_cast<bool>(guarded_->verdict());
  }
  void confirm() noexcept { seen_ = guarded_->confirm(); }
  void refused(const cotter::verdict& why) noexcept {
    if (guarded_ == nullptr) seen_ = why;
  }
  [[nodiscard]] const cotter::verdict& verdict() const noexcept {
    return guarded_ != nullptr && seen_ ? guarded_->verdict() : seen_;
  }
  [[nodiscard]] const cotter::diagnosis& diagnosis() const noexcept {
    static constexpr cotter::diagnosis none{};
    return guarded_ != nullptr ? guarded_->diagnosis() : none;
  }
  void look_again() noexcept { seen_ = guarded_->verdict(); }
  void keep_sessions() noexcept {
    if (guarded_ != nullptr) guarded_->keep_sessions();
  }
  /// Withholds what the engine would still send, a Finished among it.
  void discard_output() noexcept {
    for (bytes_view some = this->machine->pending(); !some.empty();
         some = this->machine->pending()) {
      this->machine->sent(some.size());
    }
  }

  void begin() {
    if (outstanding_++ == 0) arm();
  }
  void end() {
    if (--outstanding_ == 0) timer_.cancel();
  }
  [[nodiscard]] error_code stopped() const noexcept {
    if (this->abandoned || closed_) return asio_api::error::operation_aborted;
    return expired_ ? to_error_code(errc::timeout) : error_code{};
  }
  void expires_at(clock::time_point when) {
    deadline_ = when;
    expired_ = false;
    timer_.cancel();
    if (outstanding_ != 0) arm();
  }

  void close() {
    closed_ = true;
    error_code ignored;
    auto& socket = lowest::get(this->next);
    if constexpr (requires { socket.close(ignored); }) socket.close(ignored);
    wake();
  }
  /// The stream has died; operations under way end with `operation_aborted`.
  void abandon() {
    this->abandoned = true;
    guarded_.reset();
    this->machine.reset();
    if constexpr (!std::is_reference_v<NextLayer>) {
      close();
    } else {
      wake();
    }
  }

  typename Backend::context* context;
  error last_error{};

 private:
  void arm() {
    if (deadline_ == clock::time_point::max()) return;
    timer_.expires_at(deadline_);
    timer_.async_wait([weak = this->weak_from_this()](error_code ec) {
      const auto self = weak.lock();
      if (!ec && self && clock::now() >= self->deadline_) self->expire();
    });
  }
  void expire() {
    if (outstanding_ == 0) return;
    expired_ = true;
    error_code ignored;
    auto& socket = lowest::get(this->next);
    if constexpr (requires { socket.cancel(ignored); }) {
      socket.cancel(ignored);
    } else {
      socket.close(ignored);
    }
    wake();
  }
  void wake() {
    timer_.cancel();
    this->output.wake();
    this->input.wake();
  }

  // Declared after the machine, in the base: the connection points into the engine's session.
  std::unique_ptr<connection_base> guarded_;
  cotter::verdict seen_{};
  asio_api::basic_waitable_timer<clock, asio_api::wait_traits<clock>, typename base::executor_type>
      timer_;
  clock::time_point deadline_ = clock::time_point::max();
  std::size_t outstanding_ = 0;
  bool expired_ = false;
  bool closed_ = false;
};

/// A handshake and its verdict. `Decider` attaches to a core whoever decides it.
template <typename Decider>
class decided_handshake : public action_base, public completes_without_size {
 public:
  explicit decided_handshake(Decider&& decider) noexcept : decider_(std::move(decider)) {}

  template <typename Core>
  step operator()(Core& core) {
    if (!begun_) {
      begun_ = true;
      if (core.attached()) return failed(errc::unfit_session);
      decider_(core);
      if (core.verdict().reason() != reason::unbound) return refused(core.verdict());
    }
    const step taken = core.machine->handshake();
    if (taken.next == want::nothing) {
      core.confirm();
      if (core.verdict()) return taken;
      core.discard_output();
      return refused(core.verdict());
    }
    if (taken.next == want::failed) {
      core.look_again();
      if (core.verdict().reason() != reason::unbound) why_ = core.verdict().reason();
    }
    return taken;
  }
  template <typename Core>
  error_code failure(Core& core, const error& why) const noexcept {
    core.last_error = why;
    if (why_ != reason::none) return to_error_code(why_);
    return to_error_code(why.what == errc::ok ? errc::tls_failure : why.what);
  }

 private:
  step failed(errc what) const noexcept { return {want::failed, 0, {what, 0, 0}}; }
  step refused(const verdict& by) noexcept {
    why_ = by.reason();
    return {want::failed, 0, by.detail()};
  }

  Decider decider_;
  reason why_ = reason::none;
  bool begun_ = false;
};

template <typename Guard>
struct decided_by_guard {
  template <typename Core>
  void operator()(Core& core) {
    core.attach(*guard, permit);
  }

  Guard* guard;
  typename Guard::permit permit;
};

template <typename Clock>
struct decided_by_identity {
  template <typename Core>
  void operator()(Core& core) {
    core.attach(peer);
  }

  verified_peer<Clock> peer;
};

template <typename Guard>
class handshake_action : public decided_handshake<decided_by_guard<Guard>> {
 public:
  handshake_action(Guard& guard, typename Guard::permit&& permit) noexcept
      : decided_handshake<decided_by_guard<Guard>>(
            decided_by_guard<Guard>{&guard, std::move(permit)}) {}
};

/// What reading, writing and shutting down have in common: only after an accepted verdict.
struct guarded_action : action_base {
  template <typename Core>
  error_code failure(Core& core, const error& why) const noexcept {
    core.last_error = why;
    if (why.what == errc::tls_closed) return asio_api::error::eof;
    return to_error_code(why.what == errc::ok ? errc::tls_failure : why.what);
  }
  static step not_confirmed() noexcept { return {want::failed, 0, {errc::not_confirmed, 0, 0}}; }
};

struct read_action : guarded_action, completes_with_size {
  static constexpr bool waits_for_output = false;
  static constexpr bool keeps_result = true;
  static constexpr cancellation filter = cancellation::total;

  template <typename Core>
  step operator()(Core& core) {
    if (!core.confirmed()) return not_confirmed();
    if (into.empty()) return {want::nothing, 0, {}};
    const step taken = core.machine->read(into);
    core.keep_sessions();
    return taken;
  }

  std::span<std::uint8_t> into;
};

struct write_action : guarded_action, completes_with_size {
  static constexpr cancellation filter = cancellation::partial;

  template <typename Core>
  step operator()(Core& core) {
    if (!core.confirmed()) return not_confirmed();
    if (from.empty()) return {want::nothing, 0, {}};
    return core.machine->write(from);
  }

  bytes_view from;
};

struct shutdown_action : guarded_action, completes_without_size {
  template <typename Core>
  step operator()(Core& core) {
    if (!core.confirmed()) return not_confirmed();
    core.keep_sessions();
    return core.machine->shutdown();
  }
};

/// The first buffer that holds anything: `read_some` and `write_some` need no more.
template <typename Octet, typename Buffer, typename Buffers>
std::span<Octet> first_buffer(const Buffers& buffers) noexcept {
  // One record's worth (RFC 8446 5.1), so that what is queued stays small.
  constexpr std::size_t record_bytes = 16384;
  const auto end = asio_api::buffer_sequence_end(buffers);
  for (auto at = asio_api::buffer_sequence_begin(buffers); at != end; ++at) {
    const Buffer one(*at);
    if (one.size() == 0) continue;
    return {static_cast<Octet*>(one.data()), one.size() < record_bytes ? one.size() : record_bytes};
  }
  return {};
}

}  // namespace detail

/// TLS, pinned, over any stream and any backend.
///
/// Models AsyncReadStream, AsyncWriteStream, SyncReadStream and SyncWriteStream of Asio. Nothing is
/// read or written before a handshake that the guard accepts: until then those operations complete
/// with `errc::not_confirmed`.
///
/// One read and one write (`async_shutdown` counts as a write) may be outstanding at once, as with
/// `asio::ssl::stream`. Operations form an implicit strand: the executor of `NextLayer` runs one
/// handler at a time, so where several threads run it, make it a strand. Blocking operations are
/// for streams without outstanding asynchronous ones.
///
/// Movable; moving is allowed while operations are outstanding, and destroying ends them with
/// `operation_aborted`. The context, and the guard given to the handshake, outlive the stream.
/// `NextLayer` may be a reference.
///
/// Cancellation (where the Asio has slots, see `has_cancellation_slots`): every operation supports
/// `terminal`. Reads lose nothing and may be repeated, writes say how many octets they have taken;
/// both therefore support `partial`, reads `total` too, where `async_compose` can be told so (Asio
/// after 1.22).
template <typename NextLayer, typename Backend>
class tls_stream {
  using core_type = detail::tls_core<NextLayer, Backend>;

 public:
  using next_layer_type = std::remove_reference_t<NextLayer>;
  using lowest_layer_type = typename core_type::lowest::type;
  using executor_type = typename next_layer_type::executor_type;
  using backend_type = Backend;
  using context_type = typename Backend::context;
  using clock = std::chrono::steady_clock;

  /// `next_layer` is whatever the next layer's constructor takes: the stream itself, or an
  /// executor.
  template <typename Next>
  tls_stream(Next&& next_layer, context_type& context)
      : core_(std::make_shared<core_type>(std::forward<Next>(next_layer), context)) {}
  tls_stream(tls_stream&&) noexcept = default;
  tls_stream& operator=(tls_stream&& other) noexcept {
    if (this != &other) {
      if (core_) core_->abandon();
      core_ = std::move(other.core_);
    }
    return *this;
  }
  ~tls_stream() {
    if (core_) core_->abandon();
  }

  [[nodiscard]] executor_type get_executor() noexcept { return core_->next.get_executor(); }
  [[nodiscard]] next_layer_type& next_layer() noexcept { return core_->next; }
  [[nodiscard]] lowest_layer_type& lowest_layer() noexcept {
    return core_type::lowest::get(core_->next);
  }
  /// The TLS library's own handle; valid as long as the stream.
  [[nodiscard]] auto native_handle() noexcept { return core_->machine->native(); }
  [[nodiscard]] context_type& context() noexcept { return *core_->context; }

  /// `reason::unbound` until a handshake has been decided.
  [[nodiscard]] const cotter::verdict& verdict() const noexcept { return core_->verdict(); }
  /// What probably lies behind a refusal, see `connection_base::diagnosis`; borrowed from the stream.
  [[nodiscard]] const cotter::diagnosis& diagnosis() const noexcept { return core_->diagnosis(); }
  /// True if application data may flow.
  [[nodiscard]] bool confirmed() const noexcept { return core_->confirmed(); }
  /// What the TLS library said last, for logs; `errc::ok` if nothing failed.
  [[nodiscard]] const error& last_error() const noexcept { return core_->last_error; }

  /// The moment at which asynchronous operations, outstanding and future, end with `errc::timeout`.
  /// It holds until it is set anew. Blocking operations know no deadline: Asio cannot interrupt a
  /// blocking call.
  void expires_at(clock::time_point when) { core_->expires_at(when); }
  void expires_after(clock::duration delay) { core_->expires_at(clock::now() + delay); }
  void expires_never() { core_->expires_at(clock::time_point::max()); }

  /// Attaches `guard`, then runs the handshake and confirms it. Succeeds only with an accepted
  /// verdict; a refusal is a `reason`, anything else an `errc` or the next layer's error. An alert
  /// that the engine left is sent first; after a refusal by `confirm` nothing at all.
  ///
  /// Spends `permit`. A stream has one handshake in its life: `errc::unfit_session` for another.
  template <typename Guard>
  void handshake(Guard& guard, typename Guard::permit&& permit, error_code& ec) {
    detail::run_blocking(*core_, detail::handshake_action<Guard>(guard, std::move(permit)), ec);
  }
  template <typename Guard>
  void handshake(Guard& guard, typename Guard::permit&& permit) {
    error_code ec;
    handshake(guard, std::move(permit), ec);
    detail::throw_if(ec);
  }
  /// As `handshake`; completes with `void(error_code)`. `guard` outlives the stream.
  template <typename Guard, typename CompletionToken>
  auto async_handshake(Guard& guard, typename Guard::permit&& permit, CompletionToken&& token) {
    return start<void(error_code), CompletionToken>(
        detail::handshake_action<Guard>(guard, std::move(permit)), token);
  }
  /// The same for a program's own collector, without a guard, see `verified_connection`. What `peer`
  /// borrows outlives the stream.
  template <typename Clock, typename CompletionToken>
  auto async_handshake(const verified_peer<Clock>& peer, CompletionToken&& token) {
    using decider = detail::decided_by_identity<Clock>;
    return start<void(error_code), CompletionToken>(
        detail::decided_handshake<decider>(decider{peer}), token);
  }

  /// Reads at least one octet. `asio::error::eof` after the peer's close_notify;
  /// `errc::tls_truncated`, never eof, if the transport ended without one.
  template <typename MutableBuffers>
  std::size_t read_some(const MutableBuffers& buffers, error_code& ec) {
    return detail::run_blocking(*core_, reading(buffers), ec);
  }
  template <typename MutableBuffers>
  std::size_t read_some(const MutableBuffers& buffers) {
    error_code ec;
    const std::size_t size_bytes = read_some(buffers, ec);
    detail::throw_if(ec);
    return size_bytes;
  }
  /// As `read_some`; completes with `void(error_code, std::size_t)`.
  template <typename MutableBuffers, typename CompletionToken>
  auto async_read_some(const MutableBuffers& buffers, CompletionToken&& token) {
    return start<void(error_code, std::size_t), CompletionToken>(reading(buffers), token);
  }

  /// Writes at least one octet, at most one record, and sends it.
  template <typename ConstBuffers>
  std::size_t write_some(const ConstBuffers& buffers, error_code& ec) {
    return detail::run_blocking(*core_, writing(buffers), ec);
  }
  template <typename ConstBuffers>
  std::size_t write_some(const ConstBuffers& buffers) {
    error_code ec;
    const std::size_t size_bytes = write_some(buffers, ec);
    detail::throw_if(ec);
    return size_bytes;
  }
  /// As `write_some`; completes with `void(error_code, std::size_t)`. Completed with an error and a
  /// size, the octets have been taken: do not repeat them.
  template <typename ConstBuffers, typename CompletionToken>
  auto async_write_some(const ConstBuffers& buffers, CompletionToken&& token) {
    return start<void(error_code, std::size_t), CompletionToken>(writing(buffers), token);
  }

  /// Sends close_notify. Does not wait for the peer's: read until `eof` for that.
  void shutdown(error_code& ec) { detail::run_blocking(*core_, detail::shutdown_action{}, ec); }
  void shutdown() {
    error_code ec;
    shutdown(ec);
    detail::throw_if(ec);
  }
  /// As `shutdown`; completes with `void(error_code)`.
  template <typename CompletionToken>
  auto async_shutdown(CompletionToken&& token) {
    return start<void(error_code), CompletionToken>(detail::shutdown_action{}, token);
  }

  /// Closes the lowest layer without close_notify, for good. Asynchronous operations, outstanding
  /// and future, end with `operation_aborted`.
  void close() { core_->close(); }

  /// Records why `guard.admit` refused, so that `verdict()` can tell. Changes nothing once a
  /// handshake has begun.
  void note_refusal(const cotter::verdict& why) noexcept { core_->refused(why); }

 private:
  template <typename Buffers>
  static detail::read_action reading(const Buffers& buffers) noexcept {
    detail::read_action action;
    action.into = detail::first_buffer<std::uint8_t, asio_api::mutable_buffer>(buffers);
    return action;
  }
  template <typename Buffers>
  static detail::write_action writing(const Buffers& buffers) noexcept {
    detail::write_action action;
    action.from = detail::first_buffer<const std::uint8_t, asio_api::const_buffer>(buffers);
    return action;
  }
  template <typename Signature, typename CompletionToken, typename Action>
  auto start(Action&& action, CompletionToken& token) {
    return detail::start_on<Signature, CompletionToken>(core_, std::forward<Action>(action), token);
  }

  std::shared_ptr<core_type> core_;
};
