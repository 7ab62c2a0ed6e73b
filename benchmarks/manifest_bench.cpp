// SPDX-License-Identifier: BSL-1.0
#include "manifest_bench.hpp"

#include <cotter/json/manifest.hpp>
#include <cotter/policies/manifest/live_manifest.hpp>

#include <backends/support/counting_malloc.hpp>
#include <json/support/signer.hpp>
#include <nlohmann/json.hpp>
#include <support/manifests.hpp>

#include <algorithm>
#include <map>
#include <random>

// What a manifest costs, by its number of targets: to verify, to read, to put into force, to ask; beside
// what a bare JSON parser takes for the same octets and a bare map for the same question.

namespace manifest_bench {

namespace {

constexpr std::size_t most_targets = cotter::max_manifest_targets;

std::string hex_of(std::size_t index, char first) {
  std::string digits = std::to_string(index);
  return std::string(1, first) + std::string(63 - digits.size(), 'a') + digits;
}

std::string payload_of(std::size_t targets) {
  std::string out =
      R"({"pinManifestVersion":"2.1.0","sequence":7,)"
      R"("issuedAt":"2027-05-20T00:00:00Z","expires":"2027-12-01T00:00:00Z","targets":[)";
  for (std::size_t i = 0; i < targets; ++i) {
    out += i == 0 ? "" : ",";
    out += R"({"host":")" + host_of(i) + R"(","port":443,"pins":{"primary":")" + hex_of(i, 'b') +
           R"(","fallback":")" + hex_of(i, 'c') + R"(","rotationWindowDays":30}})";
  }
  return out + R"(],"verificationPolicy":"strict"})";
}

document make(cotter::signature_scheme scheme, std::size_t targets) {
  using algorithm = lab::signer::algorithm;
  const lab::signer signer(scheme == cotter::signature_scheme::ed25519 ? algorithm::ed25519
                                                                       : algorithm::p256);
  document out;
  out.payload = payload_of(targets);
  out.key = signer.spki();
  json::envelope made;
  made.payload_type = json::payload_type_of(json::role::manifest);
  made.payload = out.payload;
  out.message = json::pae(made.payload_type, made.payload);
  out.signature = signer.sign(out.message);
  made.signatures.push_back({"release", out.signature});
  out.envelope = *json::write_envelope(made);
  return out;
}

cotter::pin_manifest manifest_of(std::size_t targets) {
  std::vector<cotter::manifest_target> all;
  for (std::size_t i = 0; i < targets; ++i) {
    all.push_back(manifests::target_with(host_of(i), 443, {manifests::primary(1)}));
  }
  return manifests::manifest(7, std::move(all));
}

/// Hosts that are there, in an order that no predictor knows.
std::vector<std::string> shuffled_hosts(std::size_t targets) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < std::max<std::size_t>(targets, 256); ++i) {
    out.push_back(host_of(i % targets));
  }
  std::shuffle(out.begin(), out.end(), std::mt19937(7));
  return out;
}

/// The payload of a verified envelope read into values.
void read_values(benchmark::State& state, std::size_t targets) {
  const document& one = signed_document(cotter::signature_scheme::ecdsa_p256_sha256, targets);
  for (auto _ : state) {
    const auto read = json::read_manifest(one.payload);
    if (!read || read->targets.size() != targets) state.SkipWithError("not read");
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(one.payload.size()));
}

/// The same octets by the JSON library alone: every value, no meaning.
void parse(benchmark::State& state, std::size_t targets) {
  const document& one = signed_document(cotter::signature_scheme::ecdsa_p256_sha256, targets);
  for (auto _ : state) {
    const auto parsed = nlohmann::json::parse(one.payload);
    if (parsed["targets"].size() != targets) state.SkipWithError("not parsed");
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(one.payload.size()));
}

/// The JSON library alone over the signed envelope, of which most is one string in base64.
void parse_envelope(benchmark::State& state, std::size_t targets) {
  const document& one = signed_document(cotter::signature_scheme::ecdsa_p256_sha256, targets);
  for (auto _ : state) {
    const auto parsed = nlohmann::json::parse(one.envelope);
    if (parsed["signatures"].size() != 1) state.SkipWithError("not parsed");
  }
}

/// Values put into force.
void adopt(benchmark::State& state, std::size_t targets) {
  const cotter::pin_manifest values = manifest_of(targets);
  cotter::live_manifest live;
  for (auto _ : state) {
    if (!live.adopt(values, manifests::day_one)) state.SkipWithError("not taken");
  }
}

void too_many(benchmark::State& state) {
  const std::string payload = payload_of(most_targets + 1);
  for (auto _ : state) {
    const auto read = json::read_manifest(payload);
    if (read || read.error().what != cotter::errc::too_many_targets) {
      state.SkipWithError("not refused as too_many_targets");
    }
  }
}

void find(benchmark::State& state, std::size_t targets) {
  cotter::live_manifest live;
  if (!live.adopt(manifest_of(targets), manifests::day_one)) state.SkipWithError("not taken");
  const std::vector<std::string> hosts = shuffled_hosts(targets);
  std::size_t turn = 0;
  const std::size_t before = heap::allocations();
  for (auto _ : state) {
    const auto found = live.find({hosts[turn], 443}, {});
    if (!found || (*found).endpoint.host != hosts[turn]) state.SkipWithError("not found");
    if (++turn == hosts.size()) turn = 0;
  }
  state.counters["allocations"] =
      static_cast<double>(heap::allocations() - before) / static_cast<double>(state.iterations());
}

/// The same question to a map that is never replaced, without a region and without threads.
void find_in_map(benchmark::State& state, std::size_t targets) {
  std::map<std::string, std::vector<cotter::pin>, std::less<>> all;
  for (std::size_t i = 0; i < targets; ++i) all[host_of(i)].resize(1);
  const std::vector<std::string> hosts = shuffled_hosts(targets);
  std::size_t turn = 0;
  for (auto _ : state) {
    const auto found = all.find(std::string_view(hosts[turn]));
    if (found == all.end() || found->first != hosts[turn]) state.SkipWithError("not found");
    benchmark::DoNotOptimize(found->second.data());
    if (++turn == hosts.size()) turn = 0;
  }
}

}  // namespace

std::string host_of(std::size_t index) {
  return "edge-" + std::to_string(index * 7919 % 1'000'003) + ".sip.example.com";
}

cotter::instant today() {
  return cotter::instant{std::chrono::sys_days{std::chrono::year{2027} / 6 / 1}};
}

const document& signed_document(cotter::signature_scheme scheme, std::size_t targets) {
  static std::map<std::pair<cotter::signature_scheme, std::size_t>, document> all;
  const auto [at, fresh] = all.try_emplace({scheme, targets});
  if (fresh) at->second = make(scheme, targets);
  return at->second;
}

}  // namespace manifest_bench

int main(int count, char** words) {
  using namespace manifest_bench;
  benchmark::Initialize(&count, words);
  if (benchmark::ReportUnrecognizedArguments(count, words)) return 2;
  for (const std::size_t targets : sizes) {
    const std::string many = "/" + std::to_string(targets);
    benchmark::RegisterBenchmark(("read" + many).c_str(), read_values, targets);
    benchmark::RegisterBenchmark(("parse" + many).c_str(), parse, targets);
    benchmark::RegisterBenchmark(("parse envelope" + many).c_str(), parse_envelope, targets);
    benchmark::RegisterBenchmark(("adopt" + many).c_str(), adopt, targets);
    benchmark::RegisterBenchmark(("find" + many).c_str(), find, targets);
    benchmark::RegisterBenchmark(("find in a map" + many).c_str(), find_in_map, targets);
  }
  benchmark::RegisterBenchmark("parse again/100", parse, std::size_t{100});
  benchmark::RegisterBenchmark("read, refused/10001", too_many);
  add_openssl();
#ifdef COTTER_BENCH_WOLFSSL
  add_wolfssl();
#endif
#ifdef COTTER_BENCH_MBEDTLS
  add_mbedtls();
#endif
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
