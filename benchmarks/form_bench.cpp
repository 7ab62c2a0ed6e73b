// SPDX-License-Identifier: BSL-1.0
#define OPENSSL_SUPPRESS_DEPRECATED  // S is measured on the plain context that programs still use

#include <cotter/certificate/form.hpp>
#include <cotter/certificate/names.hpp>
#include <cotter/certificate/view.hpp>
#include <cotter/der/limits.hpp>
#include <cotter/der/writer.hpp>
#include <cotter/pipeline/assessment.hpp>
#include <cotter/policies/clock/system_clock.hpp>
#include <cotter/policies/manifest/live_manifest.hpp>
#include <cotter/policies/pin_set/owned_pin_set.hpp>

#include "form_bench_leaf.hpp"
#include "form_bench_timing.hpp"

#include <vectors/vectors_file.hpp>

#include <benchmark/benchmark.h>
#include <openssl/evp.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <exception>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

// What cotter does with a certificate before and after its digest: form C, locating, naming,
// matching. Beside S, and on what a hostile server may send.

namespace {

using octets = std::vector<std::uint8_t>;

constexpr std::size_t batch = 64;

/// S: SHA-256 by OpenSSL, on a context that exists already.
void sha256(benchmark::State& state, const octets& in) {
  std::array<SHA256_CTX, 64> contexts;
  cotter::sha256_digest digest;
  int done = 1;
  bench_timing::measure(
      state, contexts.size(), [&](std::size_t i) { done &= SHA256_Init(&contexts[i]); },
      [&](std::size_t i) {
        done &= SHA256_Update(&contexts[i], in.data(), in.size());
        done &= SHA256_Final(digest.octets.data(), &contexts[i]);
        benchmark::DoNotOptimize(digest);
      });
  if (done != 1) state.SkipWithError("no digest");
}

/// Takes form C piece by piece, as a digest would, and does nothing with it.
struct swallow {
  std::size_t bytes = 0;
  void operator()(cotter::bytes_view piece) noexcept {
    benchmark::DoNotOptimize(piece.data());
    bytes += piece.size();
  }
};

std::size_t form_of(cotter::bytes_view in) noexcept {
  const auto form = cotter::read_form(in);
  if (!form) return 0;
  swallow sink;
  cotter::write_form(*form, sink);
  return sink.bytes;
}

void form_c(benchmark::State& state, const octets& in) {
  if (form_of(in) != in.size()) state.SkipWithError("is not form C");
  const octets* given = &in;
  bench_timing::measure(state, batch, [&] {
    benchmark::DoNotOptimize(given);
    benchmark::DoNotOptimize(form_of(*given));
  });
}

/// Every vector of one class by turns; an iteration is one vector.
void form_c_of_class(benchmark::State& state,
                     const std::vector<const vectors_file::vector*>& some) {
  std::size_t bytes = 0;
  for (const vectors_file::vector* one : some) {
    const auto form = cotter::read_form(one->der);
    const bool as_known =
        form ? vectors_file::sha256_hex(vectors_file::write_form_c(*form)) == one->form_c_sha256
             : cotter::code(form.error().what) == one->refused;
    if (!as_known) state.SkipWithError(one->name.c_str());
    bytes += one->der.size();
  }
  bench_timing::measure(
      state, some.size(), [](std::size_t) {},
      [&some](std::size_t i) {
        const vectors_file::vector* one = some[i];
        benchmark::DoNotOptimize(one);
        benchmark::DoNotOptimize(form_of(one->der));
      });
  state.counters["vectors"] = static_cast<double>(some.size());
  state.counters["mean_bytes"] = static_cast<double>(bytes) / static_cast<double>(some.size());
}

/// What make_vectors.py calls a vector tells what was changed.
std::string class_of(const std::string& name) {
  static const std::map<std::string, std::string> by_first_word{{"sound", "sound"},
                                                                {"outer", "outer-header"},
                                                                {"followed", "octets-that-follow"},
                                                                {"elements", "elements"},
                                                                {"tbs", "tbs-spelling"},
                                                                {"inside", "wrapped"},
                                                                {"preceded", "wrapped"},
                                                                {"as", "wrapped"},
                                                                {"nothing", "nothing-but"},
                                                                {"cut", "cut"},
                                                                {"size", "bounds"},
                                                                {"algorithm", "algorithm"},
                                                                {"algorithms", "algorithm"},
                                                                {"signature", "signature"},
                                                                {"ecdsa", "signature"},
                                                                {"ed25519", "signature"},
                                                                {"kept", "kept-signature"}};
  const std::string slug = name.substr(name.find('/') + 1);
  const auto found = by_first_word.find(slug.substr(0, slug.find('-')));
  return found == by_first_word.end() ? "values" : found->second;
}

// --- hostile inputs ------------------------------------------------------------------------------

octets element(std::uint8_t tag, const octets& content) {
  octets out;
  cotter::der::write_element(
      cotter::der::tag::from_octet(tag), content,
      [&out](cotter::bytes_view piece) { out.insert(out.end(), piece.begin(), piece.end()); });
  return out;
}

octets joined(std::initializer_list<octets> parts) {
  octets out;
  for (const octets& one : parts) out.insert(out.end(), one.begin(), one.end());
  return out;
}

octets repeated(const octets& piece, std::size_t bytes) {
  octets out;
  while (out.size() + piece.size() <= bytes) out.insert(out.end(), piece.begin(), piece.end());
  return out;
}

/// Definite or indefinite SEQUENCEs around `content`.
octets nested(octets content, std::size_t levels, bool definite) {
  for (std::size_t i = 0; i < levels; ++i) {
    content = definite ? element(0x30, content) : joined({{0x30, 0x80}, content, {0, 0}});
  }
  return content;
}

const octets tbs_of_nothing = {0x30, 0x00};
const octets signature_of_one_octet = {0x03, 0x02, 0x00, 0x55};
const octets null = {0x05, 0x00};
const octets long_null = {0x05, 0x81, 0x00};
const octets longest_null = {0x05, 0x84, 0x00, 0x00, 0x00, 0x00};
// Room for what stands around the part that is made large.
constexpr std::size_t around = 160;

struct hostile_shape {
  const char* name;
  octets (*make)(std::size_t bytes);
  bool refused;
};

octets with_algorithm(const octets& algorithm) {
  return element(0x30, joined({tbs_of_nothing, algorithm, signature_of_one_octet}));
}

constexpr std::size_t levels = cotter::der::max_nesting_depth - 2;

const hostile_shape hostile_shapes[] = {
    {"tiny-elements",
     [](std::size_t n) { return with_algorithm(element(0x30, repeated(null, n - around))); },
     false},
    {"long-lengths",
     [](std::size_t n) { return with_algorithm(element(0x30, repeated(long_null, n - around))); },
     false},
    {"longest-lengths",
     [](std::size_t n) {
       return with_algorithm(element(0x30, repeated(longest_null, n - around)));
     },
     false},
    {"deep-definite",
     [](std::size_t n) {
       return with_algorithm(nested(joined({repeated(null, n - around), long_null}), levels, true));
     },
     false},
    {"deep-indefinite",
     [](std::size_t n) {
       return with_algorithm(nested(repeated(null, n - around), levels, false));
     },
     false},
    {"many-deep-trees",
     [](std::size_t n) {
       return with_algorithm(
           element(0x30, repeated(nested(long_null, levels - 1, true), n - around)));
     },
     false},
    {"many-deep-indefinite-trees",
     [](std::size_t n) {
       return with_algorithm(
           element(0x30, repeated(nested(long_null, levels - 1, false), n - around)));
     },
     false},
    {"indefinite-tbs",
     [](std::size_t n) {
       const octets tbs = joined({{0x30, 0x80}, repeated(null, n - around), {0, 0}});
       return joined({{0x30, 0x80}, tbs, null, signature_of_one_octet, {0, 0}});
     },
     true},
    {"deep-indefinite-tbs",
     [](std::size_t n) {
       const octets tbs = nested(repeated(null, n - around), levels, false);
       return joined({{0x30, 0x80}, tbs, {0x30, 0x00}, signature_of_one_octet, {0, 0}});
     },
     false},
    {"only-headers",
     [](std::size_t n) {
       return repeated({0x30, 0x80}, n);
     },
     true},
};

void form_c_of_hostile(benchmark::State& state, const octets& in, bool refused) {
  const bool read = static_cast<bool>(cotter::read_form(in));
  if (read == refused || in.size() > cotter::max_certificate_bytes) {
    state.SkipWithError("not the input it was to be");
  }
  const octets* given = &in;
  bench_timing::measure(state, 2, [&] {
    benchmark::DoNotOptimize(given);
    benchmark::DoNotOptimize(form_of(*given));
  });
  state.counters["ns_per_octet"] = state.counters["ns"] / static_cast<double>(in.size());
}

// --- locating and naming -------------------------------------------------------------------------

void locating(benchmark::State& state, const octets& in) {
  const auto form = cotter::read_form(in);
  if (!form || !cotter::locate(*form).located(cotter::field::san)) {
    state.SkipWithError("not located");
    return;
  }
  bench_timing::measure(state, batch, [&] {
    benchmark::DoNotOptimize(&*form);
    benchmark::ClobberMemory();
    auto view = cotter::locate(*form);
    benchmark::DoNotOptimize(view);
  });
}

const cotter::target whom{bench_leaf::host, 5061, cotter::identity::host};

void naming(benchmark::State& state, const octets& in, bool named) {
  const auto form = cotter::read_form(in);
  const auto view = form ? cotter::locate(*form) : cotter::certificate_view{};
  if (cotter::names_target(view, whom) != named) state.SkipWithError("another name");
  bench_timing::measure(state, batch, [&] {
    benchmark::DoNotOptimize(&view);
    benchmark::ClobberMemory();
    benchmark::DoNotOptimize(cotter::names_target(view, whom));
  });
}

/// A certificate of extensions, the last of which is a subjectAltName of that many octets of names.
octets with_extensions(std::size_t others_bytes, std::size_t names_bytes) {
  const octets oid = {0x06, 0x03, 0x55, 0x1d, 0x11};
  const octets names = element(0x30, repeated({0x82, 0x01, 'a'}, names_bytes));
  const octets san = element(0x30, joined({oid, element(0x04, names)}));
  const octets other = {0x30, 0x05, 0x06, 0x01, 0x2a, 0x04, 0x00};
  const octets list = element(0x30, joined({repeated(other, others_bytes), san}));
  const octets time = {0x17, 0x0d, '2', '6', '0', '1', '0', '1', '0', '0', '0', '0', '0', '0', 'Z'};
  const octets tbs = element(
      0x30, joined({{0xa0, 0x03, 0x02, 0x01, 0x02, 0x02, 0x01, 0x01, 0x30, 0x00, 0x30, 0x00},
                    element(0x30, joined({time, time})),
                    {0x30, 0x00, 0x30, 0x06, 0x30, 0x00, 0x03, 0x02, 0x00, 0x55},
                    element(0xa3, list)}));
  return element(0x30, joined({tbs, {0x30, 0x00}, signature_of_one_octet}));
}

// --- matching ------------------------------------------------------------------------------------

/// Says what it was told: what is left of an assessment is cotter's own.
struct known_hasher {
  [[nodiscard]] bool prepare() noexcept { return true; }
  void update(cotter::bytes_view piece) noexcept { benchmark::DoNotOptimize(piece.data()); }
  [[nodiscard]] bool finish(cotter::sha256_digest& out) noexcept {
    out = digest;
    return true;
  }
  cotter::sha256_digest digest{};
};

cotter::sha256_digest digest_number(std::size_t number) {
  cotter::sha256_digest digest;
  EVP_Digest(&number, sizeof number, digest.octets.data(), nullptr, EVP_sha256(), nullptr);
  return digest;
}

/// One target with so many pins; the leaf's is the last of them. Or so many targets with a pin each.
std::unique_ptr<cotter::live_manifest> manifest_of(std::size_t targets, std::size_t pins) {
  cotter::pin_manifest document;
  document.sequence = 1;
  document.issued_at = cotter::library_made_at;
  document.expires_at = cotter::no_expiry;
  document.targets.resize(targets);
  for (std::size_t i = 0; i < targets; ++i) {
    document.targets[i].host =
        i + 1 == targets ? std::string(bench_leaf::host) : "edge-" + std::to_string(i) + ".example";
    document.targets[i].port = 5061;
    document.targets[i].pins.resize(pins);
    for (std::size_t j = 0; j < pins; ++j) {
      document.targets[i].pins[j].value.digest = digest_number(i * pins + j);
    }
  }
  document.targets.back().pins.back().value.digest = bench_leaf::p256().fingerprint;
  auto live = std::make_unique<cotter::live_manifest>();
  if (!live->adopt(document, cotter::library_made_at)) live.reset();
  return live;
}

void matching(benchmark::State& state, std::size_t pins) {
  const auto live = manifest_of(1, pins);
  if (live == nullptr) {
    state.SkipWithError("no manifest");
    return;
  }
  const auto handle = live->find(whom, {});
  known_hasher certificate;
  certificate.digest = bench_leaf::p256().fingerprint;
  known_hasher key;
  const octets& leaf = bench_leaf::p256().der;
  const cotter::instant now = cotter::system_clock{}.now().wall;
  const auto first = cotter::assess(leaf, *handle, whom, now, certificate, key);
  if (first.fault != cotter::reason::none || !first.pinned) state.SkipWithError("not accepted");
  bench_timing::measure(state, batch, [&] {
    auto found = cotter::assess(leaf, *handle, whom, now, certificate, key);
    benchmark::DoNotOptimize(found);
  });
}

void finding(benchmark::State& state, std::size_t targets) {
  const auto live = manifest_of(targets, 1);
  if (live == nullptr || !live->find(whom, {})) {
    state.SkipWithError("no manifest");
    return;
  }
  bench_timing::measure(state, batch, [&] {
    auto handle = live->find(whom, {});
    benchmark::DoNotOptimize(handle);
  });
}

void finding_owned(benchmark::State& state, std::size_t targets) {
  cotter::owned_pin_set pins;
  cotter::pin one;
  for (std::size_t i = 0; i + 1 < targets; ++i) {
    const std::string name = "edge-" + std::to_string(i) + ".example";
    if (!pins.add({name, 5061}, {&one, 1})) state.SkipWithError("not added");
  }
  if (!pins.add(whom, {&one, 1})) state.SkipWithError("not added");
  bench_timing::measure(state, batch, [&] {
    auto handle = pins.find(whom, {});
    benchmark::DoNotOptimize(handle);
  });
}

// --- all of them ---------------------------------------------------------------------------------

/// What benchmarks read while they run.
struct inputs {
  vectors_file::file vectors = vectors_file::read(COTTER_BENCH_VECTORS "/vectors.json");
  std::map<std::string, std::vector<const vectors_file::vector*>> classes;
  std::map<std::string, octets> made;
};

template <typename F>
void add(const std::string& name, F run) {
  benchmark::RegisterBenchmark(name.c_str(), run)->UseManualTime();
}

void add_all(inputs& held) {
  for (const bench_leaf::leaf* leaf : {&bench_leaf::p256(), &bench_leaf::rsa()}) {
    const octets* der = &leaf->der;
    add("sha256/" + leaf->name, [der](benchmark::State& s) { sha256(s, *der); });
    add("sha256_again/" + leaf->name, [der](benchmark::State& s) { sha256(s, *der); });
    add("form/" + leaf->name, [der](benchmark::State& s) { form_c(s, *der); });
    add("locate/" + leaf->name, [der](benchmark::State& s) { locating(s, *der); });
    add("locate_again/" + leaf->name, [der](benchmark::State& s) { locating(s, *der); });
    add("names/" + leaf->name, [der](benchmark::State& s) { naming(s, *der, true); });
  }
  for (const vectors_file::vector& one : held.vectors.vectors) {
    if (one.key == "p256" || one.key == "rsa2048") held.classes[class_of(one.name)].push_back(&one);
  }
  for (const auto& [name, some] : held.classes) {
    const auto* vectors = &some;
    add("form_class/" + name, [vectors](benchmark::State& s) { form_c_of_class(s, *vectors); });
  }
  for (const std::size_t kib : {16u, 32u, 64u}) {
    const std::size_t bytes = kib * 1024 - 1;
    const std::string size = std::to_string(kib);
    for (const hostile_shape& shape : hostile_shapes) {
      const std::string name = std::string("hostile/") + shape.name + "/" + size;
      const octets* in = &(held.made[name] = shape.make(bytes));
      const bool refused = shape.refused;
      add(name, [in, refused](benchmark::State& s) { form_c_of_hostile(s, *in, refused); });
    }
    const octets* noise = &(held.made["noise/" + size] = octets(bytes, 0x5a));
    add("sha256/" + size + "k", [noise](benchmark::State& s) { sha256(s, *noise); });
    const octets* extensions =
        &(held.made["extensions/" + size] = with_extensions(bytes - around, 3));
    add("hostile_locate/extensions/" + size,
        [extensions](benchmark::State& s) { locating(s, *extensions); });
    const octets* names = &(held.made["names/" + size] = with_extensions(0, bytes - around));
    add("hostile_names/" + size, [names](benchmark::State& s) { naming(s, *names, false); });
  }
  for (const std::size_t count : {std::size_t{2}, std::size_t{100}, std::size_t{10'000}}) {
    const std::string text = std::to_string(count);
    add("match/" + text, [count](benchmark::State& s) { matching(s, count); });
    add("find/live/" + text, [count](benchmark::State& s) { finding(s, count); });
    add("find/owned/" + text, [count](benchmark::State& s) { finding_owned(s, count); });
  }
}

}  // namespace

int main(int count, char** words) try {
  inputs held;
  add_all(held);
  benchmark::Initialize(&count, words);
  if (benchmark::ReportUnrecognizedArguments(count, words)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
} catch (const std::exception& why) {
  std::fprintf(stderr, "bench_form: %s\n", why.what());
  return 1;
}
