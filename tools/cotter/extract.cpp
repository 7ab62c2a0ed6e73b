// SPDX-License-Identifier: BSL-1.0
#include "extract.hpp"

#include "backends.hpp"
#include "files.hpp"
#include "pem.hpp"
#include "resolve.hpp"

#include <cotter/certificate/form.hpp>
#include <cotter/certificate/names.hpp>
#include <cotter/certificate/view.hpp>

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace cotter::command {

namespace {

using std::chrono::days;

instant current_time() {
  return std::chrono::time_point_cast<std::chrono::seconds>(std::chrono::system_clock::now());
}

std::vector<certificate_facts> facts_of(const std::vector<octets>& chain) {
  std::vector<certificate_facts> out;
  for (const octets& der : chain) {
    certificate_facts one;
    if (examine(der, one)) one.der = der;
    out.push_back(std::move(one));
  }
  return out;
}

/// SAN against the target, by cotter's own rules, which for `sip` no library has.
bool names(const octets& der, const target& whom) {
  const result<certificate_form> form = read_form(der);
  return form && names_target(locate(*form), whom);
}

edge_view look_at(const target& whom, const tcp_address& address, tls_version version,
                  const extract_options& options) {
  edge_view edge;
  edge.address = address;
  edge.version = version;
  const auto limit = std::chrono::milliseconds(static_cast<std::int64_t>(options.timeout_s * 1000));
  const auto request = [&] {
    return capture_request{whom, address, options.ca_file, version,
                           std::chrono::steady_clock::now() + limit};
  };
  edge.chain = capture_chain(request(), options.public_ca_file);
  edge.presented = facts_of(edge.chain.presented);
  edge.validated = facts_of(edge.chain.validated);
  certificate_facts leaf_read;
  if (!edge.chain.presented.empty()) {
    if (const auto fault = examine(edge.chain.presented.front(), leaf_read)) {
      // What has no fingerprint is no leaf to pin.
      edge.chain.wrong = describe(reason::malformed_certificate, fault->code);
      edge.presented.clear();
      return edge;
    }
  }
  // Who has kept OpenSSL waiting would keep the others waiting too.
  const bool hangs = edge.chain.wrong && edge.chain.wrong->code == code(errc::timeout);
  if (!edge.chain.tcp || hangs) return edge;
  for (const backend_face* each : all_backends()) {
    library_view view;
    view.backend = each->name();
    view.build = each->build();
    view.seen = each->capture(request());
    view.speaks = !view.seen.wrong || view.seen.wrong->code != code(errc::unfit_backend);
    certificate_facts leaf;
    if (!view.seen.leaf.empty() && !examine(view.seen.leaf, leaf)) {
      view.fingerprint = leaf.certificate;
    }
    edge.libraries.push_back(std::move(view));
  }
  return edge;
}

const certificate_facts& leaf_of(const edge_view& edge) { return edge.presented.front(); }

std::string place(const edge_view& edge) {
  return text_of(edge.address) + " " + std::string(to_string(edge.version));
}

class judge {
 public:
  judge(extraction& all, instant now) : all_(all), now_(now) {}

  void run() {
    const auto say = [&](std::string code, exit_code weight, std::string text) {
      all_.warnings.push_back({std::move(code), weight, std::move(text)});
    };
    if (all_.edges.empty()) {
      say("no_leaf", exit_code::no_verdict, "no edge has shown a certificate that can be read");
    }
    all_.agree = !all_.edges.empty();
    for (std::size_t i = 0; i < all_.edges.size(); ++i) {
      const edge_view& edge = all_.edges[i];
      distinguish(i);
      for (const library_view& view : edge.libraries) {
        if (!view.speaks) continue;
        if (!view.fingerprint) {
          all_.agree = false;
          say("library_blind", exit_code::warning,
              place(edge) + ": " + std::string(view.backend) +
                  " saw no certificate where OpenSSL saw one: programs that use it may not get "
                  "through, pinned or not");
          continue;
        }
        if (*view.fingerprint != leaf_of(edge).certificate) {
          all_.agree = false;
          say("libraries_disagree", exit_code::refused,
              place(edge) + ": " + std::string(view.backend) + " saw " + hex(*view.fingerprint) +
                  ", OpenSSL " + hex(leaf_of(edge).certificate) +
                  "; between two connections the edge may have changed: look again");
        }
        if (!view.seen.trusted) {
          say("not_trusted", exit_code::refused,
              place(edge) + ": " + std::string(view.backend) + " does not trust the chain (" +
                  view.seen.fault + "); a pin does not make up for that");
        }
      }
      if (!names(edge.chain.presented.front(), {all_.host, all_.port, all_.kind})) {
        say("wrong_name", exit_code::refused,
            place(edge) + ": no SAN names " + all_.host + "; cotter will refuse it: hostname");
      }
    }
    if (all_.leaves.size() > 1) {
      all_.agree = false;
      say("edges_disagree", exit_code::warning,
          std::to_string(all_.leaves.size()) +
              " different certificates are in use: pin all of them, or wait until the rotation is "
              "through");
    }
    const auto at = [](const edge_view& edge) { return text_of(edge.address); };
    for (const edge_view& edge : all_.silent) {
      if (!edge.chain.presented.empty()) {
        all_.agree = false;
        say("malformed_certificate", exit_code::refused,
            place(edge) + ": " + edge.chain.wrong->seen + "; cotter will refuse it");
        continue;
      }
      const bool spoken = std::any_of(all_.edges.begin(), all_.edges.end(),
                                      [&](const edge_view& one) { return at(one) == at(edge); });
      if (spoken) continue;  // an edge without one of the versions
      say("edge_silent", exit_code::warning,
          place(edge) + ": " + (edge.chain.wrong ? edge.chain.wrong->seen : "no certificate"));
    }
    for (const std::size_t i : all_.leaves) about_pinning(all_.edges[i], say);
  }

 private:
  void distinguish(std::size_t i) {
    for (const std::size_t known : all_.leaves) {
      if (leaf_of(all_.edges[known]).certificate == leaf_of(all_.edges[i]).certificate) return;
    }
    all_.leaves.push_back(i);
  }

  template <typename Say>
  void about_pinning(const edge_view& edge, const Say& say) const {
    const certificate_facts& leaf = leaf_of(edge);
    if (!leaf.not_after || !leaf.not_before) {
      say("validity_unlocated", exit_code::refused, "the leaf's validity cannot be located");
      return;
    }
    const days left = std::chrono::floor<days>(*leaf.not_after - now_);
    if (edge.chain.publicly_trusted) {
      say("public_leaf", exit_code::warning,
          "a public CA issued this certificate: such live 200 days at most now, 100 from "
          "2027-03-15 "
          "and 47 from 2029-03-15, and each renewal changes the certificate pin; pin the key and "
          "renew with the same one, or use a private CA");
    }
    if (left < days(30)) {
      say("renewal_near", exit_code::warning,
          "the certificate ends in " + std::to_string(left.count()) +
              " days: pin its successor too, or wait for it");
    }
    if (!leaf.canonical) {
      say("not_canonical", exit_code::warning,
          "the certificate is not spelled in DER: other tools compute other fingerprints");
    }
  }

  extraction& all_;
  instant now_;
};

std::string encoded(const octets& der) {
  std::string text(4 * ((der.size() + 2) / 3) + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), der.data(),
                                   static_cast<int>(der.size()));
  text.resize(static_cast<std::size_t>(size));
  return text;
}

json certificate_json(const certificate_facts& one) {
  const auto text = [](const auto& value, const auto& write) {
    return value ? json(write(*value)) : json(nullptr);
  };
  const auto same = [](const std::string& s) { return s; };
  return {{"certificate_sha256", hex(one.certificate)},
          {"spki_sha256", text(one.key, hex)},
          {"subject", text(one.subject, same)},
          {"issuer", text(one.issuer, same)},
          {"not_before", text(one.not_before, rfc3339)},
          {"not_after", text(one.not_after, rfc3339)},
          {"ca", one.is_ca},
          {"canonical", one.canonical},
          {"der", encoded(one.der)}};
}

json chain_json(const std::vector<certificate_facts>& chain) {
  json out = json::array();
  for (const certificate_facts& one : chain) out.push_back(certificate_json(one));
  return out;
}

json edge_json(const extraction& all, const edge_view& edge) {
  json libraries = json::object();
  for (const library_view& view : edge.libraries) {
    json one{{"build", view.build},
             {"speaks", view.speaks},
             {"fingerprint", view.fingerprint ? json(hex(*view.fingerprint)) : json(nullptr)},
             {"trusted", view.seen.trusted},
             {"fault", view.seen.fault.empty() ? json(nullptr) : json(view.seen.fault)}};
    if (view.seen.wrong && view.speaks) one["error"] = to_json(*view.seen.wrong);
    libraries[std::string(view.backend)] = std::move(one);
  }
  json line{{"host", all.host},
            {"port", all.port},
            {"address", text_of(edge.address)},
            {"tls", to_string(edge.version)},
            {"presented", chain_json(edge.presented)},
            {"validated", chain_json(edge.validated)},
            {"trusted", edge.chain.trusted},
            {"publicly_trusted", edge.chain.publicly_trusted},
            {"fault", edge.chain.fault.empty() ? json(nullptr) : json(edge.chain.fault)},
            {"backends", std::move(libraries)}};
  if (edge.chain.wrong) line["error"] = to_json(*edge.chain.wrong);
  return line;
}

json spellings(const certificate_facts& leaf) {
  json out{{"certificate", certificate_pin(leaf.certificate)},
           {"tlsa_certificate", "1 0 1 " + hex(leaf.certificate)}};
  if (leaf.key) {
    out["key"] = key_pin(*leaf.key);
    out["curl"] = "sha256//" + base64(*leaf.key);
    out["okhttp"] = "sha256/" + base64(*leaf.key);
    out["hpkp"] = "pin-sha256=\"" + base64(*leaf.key) + "\"";
    out["tlsa_key"] = "1 1 1 " + hex(*leaf.key);
  }
  return out;
}

/// The beginning of a manifest, which `manifest init --from` reads: keys, which survive a renewal,
/// where that is wise.
json fragment(const extraction& all) {
  json primaries = json::array();
  for (const std::size_t i : all.leaves) {
    const certificate_facts& leaf = leaf_of(all.edges[i]);
    const bool by_key = all.edges[i].chain.publicly_trusted && leaf.key;
    const std::string pin = by_key ? key_pin(*leaf.key) : certificate_pin(leaf.certificate);
    if (std::find(primaries.begin(), primaries.end(), pin) == primaries.end()) {
      primaries.push_back(pin);
    }
  }
  const json target{{"host", all.host},
                    {"port", all.port},
                    {"pins", {{"primary", primaries.size() == 1 ? primaries[0] : primaries}}}};
  json out;
  out["targets"].push_back(target);
  return out;
}

json summary_json(const extraction& all, instant now) {
  json warnings = json::array();
  for (const extract_warning& one : all.warnings) {
    warnings.push_back({{"code", one.code}, {"text", one.text}});
  }
  json line{{"summary", true},
            {"host", all.host},
            {"port", all.port},
            {"edges", all.edges.size()},
            {"silent", all.silent.size()},
            {"agree", all.agree}};
  json leaves = json::array();
  for (const std::size_t i : all.leaves) {
    const certificate_facts& leaf = leaf_of(all.edges[i]);
    json one{{"pins", spellings(leaf)}};
    if (leaf.not_after) {
      one["not_after"] = rfc3339(*leaf.not_after);
      one["days_left"] = std::chrono::floor<days>(*leaf.not_after - now).count();
    }
    leaves.push_back(std::move(one));
  }
  line["leaves"] = std::move(leaves);
  line["manifest_fragment"] = all.edges.empty() ? json(nullptr) : fragment(all);
  line["warnings"] = std::move(warnings);
  return line;
}

std::string chain_text(std::string_view head, const std::vector<certificate_facts>& chain) {
  std::string out;
  for (std::size_t i = 0; i < chain.size(); ++i) {
    out += i == 0 ? std::string(head) : std::string(head.size(), ' ');
    out += std::to_string(i) + "  " + printable(chain[i].subject.value_or("(no subject)")) + "\n";
  }
  return out;
}

std::string edge_text(const edge_view& edge) {
  std::string out = place(edge) + "\n";
  if (edge.presented.empty()) {
    return out + "  no certificate  " +
           (edge.chain.wrong ? printable(edge.chain.wrong->seen) : std::string()) + "\n";
  }
  out += chain_text("  presented    ", edge.presented);
  out += edge.validated.empty() ? "  not validated  " + printable(edge.chain.fault) + "\n"
                                : chain_text("  validated    ", edge.validated);
  for (const library_view& view : edge.libraries) {
    std::string name(view.backend);
    name.resize(13, ' ');
    out += "  " + name;
    if (!view.speaks) {
      out += "does not speak it\n";
    } else if (!view.fingerprint) {
      out += "no fingerprint: " +
             (view.seen.wrong ? printable(view.seen.wrong->seen) : std::string("malformed")) + "\n";
    } else {
      out += hex(*view.fingerprint) + (view.seen.trusted
                                           ? "  trusted\n"
                                           : "  not trusted: " + printable(view.seen.fault) + "\n");
    }
  }
  return out;
}

std::string summary_text(const extraction& all, instant now) {
  std::string out;
  for (const std::size_t i : all.leaves) {
    const certificate_facts& leaf = leaf_of(all.edges[i]);
    out += "\nleaf " + printable(leaf.subject.value_or("(no subject)")) + "\n";
    if (leaf.not_after) {
      out += "  not after    " + rfc3339(*leaf.not_after) + ", " +
             std::to_string(std::chrono::floor<days>(*leaf.not_after - now).count()) +
             " days left\n";
    }
    const json pins = spellings(leaf);
    for (const auto& [key, value] : pins.items()) {
      std::string name = key;
      std::replace(name.begin(), name.end(), '_', ' ');
      name.resize(std::max<std::size_t>(name.size() + 1, 17), ' ');
      out += "  " + name + value.get<std::string>() + "\n";
    }
  }
  if (!all.edges.empty()) {
    out += all.agree ? "\nall edges and libraries agree\n" : "\nthey do not all agree\n";
    out += "\nmanifest fragment\n" + fragment(all).dump(2) + "\n";
  }
  return out;
}

/// As `read_endpoint`, which says whose fault it is.
std::optional<problem> split_endpoint(std::string_view text, std::string& host,
                                      std::uint16_t& port) {
  const std::size_t colon = text.rfind(':');
  const std::string_view digits = colon == std::string_view::npos ? "" : text.substr(colon + 1);
  std::string_view name = text.substr(0, colon);
  if (name.size() > 2 && name.front() == '[' && name.back() == ']') {
    name = name.substr(1, name.size() - 2);
    if (parse_ip(name).size_bytes != 16) return describe(errc::invalid_host);
  } else if (name.find(':') != std::string_view::npos) {
    problem p = describe(errc::invalid_host);
    p.expected = "HOST:PORT, an IPv6 address in brackets";
    return p;
  }
  const auto [end, fault] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (fault != std::errc{} || end != digits.data() + digits.size() || port == 0) {
    problem p = describe(errc::invalid_port);
    p.expected = "HOST:PORT, for example sip.example.com:5061";
    return p;
  }
  if (const auto kind = classify_host(name); !kind) {
    problem p = describe(errc::invalid_host, printable(name));
    p.offset_bytes = kind.error().offset_bytes;
    return p;
  }
  host = std::string(name);
  return {};
}

}  // namespace

std::optional<problem> read_endpoint(std::string_view text, std::string& host,
                                     std::uint16_t& port) {
  auto fault = split_endpoint(text, host, port);
  if (fault) fault->in_command_line = true;
  return fault;
}

std::optional<problem> look(const extract_options& options, extraction& out) {
  if (auto wrong = read_endpoint(options.endpoint, out.host, out.port)) return wrong;
  out.kind = options.sip ? identity::sip : identity::host;
  const target whom{out.host, out.port, out.kind};
  std::vector<tcp_address> addresses;
  for (const std::string& text : options.addresses) {
    std::string ip;
    std::uint16_t port = 0;
    if (auto wrong = read_endpoint(text, ip, port)) return wrong;
    const ip_address address = parse_ip(ip);
    if (!address) {
      problem p = describe(errc::invalid_host, "--connect takes IP:PORT");
      p.in_command_line = true;
      return p;
    }
    addresses.push_back({address, port});
  }
  std::string public_cas;
  const bool public_known =
      !read_file(options.public_ca_file, public_cas) && find_pem(public_cas) != std::string::npos;
  if (!public_known && options.public_ca_file != public_ca_bundle) {
    return describe(errc::unfit_trust_anchors, "--public-ca " + options.public_ca_file);
  }
  if (!public_known) {
    out.warnings.push_back({"public_cas_unknown", exit_code::warning,
                            options.public_ca_file +
                                " cannot be read: whether a leaf is of a public CA is not known"});
  }
  if (addresses.empty()) {
    std::vector<ip_address> found;
    const auto limit =
        std::chrono::milliseconds(static_cast<std::int64_t>(options.timeout_s * 1000));
    if (auto wrong = resolve(out.host, std::chrono::steady_clock::now() + limit, found)) {
      return wrong;
    }
    for (const ip_address& one : found) {
      const bool twice = std::any_of(addresses.begin(), addresses.end(),
                                     [&](const tcp_address& a) { return a.ip == one; });
      if (!twice) addresses.push_back({one, out.port});
    }
  }
  for (const tcp_address& address : addresses) {
    for (const tls_version version : {tls_version::tls1_2, tls_version::tls1_3}) {
      edge_view edge = look_at(whom, address, version, options);
      (edge.presented.empty() ? out.silent : out.edges).push_back(std::move(edge));
    }
  }
  judge(out, current_time()).run();
  return {};
}

exit_code extract(const extract_options& options, format how) {
  extraction all;
  if (const auto wrong = look(options, all)) {
    write_diagnostic("extract", *wrong);
    if (how == format::json_lines) write_line({{"error", to_json(*wrong)}});
    return exit_code::no_verdict;
  }
  const instant now = current_time();
  for (const auto* edges : {&all.edges, &all.silent}) {
    for (const edge_view& edge : *edges) {
      if (how == format::json_lines) {
        write_line(edge_json(all, edge));
      } else {
        write_text(edge_text(edge));
      }
    }
  }
  if (how == format::json_lines) {
    write_line(summary_json(all, now));
  } else {
    write_text(summary_text(all, now));
  }
  exit_code worst = exit_code::ok;
  for (const extract_warning& one : all.warnings) {
    worst = worse(worst, one.weight);
    write_note(one.code + ": " + one.text);
  }
  return worst;
}

}  // namespace cotter::command
