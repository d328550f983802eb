// The body of close frames (RFC 6455 §5.5.1, §7.4): which codes are legal, what a peer's body means, what is
// reported to the program and what is answered on the wire. Pure functions; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "protocol/frame.h"

namespace ohws {

inline constexpr uint16_t kCloseNormal = 1000;
inline constexpr uint16_t kCloseGoingAway = 1001;
inline constexpr uint16_t kCloseProtocolError = 1002;
inline constexpr uint16_t kCloseNoStatus = 1005;  // never on the wire
inline constexpr uint16_t kCloseAbnormal = 1006;  // never on the wire
inline constexpr uint16_t kCloseInvalidPayload = 1007;
inline constexpr uint16_t kClosePolicyViolation = 1008;
inline constexpr uint16_t kCloseMessageTooBig = 1009;
inline constexpr uint16_t kCloseInternalError = 1011;

inline constexpr size_t kMaxCloseReasonBytes = kMaxControlPayloadBytes - 2;

// What the close event says when the peer gave no reason (C24).
inline constexpr std::string_view kLinkDownReason = "The link is down";

// May this code stand in a close frame that we send? 1000 to 4999 without the gaps that RFC 6455 §7.4
// reserves; never 1004, 1005, 1006, 1015 (C26).
bool IsSendableCloseCode(uint16_t code);

// May a peer send this code? RFC 6455 §7.4.1 and the IANA registry: 1000–1003, 1007–1014, 3000–4999.
bool IsValidPeerCloseCode(uint16_t code);

enum class ClosePayload : uint8_t {
  kEmpty,      // no body: no status
  kValid,      // a legal code and a reason in UTF-8
  kMalformed,  // anything else
};

struct PeerClose {
  ClosePayload kind;
  bool valid;             // kind is not kMalformed
  uint16_t code;          // as the peer sent it; kCloseNoStatus if the body has less than two bytes
  uint16_t failure_code;  // what to fail the connection with: 0, kCloseProtocolError, kCloseInvalidPayload
  std::string reason;     // the peer's bytes; UTF-8 unless failure_code is kCloseInvalidPayload
};

// What RFC 6455 says of a peer's close body.
PeerClose ParseClosePayload(std::string_view payload);

// Writes a close body and returns its size, 2 to 125. The reason is cut to kMaxCloseReasonBytes at a
// character boundary (C27). `code` is what the caller wants on the wire; it is not judged here.
size_t WriteClosePayload(uint8_t out[kMaxControlPayloadBytes], uint16_t code, std::string_view reason);

enum class Role : uint8_t { kClient, kServer };

// Which behaviour answers a peer's close frame: the documented one, or netstack's with its quirks.
enum class CloseRules : uint8_t { kDocumented, kNetstack };

struct ReportedClose {
  uint16_t code;       // of the API's close event
  std::string reason;  // of the API's close event; valid UTF-8
  std::string echo;    // the body of the close frame we answer with, 0 to 125 bytes
};

// What becomes of a close frame from the peer: the event and the answer (ohos-behaviour.md §2.7, §3.4).
//
//   body                   documented: event / answer              netstack: event / answer
//   empty                  1000 / empty body                        1000 / empty body
//   one byte               1000 / 1002                              1000 / the same byte
//   legal code             the code and reason / the same body      same; the server has 1012–1014 as 1002
//   1015, 5000–65535       1002, peer's reason / the same           legal; the server has 1015 as 1002
//   any other code         1002, peer's reason / the same           same
//   reason not UTF-8       1007, repaired / 1007 without a reason   repaired / the same bytes
//
// An empty reason is reported as kLinkDownReason. Netstack's event ends the reason at its first NUL.
ReportedClose ReportPeerClose(Role role, std::string_view payload,
                              CloseRules rules = CloseRules::kDocumented);

}  // namespace ohws
