// Addresses and networks: what is one, what is in which.
#include "protocol/ip_network.h"

#include "check.h"

namespace ohws {
namespace {

using namespace std::string_view_literals;

std::string Canonical(std::string_view text) {
  const auto address = IpAddress::Parse(text);
  return address.has_value() ? address->ToText() : "-";
}

bool Contains(std::string_view network, std::string_view address) {
  const auto parsed = IpNetwork::Parse(network);
  CHECK_EQ(parsed.has_value(), true);
  return parsed.has_value() && parsed->Contains(*IpAddress::Parse(address));
}

TEST(addresses) {
  CHECK_EQ(Canonical("192.0.2.1"), "192.0.2.1");
  CHECK_EQ(Canonical("2001:DB8:0::1"), "2001:db8::1");
  CHECK_EQ(Canonical("::ffff:192.0.2.1"), "192.0.2.1");
  CHECK_EQ(Canonical("::"), "::");
  for (const auto text : {""sv, "1.2.3"sv, "1.2.3.4.5"sv, "256.1.1.1"sv, "1.2.3.4 "sv, " 1.2.3.4"sv,
                          "[::1]"sv, "::1%eth0"sv, "1.2.3.4:5"sv, "localhost"sv, ":::"sv, "1.2.3.4\0"sv,
                          "0x1.2.3.4"sv, "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa"sv}) {
    CHECK_EQ(Canonical(text), "-");
  }
}

TEST(networks) {
  CHECK_EQ(Contains("10.0.0.0/8", "10.255.0.1"), true);
  CHECK_EQ(Contains("10.0.0.0/8", "11.0.0.1"), false);
  CHECK_EQ(Contains("10.1.2.3/8", "10.9.9.9"), true);
  CHECK_EQ(Contains("192.0.2.128/25", "192.0.2.127"), false);
  CHECK_EQ(Contains("192.0.2.128/25", "192.0.2.128"), true);
  CHECK_EQ(Contains("192.0.2.1", "192.0.2.1"), true);
  CHECK_EQ(Contains("192.0.2.1", "192.0.2.2"), false);
  CHECK_EQ(Contains("0.0.0.0/0", "203.0.113.9"), true);
  CHECK_EQ(Contains("2001:db8::/33", "2001:db8:7fff::1"), true);
  CHECK_EQ(Contains("2001:db8::/33", "2001:db8:8000::1"), false);
  CHECK_EQ(Contains("::ffff:10.0.0.0/104", "10.1.1.1"), true);
  // All of one family is nothing of the other.
  CHECK_EQ(Contains("::/0", "10.0.0.1"), false);
  CHECK_EQ(Contains("::/0", "::1"), true);
  CHECK_EQ(Contains("0.0.0.0/0", "::1"), false);
  for (const auto text : {"", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8 ", "10.0.0.0/+8",
                          "::/129", "10.0.0.0/8/8", "x/8", "10.0.0.0/99999999999"}) {
    CHECK_EQ(IpNetwork::Parse(text).has_value(), false);
  }
}

}  // namespace
}  // namespace ohws
