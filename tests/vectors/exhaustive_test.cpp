// SPDX-License-Identifier: BSL-1.0
#include <cotter/certificate/form.hpp>

#include <support/catch.hpp>
#include <vectors/vectors_file.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace {

using vectors_file::octets;

octets from_hex(std::string_view text) {
  octets out;
  for (std::size_t at = 0; at < text.size(); at += 3) {
    out.push_back(
        static_cast<std::uint8_t>(std::stoul(std::string(text.substr(at, 2)), nullptr, 16)));
  }
  return out;
}

/// The place of a row in a small certificate, as exhaustive.py explains it.
struct place {
  octets before;
  octets after;
  bool states_outer_length;
  bool states_row_length;

  place(std::string spelled, std::string_view spelled_after)
      : after(from_hex(spelled_after)),
        states_outer_length(replace(spelled, "LL")),
        states_row_length(replace(spelled, "ll")) {
    before = from_hex(spelled);
  }

  octets with(const octets& row) const {
    octets out = before;
    if (states_row_length) out.back() = static_cast<std::uint8_t>(row.size());
    out.insert(out.end(), row.begin(), row.end());
    out.insert(out.end(), after.begin(), after.end());
    if (states_outer_length) out[1] = static_cast<std::uint8_t>(out.size() - 2);
    return out;
  }

 private:
  static bool replace(std::string& in, const char* what) {
    const std::size_t at = in.find(what);
    if (at != std::string::npos) in.replace(at, 2, "00");
    return at != std::string::npos;
  }
};

/// Calls `f` with each row of `size` octets, in the order of the alphabet.
template <typename F>
void for_each_row(const octets& alphabet, std::size_t size, F f) {
  std::vector<std::size_t> digits(size);
  octets row(size, alphabet.front());
  for (bool more = true; more;) {
    f(row);
    more = false;
    for (std::size_t at = size; at-- > 0 && !more;) {
      digits[at] = (digits[at] + 1) % alphabet.size();
      row[at] = alphabet[digits[at]];
      more = digits[at] != 0;
    }
  }
}

}  // namespace

TEST_CASE("Every short row of octets ends as the independent implementation says") {
  const auto document = vectors_file::parse(COTTER_TEST_VECTORS "/exhaustive.json");
  const octets alphabet = from_hex(document.at("alphabet").get<std::string>());
  const auto longest = document.at("longest").get<std::size_t>();
  REQUIRE(document.at("places").size() == 6);
  for (const auto& each : document.at("places")) {
    INFO(each.at("place").get<std::string>());
    const place around(each.at("before").get<std::string>(), each.at("after").get<std::string>());
    octets outcomes;
    std::size_t accepted = 0;
    for (std::size_t size = 0; size <= longest; ++size) {
      for_each_row(alphabet, size, [&](const octets& row) {
        const octets input = around.with(row);
        const auto form = cotter::read_form(input);
        if (form) {
          const octets written = vectors_file::write_form_c(*form);
          outcomes.insert(outcomes.end(), written.begin(), written.end());
          ++accepted;
        } else {
          const std::string_view code = cotter::code(form.error().what);
          outcomes.insert(outcomes.end(), code.begin(), code.end());
        }
        outcomes.push_back('\n');
      });
    }
    CHECK((accepted > 0) == !around.before.empty());
    CHECK(vectors_file::sha256_hex(outcomes) == each.at("outcomes_sha256").get<std::string>());
  }
}
