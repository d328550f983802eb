// What a Connection sends: messages, control frames, what has left of them, and what the socket does not
// take. Engine thread.
#include <algorithm>
#include <array>
#include <utility>

#include "engine/connection.h"
#include "engine/core.h"
#include "engine/server_listener.h"

namespace ohws {

namespace {

// One write's worth of runs: what goes to the kernel at once.
constexpr size_t kRunsPerWrite = 64;

const uint8_t* Bytes(std::string_view text) { return reinterpret_cast<const uint8_t*>(text.data()); }

}  // namespace

// ---- frames

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

const uint8_t* Connection::NextMaskKey(uint8_t key[kMaskKeyBytes]) {
  if (!is_client()) return nullptr;
  core_.mask_keys().Next(key);
  return key;
}

void Connection::Ping(std::string_view payload) {
  if (state_ == State::kOpen) QueueControlFrame(Opcode::kPing, payload);
}

void Connection::QueueControlFrame(Opcode opcode, std::string_view payload) {
  uint8_t key[kMaskKeyBytes];
  tx_.InsertControlFrame(core_.tx_pool(), opcode, Bytes(payload), payload.size(), NextMaskKey(key));
  // It leaves before what they wait for.
  if (!drains_.empty()) drains_.front() += FrameHeaderBytes(payload.size(), is_client()) + payload.size();
  WantFlush();
}

// ---- to the socket

void Connection::WantFlush() {
  if (in_flush_list_ || blocked_ || stream_.fd() < 0) return;
  in_flush_list_ = true;
  core_.FlushSoon(*this);
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
  const ptrdiff_t taken = stream_.Write(some, SaysLast() ? Follows::kEnd : Follows::kUnknown);
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

bool Connection::SaysLast() const {
  // A server does not wait for the answer to its close frame before it says that the connection is closed
  // (§3.3). Nor does netstack's client (C25).
  if (state_ == State::kLocalClosing) return (!is_client() || netstack()) && !local_close_->abnormal;
  return state_ == State::kFinishing || state_ == State::kFailing;
}

void Connection::OnFlushed() {
  std::ranges::fill(drains_, size_t{0});
  AnswerDrained();
  if (!SaysLast()) return;
  if (state_ == State::kLocalClosing) ReportLocalClose();
  stream_.EndOutput();
  if (state_ == State::kFinishing && !is_client()) {
    Cut();
    return;
  }
  // Whoever is still sending must be able to read our close frame, which a reset would take from him; and
  // after a client's handshake it is for the server to end TCP. The rest ends when the peer's half does.
  state_ = State::kDraining;
  SetEndDeadline(kTcpEndTimeoutMs);
}

// ---- what has left

void Connection::RequestDrained() {
  if (state_ > State::kLocalClosing) return;
  size_t before = 0;
  for (const size_t bytes : drains_) before += bytes;
  drains_.push_back(std::max(tx_.CountBytes(), before) - before);
  AnswerDrained();
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
