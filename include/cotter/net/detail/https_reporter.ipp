// Included inside the namespaces `net` and `boost_net`; see cotter/net/https_reporter.hpp.

/// What `https_reporter` may be told beyond the URL.
struct https_reporter_options : collector_options {
  https_reporter_options() {}  // NOLINT(*-equals-default): see http_field

  /// The value of `Authorization`, `Bearer ...` for one. Goes to the collector and nowhere else.
  std::string authorization{};
  std::vector<http_field> fields{};      ///< whatever else the collector asks for
  std::size_t max_events = 100;          ///< in one request
  std::size_t max_body_bytes = 262'144;  ///< of one request, unless a single event is larger
};

/// An `audit_sender` that POSTs events to an https URL (`reportingEndpoint`), each kept-alive
/// connection for one `deliver`.
///
/// What `Render` writes of an event is JSON. It may have
///
///   static constexpr std::string_view batch_type   // Content-Type; else `application/json`
///   static constexpr bool single = true            // a request for each event, as it is
///
/// Without `single` the content of a request is a JSON array of rendered events.
///
/// An answer 2xx that has arrived whole settles what was sent (content beyond
/// `max_report_content_bytes` is not waited for). Everything else settles nothing of the request:
/// 3xx is `report_redirected`, which is never followed; 4xx and 5xx are `report_refused` with
/// `delivery::status`, 413 among them (offer fewer events), and `delivery::retry_after` of their
/// Retry-After; a connection that ends too early is `report_truncated`, and a header without end
/// `message_too_big`. A collector that does not prove who it is gets not one octet of HTTP:
/// `tls_failure`, and `verdict()` says why. `connect_failed`, `resolve_failed`, `timeout` are what
/// they are called. None of them carries any part of the URL or of a field.
///
/// Events about the URL's own host, on whatever port, are never sent (D3).
///
/// The context is borrowed, with the trust anchors and the client's own certificate, if any, that it
/// was given. No proxy, and nothing from the environment (but what the system's own resolver takes
/// from there). One `deliver` at a time. Starts no thread of its
/// own; Asio starts one to resolve a name, unless `endpoints` or `resolve` are given or the host is
/// an address, and the destructor waits for it.
template <backend Backend, event_renderer Render, clock Clock = system_clock>
class https_reporter {
 public:
  using context_type = typename Backend::context;
  using time_point = std::chrono::steady_clock::time_point;

  /// Touches no network. A URL or an option that is not fit makes `problem()`, and every `deliver`
  /// fails with it.
  https_reporter(context_type& context, std::string_view url, Render render = {},
                 https_reporter_options options = {}, Clock time = {})
      : https_reporter(context, parse_url(url), std::move(render), std::move(options), time) {}

  /// `ok`, `insecure_scheme`, `invalid_host`, `invalid_port`, `invalid_url`, `invalid_header`.
  [[nodiscard]] const error& problem() const noexcept { return problem_; }
  /// The URL without path and query, which may be secret; empty if it was not fit.
  [[nodiscard]] const std::string& origin() const noexcept { return origin_; }
  /// What the last handshake came to; `reason::unbound` without one.
  [[nodiscard]] const cotter::verdict& verdict() const noexcept { return collector_.verdict(); }

  delivery deliver(std::span<const audit_event> events, time_point deadline) {
    delivery done;
    done.why = problem_;
    collector_.forget_verdict();
    if (problem_.what != errc::ok) return done;
    try {
      while (done.why.what == errc::ok && done.settled < events.size()) {
        if (detail::is_same_host(collector_.host(), events[done.settled].what.endpoint.host)) {
          ++done.settled;
          ++done.withheld;
          continue;
        }
        step(events, deadline, done);
      }
      collector_.shut_down(deadline);
    } catch (const system_error&) {
      // The system had no socket, or no thread to resolve with.
      done.why = {errc::connect_failed, 0, 0};
    } catch (...) {
      collector_.close();
      throw;
    }
    collector_.close();
    return done;
  }

 private:
  /// What one request takes from the front of the rest.
  struct batch {
    std::string body{};
    std::size_t taken = 0;
    std::size_t withheld = 0;
    std::size_t rendered = 0;
  };

  static constexpr bool single = [] {
    if constexpr (requires { Render::single; }) return static_cast<bool>(Render::single);
    return false;
  }();
  static constexpr std::string_view content_type = [] {
    if constexpr (requires { Render::batch_type; }) return std::string_view(Render::batch_type);
    return std::string_view("application/json");
  }();

  https_reporter(context_type& context, const result<url>& to, Render&& render,
                 https_reporter_options&& options, Clock time)
      : render_(std::move(render)),
        max_events_(single || options.max_events == 0 ? 1 : options.max_events),
        max_body_bytes_(options.max_body_bytes),
        collector_(context, to ? std::string(to->host) : std::string(), to ? to->port : 0,
                   std::move(options), time) {
    if (!to) {
      problem_ = to.error();
      return;
    }
    if (to->scheme != url_scheme::https) {
      problem_ = {errc::invalid_url, 0, 0};
      return;
    }
    head_.host = to->host;
    head_.port = to->port;
    head_.path = to->path;
    head_.authorization = std::move(options.authorization);
    head_.fields = std::move(options.fields);
    if (const auto fit = write_report_head(head_, content_type, 0); !fit) {
      problem_ = fit.error();
      return;
    }
    const bool bracketed = head_.host.find(':') != std::string::npos;
    origin_ = "https://" + (bracketed ? "[" + head_.host + "]" : head_.host);
    if (head_.port != 443) origin_ += ":" + std::to_string(head_.port);
  }

  [[nodiscard]] batch compose(std::span<const audit_event> rest) const {
    batch made;
    std::string one;
    for (const audit_event& event : rest) {
      if (made.rendered == max_events_) break;
      if (detail::is_same_host(collector_.host(), event.what.endpoint.host)) {
        ++made.taken;
        ++made.withheld;
        continue;
      }
      one.clear();
      render_(event, one);
      if (!one.empty()) {
        if (made.rendered != 0 && made.body.size() + one.size() + 2 > max_body_bytes_) break;
        if constexpr (!single) made.body += made.rendered == 0 ? '[' : ',';
        made.body += one;
        ++made.rendered;
      }
      ++made.taken;
    }
    if constexpr (!single) {
      if (made.rendered != 0) made.body += ']';
    }
    return made;
  }

  /// One request and its answer.
  void step(std::span<const audit_event> events, time_point deadline, delivery& done) {
    const batch next = compose(events.subspan(done.settled));
    if (next.rendered != 0) {
      done.why = post(next.body, deadline, done);
      if (done.why.what != errc::ok) return;
    }
    done.settled += next.taken;
    done.withheld += next.withheld;
  }

  [[nodiscard]] error post(const std::string& body, time_point deadline, delivery& done) {
    const auto head = write_report_head(head_, content_type, body.size());
    if (!head) return head.error();
    for (bool again = false;; again = true) {
      const bool fresh = !collector_.is_open();
      if (fresh) {
        if (const error why = collector_.open(deadline); why.what != errc::ok) return why;
      }
      report_answer answer;
      bool answered = false;
      const error why = collector_.exchange(*head + body, answer, answered, deadline);
      if (why.what == errc::ok) {
        if (!collector_.reusable()) collector_.shut_down(deadline);
        return judge(answer, collector_.now(), done);
      }
      collector_.close();
      done.status = answer.status();
      // The collector may have closed an idle connection while the request was on its way.
      const bool stale = !fresh && !answered && why.what != errc::timeout;
      if (!stale || again) return why;
    }
  }

  [[nodiscard]] static error judge(const report_answer& answer, instant now, delivery& done) {
    const unsigned status = answer.status();
    done.status = status;
    if (status >= 200 && status < 300) return {};
    done.retry_after = answer.retry_after(now);
    return {status >= 300 && status < 400 ? errc::report_redirected : errc::report_refused, 0,
            static_cast<std::int32_t>(status)};
  }

  Render render_;
  std::size_t max_events_;
  std::size_t max_body_bytes_;
  report_head head_{};
  std::string origin_{};
  error problem_{};
  detail::collector<Backend, Clock> collector_;
};
