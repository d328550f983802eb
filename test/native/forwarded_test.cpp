// Who is believed to be behind proxies, and who is not.
#include "protocol/forwarded.h"

#include <vector>

#include "check.h"

namespace ohws {
namespace {

const std::vector<IpNetwork> kTrusted = {*IpNetwork::Parse("10.0.0.0/8"), *IpNetwork::Parse("fd00::/8")};

std::string For(std::string_view value, std::string_view peer = "10.0.0.1") {
  return ClientOfForwardedFor(*IpAddress::Parse(peer), value, kTrusted).ToText();
}

std::string Forwarded(std::string_view value, std::string_view peer = "10.0.0.1") {
  return ClientOfForwarded(*IpAddress::Parse(peer), value, kTrusted).ToText();
}

TEST(nobody_else_is_believed) {
  CHECK_EQ(For("192.0.2.1", "203.0.113.9"), "203.0.113.9");
  CHECK_EQ(Forwarded("for=192.0.2.1", "203.0.113.9"), "203.0.113.9");
  CHECK_EQ(For("", "10.0.0.1"), "10.0.0.1");
  CHECK_EQ(Forwarded("", "10.0.0.1"), "10.0.0.1");
}

TEST(the_first_that_is_no_proxy) {
  CHECK_EQ(For("192.0.2.1"), "192.0.2.1");
  CHECK_EQ(For("1.1.1.1, 192.0.2.1,10.0.0.2 ,\t10.0.0.3"), "192.0.2.1");
  CHECK_EQ(For("10.0.0.9, 10.0.0.2"), "10.0.0.9");
  CHECK_EQ(For("2001:db8::7, fd00::1"), "2001:db8::7");
  CHECK_EQ(For("192.0.2.1", "::ffff:10.0.0.1"), "192.0.2.1");
  CHECK_EQ(Forwarded("for=192.0.2.1"), "192.0.2.1");
  CHECK_EQ(Forwarded("for=1.1.1.1, For=\"[2001:db8::7]:443\";proto=https;by=10.0.0.1, for=10.0.0.2"),
           "2001:db8::7");
  CHECK_EQ(Forwarded("proto=http; FOR=\"192.0.2.1:80\""), "192.0.2.1");
}

TEST(ports_and_brackets) {
  for (const auto value : {"192.0.2.1:80", "192.0.2.1", " 192.0.2.1:0 ", "x, 192.0.2.1"})
    CHECK_EQ(For(value), "192.0.2.1");
  for (const auto value : {"[2001:db8::7]", "[2001:db8::7]:80", "2001:db8::7"})
    CHECK_EQ(For(value), "2001:db8::7");
}

// The proxy that said it stands for its client.
TEST(what_cannot_be_read_ends_the_search) {
  for (const auto value :
       {"unknown", "_hidden", "192.0.2.1:", "192.0.2.1:x", "192.0.2.1:99999", "[192.0.2.1]", "[::1", "[::1]x",
        "[::1]:", "1.2.3", "\"192.0.2.1\"", "192.0.2.1 x", "1.1.1.1, unknown", "a,b;c=\"", ";", "\x80"}) {
    CHECK_EQ(For(value), "10.0.0.1");
  }
  for (const auto value : {"for=unknown",
                           "for=_hidden",
                           "192.0.2.1",
                           "for",
                           "for=",
                           "for=\"192.0.2.1",
                           "for=192.0.2.1;for=1.1.1.1",
                           "for=[::1]",
                           "for=192.0.2.1:80",
                           "for=\"2001:db8::7\"",
                           "proto=http",
                           "for=192.0.2.1;x y=z",
                           "for=\"192.0.2.\\1\"",
                           "for=\"\"",
                           "for =192.0.2.1",
                           "for=192.0.2.1;;",
                           "f(=x;for=192.0.2.1",
                           ";",
                           "=",
                           "\x80=1"}) {
    CHECK_EQ(Forwarded(value), "10.0.0.1");
  }
  CHECK_EQ(For("192.0.2.1, unknown, 10.0.0.2"), "10.0.0.2");
  CHECK_EQ(Forwarded("for=192.0.2.1, for=_x, for=10.0.0.2"), "10.0.0.2");
}

TEST(empty_elements_are_none) {
  CHECK_EQ(For(", 192.0.2.1,, ,"), "192.0.2.1");
  CHECK_EQ(For(",,,"), "10.0.0.1");
  CHECK_EQ(Forwarded("for=192.0.2.1 , ,"), "192.0.2.1");
}

// What a client sends lies left of what the proxy adds, and changes nothing of it.
TEST(a_client_cannot_hide_what_the_proxy_says) {
  for (const std::string lie :
       {"\"", "for=\"", "for=1.1.1.1, for=\"", "\\", "for=\"\\\"", "\"\"\"", ";", "x=\"a,b"}) {
    CHECK_EQ(Forwarded(lie + ", for=192.0.2.1"), "192.0.2.1");
    CHECK_EQ(Forwarded(lie + ", for=\"[2001:db8::7]\";by=\"_x,y\""), "2001:db8::7");
    CHECK_EQ(For(lie + ", 192.0.2.1"), "192.0.2.1");
  }
}

TEST(long_lists) {
  std::string list = "192.0.2.1";
  for (int n = 0; n < 10'000; ++n) list += ", 10.0.0.2";
  CHECK_EQ(For(list), "192.0.2.1");
  CHECK_EQ(Forwarded(std::string(50'000, '"')), "10.0.0.1");
  CHECK_EQ(Forwarded(std::string(50'000, ',')), "10.0.0.1");
}

}  // namespace
}  // namespace ohws
