// Included inside a namespace that provides asio_api, error_code, system_error,
// detail::to_error_code and the cancellation filters. Drives a machine (something with steps, see
// concept `engine`) over an AsyncStream.

namespace detail {

/// Mutual exclusion between the operations of one stream, inside its implicit strand.
template <typename Executor>
class gate {
 public:
  explicit gate(const Executor& executor) : freed_(executor, clock::time_point::max()) {}

  [[nodiscard]] bool try_hold() noexcept { return !std::exchange(held_, true); }
  void release() {
    held_ = false;
    wake();
  }
  void wake() { freed_.cancel(); }
  /// Completes, always with an error, when the gate may have been released.
  template <typename Handler>
  void async_wait(Handler&& handler) {
    freed_.async_wait(std::forward<Handler>(handler));
  }

 private:
  using clock = std::chrono::steady_clock;

  asio_api::basic_waitable_timer<clock, asio_api::wait_traits<clock>, Executor> freed_;
  bool held_ = false;
};

/// What every stream's state has: the next layer, the machine, and the octets between them.
/// Operations share it, so that one that is still under way when its stream dies finds it dead.
template <typename NextLayer, typename Machine>
class io_core {
 public:
  using next_layer_type = std::remove_reference_t<NextLayer>;
  using executor_type = typename next_layer_type::executor_type;

  template <typename Next, typename... Arguments>
  explicit io_core(Next&& next_layer, Arguments&&... arguments)
      : next(std::forward<Next>(next_layer)),
        output(next.get_executor()),
        input(next.get_executor()) {
    machine.emplace(std::forward<Arguments>(arguments)...);
  }
  io_core(const io_core&) = delete;
  io_core& operator=(const io_core&) = delete;

  /// Takes all pending ciphertext from the machine, whose own buffer may be small.
  std::size_t absorb() {
    std::size_t taken = 0;
    for (bytes_view some = machine->pending(); !some.empty(); some = machine->pending()) {
      queued_.insert(queued_.end(), some.begin(), some.end());
      taken += some.size();
      machine->sent(some.size());
    }
    return taken;
  }
  [[nodiscard]] bool has_output() const noexcept { return !sending_.empty() || !queued_.empty(); }
  [[nodiscard]] bool overfull() const noexcept { return queued_.size() > max_queued_bytes; }
  /// The next octets to send. Valid until `written` has reported all of them.
  [[nodiscard]] auto next_output() {
    if (sending_.empty()) sending_.swap(queued_);
    return asio_api::buffer(sending_.data() + sent_bytes_, sending_.size() - sent_bytes_);
  }
  void written(std::size_t size) noexcept {
    sent_bytes_ += size;
    if (sent_bytes_ < sending_.size()) return;
    sending_.clear();
    sent_bytes_ = 0;
  }

  [[nodiscard]] auto input_buffer() { return asio_api::buffer(incoming_); }
  void received(error_code ec, std::size_t size) noexcept {
    first_ = 0;
    last_ = size;
    if (ec == asio_api::error::eof) ended_ = true;
  }
  /// Gives the machine what has been received; false if there is nothing or it takes none.
  [[nodiscard]] bool feed() noexcept {
    if (first_ < last_) {
      const std::size_t taken = machine->feed({incoming_.data() + first_, last_ - first_});
      first_ += taken;
      return taken != 0;
    }
    if (!ended_ || told_end_) return false;
    told_end_ = true;
    machine->end_of_input();
    return true;
  }
  [[nodiscard]] bool stuck() const noexcept { return first_ < last_ || told_end_; }
  [[nodiscard]] bool at_end() const noexcept { return told_end_; }

  NextLayer next;
  std::optional<Machine> machine;
  gate<executor_type> output;
  gate<executor_type> input;
  bool abandoned = false;

 private:
  static constexpr std::size_t max_queued_bytes = 65536;

  std::vector<std::uint8_t> queued_;
  std::vector<std::uint8_t> sending_;  // stable while the next layer writes from it
  std::size_t sent_bytes_ = 0;
  // Room for the largest record (RFC 8446 5.2, RFC 5246 6.2.3), so that one read may bring it.
  std::array<std::uint8_t, 5 + 16384 + 2048> incoming_{};
  std::size_t first_ = 0;
  std::size_t last_ = 0;
  bool ended_ = false;
  bool told_end_ = false;
};

/// The default traits of an action; see `io_op`.
struct action_base {
  /// Completes only when everything that is queued has gone to the next layer.
  static constexpr bool waits_for_output = true;
  /// What the step has yielded must reach the caller even if sending then fails.
  static constexpr bool keeps_result = false;
  static constexpr cancellation filter = cancellation::terminal;
};

struct completes_without_size {
  template <typename Self>
  static void complete(Self& self, error_code ec, std::size_t) {
    self.complete(ec);
  }
};
struct completes_with_size {
  template <typename Self>
  static void complete(Self& self, error_code ec, std::size_t size_bytes) {
    self.complete(ec, size_bytes);
  }
};

/// One operation: takes steps until one is complete, moving octets between them.
///
/// `Action` has `step operator()(Core&)`, `error_code failure(Core&, const error&)`, the constants
/// of `action_base` and `complete`.
template <typename Core, typename Action>
class io_op {
 public:
  io_op(std::shared_ptr<Core> core, Action action)
      : core_(std::move(core)), action_(std::move(action)) {}

  template <typename Self>
  void operator()(Self& self, error_code ec = {}, std::size_t size_bytes = 0) {
    switch (at_) {
      case point::start:
        allow<Action::filter>(self);
        core_->begin();
        break;
      case point::writing:
        core_->written(size_bytes);
        if (ec) return finish(self, output_failed(ec));
        break;
      case point::reading:
        core_->received(ec, size_bytes);
        core_->input.release();
        if (ec && ec != asio_api::error::eof) return finish(self, ec);
        break;
      case point::waiting: break;
      case point::posted: return complete(self, outcome_);
    }
    drive(self);
  }

 private:
  enum class point : std::uint8_t { start, writing, reading, waiting, posted };

  template <typename Self>
  void drive(Self& self) {
    Core& core = *core_;
    for (;;) {
      if (const error_code stop = core.stopped()) return finish(self, output_failed(stop));
      if (is_cancelled(self)) {
        return finish(self, output_failed(asio_api::error::operation_aborted));
      }
      if (!done_) take_step(core);
      if (holding_output_ && !core.has_output()) release_output();
      if (core.has_output()) {
        if (holding_output_ || core.output.try_hold()) {
          holding_output_ = true;
          suspend(point::writing);
          core.next.async_write_some(core.next_output(), std::move(self));
          return;
        }
        if (must_wait_for_output()) {
          suspend(point::waiting);
          core.output.async_wait(std::move(self));
          return;
        }
      }
      if (done_) return finish(self, outcome_);
      if (wants_ == want::output || core.feed()) continue;
      if (core.stuck()) return finish(self, stuck(core));
      if (!core.input.try_hold()) {
        suspend(point::waiting);
        core.input.async_wait(std::move(self));
        return;
      }
      suspend(point::reading);
      core.next.async_read_some(core.input_buffer(), std::move(self));
      return;
    }
  }

  void take_step(Core& core) {
    const step taken = action_(core);
    produced_ = core.absorb() != 0;
    wants_ = taken.next;
    switch (taken.next) {
      case want::nothing:
        done_ = true;
        size_bytes_ = taken.size_bytes;
        return;
      case want::failed:
        done_ = true;
        outcome_ = action_.failure(core, taken.why);
        return;
      case want::output:
        if (produced_ || core.has_output()) {
          idle_ = false;
        } else if (std::exchange(idle_, true)) {
          // Twice without any output: the machine does not know what it wants.
          done_ = true;
          outcome_ = to_error_code(errc::protocol_error);
        }
        return;
      case want::input: return;
    }
  }

  /// Another operation is sending. It will send ours too, so only those wait that must.
  [[nodiscard]] bool must_wait_for_output() const noexcept {
    if (core_->overfull()) return true;
    if (done_) return Action::waits_for_output && !outcome_;
    return Action::waits_for_output || (wants_ == want::output && !produced_);
  }
  error_code stuck(const Core& core) const noexcept {
    return to_error_code(core.at_end() ? errc::tls_truncated : errc::protocol_error);
  }
  /// Sending has failed: what the step said before it matters more.
  error_code output_failed(error_code ec) const noexcept {
    if (done_ && outcome_) return outcome_;
    if (done_ && Action::keeps_result) return {};
    return ec;
  }
  void suspend(point where) noexcept {
    at_ = where;
    suspended_ = true;
  }
  void release_output() {
    holding_output_ = false;
    core_->output.release();
  }

  template <typename Self>
  void finish(Self& self, error_code ec) {
    if (holding_output_) release_output();
    if (ec == asio_api::error::operation_aborted) {
      if (const error_code stop = core_->stopped()) ec = stop;
    }
    if (suspended_) return complete(self, ec);
    suspend(point::posted);
    outcome_ = ec;
    const auto executor = core_->next.get_executor();
    asio_api::post(executor, std::move(self));
  }
  template <typename Self>
  void complete(Self& self, error_code ec) {
    const std::shared_ptr<Core> core = std::move(core_);
    core->end();
    action_.complete(self, ec, size_bytes_);
  }

  std::shared_ptr<Core> core_;
  Action action_;
  error_code outcome_{};
  std::size_t size_bytes_ = 0;
  point at_ = point::start;
  want wants_ = want::nothing;
  bool suspended_ = false;
  bool done_ = false;
  bool produced_ = false;
  bool idle_ = false;
  bool holding_output_ = false;
};

/// Starts `action` as an operation that completes `token`.
template <typename Signature, typename CompletionToken, typename Core, typename Action>
auto start_on(const std::shared_ptr<Core>& core, Action&& action, CompletionToken& token) {
  return asio_api::async_compose<CompletionToken, Signature>(
      io_op<Core, std::remove_cvref_t<Action>>(core, std::forward<Action>(action)), token,
      core->next.get_executor());
}

/// The same with blocking calls of the next layer.
template <typename Core, typename Action>
std::size_t run_blocking(Core& core, Action&& action, error_code& ec) {
  ec = {};
  bool idle = false;
  for (;;) {
    const step taken = action(core);
    const bool produced = core.absorb() != 0;
    error_code failure;
    if (taken.next == want::failed) failure = action.failure(core, taken.why);
    while (core.has_output()) {
      error_code sending;
      core.written(core.next.write_some(core.next_output(), sending));
      if (!sending) continue;
      if (failure) break;
      if (std::remove_cvref_t<Action>::keeps_result && taken.next == want::nothing) break;
      ec = sending;
      return taken.next == want::nothing ? taken.size_bytes : 0;
    }
    if (failure) {
      ec = failure;
      return 0;
    }
    if (taken.next == want::nothing) return taken.size_bytes;
    if (taken.next == want::output) {
      if (!produced && std::exchange(idle, true)) {
        ec = to_error_code(errc::protocol_error);
        return 0;
      }
      continue;
    }
    idle = false;
    if (core.feed()) continue;
    if (core.stuck()) {
      ec = to_error_code(core.at_end() ? errc::tls_truncated : errc::protocol_error);
      return 0;
    }
    error_code receiving;
    const std::size_t size = core.next.read_some(core.input_buffer(), receiving);
    core.received(receiving, size);
    if (receiving && receiving != asio_api::error::eof) {
      ec = receiving;
      return 0;
    }
  }
}

inline void throw_if(const error_code& ec) {
  if (ec) throw system_error(ec);
}

}  // namespace detail
