// Close codes: the legal ones, the event and the answer for a peer's close frame. Names such as
// peerclose-codes-01 are ids of the recorded behaviour of the platform.
#include "protocol/close_code.h"

#include "check.h"
#include "protocol/utf8.h"

namespace ohws {
namespace {

using check::Random;

std::string Body(unsigned code, std::string_view reason = {}) {
  std::string body{static_cast<char>(code >> 8), static_cast<char>(code & 0xff)};
  return body.append(reason);
}

struct Case {
  const char* id;
  std::string payload;
  unsigned code;
  std::string reason;
  std::string echo;
};

void CheckCases(Role role, CloseRules rules, const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    const ReportedClose reported = ReportPeerClose(role, c.payload, rules);
    const int before = check::FailedChecks();
    CHECK_EQ(reported.code, c.code);
    CHECK_EQ(reported.reason, c.reason);
    CHECK_EQ(reported.echo, c.echo);
    if (check::FailedChecks() != before) std::printf("    in %s\n", c.id);
  }
}

const std::string kDown = "The link is down";

TEST(client_documented) {
  std::vector<Case> cases;
  const auto same = [&cases](const char* id, unsigned code, const std::string& reason) {
    cases.push_back({id, Body(code, reason), code, reason, Body(code, reason)});
  };
  same("peerclose-codes-01", 1000, "bye");
  for (const unsigned code : {1001u, 1002u, 1003u, 1007u, 1008u}) same("peerclose-codes-01", code, "x");
  same("peerclose-codes-02", 1009, "nine");
  same("peerclose-codes-02", 1010, "ten");
  same("peerclose-codes-02", 1011, "x");
  same("peerclose-codes-02", 3000, "lib");
  same("peerclose-codes-02", 4000, "abcd");
  same("peerclose-codes-03", 1012, "a");
  same("peerclose-codes-03", 1013, "b");
  same("peerclose-codes-03", 1014, "c");
  for (const unsigned code : {0u, 999u, 1006u, 1016u}) {
    cases.push_back({"peerclose-codes-05", Body(code, "x"), 1002, "x", Body(1002, "x")});
  }
  for (const unsigned code : {1015u, 5000u, 6000u, 65535u}) {  // only netstack lets these pass
    cases.push_back({"corrected peerclose-codes-07", Body(code, "d"), 1002, "d", Body(1002, "d")});
  }
  cases.push_back({"peerclose-reason-01", Body(1000), 1000, kDown, Body(1000)});
  cases.push_back({"peerclose-reason-01", Body(4999), 4999, kDown, Body(4999)});
  same("peerclose-reason-03", 1000, std::string(123, 'r'));
  same("peerclose-reason-03", 3001,
       "gr\xc3\xb6\xc3\x9f"
       "e");
  cases.push_back({"corrected peerclose-reason-05",
                   Body(1000,
                        "a\xff"
                        "b"),
                   1007,
                   "a\xef\xbf\xbd"
                   "b",
                   Body(1007)});
  cases.push_back({"reason cut inside a character", Body(1000, "a\xc3"), 1007, "a\xef\xbf\xbd", Body(1007)});
  cases.push_back({"bad code and bad reason", Body(1005, "\xff"), 1007, "\xef\xbf\xbd", Body(1007)});
  cases.push_back({"peerclose-body-01", "", 1000, kDown, ""});
  cases.push_back({"one byte", "\x03", 1000, kDown, Body(1002)});
  const std::string with_nul("a\0b", 3);
  cases.push_back({"reason with NUL", Body(1000, with_nul), 1000, with_nul, Body(1000, with_nul)});
  CheckCases(Role::kClient, CloseRules::kDocumented, cases);
}

TEST(server_documented) {
  std::vector<Case> cases;
  const auto same = [&cases](const char* id, unsigned code, const std::string& reason) {
    cases.push_back({id, Body(code, reason), code, reason, Body(code, reason)});
  };
  same("server-peerclose-codes-01", 1000, "bye");
  same("server-peerclose-codes-01", 1001, "away");
  same("server-peerclose-codes-01", 1003, "x");
  same("server-peerclose-codes-01", 3000, "y");
  same("server-peerclose-codes-01", 4999, "z");
  for (const unsigned code : {1004u, 1005u, 2000u}) {
    cases.push_back({"server-peerclose-codes-03", Body(code, "x"), 1002, "x", Body(1002, "x")});
  }
  same("corrected server-peerclose-codes-05", 1012, "x");
  cases.push_back({"server-peerclose-codes-05", Body(1015, "x"), 1002, "x", Body(1002, "x")});
  cases.push_back({"server-peerclose-reason-01", Body(1000), 1000, kDown, Body(1000)});
  same("server-peerclose-reason-01", 1001, std::string(123, 'r'));
  cases.push_back({"server-peerclose-empty-01", "", 1000, kDown, ""});
  CheckCases(Role::kServer, CloseRules::kDocumented, cases);
}

TEST(netstack_client) {
  std::vector<Case> cases;
  for (const unsigned code : {1000u, 1003u, 1007u, 1014u, 1015u, 3000u, 4999u, 5000u, 6000u, 65535u}) {
    cases.push_back({"peerclose-codes-01, -02, -03, -07", Body(code, "d"), code, "d", Body(code, "d")});
  }
  for (const unsigned code : {0u, 999u, 1004u, 1005u, 1006u, 1016u, 2999u}) {
    cases.push_back({"peerclose-codes-05", Body(code, "x"), 1002, "x", Body(1002, "x")});
  }
  cases.push_back({"peerclose-reason-05",
                   Body(1000,
                        "a\xff"
                        "b"),
                   1000,
                   "a\xef\xbf\xbd"
                   "b",
                   Body(1000,
                        "a\xff"
                        "b")});
  cases.push_back({"peerclose-body-01", "", 1000, kDown, ""});
  cases.push_back({"one byte", "\x03", 1000, kDown, "\x03"});
  const std::string with_nul("a\0b", 3);
  cases.push_back({"reason with NUL", Body(1000, with_nul), 1000, "a", Body(1000, with_nul)});
  const std::string nul_first("\0b", 2);
  cases.push_back({"reason is NUL", Body(1000, nul_first), 1000, kDown, Body(1000, nul_first)});
  CheckCases(Role::kClient, CloseRules::kNetstack, cases);
}

TEST(netstack_server) {
  std::vector<Case> cases;
  for (const unsigned code : {1000u, 1011u, 3000u, 4999u, 5000u, 65535u}) {
    cases.push_back({"server-peerclose-codes-01", Body(code, "x"), code, "x", Body(code, "x")});
  }
  for (const unsigned code : {1012u, 1013u, 1014u, 1015u}) {
    cases.push_back({"server-peerclose-codes-05", Body(code, "x"), 1002, "x", Body(1002, "x")});
  }
  for (const unsigned code : {1004u, 1005u, 2000u}) {
    cases.push_back({"server-peerclose-codes-03", Body(code, "x"), 1002, "x", Body(1002, "x")});
  }
  CheckCases(Role::kServer, CloseRules::kNetstack, cases);
}

TEST(legal_codes) {
  for (unsigned code = 0; code <= 0xffff; ++code) {
    const bool legal =
        (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
    CHECK_EQ(IsValidPeerCloseCode(static_cast<uint16_t>(code)), legal);
    CHECK_EQ(IsSendableCloseCode(static_cast<uint16_t>(code)), legal);
  }
}

TEST(parsing) {
  const PeerClose empty = ParseClosePayload("");
  CHECK(empty.kind == ClosePayload::kEmpty && empty.valid);
  CHECK_EQ(empty.code, kCloseNoStatus);
  CHECK_EQ(empty.failure_code, 0);

  const PeerClose one = ParseClosePayload("\x03");
  CHECK(one.kind == ClosePayload::kMalformed && !one.valid);
  CHECK_EQ(one.failure_code, kCloseProtocolError);

  const PeerClose two = ParseClosePayload(Body(1000));
  CHECK(two.kind == ClosePayload::kValid && two.valid);
  CHECK_EQ(two.code, 1000);
  CHECK_EQ(two.reason, "");

  const PeerClose reserved = ParseClosePayload(Body(1006, "x"));
  CHECK(!reserved.valid);
  CHECK_EQ(reserved.code, 1006);
  CHECK_EQ(reserved.failure_code, kCloseProtocolError);
  CHECK_EQ(reserved.reason, "x");

  CHECK_EQ(ParseClosePayload(Body(1000, "\xed\xa0\x80")).failure_code, kCloseInvalidPayload);
}

TEST(writing_cuts_the_reason_at_a_character) {
  uint8_t out[kMaxControlPayloadBytes];
  const auto written = [&out](uint16_t code, std::string_view reason) {
    const size_t size = WriteClosePayload(out, code, reason);
    return std::string(reinterpret_cast<const char*>(out), size);
  };
  CHECK_EQ(written(1000, ""), Body(1000));
  CHECK_EQ(written(4999, "bye"), Body(4999, "bye"));
  CHECK_EQ(written(1000, std::string(123, 'r')), Body(1000, std::string(123, 'r')));
  CHECK_EQ(written(1000, std::string(124, 'r')), Body(1000, std::string(123, 'r')));
  const std::string almost(121, 'r');
  CHECK_EQ(written(1000, almost + "\xc3\xa4"), Body(1000, almost + "\xc3\xa4"));
  CHECK_EQ(written(1000, almost + "r\xc3\xa4"), Body(1000, almost + "r"));
  CHECK_EQ(written(1000, almost + "\xf0\x9f\x98\x80"), Body(1000, almost));
}

TEST(any_body_gives_a_sound_report) {
  Random random(1);
  for (int round = 0; round < 20'000; ++round) {
    const std::string payload = random.Bytes(random.Below(127));
    const Role role = random.Below(2) == 0 ? Role::kClient : Role::kServer;
    const ReportedClose reported = ReportPeerClose(role, payload);
    CHECK(!reported.reason.empty());
    CHECK(CheckUtf8(reported.reason) != Utf8Result::kInvalid);
    CHECK(IsValidPeerCloseCode(reported.code));
    CHECK(reported.echo.size() <= kMaxControlPayloadBytes);
    CHECK(ParseClosePayload(reported.echo).valid);
    CHECK(ReportPeerClose(role, payload, CloseRules::kNetstack).echo.size() <= kMaxControlPayloadBytes);
  }
}

}  // namespace
}  // namespace ohws
