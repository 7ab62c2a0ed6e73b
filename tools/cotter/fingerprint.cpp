// SPDX-License-Identifier: BSL-1.0
#include "fingerprint.hpp"

#include "certificates.hpp"
#include "files.hpp"

#include <optional>
#include <string_view>

namespace cotter::command {

namespace {

struct findings {
  std::string certificate_sha256;
  bool canonical = false;
  std::optional<std::string> spki_sha256;
  std::optional<std::string> not_after;
  std::optional<std::string> subject;
  std::vector<std::string> unlocated;  ///< the keys above that have no value
};

findings of(const certificate_facts& facts) {
  findings out;
  out.certificate_sha256 = hex(facts.certificate);
  out.canonical = facts.canonical;
  if (facts.key) out.spki_sha256 = hex(*facts.key);
  if (facts.not_after) out.not_after = rfc3339(*facts.not_after);
  out.subject = facts.subject;
  if (!out.spki_sha256) out.unlocated.emplace_back("spki_sha256");
  if (!out.not_after) out.unlocated.emplace_back("not_after");
  if (!out.subject) out.unlocated.emplace_back("subject");
  return out;
}

void print(const std::string& file, const findings& found, format how) {
  if (how == format::json_lines) {
    const auto or_null = [](const std::optional<std::string>& value) {
      return value ? json(*value) : json(nullptr);
    };
    json object{{"file", file},
                {"certificate_sha256", found.certificate_sha256},
                {"spki_sha256", or_null(found.spki_sha256)},
                {"canonical", found.canonical},
                {"not_after", or_null(found.not_after)},
                {"subject", or_null(found.subject)}};
    if (!found.unlocated.empty()) object["unlocated"] = found.unlocated;
    write_line(object);
    return;
  }
  const auto or_none = [](std::string_view before, const std::optional<std::string>& value) {
    return value ? std::string(before) + printable(*value) : "cannot be located";
  };
  write_text(
      printable(file) + "\n  certificate  cert-sha256:" + found.certificate_sha256 +
      "\n  key          " + or_none("spki-sha256:", found.spki_sha256) + "\n  subject      " +
      or_none("", found.subject) + "\n  not after    " + or_none("", found.not_after) +
      (found.canonical ? "\n" : "\n  spelling     not canonical; the pin is the clean one's\n"));
}

}  // namespace

exit_code fingerprint(const std::vector<std::string>& files, format how) {
  exit_code worst = exit_code::ok;
  for (const std::string& file : files) {
    std::string content;
    certificate_facts facts;
    std::optional<problem> wrong = read_file(file, content);
    if (wrong && !wrong->offset_bytes) wrong->offset_bytes = 0;
    if (!wrong) wrong = examine_file(content, facts);
    if (!wrong) {
      print(file, of(facts), how);
      continue;
    }
    write_diagnostic(file, *wrong);
    if (how == format::json_lines) write_line({{"file", file}, {"error", to_json(*wrong)}});
    worst = worse(
        worst, wrong->code == code(errc::unreadable) ? exit_code::no_verdict : exit_code::refused);
  }
  return worst;
}

}  // namespace cotter::command
