// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/values/error.hpp>
#include <cotter/values/result.hpp>

#include <libsecret/secret.h>

#include <gio/gio.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string_view>

namespace cotter {
inline namespace v0 {
namespace libsecret {

/// The most octets of a store's name.
inline constexpr std::size_t max_name_bytes = 64;

namespace detail {

struct object_unref {
  void operator()(void* what) const noexcept { g_object_unref(what); }
};
template <typename T>
using object = std::unique_ptr<T, object_unref>;

struct value_unref {
  void operator()(void* what) const noexcept { secret_value_unref(what); }
};
using value = std::unique_ptr<SecretValue, value_unref>;

struct string_free {
  void operator()(gchar* what) const noexcept { g_free(what); }
};
using string = std::unique_ptr<gchar, string_free>;

/// What a GError means to a store.
[[nodiscard]] inline error failed(GError* why) noexcept {
  if (why == nullptr) return {errc::state_unwritable, 0, 0};
  error said{errc::state_unwritable, 0, why->code};
  if (g_error_matches(why, G_IO_ERROR, G_IO_ERROR_CANCELLED) ||
      g_error_matches(why, SECRET_ERROR, SECRET_ERROR_IS_LOCKED)) {
    said.what = errc::state_busy;
  } else if (g_error_matches(why, SECRET_ERROR, SECRET_ERROR_NO_SUCH_OBJECT)) {
    said.what = errc::state_absent;
  }
  g_error_free(why);
  return said;
}

/// A conversation with the user's Secret Service, all of which ends when the patience does. GLib's
/// connection to the session's bus is shared with whoever in this process uses it too; with nobody,
/// it is closed at the end.
class conversation {
 public:
  explicit conversation(std::chrono::milliseconds patience) noexcept
      : until_(std::chrono::steady_clock::now() + patience),
        context_(g_main_context_new()),
        cancel_(g_cancellable_new()),
        timer_(g_timeout_source_new(20)) {
    g_main_context_push_thread_default(context_);
    const GSourceFunc tick = [](gpointer to) -> gboolean {
      const auto& self = *static_cast<const conversation*>(to);
      if (std::chrono::steady_clock::now() >= self.until_) g_cancellable_cancel(self.cancel_.get());
      return G_SOURCE_CONTINUE;
    };
    g_source_set_callback(timer_, tick, this, nullptr);
    g_source_attach(timer_, context_);
  }
  conversation(const conversation&) = delete;
  conversation& operator=(const conversation&) = delete;
  ~conversation() {
    service_.reset();
    if (owner_) {
      g_dbus_connection_call(bus_.get(), bus_name, bus_path, bus_name, "ReleaseName",
                             g_variant_new("(s)", name_.data()), nullptr, G_DBUS_CALL_FLAGS_NONE,
                             -1, nullptr, nullptr, nullptr);
      g_dbus_connection_flush_sync(bus_.get(), cancel_.get(), nullptr);
    }
    if (bus_ != nullptr) g_dbus_connection_set_exit_on_close(bus_.get(), exits_);
    bus_.reset();
    while (g_main_context_iteration(context_, FALSE) != FALSE) {
    }
    g_source_destroy(timer_);
    g_source_unref(timer_);
    g_main_context_pop_thread_default(context_);
    g_main_context_unref(context_);
  }

  /// @errors `state_unwritable` (no bus, or no Secret Service on it), `state_busy`
  [[nodiscard]] result<void> open() noexcept {
    if (!has_bus()) return errc::state_unwritable;
    GError* why = nullptr;
    {
      reply waited;
      g_bus_get(G_BUS_TYPE_SESSION, cancel_.get(), arrive, waited.to());
      GAsyncResult* const answer = wait_for(waited);
      if (answer == nullptr) return errc::state_busy;
      bus_.reset(g_bus_get_finish(answer, &why));
    }
    if (bus_ == nullptr) return failed(why);
    // GLib's default ends the process when the bus goes.
    exits_ = g_dbus_connection_get_exit_on_close(bus_.get());
    g_dbus_connection_set_exit_on_close(bus_.get(), FALSE);
    reply waited;
    secret_service_open(SECRET_TYPE_SERVICE, nullptr, SECRET_SERVICE_OPEN_SESSION, cancel_.get(),
                        arrive, waited.to());
    GAsyncResult* const answer = wait_for(waited);
    if (answer == nullptr) return errc::state_busy;
    service_.reset(secret_service_open_finish(answer, &why));
    return service_ == nullptr ? failed(why) : result<void>();
  }

  /// Keeps everybody else on this bus out until the conversation ends: one at a time can own a name.
  /// @errors `state_busy`, `state_unwritable`
  [[nodiscard]] result<void> be_alone(std::string_view store) noexcept {
    int end = std::snprintf(name_.data(), name_.size(), "cotter.secret_vault.x");
    for (const char c : store) {
      end += std::snprintf(name_.data() + end, name_.size() - static_cast<std::size_t>(end), "%02x",
                           static_cast<unsigned>(static_cast<unsigned char>(c)));
    }
    constexpr guint32 do_not_queue = 4;
    constexpr guint32 became_owner = 1;  // another answer, if this very connection owns it already
    while (true) {
      const auto outcome =
          ask_bus("RequestName", g_variant_new("(su)", name_.data(), do_not_queue));
      if (!outcome) return outcome.error();
      owner_ = *outcome == became_owner;
      if (owner_) return {};
      if (std::chrono::steady_clock::now() >= until_) return errc::state_busy;
      g_usleep(2000);
    }
  }

  /// The one item with these attributes, with its secret.
  /// @errors `state_absent`, `state_foreign` (more than one), `state_busy` (it is locked, or none was
  ///   seen and the default collection is locked)
  [[nodiscard]] result<void> find(const SecretSchema& schema, GHashTable* attributes,
                                  object<SecretItem>& item) noexcept {
    const auto flags =
        static_cast<SecretSearchFlags>(SECRET_SEARCH_ALL | SECRET_SEARCH_LOAD_SECRETS);
    reply waited;
    secret_service_search(service_.get(), &schema, attributes, flags, cancel_.get(), arrive,
                          waited.to());
    GAsyncResult* const answer = wait_for(waited);
    if (answer == nullptr) return errc::state_busy;
    GError* why = nullptr;
    GList* const found = secret_service_search_finish(service_.get(), answer, &why);
    if (why != nullptr) return failed(why);
    result<void> outcome;
    if (found == nullptr) {
      outcome = errc::state_absent;
    } else if (found->next != nullptr) {
      outcome = errc::state_foreign;
    } else {
      item.reset(static_cast<SecretItem*>(g_object_ref(found->data)));
      if (secret_item_get_locked(item.get()) != FALSE) outcome = errc::state_busy;
    }
    g_list_free_full(found, g_object_unref);
    if (outcome.error().what != errc::state_absent) return outcome;
    object<SecretCollection> collection;
    const auto looked = look_up_default(collection);
    if (!looked) return looked;
    const bool locked =
        collection != nullptr && secret_collection_get_locked(collection.get()) != FALSE;
    return locked ? errc::state_busy : errc::state_absent;
  }

  /// Makes an item in the default collection.
  /// @errors `state_unwritable` (no such collection, or it refused), `state_busy` (it is locked)
  [[nodiscard]] result<void> make(const SecretSchema& schema, GHashTable* attributes,
                                  const char* label, SecretValue* secret) noexcept {
    object<SecretCollection> collection;
    const auto looked = look_up_default(collection);
    if (!looked) return looked;
    if (collection == nullptr) return errc::state_unwritable;
    if (secret_collection_get_locked(collection.get()) != FALSE) return errc::state_busy;
    reply waited;
    secret_item_create(collection.get(), &schema, attributes, label, secret,
                       SECRET_ITEM_CREATE_NONE, cancel_.get(), arrive, waited.to());
    GAsyncResult* const answer = wait_for(waited);
    if (answer == nullptr) return errc::state_busy;
    GError* why = nullptr;
    const object<SecretItem> made(secret_item_create_finish(answer, &why));
    return made == nullptr ? failed(why) : result<void>();
  }

  /// Gives an item another secret. @errors those of `make`, `state_absent`
  [[nodiscard]] result<void> replace(SecretItem* item, SecretValue* secret) noexcept {
    reply waited;
    secret_item_set_secret(item, secret, cancel_.get(), arrive, waited.to());
    GAsyncResult* const answer = wait_for(waited);
    if (answer == nullptr) return errc::state_busy;
    GError* why = nullptr;
    const bool done = secret_item_set_secret_finish(item, answer, &why) != FALSE;
    return done ? result<void>() : failed(why);
  }

 private:
  /// What an operation answers to. It outlives us if the answer comes after we gave up: GLib's first
  /// words with a bus cannot be cancelled.
  class reply {
   public:
    reply() noexcept = default;
    reply(const reply&) = delete;
    reply& operator=(const reply&) = delete;
    ~reply() {
      if (shared_ == nullptr) return;
      if (shared_->result == nullptr) {
        shared_->given_up = true;
      } else {
        drop(shared_);
      }
    }
    [[nodiscard]] gpointer to() noexcept { return shared_ = g_new0(shared, 1); }
    [[nodiscard]] GAsyncResult* result() const noexcept { return shared_->result; }

    static void arrived(GAsyncResult* result, gpointer to) noexcept {
      auto* const shared_one = static_cast<shared*>(to);
      g_object_ref(result);
      shared_one->result = result;
      if (shared_one->given_up) drop(shared_one);
    }

   private:
    struct shared {
      GAsyncResult* result;
      bool given_up;
    };
    static void drop(shared* what) noexcept {
      g_object_unref(what->result);
      g_free(what);
    }
    shared* shared_ = nullptr;
  };
  static void arrive(GObject*, GAsyncResult* result, gpointer to) { reply::arrived(result, to); }

  /// Null if there was none in time, although it was cancelled.
  [[nodiscard]] GAsyncResult* wait_for(const reply& waited) noexcept {
    constexpr std::chrono::milliseconds to_be_cancelled{250};
    while (waited.result() == nullptr) {
      g_main_context_iteration(context_, TRUE);
      if (std::chrono::steady_clock::now() >= until_ + to_be_cancelled) break;
    }
    return waited.result();
  }
  /// Null where the service has none.
  [[nodiscard]] result<void> look_up_default(object<SecretCollection>& collection) noexcept {
    reply waited;
    secret_collection_for_alias(service_.get(), SECRET_COLLECTION_DEFAULT, SECRET_COLLECTION_NONE,
                                cancel_.get(), arrive, waited.to());
    GAsyncResult* const answer = wait_for(waited);
    if (answer == nullptr) return errc::state_busy;
    GError* why = nullptr;
    collection.reset(secret_collection_for_alias_finish(answer, &why));
    return why != nullptr ? failed(why) : result<void>();
  }
  [[nodiscard]] result<guint32> ask_bus(const char* method, GVariant* arguments) noexcept {
    reply waited;
    g_dbus_connection_call(bus_.get(), bus_name, bus_path, bus_name, method, arguments, nullptr,
                           G_DBUS_CALL_FLAGS_NONE, -1, cancel_.get(), arrive, waited.to());
    GAsyncResult* const answer = wait_for(waited);
    if (answer == nullptr) return errc::state_busy;
    GError* why = nullptr;
    GVariant* const said = g_dbus_connection_call_finish(bus_.get(), answer, &why);
    if (said == nullptr) return failed(why);
    guint32 outcome = 0;
    g_variant_get(said, "(u)", &outcome);
    g_variant_unref(said);
    return outcome;
  }
  /// GLib would start a bus where there is none, and wait for that.
  static bool has_bus() noexcept {
    const gchar* const said = g_getenv("DBUS_SESSION_BUS_ADDRESS");
    if (said != nullptr && *said != '\0') return true;
    const string socket(g_build_filename(g_get_user_runtime_dir(), "bus", nullptr));
    return g_file_test(socket.get(), G_FILE_TEST_EXISTS) != FALSE;
  }

  static constexpr const char* bus_name = "org.freedesktop.DBus";
  static constexpr const char* bus_path = "/org/freedesktop/DBus";

  std::chrono::steady_clock::time_point until_;
  GMainContext* context_;
  object<GCancellable> cancel_;
  GSource* timer_;
  object<GDBusConnection> bus_{};
  gboolean exits_ = FALSE;
  std::array<char, 32 + 2 * max_name_bytes> name_{};
  bool owner_ = false;
  object<SecretService> service_{};
};

}  // namespace detail
}  // namespace libsecret
}  // namespace v0
}  // namespace cotter
