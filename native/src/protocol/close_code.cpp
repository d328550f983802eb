// The table of close codes and what follows from it. Any thread.
#include "protocol/close_code.h"

#include <cstring>

#include "protocol/utf8.h"

namespace ohws {
namespace {

enum class CodeClass : uint8_t {
  kIllegal,       // never on the wire
  kDefined,       // by RFC 6455 or for libraries and programs
  kRegistered,    // 1012–1014, which the IANA registry added: netstack's server does not know them
  kTlsHandshake,  // 1015: never on the wire, but netstack's client lets it pass
  kBeyond,        // 5000 up: in no registry, but netstack lets them pass
};

struct CodeRange {
  uint16_t first;
  uint16_t last;
  CodeClass code_class;
};

// Every code; what no row names is illegal.
constexpr CodeRange kCodeRanges[] = {
    {1000, 1003, CodeClass::kDefined},    {1007, 1011, CodeClass::kDefined},
    {1012, 1014, CodeClass::kRegistered}, {1015, 1015, CodeClass::kTlsHandshake},
    {3000, 4999, CodeClass::kDefined},    {5000, UINT16_MAX, CodeClass::kBeyond},
};

CodeClass Classify(uint16_t code) {
  for (const CodeRange& range : kCodeRanges) {
    if (code >= range.first && code <= range.last) return range.code_class;
  }
  return CodeClass::kIllegal;
}

bool NetstackAccepts(Role role, uint16_t code) {
  switch (Classify(code)) {
    case CodeClass::kDefined:
    case CodeClass::kBeyond:
      return true;
    case CodeClass::kRegistered:
    case CodeClass::kTlsHandshake:
      return role == Role::kClient;
    case CodeClass::kIllegal:
      return false;
  }
  return false;
}

std::string CloseBody(uint16_t code, std::string_view reason_bytes) {
  std::string body;
  body.reserve(2 + reason_bytes.size());
  body.push_back(static_cast<char>(code >> 8));
  body.push_back(static_cast<char>(code & 0xff));
  body.append(reason_bytes);
  return body;
}

}  // namespace

bool IsSendableCloseCode(uint16_t code) { return IsValidPeerCloseCode(code); }

bool IsValidPeerCloseCode(uint16_t code) {
  const CodeClass code_class = Classify(code);
  return code_class == CodeClass::kDefined || code_class == CodeClass::kRegistered;
}

PeerClose ParseClosePayload(std::string_view payload) {
  if (payload.empty()) return {ClosePayload::kEmpty, true, kCloseNoStatus, 0, {}};
  if (payload.size() == 1) return {ClosePayload::kMalformed, false, kCloseNoStatus, kCloseProtocolError, {}};

  const auto high = static_cast<uint8_t>(payload[0]);
  const auto low = static_cast<uint8_t>(payload[1]);
  const auto code = static_cast<uint16_t>(high << 8 | low);
  const std::string_view reason = payload.substr(2);
  uint16_t failure_code = 0;
  if (!IsValidPeerCloseCode(code)) failure_code = kCloseProtocolError;
  const Utf8Result text = CheckUtf8(reason);
  if (text == Utf8Result::kInvalid || text == Utf8Result::kIncomplete) failure_code = kCloseInvalidPayload;
  const bool valid = failure_code == 0;
  return {valid ? ClosePayload::kValid : ClosePayload::kMalformed, valid, code, failure_code,
          std::string(reason)};
}

size_t WriteClosePayload(uint8_t out[kMaxControlPayloadBytes], uint16_t code, std::string_view reason) {
  const size_t reason_bytes = TruncateUtf8(reason, kMaxCloseReasonBytes);
  out[0] = static_cast<uint8_t>(code >> 8);
  out[1] = static_cast<uint8_t>(code & 0xff);
  if (reason_bytes != 0) std::memcpy(out + 2, reason.data(), reason_bytes);
  return 2 + reason_bytes;
}

ReportedClose ReportPeerClose(Role role, std::string_view payload, CloseRules rules) {
  const bool netstack = rules == CloseRules::kNetstack;
  payload = payload.substr(0, kMaxControlPayloadBytes);
  PeerClose peer = ParseClosePayload(payload);

  ReportedClose reported;
  if (payload.size() < 2) {
    reported.code = kCloseNormal;
    reported.echo = netstack || peer.valid ? std::string(payload) : CloseBody(peer.failure_code, {});
  } else if (netstack) {
    reported.code = NetstackAccepts(role, peer.code) ? peer.code : kCloseProtocolError;
    reported.echo = CloseBody(reported.code, peer.reason);
    peer.reason = peer.reason.substr(0, peer.reason.find('\0'));
  } else {
    reported.code = peer.valid ? peer.code : peer.failure_code;
    const bool text = peer.failure_code != kCloseInvalidPayload;
    reported.echo = CloseBody(reported.code, text ? std::string_view(peer.reason) : std::string_view());
  }
  reported.reason = peer.reason.empty() ? std::string(kLinkDownReason) : ReplaceInvalidUtf8(peer.reason);
  return reported;
}

}  // namespace ohws
