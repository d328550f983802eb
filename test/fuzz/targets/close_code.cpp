// Any close body: what is made of it can be sent and shown, and what we write is read as it was meant.
#include "protocol/close_code.h"

#include "fuzz.h"
#include "protocol/utf8.h"

namespace ohws::fuzz {
namespace {

bool IsText(std::string_view text) {
  const Utf8Result result = CheckUtf8(text);
  return result == Utf8Result::kAscii || result == Utf8Result::kValid;
}

// RFC 6455 §7.4 and the registry.
bool IsLegal(uint16_t code) {
  constexpr uint16_t kLegal[] = {1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014};
  return (code >= 3000 && code < 5000) || std::ranges::find(kLegal, code) != std::ranges::end(kLegal);
}

uint16_t CodeOf(std::string_view body) {
  return static_cast<uint16_t>(static_cast<uint8_t>(body[0]) << 8 | static_cast<uint8_t>(body[1]));
}

}  // namespace

void FuzzOne(Input input) {
  const std::string body = input.Rest();
  const PeerClose peer = ParseClosePayload(body);
  REQUIRE(peer.valid == (peer.kind != ClosePayload::kMalformed) && peer.valid == (peer.failure_code == 0));
  REQUIRE((peer.kind == ClosePayload::kEmpty) == body.empty());
  REQUIRE(peer.code == (body.size() < 2 ? kCloseNoStatus : CodeOf(body)));
  const std::string reason = body.size() < 2 ? "" : body.substr(2);
  REQUIRE(peer.reason == reason);
  const uint16_t failure = body.empty()          ? 0
                           : body.size() == 1    ? kCloseProtocolError
                           : !IsText(reason)     ? kCloseInvalidPayload
                           : !IsLegal(peer.code) ? kCloseProtocolError
                                                 : 0;
  REQUIRE(peer.failure_code == failure);
  if (body.size() >= 2) REQUIRE(IsSendableCloseCode(peer.code) == IsLegal(peer.code));

  for (const Role role : {Role::kClient, Role::kServer}) {
    for (const CloseRules rules : {CloseRules::kDocumented, CloseRules::kNetstack}) {
      const ReportedClose reported = ReportPeerClose(role, body, rules);
      REQUIRE(!reported.reason.empty() && IsText(reported.reason));
      REQUIRE(reported.echo.size() <= kMaxControlPayloadBytes);
      if (body.empty()) REQUIRE(reported.code == kCloseNormal && reported.echo.empty());
      if (rules == CloseRules::kNetstack) continue;
      // What the documented rules answer is legal itself.
      REQUIRE(reported.echo.empty() || ParseClosePayload(reported.echo).valid);
      REQUIRE(IsLegal(reported.code));
      if (peer.kind == ClosePayload::kValid && body.size() <= kMaxControlPayloadBytes) {
        REQUIRE(reported.echo == body && reported.code == peer.code);
        REQUIRE(reported.reason == (reason.empty() ? kLinkDownReason : std::string_view(reason)));
      }
    }
  }

  uint8_t out[kMaxControlPayloadBytes];
  const size_t size = WriteClosePayload(out, peer.code, reason);
  REQUIRE(size >= 2 && size <= kMaxControlPayloadBytes);
  const PeerClose read = ParseClosePayload({reinterpret_cast<const char*>(out), size});
  REQUIRE(read.code == peer.code && reason.starts_with(read.reason));
  REQUIRE(!IsText(reason) || IsText(read.reason));
}

}  // namespace ohws::fuzz
