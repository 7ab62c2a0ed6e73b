// SPDX-License-Identifier: BSL-1.0
#include <cotter/json/audit_redact.hpp>

#include <support/catch.hpp>

#include <string>
#include <utility>

TEST_CASE("a URL is shown without what may be a secret") {
  using cotter::json::redacted;
  const std::pair<const char*, const char*> cases[] = {
      {"https://siem.example.com/api/v1/pin-audit", "https://siem.example.com/api/v1/pin-audit"},
      {"https://siem.example.com", "https://siem.example.com"},
      {"https://siem.example.com:8443/", "https://siem.example.com:8443/"},
      {"https://siem.example.com/in?token=s3cret", "https://siem.example.com/in?..."},
      {"https://siem.example.com?token=s3cret", "https://siem.example.com?..."},
      {"https://siem.example.com/in?", "https://siem.example.com/in?..."},
      {"https://siem.example.com/in#s3cret", "https://siem.example.com/in"},
      {"https://siem.example.com/in#s3cret?x", "https://siem.example.com/in"},
      {"https://user:s3cret@siem.example.com/in", "https://siem.example.com/in"},
      {"https://s3cret@siem.example.com/in", "https://siem.example.com/in"},
      {"https://user:s3@cret@siem.example.com/in", "https://siem.example.com/in"},
      {"https://[2001:db8::1]:443/in", "https://[2001:db8::1]:443/in"},
      {"https://u:s3cret@[2001:db8::1]/in", "https://[2001:db8::1]/in"},
      {"https://user:s3/cret@siem.example.com/in", "https://..."},
      {"https://user:53/cret@siem.example.com/in", "https://..."},
      {"https://user:53\\cret@siem.example.com/in", "https://..."},
      {"https://user:53?s3cret@siem.example.com/in", "https://..."},
      {"https://user:53#s3cret@siem.example.com/in", "https://..."},
      {"https://siem.example.com:s3cret/", "https://..."},
      {"https://siem.example.com:/", "https://..."},
      {"https://[2001:db8::1/in", "https://..."},
      {"https:///in", "https://..."},
      {"https://a b/in", "https://..."},
      {"https://siem.example.com/a\r\nb\xc3\xbc", "https://siem.example.com/a??b??"},
      {"s3cret", "..."},
      {"", "..."},
      {"://s3cret", "..."},
      {"user s3cret://host", "..."},
  };
  for (const auto& [url, shown] : cases) {
    INFO(url);
    CHECK(redacted(url) == shown);
    CHECK(redacted(url).find("cret") == std::string::npos);
  }
}
