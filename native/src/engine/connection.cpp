// What a Connection sends and receives, and what it waits for while it is open. How it ends is in
// connection_end.cpp. Engine thread.
#include "engine/connection.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "engine/client_attempt.h"
#include "engine/core.h"
#include "engine/server_listener.h"

namespace ohws {

namespace {

// One write's worth of runs: what goes to the kernel at once.
constexpr size_t kRunsPerWrite = 64;

FrameRules RulesOf(Role role, CloseRules rules) {
  const bool netstack = rules == CloseRules::kNetstack;
  return {
      .peer_masks = role == Role::kServer, .accept_unmasked = netstack, .accept_longer_lengths = netstack};
}

const uint8_t* Bytes(std::string_view text) { return reinterpret_cast<const uint8_t*>(text.data()); }

}  // namespace

Connection::Connection(Core& core, uint32_t id, std::unique_ptr<ClientAttempt> attempt, CloseRules rules)
    : core_(core),
      traffic_(core.client_traffic()),
      id_(id),
      rules_(rules),
      limits_(attempt->config().limits),
      state_(State::kConnecting),
      reader_(RulesOf(Role::kClient, rules)),
      rx_(limits_->message),
      attempt_(std::move(attempt)) {}

Connection::Connection(Core& core, uint32_t id, lws* wsi, ServerListener& listener, std::string ip,
                       CloseRules rules)
    : core_(core),
      traffic_(listener.counters().traffic),
      id_(id),
      rules_(rules),
      limits_(listener.limits()),
      state_(State::kOpen),
      wsi_(wsi),
      listener_(&listener),
      ip_(std::move(ip)),
      reader_(RulesOf(Role::kServer, rules)),
      rx_(limits_->message) {}

Connection::~Connection() { core_.topics().Leave(*this); }

// ---- from JavaScript

void Connection::Send(Opcode opcode, uint8_t* payload, size_t size) {
  if (!sending()) return;
  ++traffic_.messages_sent;
  OnMessageEitherWay();
  if (deflate_ != nullptr && SendCompressed(opcode, {payload, size})) return;
  uint8_t key[kMaskKeyBytes];
  const uint8_t* mask_key = NextMaskKey(key);
  if (stream_.fd() >= 0 && !blocked_) {
    tx_.AppendFrameInRing(core_.tx_pool(), opcode, payload, size, mask_key);
  } else {
    tx_.AppendFrame(core_.tx_pool(), opcode, payload, size, mask_key);
  }
  WantFlush();
}

void Connection::SendLarge(Opcode opcode, Payload payload) {
  if (!sending()) return;
  ++traffic_.messages_sent;
  OnMessageEitherWay();
  if (deflate_ != nullptr && SendCompressed(opcode, {payload.data.get(), payload.size})) return;
  uint8_t key[kMaskKeyBytes];
  tx_.AppendLargeFrame(core_.tx_pool(), opcode, std::move(payload), NextMaskKey(key));
  WantFlush();
}

bool Connection::SendNow(Opcode opcode, std::span<const uint8_t> payload) {
  const bool leaves_as_it_is = !is_client() && deflate_ == nullptr;
  if (!sending() || !leaves_as_it_is || stream_.fd() < 0 || blocked_) return false;
  ++traffic_.messages_sent;
  OnMessageEitherWay();
  tx_.AppendBorrowedFrame(core_.tx_pool(), opcode, payload);
  Flush();
  return true;
}

void Connection::SendShared(SharedMessages& messages) {
  if (sending()) QueueShared(messages, messages.FramesFor(deflate_.get()), 0);
}

void Connection::SendPublished(SharedMessages& messages) {
  if (!sending()) return;
  const SharedFrames frames = messages.FramesFor(deflate_.get());
  const size_t cost = frames.bytes.size() + TxQueue::kSharedRunBytes;
  // Nobody waits for one of many, and none of them shall miss a message without knowing. As long as the
  // socket takes all that comes, any size is right.
  if (blocked_ && tx_.published_bytes() + frames.bytes.size() > limits_->queued_bytes) {
    Abandon(kClosePolicyViolation, "too much waits to be sent");
    return;
  }
  QueueShared(messages, frames, cost);
}

void Connection::QueueShared(const SharedMessages& messages, const SharedFrames& frames,
                             size_t published_bytes) {
  tx_.AppendShared(core_.tx_pool(), frames, !stream_.tls(), published_bytes);
  traffic_.messages_sent += messages.count();
  OnMessageEitherWay();
  traffic_.inflated_sent += frames.inflated;
  traffic_.deflated_sent += frames.deflated;
  WantFlush();
}

bool Connection::SendCompressed(Opcode opcode, std::span<const uint8_t> message) {
  Payload compressed = deflate_->Compress(message);
  if (compressed.data == nullptr) return false;
  traffic_.inflated_sent += message.size();
  traffic_.deflated_sent += compressed.size;
  uint8_t key[kMaskKeyBytes];
  const uint8_t* mask_key = NextMaskKey(key);
  if (compressed.size < UpWriter::kLargeMessageBytes) {
    tx_.AppendFrame(core_.tx_pool(), opcode, compressed.data.get(), compressed.size, mask_key, true);
  } else {
    tx_.AppendLargeFrame(core_.tx_pool(), opcode, std::move(compressed), mask_key, true);
  }
  WantFlush();
  return true;
}

void Connection::SetPaused(bool paused) {
  if (paused_ == paused || state_ != State::kOpen) return;
  paused_ = paused;
  // Its event may have come, and been passed over.
  if (paused) return;
  GoOn();
  WantRead();
}

void Connection::Ping(std::string_view payload) {
  if (state_ == State::kOpen) QueueControlFrame(Opcode::kPing, payload);
}

void Connection::RequestDrained() {
  if (state_ > State::kLocalClosing) return;
  size_t before = 0;
  for (const size_t bytes : drains_) before += bytes;
  drains_.push_back(std::max(tx_.CountBytes(), before) - before);
  AnswerDrained();
}

// ---- from lws and the loop

void Connection::UseDeflate(std::unique_ptr<DeflateSession> deflate) {
  deflate_ = std::move(deflate);
  reader_.AcceptCompressed(deflate_ != nullptr);
}

void Connection::OnEstablished() {
  state_ = State::kOpen;
  attempt_.reset();
  stream_ = Stream(wsi_, core_.tls_batch());
  core_.loop().Adopt(wsi_, *this);
  if (!drains_.empty() && tx_.empty()) OnFlushed();
  active_ms_ = NowMs();
  heartbeat_.Start(active_ms_, RandomForHeartbeat());
  Arm();
}

void Connection::OnEarlyBytes(std::span<uint8_t> bytes) {
  traffic_.bytes_received += bytes.size();
  OnBytes(bytes);
}

void Connection::OnSocketEvent(bool readable, bool ended) {
  peer_ended_ |= ended;
  Unblock();
  if (!tx_.empty()) WantFlush();
  // OpenSSL may have read more than it has given, or have to write before it reads on.
  if (readable || stream_.tls()) WantRead();
}

void Connection::WantRead() {
  if (in_read_list_ || paused_) return;
  in_read_list_ = true;
  core_.ReadSoon(*this);
}

bool Connection::Read(std::span<uint8_t> buffer) {
  in_read_list_ = false;
  if (wsi_ == nullptr || stream_.fd() < 0 || paused_ || delayed()) return false;
  if (rates_ != nullptr) buffer = buffer.first(RateGate::kReadBytes);
  // A large frame is received where its message gathers.
  const std::span<uint8_t> in_place =
      state_ == State::kOpen && rates_ == nullptr
          ? rx_.RoomInPlace(reader_.data_remaining(), buffer.size(), kMaxReadInPlaceBytes)
          : std::span<uint8_t>();
  const std::span<uint8_t> room = in_place.empty() ? buffer : in_place;
  bool drained = false;
  const ptrdiff_t got = stream_.Read(room, drained);
  if (got > 0) {
    traffic_.bytes_received += static_cast<size_t>(got);
    OnBytes(room.first(static_cast<size_t>(got)));
  }
  // What has come may have ended it.
  if (wsi_ == nullptr || stream_.fd() < 0) return false;
  if (got == 0 || got == Stream::kBroken) {
    Cut();
    return false;
  }
  if (delayed()) return false;
  if (drained && !peer_ended_) {
    core_.loop().Rearm(stream_.fd(), true, blocked_);
    return false;
  }
  in_read_list_ = true;
  return true;
}

void Connection::OnBytes(std::span<uint8_t> bytes) {
  FramePiece piece;
  for (;;) {
    // What comes behind the end of the conversation is read and forgotten.
    if (state_ != State::kOpen && state_ != State::kLocalClosing) return;
    switch (reader_.Next(bytes, piece)) {
      case FrameReader::Event::kNone:
        return;
      case FrameReader::Event::kData:
        if (state_ != State::kOpen) break;
        if (rates_ == nullptr) {
          OnData(piece);
        } else if (!OnRatedData(piece, bytes)) {
          return;
        }
        break;
      case FrameReader::Event::kControl:
        OnControl(piece);
        break;
      case FrameReader::Event::kViolation:
        OnViolation(reader_.violation());
        return;
    }
  }
}

void Connection::OnData(FramePiece& piece) {
  OnMessageEitherWay();
  if (piece.first && piece.last && !piece.compressed && DeliverInOneGo(piece)) return;
  Gather(piece);
}

void Connection::Gather(FramePiece& piece) {
  if (piece.compressed) {
    piece.UnmaskInPlace();
    traffic_.deflated_received += piece.size;
  }
  switch (deflate_ == nullptr ? rx_.Feed(piece) : deflate_->Receive(piece, rx_)) {
    case MessageAssembler::Status::kPartial:
      return;
    case MessageAssembler::Status::kComplete:
      if (piece.compressed) traffic_.inflated_received += rx_.view().size();
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

bool Connection::OnRatedData(FramePiece& piece, std::span<uint8_t> rest) {
  ServerCounters& counters = listener_->counters();
  // Only a message that has not begun is refused.
  const bool judged = piece.first || limits_->rate_policy == RatePolicy::kDelay;
  const bool above = judged && !rates_->TryTake(piece, NowMs());
  switch (limits_->rate_policy) {
    case RatePolicy::kDelay:
      if (!above) break;
      ++counters.rate_delays;
      rates_->Hold(piece, rest);
      Arm();
      return false;
    case RatePolicy::kRefuse:
      if (piece.first) rates_->discarding = above;
      break;
    case RatePolicy::kClose:
      if (!above) break;
      ++counters.rate_closed;
      FailProtocol(kClosePolicyViolation, "too much in a short time");
      return false;
  }
  // Who is refused owes nothing for it: he may come again as soon as the others.
  if (!rates_->discarding) {
    if (!judged) rates_->Take(piece);
    OnData(piece);
    return true;
  }
  // It is read like any other, since those behind it may refer to it, and broken ones are to be found.
  const bool last = piece.last;
  Gather(piece);
  if (last) rates_->discarding = false;
  return true;
}

// It is its turn again, or it does not matter any more.
void Connection::GoOn() {
  if (wsi_ == nullptr || rates_ == nullptr || !rates_->holding()) return;
  auto [piece, rest] = rates_->Release();
  if (state_ == State::kOpen && !OnRatedData(piece, rest)) return;
  OnBytes(rest);
  if (rates_->holding()) return;
  rates_->Forget();
  WantRead();
}

// Whoever ends it reads on: what is left to come is the peer's close frame.
void Connection::GoOnSoon() {
  if (rates_ == nullptr || !rates_->holding()) return;
  core_.Defer([&core = core_, id = id_] {
    if (Connection* connection = core.Find(id)) connection->GoOn();
  });
}

bool Connection::DeliverInOneGo(const FramePiece& piece) {
  const MessageLimits& limits = limits_->message;
  if (piece.size >= UpWriter::kLargeMessageBytes || !limits.Allow(piece.size)) return false;
  UpWriter& up = core_.up();
  uint8_t* at = up.Reserve(static_cast<uint32_t>(piece.size));
  if (at == nullptr) return false;
  piece.CopyTo(at);
  if (piece.binary) {
    up.Commit(UpKind::kBinary, 0, id_, static_cast<uint32_t>(piece.size));
    ++traffic_.messages_received;
    return true;
  }
  const Utf8Result result = CheckUtf8({reinterpret_cast<const char*>(at), piece.size});
  const bool valid = result == Utf8Result::kAscii || result == Utf8Result::kValid;
  // Not committed: nobody sees it.
  if (!valid && limits.validate_utf8) {
    FailProtocol(kCloseInvalidPayload, "invalid UTF-8 in a text message");
  } else {
    const uint8_t flags = result == Utf8Result::kAscii ? kAsciiOnly : 0;
    up.Commit(UpKind::kText, flags, id_, static_cast<uint32_t>(piece.size));
    ++traffic_.messages_received;
  }
  return true;
}

void Connection::OnControl(const FramePiece& frame) {
  const std::string_view payload(reinterpret_cast<const char*>(frame.data), frame.size);
  switch (frame.opcode) {
    case Opcode::kPing:
      OnPing(payload);
      return;
    case Opcode::kPong:
      OnPong(payload);
      return;
    case Opcode::kClose:
      OnCloseFrame(payload);
      return;
    case Opcode::kContinuation:
    case Opcode::kText:
    case Opcode::kBinary:
      return;
  }
}

void Connection::OnPing(std::string_view payload) {
  // Behind our close frame a pong is of no use, and would keep the connection from its deadline.
  if (state_ >= State::kLocalClosing) return;
  if (listener_ != nullptr && listener_->watches(kWatchPings)) {
    core_.up().Post(UpKind::kPing, id_, 0, 0, 0, payload);
  }
  // What the peer has not had a chance to read does not count.
  if (tx_.control_frames() >= limits_->pending_control_frames) Flush();
  if (tx_.control_frames() < limits_->pending_control_frames) {
    QueueControlFrame(Opcode::kPong, payload);
  } else if (state_ == State::kOpen && !netstack()) {
    // RFC 6455 §5.5.3 lets us answer the latest ping only, which is netstack's way.
    FailProtocol(kClosePolicyViolation, "too many pings that nobody reads the answers to");
  }
}

void Connection::OnPong(std::string_view payload) {
  if (state_ == State::kOpen && listener_ != nullptr && listener_->watches(kWatchPongs)) {
    core_.up().Post(UpKind::kPong, id_, 0, 0, 0, payload);
  }
  heartbeat_.OnPong(NowMs(), RandomForHeartbeat());
  Arm();
}

void Connection::Flush() {
  in_flush_list_ = false;
  if (wsi_ == nullptr || stream_.fd() < 0) return;
  bool progress = false;
  while (!tx_.empty() && !blocked_) {
    bool full = false;
    const ptrdiff_t taken = WriteSome(full);
    if (taken == Stream::kBroken) {
      Cut();
      return;
    }
    progress |= taken > 0;
    traffic_.bytes_sent += static_cast<size_t>(taken);
    tx_.Pop(core_.tx_pool(), static_cast<size_t>(taken));
    if (!drains_.empty()) CountLeaving(static_cast<size_t>(taken));
    if (full) Block();
  }
  if (progress && state_ > State::kOpen) SetEndDeadline(limits_->close_timeout_ms);
  if (tx_.empty()) OnFlushed();
}

ptrdiff_t Connection::WriteSome(bool& full) {
  if (const TxQueue::Lent lent = tx_.NextLent(); lent.memory != nullptr) {
    const ptrdiff_t taken = stream_.WriteLent(*lent.memory, lent.offset, lent.size);
    full = taken == 0;
    if (taken != Stream::kCannotBorrow) return taken;
    tx_.ForgetLent();
  }
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): filled as far as it is used
  std::array<iovec, kRunsPerWrite> runs;
  const std::span<const iovec> some(runs.data(), tx_.Gather(runs));
  size_t wanted = 0;
  for (const iovec& run : some) wanted += run.iov_len;
  const ptrdiff_t taken = stream_.Write(some);
  full = taken >= 0 && static_cast<size_t>(taken) < wanted;
  return taken;
}

// From here on the kernel says when to go on.
void Connection::Block() {
  if (!blocked_ && listener_ != nullptr) listener_->OnBlocked(*this, true);
  blocked_ = true;
  tx_.MarkBegun(stream_.promised_bytes());
  if (!tx_.Own()) return Cut();
  core_.loop().Rearm(stream_.fd(), !paused_, true);
}

void Connection::Unblock() {
  if (blocked_ && listener_ != nullptr) listener_->OnBlocked(*this, false);
  blocked_ = false;
}

void Connection::OnFlushed() {
  std::ranges::fill(drains_, size_t{0});
  AnswerDrained();
  // A server does not wait for the answer to its close frame before it says that the connection is closed
  // (§3.3).
  // Nor does netstack's client (C25).
  const bool done = state_ == State::kLocalClosing && (!is_client() || netstack()) && !local_close_->abnormal;
  if (done) ReportLocalClose();
  if (done || state_ == State::kFailing || (state_ == State::kFinishing && is_client())) {
    // Whoever is still sending must be able to read our close frame, which a reset would take from him; and
    // after a client's handshake it is for the server to end TCP. Our half ends now, the rest when the peer's
    // does.
    stream_.EndOutput();
    state_ = State::kDraining;
    SetEndDeadline(kTcpEndTimeoutMs);
  } else if (state_ == State::kFinishing) {
    stream_.EndTls();
    Cut();
  }
}

// ---- deadlines

uint32_t Connection::RandomForHeartbeat() {
  uint32_t random = 0;
  if (!heartbeat_.jitters()) return random;
  uint8_t bytes[kMaskKeyBytes];
  core_.mask_keys().Next(bytes);
  std::memcpy(&random, bytes, sizeof(random));
  return random;
}

void Connection::Arm() {
  if (state_ != State::kOpen) return;
  uint64_t at_ms = heartbeat_.NextDeadlineMs().value_or(kNoLimit);
  if (limits_->idle_timeout_ms != kNoLimit) at_ms = std::min(at_ms, active_ms_ + limits_->idle_timeout_ms);
  if (delayed() && !paused_) at_ms = std::min(at_ms, rates_->HeldUntil(NowMs()));
  if (at_ms == kNoLimit) {
    Cancel();
  } else {
    SetDeadline(at_ms);
  }
}

void Connection::OnMessageEitherWay() {
  if (limits_->idle_timeout_ms != kNoLimit) active_ms_ = core_.TurnMs();
}

bool Connection::EndIfIdle(uint64_t now_ms) {
  if (limits_->idle_timeout_ms == kNoLimit || now_ms < active_ms_ + limits_->idle_timeout_ms) return false;
  constexpr std::string_view kWhy = "idle";
  uint8_t body[kMaxControlPayloadBytes];
  const size_t size = WriteClosePayload(body, kCloseGoingAway, kWhy);
  ReportClosed(kCloseGoingAway, kWhy, false, {});
  EndWith({reinterpret_cast<const char*>(body), size}, State::kFailing);
  return true;
}

void Connection::LimitHandshake() { SetDeadline(NowMs() + limits_->handshake_timeout_ms); }

void Connection::OnDue(uint64_t now_ms) {
  switch (state_) {
    case State::kConnecting:
      attempt_->NoteVerdict("the handshake took too long");
      Cut();
      return;
    case State::kGone:
      return;
    case State::kOpen:
      // The peer's pong, or message, may be among what we have not read.
      if (in_read_list_ || paused_ || delayed()) heartbeat_.OnPong(now_ms, RandomForHeartbeat());
      if (in_read_list_ || paused_ || delayed() || !tx_.empty()) active_ms_ = now_ms;
      if (delayed() && !paused_ && rates_->HeldUntil(now_ms) <= now_ms) GoOn();
      if (state_ != State::kOpen) return;
      if (EndIfIdle(now_ms)) return;
      switch (heartbeat_.Poll(now_ms)) {
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
      Arm();
      return;
    case State::kLocalClosing:
      ReportLocalClose();
      state_ = State::kDraining;
      CutInTime();
      return;
    case State::kLastWord:
      // JavaScript is busy: the peer shall not wait for it.
      OnReleased();
      return;
    case State::kFinishing:
    case State::kFailing:
    case State::kDraining:
      CutInTime();
      return;
  }
}

void Connection::SetDeadline(uint64_t at_ms) { core_.deadlines().Set(*this, at_ms); }

// ---- the rest

const uint8_t* Connection::NextMaskKey(uint8_t key[kMaskKeyBytes]) {
  if (!is_client()) return nullptr;
  core_.mask_keys().Next(key);
  return key;
}

void Connection::WantFlush() {
  if (in_flush_list_ || blocked_ || stream_.fd() < 0) return;
  in_flush_list_ = true;
  core_.FlushSoon(*this);
}

void Connection::Deliver() {
  if (rates_ != nullptr && rates_->discarding) {
    ++listener_->counters().rate_refused;
    rx_.Reset();
    return;
  }
  const std::string_view text(reinterpret_cast<const char*>(rx_.view().data()), rx_.view().size());
  const bool binary = rx_.is_binary();
  const bool ascii_only = rx_.ascii_only();
  if (text.size() < UpWriter::kLargeMessageBytes) {
    core_.up().PostMessage(id_, binary, ascii_only, text);
  } else {
    Payload payload = rx_.TakeBuffer();
    if (payload.data == nullptr) {
      FailProtocol(kCloseMessageTooBig, "no memory for the message");
      return;
    }
    core_.up().PostLargeMessage(id_, binary, ascii_only, std::move(payload));
  }
  rx_.Reset();
  ++traffic_.messages_received;
}

void Connection::QueueControlFrame(Opcode opcode, std::string_view payload) {
  uint8_t key[kMaskKeyBytes];
  tx_.InsertControlFrame(core_.tx_pool(), opcode, Bytes(payload), payload.size(), NextMaskKey(key));
  // It leaves before what they wait for.
  if (!drains_.empty()) drains_.front() += FrameHeaderBytes(payload.size(), is_client()) + payload.size();
  WantFlush();
}

void Connection::CountLeaving(size_t bytes) {
  for (size_t& left : drains_) {
    const size_t taken = std::min(left, bytes);
    left -= taken;
    bytes -= taken;
    if (bytes == 0) break;
  }
  AnswerDrained();
}

void Connection::AnswerDrained() {
  const auto first = std::ranges::find_if(drains_, [](size_t left) { return left != 0; });
  if (!outcome_known()) {
    for (auto due = drains_.begin(); due != first; ++due) core_.up().Post(UpKind::kDrained, id_);
  }
  drains_.erase(drains_.begin(), first);
}

}  // namespace ohws
