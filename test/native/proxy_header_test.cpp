// The PROXY protocol: both versions, at every cut, and what is not of it.
#include "protocol/proxy_header.h"

#include "check.h"

namespace ohws {
namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;
using Status = ProxyHeader::Status;

constexpr std::string_view kSignature = "\r\n\r\n\0\r\nQUIT\n"sv;

std::string V2(std::string_view command_and_family, size_t length, std::string_view body) {
  std::string header(kSignature);
  header += command_and_family;
  header += static_cast<char>(length >> 8);
  header += static_cast<char>(length);
  return header.append(body);
}

const std::string kTcp4Body = "\xc0\x00\x02\x01\x0a\x00\x00\x01\x12\x34\x00\x50"s;

struct Outcome {
  Status status;
  size_t used;
  std::string client;
};

Outcome Judge(std::string_view bytes, size_t step = SIZE_MAX) {
  ProxyHeader header;
  size_t all = 0;
  Status status = Status::kMore;
  while (status == Status::kMore && all < bytes.size()) {
    size_t used = 0;
    status = header.Feed(bytes.substr(all, step), used);
    all += used;
    if (used == 0) break;
  }
  return {status, all, header.client().has_value() ? header.client()->ToText() : ""};
}

// In one piece and byte by byte; what follows is not touched.
void CheckComplete(const std::string& header, std::string_view client) {
  for (const size_t step : {SIZE_MAX, size_t{1}, size_t{7}}) {
    const Outcome outcome = Judge(header + "GET / HTTP/1.1\r\n", step);
    CHECK_EQ(outcome.status, Status::kComplete);
    CHECK_EQ(outcome.used, header.size());
    CHECK_EQ(outcome.client, client);
  }
  for (size_t cut = 0; cut < header.size(); ++cut) {
    const Outcome outcome = Judge(std::string_view(header).substr(0, cut));
    CHECK_EQ(outcome.status, Status::kMore);
    CHECK_EQ(outcome.used, cut);
  }
}

void CheckMalformed(std::string_view bytes) {
  CHECK_EQ(Judge(bytes).status, Status::kMalformed);
  CHECK_EQ(Judge(bytes, 1).status, Status::kMalformed);
}

TEST(version_1) {
  CheckComplete("PROXY TCP4 192.0.2.1 10.0.0.1 56324 443\r\n", "192.0.2.1");
  CheckComplete("PROXY TCP6 2001:db8::7 ::1 0 65535\r\n", "2001:db8::7");
  CheckComplete("PROXY UNKNOWN\r\n", "");
  CheckComplete("PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n", "");
}

TEST(what_is_no_version_1) {
  for (const auto line :
       {"GET / HTTP/1.1\r\n", "PROXX TCP4 192.0.2.1 10.0.0.1 1 2\r\n",
        "proxy TCP4 192.0.2.1 10.0.0.1 1 2\r\n", "PROXY TCP4 192.0.2.1 10.0.0.1 1 2\n",
        "PROXY TCP4 192.0.2.1 10.0.0.1 1\r\n", "PROXY TCP4 192.0.2.1 10.0.0.1\r\n",
        "PROXY TCP4 192.0.2.1 10.0.0.1 1 2 \r\n", "PROXY TCP4 192.0.2.1 10.0.0.1 1 2 3\r\n",
        "PROXY TCP4  192.0.2.1 10.0.0.1 1 2\r\n", "PROXY TCP4 192.0.2.1 10.0.0.1 1 65536\r\n",
        "PROXY TCP4 192.0.2.1 10.0.0.1 01 2\r\n", "PROXY TCP4 192.0.2.1 10.0.0.1 -1 2\r\n",
        "PROXY TCP4 192.0.2.1 x 1 2\r\n", "PROXY TCP4 ::1 ::2 1 2\r\n",
        "PROXY TCP6 192.0.2.1 10.0.0.1 1 2\r\n", "PROXY TCP5 192.0.2.1 10.0.0.1 1 2\r\n",
        "PROXY UDP4 192.0.2.1 10.0.0.1 1 2\r\n", "PROXY \r\n"}) {
    CheckMalformed(line);
  }
  CheckMalformed("PROXY UNKNOWN " + std::string(200, 'x') + "\r\n");
  // The longest line there may be is not too long.
  CheckComplete("PROXY UNKNOWN " + std::string(ProxyHeader::kMaxV1Bytes - 16, 'x') + "\r\n", "");
  CheckMalformed("PROXY UNKNOWN " + std::string(ProxyHeader::kMaxV1Bytes - 15, 'x') + "\r\n");
}

TEST(version_2) {
  CheckComplete(V2("\x21\x11", 12, kTcp4Body), "192.0.2.1");
  CheckComplete(V2("\x21\x11", 20, kTcp4Body + "12345678"), "192.0.2.1");
  const std::string v6 = "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x07"s + std::string(16, '\0') + "1234";
  CheckComplete(V2("\x21\x21", 36, v6), "2001:db8::7");
  // A mapped address is the one it stands for.
  const std::string mapped = "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\x00\x02\x01"s + std::string(16, '\0') + "1234";
  CheckComplete(V2("\x21\x21", 36, mapped), "192.0.2.1");
  CheckComplete(V2("\x20\x11"sv, 12, kTcp4Body), "");
  CheckComplete(V2("\x20\x00"sv, 0, ""), "");
  CheckComplete(V2("\x21\x00"sv, 3, "abc"), "");
  CheckComplete(V2("\x21\x31", 216, std::string(216, 'x')), "");
  CheckComplete(
      V2("\x21\x11", ProxyHeader::kMaxV2Bytes, kTcp4Body + std::string(ProxyHeader::kMaxV2Bytes - 12, 'x')),
      "192.0.2.1");
}

TEST(what_is_no_version_2) {
  CheckMalformed(V2("\x22\x11", 12, kTcp4Body));
  CheckMalformed(V2("\x31\x11", 12, kTcp4Body));
  CheckMalformed(V2("\x11\x11", 12, kTcp4Body));
  CheckMalformed(V2("\x21\x12", 12, kTcp4Body));
  CheckMalformed(V2("\x21\x41", 12, kTcp4Body));
  CheckMalformed(V2("\x21\x11", 11, kTcp4Body.substr(1)));
  CheckMalformed(V2("\x21\x21", 35, std::string(35, 'x')));
  CheckMalformed(V2("\x21\x11", ProxyHeader::kMaxV2Bytes + 1, std::string(5000, 'x')));
  CheckMalformed(V2("\x21\x11", 0xffff, "x"));
  for (size_t at = 0; at < kSignature.size(); ++at) {
    std::string wrong = V2("\x21\x11", 12, kTcp4Body);
    wrong[at] = 'X';
    CheckMalformed(wrong);
  }
}

TEST(any_first_byte) {
  for (int first = 0; first < 256; ++first) {
    const std::string bytes(20, static_cast<char>(first));
    CHECK_EQ(Judge(bytes).status, Status::kMalformed);
  }
}

}  // namespace
}  // namespace ohws
