// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cotter/concepts/key_vault.hpp>
#include <cotter/libsecret/conversation.hpp>

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace cotter {
inline namespace v0 {

/// Where a `secret_vault` is.
struct secret_vault_options {
  /// The store's name, 1 to 64 letters, digits, `.`, `-` or `_`: the item's attribute.
  const char* store = nullptr;
  /// How long each call may take altogether.
  std::chrono::milliseconds patience{2000};
};

namespace libsecret {
namespace detail {

/// An item's secret: what it is, the key in hex, the counter in 20 decimal digits, the store.
struct secret_text {
  static constexpr std::string_view mark = "cotter-state-1 ";
  static constexpr std::size_t key_at = mark.size();
  static constexpr std::size_t counter_at = key_at + 2 * seal_key::size_bytes + 1;
  static constexpr std::size_t store_at = counter_at + 20 + 1;

  secret_text() noexcept = default;
  secret_text(const secret_text&) = delete;
  secret_text& operator=(const secret_text&) = delete;
  ~secret_text() { wipe(std::span(reinterpret_cast<std::uint8_t*>(text.data()), text.size())); }

  void write(const seal_key& key, std::uint64_t counter, std::string_view store) noexcept {
    constexpr std::string_view digits = "0123456789abcdef";
    std::copy(mark.begin(), mark.end(), text.begin());
    for (std::size_t i = 0; i < seal_key::size_bytes; ++i) {
      text[key_at + 2 * i] = digits[key.octets[i] >> 4U];
      text[key_at + 2 * i + 1] = digits[key.octets[i] & 15U];
    }
    text[counter_at - 1] = ' ';
    for (std::size_t i = 20; i-- > 0; counter /= 10) text[counter_at + i] = digits[counter % 10];
    text[store_at - 1] = ' ';
    std::copy(store.begin(), store.end(), text.begin() + store_at);
    size = store_at + store.size();
  }

  /// Reads what `write` wrote, and nothing that it would have written otherwise.
  /// @errors `state_damaged`, `state_foreign` (another store's)
  [[nodiscard]] static result<void> read(std::string_view from, std::string_view store,
                                         seal_key& key, std::uint64_t& counter) noexcept {
    if (from.size() <= store_at) return errc::state_damaged;
    seal_key read_key;
    for (std::size_t i = 0; i < seal_key::size_bytes; ++i) {
      read_key.octets[i] = static_cast<std::uint8_t>(nibble(from[key_at + 2 * i]) << 4U |
                                                     nibble(from[key_at + 2 * i + 1]));
    }
    std::uint64_t read_counter = 0;
    for (std::size_t i = 0; i < 20; ++i)
      read_counter = read_counter * 10 + nibble(from[counter_at + i]);
    secret_text again;
    const std::string_view of = from.substr(store_at);
    if (of.size() > max_name_bytes) return errc::state_damaged;
    again.write(read_key, read_counter, of);
    if (from != again.view()) return errc::state_damaged;
    if (of != store) return errc::state_foreign;
    key = std::move(read_key);
    counter = read_counter;
    return {};
  }

  [[nodiscard]] std::string_view view() const noexcept { return {text.data(), size}; }

  std::array<char, store_at + max_name_bytes> text{};
  std::size_t size = 0;

 private:
  static std::uint8_t nibble(char c) noexcept {
    if (c >= '0' && c <= '9') return static_cast<std::uint8_t>(c - '0');
    return c >= 'a' && c <= 'f' ? static_cast<std::uint8_t>(c - 'a' + 10) : std::uint8_t{0};
  }
};

}  // namespace detail
}  // namespace libsecret

/// A key vault in the user's keyring, by libsecret: one item in the default collection, with the key
/// and the counter (schema `cotter.state`, attribute `store`). It never asks the user to unlock.
///
/// `partial`: who may use the keyring can write an older item, or put back the keyring's own file.
///
/// Each call goes over GLib's connection to the session's bus, opened and closed with the call unless
/// the program holds it too; GLib has threads of its own for that, and ends the process where memory
/// runs out. What `advance` returned from is in the keyring's file if the Secret Service writes it
/// before it answers, as gnome-keyring does.
///
/// `native` of an error is the GError's code.
class secret_vault {
 public:
  /// A vault without anything in it: every call gives `state_absent`.
  secret_vault() noexcept = default;

  /// Makes the item, with a random key and the counter 0, and replaces none.
  ///
  /// @errors `invalid_value` (no name that the options allow), `state_exists`,
  ///   `state_unwritable` (there is no bus, no Secret Service, no default collection),
  ///   `state_busy` (locked, or longer than the patience)
  [[nodiscard]] static result<secret_vault> create(const secret_vault_options& options) noexcept {
    auto made = hold(options);
    if (!made) return made;
    seal_key key;
    if (::getrandom(key.octets.data(), key.octets.size(), 0) !=
        static_cast<ssize_t>(key.octets.size())) {
      return error{errc::state_unwritable, 0, errno};
    }
    visit here(*made);
    if (auto alone = here.open_alone(); !alone) return alone.error();
    const auto found = here.find();
    if (found || found.error().what == errc::state_foreign) {
      return errc::state_exists;
    }
    if (found.error().what != errc::state_absent) return found.error();
    if (const auto written = here.write_new(key); !written) return written.error();
    return made;
  }

  /// Opens what `create` made, and sees that it is there and can be read.
  ///
  /// @errors `invalid_value`; `state_absent`; `state_damaged`; `state_foreign` (another store's
  ///   secret, or two items of one name); `state_busy` (locked, or longer than the patience);
  ///   `state_unwritable` (no bus, or no Secret Service)
  [[nodiscard]] static result<secret_vault> open(const secret_vault_options& options) noexcept {
    auto made = hold(options);
    if (!made) return made;
    if (const auto now = made->counter(); !now) return now.error();
    return made;
  }

  /// @see key_vault
  [[nodiscard]] rollback_resistance resistance() const noexcept {
    return rollback_resistance::partial;
  }

  /// @errors those of `open`
  [[nodiscard]] result<void> key(seal_key& key) noexcept {
    std::uint64_t counter = 0;
    visit here(*this);
    const auto opened = here.open();
    return opened ? here.read(key, counter) : opened;
  }

  /// @errors those of `open`
  [[nodiscard]] result<std::uint64_t> counter() noexcept {
    seal_key key;
    std::uint64_t counter = 0;
    visit here(*this);
    if (const auto opened = here.open(); !opened) return opened.error();
    if (const auto read = here.read(key, counter); !read) return read.error();
    return counter;
  }

  /// Alone among the processes of this user's session bus.
  ///
  /// @errors `state_rolled_back` (`to` is not the counter's successor), and those of
  ///   `open`. After `state_busy` or `state_unwritable` the counter may be `to`: `counter` says so.
  [[nodiscard]] result<void> advance(std::uint64_t to) noexcept {
    seal_key key;
    std::uint64_t before = 0;
    visit here(*this);
    if (auto alone = here.open_alone(); !alone) return alone;
    if (auto read = here.read(key, before); !read) return read;
    if (to == 0 || before != to - 1) return errc::state_rolled_back;
    return here.write(key, to);
  }

 private:
  /// A conversation about the vault's item.
  class visit {
   public:
    explicit visit(const secret_vault& whose) noexcept
        : store_(whose.store_.data()),
          schema_{"cotter.state",
                  SECRET_SCHEMA_NONE,
                  {{"store", SECRET_SCHEMA_ATTRIBUTE_STRING}},
                  0,
                  nullptr,
                  nullptr,
                  nullptr,
                  nullptr,
                  nullptr,
                  nullptr,
                  nullptr},
          attributes_(secret_attributes_build(&schema_, "store", whose.store_.data(), nullptr)),
          talk_(whose.patience_) {}
    visit(const visit&) = delete;
    visit& operator=(const visit&) = delete;
    ~visit() {
      item_.reset();
      g_hash_table_unref(attributes_);
    }

    [[nodiscard]] result<void> open() noexcept {
      return store_.empty() ? result<void>(errc::state_absent) : talk_.open();
    }
    [[nodiscard]] result<void> open_alone() noexcept {
      const auto opened = open();
      return opened ? talk_.be_alone(store_) : opened;
    }
    [[nodiscard]] result<void> find() noexcept { return talk_.find(schema_, attributes_, item_); }
    [[nodiscard]] result<void> read(seal_key& key, std::uint64_t& counter) noexcept {
      if (const auto found = find(); !found) return found;
      const libsecret::detail::value secret(secret_item_get_secret(item_.get()));
      // Locked since it was found.
      if (secret == nullptr) return errc::state_busy;
      gsize size = 0;
      const gchar* const text = secret_value_get(secret.get(), &size);
      return libsecret::detail::secret_text::read({text, size}, store_, key, counter);
    }
    [[nodiscard]] result<void> write(const seal_key& key, std::uint64_t counter) noexcept {
      return talk_.replace(item_.get(), value_of(key, counter).get());
    }
    [[nodiscard]] result<void> write_new(const seal_key& key) noexcept {
      return talk_.make(schema_, attributes_, "cotter: key and counter of a store",
                        value_of(key, 0).get());
    }

   private:
    [[nodiscard]] libsecret::detail::value value_of(const seal_key& key,
                                                    std::uint64_t counter) const noexcept {
      libsecret::detail::secret_text text;
      text.write(key, counter, store_);
      return libsecret::detail::value(
          secret_value_new(text.text.data(), static_cast<gssize>(text.size), "text/plain"));
    }

    std::string_view store_;
    SecretSchema schema_;
    GHashTable* attributes_;
    libsecret::detail::conversation talk_;
    libsecret::detail::object<SecretItem> item_{};
  };

  [[nodiscard]] static result<secret_vault> hold(const secret_vault_options& options) noexcept {
    const std::string_view name = options.store == nullptr ? "" : options.store;
    const bool plain = std::all_of(name.begin(), name.end(), [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
             c == '.' || c == '-' || c == '_';
    });
    if (name.empty() || name.size() > libsecret::max_name_bytes || !plain ||
        options.patience.count() < 0 || options.patience > std::chrono::hours(1)) {
      return errc::invalid_value;
    }
    secret_vault made;
    std::copy(name.begin(), name.end(), made.store_.begin());
    made.patience_ = options.patience;
    return made;
  }

  std::array<char, libsecret::max_name_bytes + 1> store_{};
  std::chrono::milliseconds patience_{};
};

static_assert(key_vault<secret_vault>);

}  // namespace v0
}  // namespace cotter
