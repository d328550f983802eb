// How a Connection ends: by either side's close frame, by what the peer has done wrong, by a limit, or with
// its TCP connection; what of it is reported, and until when it may last. Engine thread.
#include <algorithm>
#include <utility>

#include "engine/client_attempt.h"
#include "engine/connection.h"
#include "engine/core.h"
#include "engine/server_listener.h"

namespace ohws {

namespace {

// How a violation is called: by us, and by lws's server in its close frame (netstack). Where lws has no words
// it just drops TCP.
struct ViolationRow {
  Violation violation;
  std::string_view words;
  std::string_view of_lws;
};

constexpr ViolationRow kViolations[] = {
    {Violation::kFragmentedControl, "fragmented control frame", "frag ctl"},
    {Violation::kReservedOpcode, "reserved opcode", "bad opc"},
    {Violation::kBadContinuation, "unexpected continuation or new message", "bad cont"},
    {Violation::kReservedBits, "reserved bits", "rsv bits"},
    {Violation::kMasking, "wrong masking", ""},
    {Violation::kControlTooLong, "control frame too long", ""},
    {Violation::kLengthTooLong, "malformed length", ""},
    {Violation::kLengthNotMinimal, "malformed length", ""},
    {Violation::kNone, "protocol violation", ""},
};

const ViolationRow& RowOf(Violation violation) {
  return *std::ranges::find(kViolations, violation, &ViolationRow::violation);
}

std::string_view WordsOfLws(Violation violation, bool is_client) {
  if (is_client) return violation == Violation::kMasking ? "srv mask" : "";
  return RowOf(violation).of_lws;
}

}  // namespace

void Connection::Close(uint16_t code, uint16_t wire_code, std::string_view reason) {
  if (state_ > State::kOpen) return;
  SetPaused(false);
  local_close_ = std::make_unique<LocalClose>(LocalClose{code, std::string(reason)});
  if (state_ == State::kConnecting) {
    ReportLocalClose();
    if (wsi_ == nullptr) {
      End();
      return;
    }
    state_ = State::kDraining;
    Cut();
    return;
  }
  if (netstack()) {
    // C27: the reason is cut at a byte.
    std::string body = {static_cast<char>(wire_code >> 8), static_cast<char>(wire_code)};
    QueueCloseFrame(body.append(reason.substr(0, kMaxCloseReasonBytes)));
  } else if (wire_code == 0) {
    QueueCloseFrame({});
  } else {
    uint8_t body[kMaxControlPayloadBytes];
    const size_t size = WriteClosePayload(body, wire_code, reason);
    QueueCloseFrame({reinterpret_cast<const char*>(body), size});
  }
  state_ = State::kLocalClosing;
}

void Connection::Abandon(uint16_t wire_code, std::string_view reason) {
  if (state_ == State::kConnecting) {
    Close(wire_code, wire_code, reason);
  } else if (state_ == State::kOpen) {
    SetPaused(false);
    tx_.DropUnsentFrames(core_.tx_pool());
    FailProtocol(wire_code, reason);
    // Nothing may follow what is missing.
    OnReleased();
  }
}

void Connection::Terminate(uint16_t code, std::string_view reason) {
  if (!outcome_known()) {
    ReportClosed(code, reason, false, {});
    state_ = State::kDraining;
  }
  Cut();
}

// The peer's last messages and the end that it made may have come in one read: an answer to those messages
// goes before ours to that end.
void Connection::EndWith(std::string_view close_body, State next) {
  if (netstack()) {
    QueueCloseFrame(close_body);
    state_ = next;
    return;
  }
  heartbeat_.Stop();
  GoOnSoon();
  last_word_ = std::make_unique<LastWord>(LastWord{std::string(close_body), next});
  state_ = State::kLastWord;
  SetEndDeadline(limits_->close_timeout_ms);
}

void Connection::OnReleased() {
  if (state_ != State::kLastWord) return;
  QueueCloseFrame(last_word_->close_body);
  state_ = last_word_->next;
  last_word_.reset();
}

void Connection::OnDrain() {
  if (state_ > State::kOpen && state_ < State::kGone) SetEndDeadline(0);
}

void Connection::OnCloseFrame(std::string_view payload) {
  const PeerClose peer = ParseClosePayload(payload);
  if (state_ == State::kOpen) {
    const ReportedClose close = ReportPeerClose(is_client() ? Role::kClient : Role::kServer, payload, rules_);
    ReportClosed(close.code, close.reason, false, {}, 0, &peer);
    EndWith(close.echo, State::kFinishing);
  } else if (state_ == State::kLocalClosing) {
    // Both frames have crossed, or ours is still queued: what is queued leaves first.
    ReportLocalClose(&peer);
    state_ = State::kFinishing;
    WantFlush();
  }
}

void Connection::OnViolation(Violation violation) {
  if (state_ == State::kOpen && netstack()) {
    FailAsNetstack(WordsOfLws(violation, is_client()));
  } else if (state_ == State::kOpen) {
    FailProtocol(kCloseProtocolError, RowOf(violation).words);
  } else if (state_ == State::kLocalClosing) {
    // What the peer answers can no longer be read.
    ReportLocalClose();
    state_ = State::kFailing;
    WantFlush();
  }
}

// A client drops TCP, but for what lws has words for; a server says so and waits for the answer (§2.7, §3.4).
void Connection::FailAsNetstack(std::string_view words) {
  if (words.empty()) {
    ReportClosed(0, kLinkDownReason, true, {"network", "established", 0, "protocol violation"});
    state_ = State::kDraining;
    Cut();
    return;
  }
  local_close_ = std::make_unique<LocalClose>(LocalClose{0, std::string(kLinkDownReason), true});
  uint8_t body[kMaxControlPayloadBytes];
  const size_t size = WriteClosePayload(body, kCloseProtocolError, words);
  QueueCloseFrame({reinterpret_cast<const char*>(body), size});
  state_ = State::kLocalClosing;
}

void Connection::FailProtocol(uint16_t wire_code, std::string_view reason) {
  rx_.Reset();
  uint8_t body[kMaxControlPayloadBytes];
  const size_t size = WriteClosePayload(body, wire_code, reason);
  ReportClosed(0, kLinkDownReason, true, {"network", "established", 0, std::string(reason)});
  EndWith({reinterpret_cast<const char*>(body), size}, State::kFailing);
}

void Connection::QueueCloseFrame(std::string_view body) {
  heartbeat_.Stop();
  GoOnSoon();
  uint8_t key[kMaskKeyBytes];
  tx_.AppendFrame(core_.tx_pool(), Opcode::kClose, reinterpret_cast<const uint8_t*>(body.data()), body.size(),
                  NextMaskKey(key));
  SetEndDeadline(limits_->close_timeout_ms);
  WantFlush();
}

void Connection::ReportClosed(uint16_t code, std::string_view reason, bool abnormal, const Failure& failure,
                              uint8_t flags, const PeerClose* peer) {
  const bool answered = peer != nullptr && peer->valid;
  StringListWriter strings;
  strings.Add(reason).Add(answered ? std::string_view(peer->reason) : std::string_view());
  if (abnormal) failure.AppendTo(strings);
  if (abnormal) flags |= kAbnormal;
  core_.up().Post(UpKind::kClosed, id_, answered ? peer->code : 0, code, flags, strings.bytes());
  heartbeat_.Stop();
  if (listener_ != nullptr) listener_->OnOutcome(*this);
}

void Connection::ReportLocalClose(const PeerClose* peer) {
  const LocalClose& close = *local_close_;
  Failure failure;
  if (close.abnormal) failure = {"network", "established", 0, "protocol violation"};
  ReportClosed(close.code, close.reason, close.abnormal, failure, close.abnormal ? uint8_t{0} : kLocalClose,
               peer);
}

void Connection::SetEndDeadline(uint64_t timeout_ms) {
  const uint64_t drained_ms = listener_ == nullptr ? 0 : listener_->drained_at_ms();
  SetDeadline(drained_ms == 0 ? NowMs() + timeout_ms : drained_ms);
}

void Connection::CutInTime() {
  if (listener_ != nullptr) listener_->OnCut();
  Cut();
}

void Connection::Cut() {
  if (wsi_ == nullptr) return;
  stream_ = {};
  lws_set_timeout(wsi_, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_ASYNC);
}

void Connection::OnTcpClosed() {
  if (state_ == State::kGone) return;
  if (state_ == State::kOpen) {
    ReportClosed(0, kLinkDownReason, true, {"network", "established", 0, "the TCP connection ended"});
  } else if (state_ == State::kLocalClosing) {
    ReportLocalClose();
  }
  lws_set_opaque_user_data(wsi_, nullptr);
  wsi_ = nullptr;
  End();
}

void Connection::OnConnectFailed(uint16_t http_status, const Failure& failure) {
  if (wsi_ != nullptr) lws_set_opaque_user_data(wsi_, nullptr);
  wsi_ = nullptr;
  if (state_ == State::kConnecting) {
    StringListWriter strings;
    failure.AppendTo(strings);
    core_.up().Post(UpKind::kConnectFailed, id_, 0, http_status, 0, strings.bytes());
  }
  if (state_ != State::kGone) End();
}

void Connection::End() {
  state_ = State::kGone;
  Cancel();
  Unblock();
  if (listener_ != nullptr) {
    listener_->OnGone(*this);
  } else {
    core_.up().Post(UpKind::kGone, id_);
  }
  core_.Bury(*this);
}

}  // namespace ohws
