// Included inside the namespaces `net` and `boost_net`; see cotter/net/syslog_tls_sender.hpp.

/// What `syslog_tls_sender` may be told beyond the collector's name.
struct syslog_tls_options : collector_options {
  syslog_tls_options() {}  // NOLINT(*-equals-default): see http_field

  /// A longer message is sent as `append_cut` writes it. 8 KiB is what receivers should take
  /// (RFC 5425 4.3.1).
  std::size_t longest_bytes = 8192;
};

/// An `audit_sender` to a syslog collector over TLS (RFC 5425), a connection for each `deliver`.
///
/// `Render` writes the text of a message (RFC 5424), which is counted (RFC 5425 4.3), never delimited.
///
/// RFC 5425 knows no acknowledgement. Events are settled, all of one `deliver` or none, once the
/// collector's close_notify has answered ours (RFC 5425 4.4): TLS delivers in order, so that it had
/// taken all of them out of the connection by then. What it does with them afterwards, nobody is
/// told; and a collector that happens to close of its own accord at the very moment at which the
/// last octets are on their way looks the same. Where that is not enough, use `https_reporter`.
/// A collector that closes without close_notify settles nothing (`tls_truncated`).
///
/// A collector that does not prove who it is gets nothing: `tls_failure`, and `verdict()` says why.
/// Other errors, the context, threads and resolving are as with `https_reporter`; events about the
/// collector's own host are never sent (D3).
template <backend Backend, event_renderer Render, clock Clock = system_clock>
class syslog_tls_sender {
 public:
  using context_type = typename Backend::context;
  using time_point = std::chrono::steady_clock::time_point;
  static constexpr std::uint16_t default_port = 6514;  ///< RFC 5425 4.1

  /// Touches no network. A host or port that is not fit makes `problem()`, and every `deliver` fails
  /// with it. `host` is canonical, see `classify_host`; what `from` borrows outlives the sender.
  syslog_tls_sender(context_type& context, std::string_view host, std::uint16_t port = default_port,
                    Render render = {}, syslog_origin from = {}, syslog_tls_options options = {},
                    Clock time = {})
      : render_(std::move(render)),
        from_(from),
        longest_bytes_(options.longest_bytes),
        collector_(context, std::string(host), port, std::move(options), time) {
    if (const result<host_kind> kind = classify_host(host); !kind) {
      problem_ = kind.error();
    } else if (port == 0) {
      problem_ = {errc::invalid_port, 0, 0};
    }
  }

  /// `ok`, `invalid_host`, `invalid_port`.
  [[nodiscard]] const error& problem() const noexcept { return problem_; }
  /// What the last handshake came to; `reason::unbound` without one.
  [[nodiscard]] const cotter::verdict& verdict() const noexcept { return collector_.verdict(); }

  delivery deliver(std::span<const audit_event> events, time_point deadline) {
    delivery done;
    done.why = problem_;
    collector_.forget_verdict();
    if (problem_.what != errc::ok) return done;
    std::string frames;
    std::size_t withheld = 0;
    std::size_t leading = 0;  // with nothing to send before or among them
    for (const audit_event& event : events) {
      const bool own = detail::is_same_host(collector_.host(), event.what.endpoint.host);
      withheld += own ? 1u : 0u;
      if (!own) append(event, frames);
      if (!frames.empty()) continue;
      ++leading;
      done.withheld = withheld;
    }
    done.settled = leading;
    if (frames.empty()) return done;
    try {
      done.why = collector_.open(deadline);
      if (done.why.what == errc::ok) {
        done.why = collector_.send_and_close(std::move(frames), deadline);
      }
    } catch (const system_error&) {
      // The system had no socket, or no thread to resolve with.
      done.why = {errc::connect_failed, 0, 0};
    } catch (...) {
      collector_.close();
      throw;
    }
    collector_.close();
    if (done.why.what != errc::ok) return done;
    done.settled = events.size();
    done.withheld = withheld;
    return done;
  }

 private:
  void append(const audit_event& event, std::string& frames) const {
    std::string text;
    render_(event, text);
    if (text.empty()) return;
    std::string message;
    append_syslog_message(event, from_, text, message);
    if (message.size() > longest_bytes_) {
      const std::size_t whole_bytes = text.size();
      text.clear();
      message.clear();
      append_cut(event, whole_bytes, text);
      append_syslog_message(event, from_, text, message);
    }
    append_framed(message, frames);
  }

  Render render_;
  syslog_origin from_;
  std::size_t longest_bytes_;
  error problem_{};
  detail::collector<Backend, Clock> collector_;
};
