// SPDX-License-Identifier: BSL-1.0
#include "vault.hpp"

#include <cotter/backends/openssl.hpp>
#include <cotter/posix/key_file_vault.hpp>
#include <cotter/posix/service_vault.hpp>
#ifdef COTTER_COMMAND_LIBSECRET
#include <cotter/libsecret/secret_vault.hpp>
#endif
#ifdef COTTER_COMMAND_TPM2
#include <cotter/tpm2/tpm2_vault.hpp>
#endif

#include <charconv>
#include <vector>

namespace cotter::command {

namespace {

template <typename Vault>
class face_of final : public vault_face {
 public:
  template <typename... Arguments>
  explicit face_of(Arguments&&... arguments) : vault_(std::forward<Arguments>(arguments)...) {}

  result<void> create() noexcept override {
    if constexpr (requires { vault_.template create<backends::openssl>(); }) {
      return vault_.template create<backends::openssl>();
    } else {
      return vault_.create();
    }
  }
  rollback_resistance resistance() const noexcept override { return vault_.resistance(); }
  result<void> key(seal_key& out) noexcept override { return vault_.key(out); }
  result<std::uint64_t> counter() noexcept override { return vault_.counter(); }
  result<void> advance(std::uint64_t to) noexcept override { return vault_.advance(to); }

 private:
  Vault vault_;
};

template <typename Vault, typename... Arguments>
any_vault make(Arguments&&... arguments) {
  return any_vault(std::make_unique<face_of<Vault>>(std::forward<Arguments>(arguments)...));
}

#if defined(COTTER_COMMAND_LIBSECRET) || defined(COTTER_COMMAND_TPM2)
/// A vault that is made or opened with options which borrow from `Where`, when it is first asked.
template <typename Vault, typename Where>
class opened_later final : public vault_face {
 public:
  explicit opened_later(Where where) : where_(std::move(where)) {}

  result<void> create() noexcept override {
    auto made = Vault::create(where_.options());
    if (!made) return made.error();
    vault_ = *std::move(made);
    open_ = true;
    return {};
  }
  rollback_resistance resistance() const noexcept override { return vault_.resistance(); }
  result<void> key(seal_key& out) noexcept override {
    const auto there = open();
    return there ? vault_.key(out) : there;
  }
  result<std::uint64_t> counter() noexcept override {
    const auto there = open();
    if (!there) return there.error();
    return vault_.counter();
  }
  result<void> advance(std::uint64_t to) noexcept override {
    const auto there = open();
    return there ? vault_.advance(to) : there;
  }

 private:
  result<void> open() noexcept {
    if (open_) return {};
    auto found = Vault::open(where_.options());
    if (!found) return found.error();
    vault_ = *std::move(found);
    open_ = true;
    return {};
  }

  Where where_;
  Vault vault_{};
  bool open_ = false;
};

template <typename Number>
bool read_number(std::string_view text, Number& out, int base = 10) {
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), out, base);
  return fault == std::errc{} && end == text.data() + text.size();
}
#endif

#ifdef COTTER_COMMAND_LIBSECRET
struct secret_place {
  std::string name;
  [[nodiscard]] secret_vault_options options() const { return {name.c_str()}; }
};
#endif

#ifdef COTTER_COMMAND_TPM2
struct tpm2_place {
  std::string tcti;
  std::string file;
  std::uint32_t nv_index = 0;
  std::uint32_t pcrs = 0;
  [[nodiscard]] tpm2_vault_options options() const {
    return {tcti.c_str(), file.c_str(), nv_index, pcrs};
  }
};

/// FILE,INDEX,PCR[+PCR...][,TCTI]
std::optional<tpm2_place> read_tpm2(std::string_view text) {
  std::vector<std::string_view> parts;
  while (parts.size() < 3 && !text.empty()) {
    const std::size_t comma = text.find(',');
    parts.push_back(text.substr(0, comma));
    text = comma == std::string_view::npos ? "" : text.substr(comma + 1);
  }
  if (parts.size() < 3 || parts[0].empty() || !parts[1].starts_with("0x")) return std::nullopt;
  tpm2_place out{text.empty() ? "device:/dev/tpmrm0" : std::string(text), std::string(parts[0])};
  if (!read_number(parts[1].substr(2), out.nv_index, 16)) return std::nullopt;
  for (std::string_view rest = parts[2]; !rest.empty();) {
    const std::size_t plus = rest.find('+');
    unsigned pcr = 0;
    if (!read_number(rest.substr(0, plus), pcr) || pcr > 23) return std::nullopt;
    out.pcrs |= std::uint32_t{1} << pcr;
    rest = plus == std::string_view::npos ? "" : rest.substr(plus + 1);
  }
  return out;
}
#endif

}  // namespace

std::string vault_spellings() {
  std::string out = "file:PATH, service:SOCKET[#NAME]";
#ifdef COTTER_COMMAND_TPM2
  out += ", tpm2:FILE,NV-INDEX,PCR[+PCR...][,TCTI]";
#endif
#ifdef COTTER_COMMAND_LIBSECRET
  out += ", secret:NAME";
#endif
  return out;
}

std::optional<problem> find_vault(std::string_view text, any_vault& out) {
  const std::size_t colon = text.find(':');
  const std::string_view scheme = text.substr(0, colon);
  const std::string_view rest = colon == std::string_view::npos ? "" : text.substr(colon + 1);
  if (!rest.empty() && scheme == "file") {
    out = make<posix::key_file_vault>(rest);
    return {};
  }
  if (!rest.empty() && scheme == "service") {
    const std::size_t sharp = rest.rfind('#');
    const std::string_view name =
        sharp == std::string_view::npos ? "cotter" : rest.substr(sharp + 1);
    out = make<posix::service_vault>(rest.substr(0, sharp), name);
    return {};
  }
#ifdef COTTER_COMMAND_LIBSECRET
  if (!rest.empty() && scheme == "secret") {
    secret_place where{std::string(rest)};
    out = any_vault(std::make_unique<opened_later<secret_vault, secret_place>>(std::move(where)));
    return {};
  }
#endif
#ifdef COTTER_COMMAND_TPM2
  if (auto where = scheme == "tpm2" ? read_tpm2(rest) : std::nullopt) {
    out = any_vault(std::make_unique<opened_later<tpm2_vault, tpm2_place>>(*std::move(where)));
    return {};
  }
#endif
  problem p = describe_usage("--vault: no such vault", "breaker");
  p.expected = vault_spellings();
  return p;
}

}  // namespace cotter::command
