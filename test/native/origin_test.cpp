// Origins against lists: exact ones, wildcards, and what wildcards must not swallow.
#include "protocol/origin.h"

#include "check.h"

namespace ohws {
namespace {

const std::vector<std::string> kAllowed = {"https://example.com", "http://localhost:8080",
                                           "https://*.example.org", "https://*.example.net:8443", "app://*"};

TEST(exact_origins) {
  CHECK(IsAllowedOrigin("https://example.com", kAllowed));
  CHECK(IsAllowedOrigin("HTTPS://Example.Com:443", kAllowed));
  CHECK(IsAllowedOrigin("http://localhost:8080", kAllowed));
  CHECK(!IsAllowedOrigin("http://example.com", kAllowed));
  CHECK(!IsAllowedOrigin("http://example.com:443", kAllowed));
  CHECK(!IsAllowedOrigin("https://example.com:80", kAllowed));
  CHECK(!IsAllowedOrigin("https://example.com/", kAllowed));
  CHECK(!IsAllowedOrigin("https://example.comx", kAllowed));
  CHECK(!IsAllowedOrigin("", kAllowed));
  CHECK(!IsAllowedOrigin("null", kAllowed));
}

TEST(wildcards_stand_for_host_names_only) {
  CHECK(IsAllowedOrigin("https://a.example.org", kAllowed));
  CHECK(IsAllowedOrigin("https://a-1.b_2.example.org:443", kAllowed));
  CHECK(IsAllowedOrigin("https://a.example.net:8443", kAllowed));
  CHECK(IsAllowedOrigin("app://x", kAllowed));
  for (const std::string_view origin :
       {"https://example.org", "https://.example.org", "https://..example.org",
        "https://evil.test/.example.org", "https://evil.test:80.example.org",
        "https://evil.test, https://a.example.org", "https://a.example.org:8443", "https://a.example.net",
        "https://u@a.example.org", "https://a\0.example.org", "http://a.example.org", "app://",
        "app://x:1"}) {
    CHECK(!IsAllowedOrigin(origin, kAllowed));
  }
}

TEST(no_header_and_no_list) {
  CHECK(IsAllowedOrigin("", {""}));
  CHECK(IsAllowedOrigin("null", {"null"}));
  CHECK(!IsAllowedOrigin("https://a", {"", "null"}));
  CHECK(!IsAllowedOrigin("", {}));
}

}  // namespace
}  // namespace ohws
