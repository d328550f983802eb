#include "engine/connection.h"

#include <sys/socket.h>

#include <algorithm>
#include <utility>

#include "engine/client_attempt.h"
#include "engine/core.h"
#include "engine/server_listener.h"
#include "ohws_lws_patches.h"

namespace ohws {

namespace {

// How much of a large payload goes to lws at once: what the kernel does not take, lws copies. A frame may be
// cut like this only if lws puts no frame of its own between the pieces.
constexpr size_t kWriteSliceBytes = OHWS_LWS_PATCH_CONTROL_FRAMES ? size_t{256} * 1024 : SIZE_MAX;

const uint8_t* Bytes(std::string_view text) { return reinterpret_cast<const uint8_t*>(text.data()); }

}  // namespace

Connection::Connection(Core& core, uint32_t id, std::unique_ptr<ClientAttempt> attempt, CloseRules rules)
    : core_(core),
      id_(id),
      rules_(rules),
      limits_(attempt->config().limits),
      state_(State::kConnecting),
      rx_(limits_->message),
      attempt_(std::move(attempt)) {}

Connection::Connection(Core& core, uint32_t id, lws* wsi, ServerListener& listener, std::string ip,
                       CloseRules rules)
    : core_(core),
      id_(id),
      rules_(rules),
      limits_(listener.limits()),
      state_(State::kOpen),
      wsi_(wsi),
      listener_(&listener),
      ip_(std::move(ip)),
      rx_(limits_->message) {}

Connection::~Connection() { SetDeadline(0); }

// ---------------------------------------------------------------------------------------------- from
// JavaScript

void Connection::SendSmall(Opcode opcode, const uint8_t* payload, size_t size) {
  if (!sending()) return;
  if (deflate_ != nullptr && SendCompressed(opcode, {payload, size})) return;
  uint8_t key[kMaskKeyBytes];
  tx_.AppendFrame(core_.blocks(), opcode, payload, size, NextMaskKey(key));
  WantWrite();
}

void Connection::SendLarge(Opcode opcode, Payload payload) {
  if (!sending()) return;
  if (deflate_ != nullptr && SendCompressed(opcode, {payload.data.get(), payload.size})) return;
  uint8_t key[kMaskKeyBytes];
  tx_.AppendLargeFrame(core_.blocks(), opcode, std::move(payload), NextMaskKey(key));
  WantWrite();
}

bool Connection::SendCompressed(Opcode opcode, std::span<const uint8_t> message) {
  Payload compressed = deflate_->Compress(message);
  if (compressed.data == nullptr) return false;
  uint8_t key[kMaskKeyBytes];
  const uint8_t* mask_key = NextMaskKey(key);
  if (compressed.size < UpWriter::kLargeMessageBytes) {
    tx_.AppendFrame(core_.blocks(), opcode, compressed.data.get(), compressed.size, mask_key, true);
  } else {
    tx_.AppendLargeFrame(core_.blocks(), opcode, std::move(compressed), mask_key, true);
  }
  WantWrite();
  return true;
}

void Connection::Close(uint16_t code, uint16_t wire_code, std::string_view reason) {
  if (state_ > State::kOpen) return;
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
    tx_.DropUnsentFrames(core_.blocks());
    FailProtocol(wire_code, reason);
  }
}

void Connection::RequestDrained() {
  if (state_ > State::kLocalClosing) return;
  if (tx_.empty() && (wsi_ == nullptr || !lws_partial_buffered(wsi_))) {
    core_.up().Post(UpKind::kDrained, id_);
  } else {
    drain_after_ = tx_.CountBytes();
  }
}

void Connection::ReadAgain() {
  if (reading_ || wsi_ == nullptr) return;
  reading_ = true;
  lws_rx_flow_control(wsi_, 1);
}

// The peer's last messages and the end that it made may have come in one read: an answer to those messages
// goes before ours to that end.
void Connection::EndWith(std::string_view close_body, State next) {
  if (netstack()) {
    QueueCloseFrame(close_body);
    state_ = next;
    return;
  }
  heartbeat_.reset();
  last_word_ = std::make_unique<LastWord>(LastWord{std::string(close_body), next});
  state_ = State::kLastWord;
  SetDeadline(NowMs() + limits_->close_timeout_ms);
}

void Connection::OnReleased() {
  if (state_ != State::kLastWord) return;
  QueueCloseFrame(last_word_->close_body);
  state_ = last_word_->next;
  last_word_.reset();
}

// ----------------------------------------------------------------------------------------------------- from
// lws

void Connection::OnEstablished() {
  state_ = State::kOpen;
  SetDeadline(0);
  attempt_.reset();
  core_.loop().WriteOptimistically(wsi_);
  if (!tx_.empty()) WantWrite();
  if (drain_after_.has_value() && tx_.empty()) OnFlushed();
}

void Connection::OnReceive(uint8_t* data, size_t size) {
  if (state_ != State::kOpen) return;
  Chunk chunk;
  chunk.data = data;
  chunk.size = size;
  chunk.remaining_in_frame = lws_remaining_packet_payload(wsi_);
  chunk.first = !rx_.in_message();
  chunk.last = lws_is_final_fragment(wsi_) != 0;
  chunk.binary = lws_frame_is_binary(wsi_) != 0;
  switch (deflate_ == nullptr ? rx_.Feed(chunk) : deflate_->Receive(chunk, rx_)) {
    case MessageAssembler::Status::kPartial:
      return;
    case MessageAssembler::Status::kComplete:
      Deliver();
      return;
    case MessageAssembler::Status::kInvalidUtf8:
      FailProtocol(kCloseInvalidPayload, "invalid UTF-8 in a text message");
      return;
    case MessageAssembler::Status::kTooLarge:
      FailProtocol(kCloseMessageTooBig, "message too large");
      return;
    case MessageAssembler::Status::kTooManyFragments:
      FailProtocol(kClosePolicyViolation, "message of too many fragments");
      return;
    case MessageAssembler::Status::kCorrupt:
      FailProtocol(kCloseInvalidPayload, "a compressed message cannot be inflated");
      return;
  }
}

bool Connection::OnReservedBits(uint8_t first_byte) {
  return deflate_ != nullptr && deflate_->AcceptReservedBits(first_byte);
}

bool Connection::OnPing(std::string_view payload) {
  // Behind our close frame a pong is of no use, and would keep the connection from its deadline.
  if (state_ >= State::kLocalClosing) return true;
  if (tx_.control_frames() < limits_->pending_control_frames) {
    QueueControlFrame(Opcode::kPong, payload);
  } else if (state_ == State::kOpen && !netstack()) {
    // RFC 6455 §5.5.3 lets us answer the latest ping only, which is netstack's way.
    FailProtocol(kClosePolicyViolation, "too many pings that nobody reads the answers to");
  }
  return true;
}

bool Connection::OnCloseFrame(std::string_view payload) {
  const PeerClose peer = ParseClosePayload(payload);
  switch (state_) {
    case State::kOpen: {
      const ReportedClose close =
          ReportPeerClose(is_client() ? Role::kClient : Role::kServer, payload, rules_);
      ReportClosed(close.code, close.reason, false, {}, 0, &peer);
      EndWith(close.echo, State::kFinishing);
      break;
    }
    case State::kLocalClosing:
      // Both frames have crossed, or ours is still queued: what is queued leaves first.
      ReportLocalClose(&peer);
      state_ = State::kFinishing;
      WantWrite();
      break;
    case State::kConnecting:
    case State::kLastWord:
    case State::kFinishing:
    case State::kFailing:
    case State::kDraining:
    case State::kGone:
      break;
  }
  return true;
}

void Connection::OnCloseTakenByLws(std::string_view payload) {
  const PeerClose peer = ParseClosePayload(payload);
  if (state_ == State::kOpen) {
    const ReportedClose close = ReportPeerClose(is_client() ? Role::kClient : Role::kServer, payload);
    ReportClosed(close.code, close.reason, false, {}, 0, &peer);
  } else if (state_ == State::kLocalClosing) {
    ReportLocalClose(&peer);
  }
  state_ = State::kDraining;
  SetDeadline(NowMs() + limits_->close_timeout_ms);
}

void Connection::OnPong() {
  if (!heartbeat_.has_value()) return;
  heartbeat_->OnPong(NowMs());
  ArmHeartbeat();
}

void Connection::OnViolation(std::string_view close_payload) {
  if (state_ == State::kOpen && netstack()) {
    FailAsNetstack(close_payload);
  } else if (state_ == State::kOpen) {
    const PeerClose prepared = ParseClosePayload(close_payload);
    const bool named = prepared.valid && prepared.kind == ClosePayload::kValid;
    FailProtocol(named ? prepared.code : kCloseProtocolError, named ? prepared.reason : "protocol violation");
  } else if (state_ == State::kLocalClosing) {
    // What the peer answers can no longer be read.
    ReportLocalClose();
    state_ = State::kFailing;
    WantWrite();
  }
}

// A client drops TCP, but for what lws has words for; a server says so and waits for the answer (§2.7, §3.4).
void Connection::FailAsNetstack(std::string_view close_payload) {
  if (close_payload.empty()) {
    ReportClosed(0, kLinkDownReason, true, {"network", "established", 0, "protocol violation"});
    state_ = State::kDraining;
    Cut();
    return;
  }
  local_close_ = std::make_unique<LocalClose>(LocalClose{0, std::string(kLinkDownReason), true});
  QueueCloseFrame(close_payload);
  state_ = State::kLocalClosing;
}

int Connection::OnWritable() {
  bool progress = false;
  while (!tx_.empty()) {
    if (lws_partial_buffered(wsi_)) break;
    if (drain_after_ == 0) AnswerDrained();
    const TxQueue::Bytes bytes = tx_.Front(kWriteSliceBytes);
    // Frames are ours, so lws is told that these bytes are none of its business: it sends them as they are
    // and keeps what the kernel does not take.
    if (lws_write(wsi_, bytes.data, bytes.size, LWS_WRITE_HTTP) < 0) return -1;
    tx_.Pop(core_.blocks(), bytes.size);
    if (drain_after_.has_value()) *drain_after_ -= std::min(*drain_after_, bytes.size);
    progress = true;
  }
  if (progress && state_ > State::kOpen) SetDeadline(NowMs() + limits_->close_timeout_ms);
  if (lws_partial_buffered(wsi_)) {
    lws_callback_on_writable(wsi_);
    return 0;
  }
  return OnFlushed();
}

int Connection::OnFlushed() {
  if (drain_after_.has_value()) AnswerDrained();
  // A server does not wait for the answer to its close frame before it says that the connection is closed
  // (§3.3).
  // Nor does netstack's client (C25).
  const bool done = state_ == State::kLocalClosing && (!is_client() || netstack()) && !local_close_->abnormal;
  if (done) ReportLocalClose();
  if (done || state_ == State::kFailing || (state_ == State::kFinishing && is_client())) {
    // Whoever is still sending must be able to read our close frame, which a reset would take from him; and
    // after a client's handshake it is for the server to end TCP. Our half ends now, the rest when the peer's
    // does.
    shutdown(lws_get_socket_fd(wsi_), SHUT_WR);
    state_ = State::kDraining;
    SetDeadline(NowMs() + kTcpEndTimeoutMs);
    return 0;
  }
  return state_ == State::kFinishing ? -1 : 0;
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
  tx_.DropUnsentFrames(core_.blocks());
  End();
}

void Connection::End() {
  state_ = State::kGone;
  SetDeadline(0);
  if (listener_ != nullptr) {
    listener_->OnGone();
  } else {
    core_.up().Post(UpKind::kGone, id_);
  }
  core_.Bury(*this);
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

// ----------------------------------------------------------------------------------------------------
// deadlines

void Connection::StartHeartbeat(HeartbeatConfig config) {
  if (config.ping_interval_seconds == 0) return;
  heartbeat_.emplace(config);
  heartbeat_->Start(NowMs());
  ArmHeartbeat();
}

void Connection::ArmHeartbeat() {
  if (state_ == State::kOpen) SetDeadline(heartbeat_->NextDeadlineMs().value_or(0));
}

void Connection::LimitHandshake() { SetDeadline(NowMs() + limits_->handshake_timeout_ms); }

void Connection::OnDeadline(uint64_t now_ms) {
  deadline_ms_ = 0;
  switch (state_) {
    case State::kConnecting:
      attempt_->NoteVerdict("the handshake took too long");
      Cut();
      return;
    case State::kGone:
      return;
    case State::kOpen:
      // While we do not read, the peer's pong may be among what we have not read.
      if (!reading_) heartbeat_->OnPong(now_ms);
      switch (heartbeat_->Poll(now_ms)) {
        case HeartbeatAction::kNone:
          break;
        case HeartbeatAction::kSendPing:
          QueueControlFrame(Opcode::kPing, {});
          break;
        case HeartbeatAction::kGiveUp:
          ReportClosed(0, kLinkDownReason, true, {"network", "established", 0, "no pong in time"});
          state_ = State::kDraining;
          Cut();
          return;
      }
      ArmHeartbeat();
      return;
    case State::kLocalClosing:
      ReportLocalClose();
      state_ = State::kDraining;
      Cut();
      return;
    case State::kLastWord:
      // JavaScript is busy: the peer shall not wait for it.
      OnReleased();
      return;
    case State::kFinishing:
    case State::kFailing:
    case State::kDraining:
      Cut();
      return;
  }
}

void Connection::SetDeadline(uint64_t at_ms) {
  if (deadline_ms_ == at_ms) return;
  if (deadline_ms_ != 0) core_.deadlines().Remove(deadline_ms_, this);
  deadline_ms_ = at_ms;
  if (at_ms != 0) core_.deadlines().Add(at_ms, this);
}

// ------------------------------------------------------------------------------------------------------ the
// rest

const uint8_t* Connection::NextMaskKey(uint8_t key[kMaskKeyBytes]) {
  if (!is_client()) return nullptr;
  core_.mask_keys().Next(key);
  return key;
}

void Connection::WantWrite() {
  if (wsi_ != nullptr && state_ != State::kConnecting) lws_callback_on_writable(wsi_);
}

void Connection::Deliver() {
  const std::string_view text(reinterpret_cast<const char*>(rx_.view().data()), rx_.view().size());
  const bool binary = rx_.is_binary();
  const bool ascii_only = rx_.ascii_only();
  bool room = true;
  if (text.size() < UpWriter::kLargeMessageBytes) {
    room = core_.up().PostMessage(id_, binary, ascii_only, text);
  } else {
    Payload payload = rx_.TakeBuffer();
    if (payload.data == nullptr) {
      FailProtocol(kCloseMessageTooBig, "no memory for the message");
      return;
    }
    room = core_.up().PostLargeMessage(id_, binary, ascii_only, std::move(payload));
  }
  rx_.Reset();
  if (room || !reading_) return;
  reading_ = false;
  lws_rx_flow_control(wsi_, 0);
  core_.ReadAgainLater(*this);
}

void Connection::FailProtocol(uint16_t wire_code, std::string_view reason) {
  rx_.Reset();
  uint8_t body[kMaxControlPayloadBytes];
  const size_t size = WriteClosePayload(body, wire_code, reason);
  ReportClosed(0, kLinkDownReason, true, {"network", "established", 0, std::string(reason)});
  EndWith({reinterpret_cast<const char*>(body), size}, State::kFailing);
}

void Connection::QueueControlFrame(Opcode opcode, std::string_view payload) {
  uint8_t key[kMaskKeyBytes];
  tx_.InsertControlFrame(core_.blocks(), opcode, Bytes(payload), payload.size(), NextMaskKey(key));
  // It leaves before what a drain waits for.
  if (drain_after_.has_value())
    *drain_after_ += FrameHeaderBytes(payload.size(), is_client()) + payload.size();
  WantWrite();
}

void Connection::AnswerDrained() {
  drain_after_.reset();
  if (!outcome_known()) core_.up().Post(UpKind::kDrained, id_);
}

void Connection::QueueCloseFrame(std::string_view body) {
  heartbeat_.reset();
  uint8_t key[kMaskKeyBytes];
  tx_.AppendFrame(core_.blocks(), Opcode::kClose, Bytes(body), body.size(), NextMaskKey(key));
  SetDeadline(NowMs() + limits_->close_timeout_ms);
  WantWrite();
}

void Connection::ReportClosed(uint16_t code, std::string_view reason, bool abnormal, const Failure& failure,
                              uint8_t flags, const PeerClose* peer) {
  const bool answered = peer != nullptr && peer->valid;
  StringListWriter strings;
  strings.Add(reason).Add(answered ? std::string_view(peer->reason) : std::string_view());
  if (abnormal) failure.AppendTo(strings);
  if (abnormal) flags |= kAbnormal;
  core_.up().Post(UpKind::kClosed, id_, answered ? peer->code : 0, code, flags, strings.bytes());
  heartbeat_.reset();
  if (listener_ != nullptr) listener_->OnOutcome(*this);
}

void Connection::ReportLocalClose(const PeerClose* peer) {
  const LocalClose& close = *local_close_;
  Failure failure;
  if (close.abnormal) failure = {"network", "established", 0, "protocol violation"};
  ReportClosed(close.code, close.reason, close.abnormal, failure, close.abnormal ? uint8_t{0} : kLocalClose,
               peer);
}

void Connection::Cut() {
  if (wsi_ != nullptr) lws_set_timeout(wsi_, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_ASYNC);
}

}  // namespace ohws
