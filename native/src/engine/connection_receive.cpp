// What a Connection receives: bytes, frames, the messages that they make up, and control frames; at what
// pace. Engine thread.
#include <algorithm>
#include <utility>

#include "engine/connection.h"
#include "engine/core.h"
#include "engine/server_listener.h"

namespace ohws {

void Connection::UseDeflate(std::unique_ptr<DeflateSession> deflate) {
  deflate_ = std::move(deflate);
  reader_.AcceptCompressed(deflate_ != nullptr);
}

void Connection::SetPaused(bool paused) {
  if (paused_ == paused || state_ != State::kOpen) return;
  paused_ = paused;
  // Its event may have come, and been passed over.
  if (paused) return;
  GoOn();
  WantRead();
}

void Connection::OnEarlyBytes(std::span<const uint8_t> bytes) {
  stream_.PutBack(bytes);
  WantRead();
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
  if (rates_ != nullptr) buffer = buffer.first(std::min(buffer.size(), RateGate::kReadBytes));
  // A large frame is received where its message gathers.
  const std::span<uint8_t> in_place =
      state_ == State::kOpen && rates_ == nullptr
          ? rx_.RoomInPlace(reader_.data_remaining(), buffer.size(), kMaxReadInPlaceBytes)
          : std::span<uint8_t>();
  const std::span<uint8_t> room = in_place.empty() ? buffer : in_place;
  bool drained = false;
  const ptrdiff_t got = stream_.Read(room, drained);
  if (got > 0) {
    const std::span<uint8_t> bytes = room.first(static_cast<size_t>(got));
    traffic_.bytes_received += bytes.size();
    // What was received in place is of one frame, which is not compressed, and gone if that was the end of
    // it.
    if (deflate_ == nullptr || !in_place.empty()) {
      OnBytes(bytes);
    } else if (const std::span<uint8_t> rest = OnBytesInSteps(bytes); !rest.empty()) {
      traffic_.bytes_received -= rest.size();
      stream_.PutBack(rest);
      drained = false;
    }
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

std::span<uint8_t> Connection::OnBytesInSteps(std::span<uint8_t> bytes) {
  const DeflateWorkspace& workspace = core_.deflate();
  const uint64_t end = workspace.inflated_bytes() + kInflatedBytesOfRead;
  while (!bytes.empty() && !delayed() && workspace.inflated_bytes() < end) {
    const size_t step = std::min(bytes.size(), kDeflatedStepBytes);
    OnBytes(bytes.first(step));
    bytes = bytes.subspan(step);
  }
  return bytes;
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
  const bool whole = piece.first && piece.last && !piece.compressed;
  if (whole && (DeliverInPlace(piece) || DeliverInOneGo(piece))) return;
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

bool Connection::DeliverInPlace(FramePiece& piece) {
  const bool lendable = piece.binary && limits_->lend_binary && UpWriter::Lends(piece.size);
  if (!lendable || !limits_->message.Allow(piece.size)) return false;
  std::optional<ReceiveMemory::Loan> loan = core_.receive_memory().Lend({piece.data, piece.size});
  if (!loan.has_value()) return false;
  piece.UnmaskInPlace();
  core_.up().PostLentMessage(id_, std::move(*loan), static_cast<uint32_t>(piece.size));
  ++traffic_.messages_received;
  return true;
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

}  // namespace ohws
