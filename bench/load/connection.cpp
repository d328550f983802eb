#include "connection.h"

#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "failure.h"
#include "handshake.h"

namespace ohws::bench {
namespace {

// Frames up to here are copied together; of longer ones the bodies are sent from where they lie.
constexpr size_t kMaxCopiedFrameBytes = 4096;
constexpr size_t kSendBytes = 64 * 1024;
constexpr size_t kGatheredFrames = 32;

constexpr uint8_t kClose = 8;
constexpr uint8_t kPong = 10;

}  // namespace

Connection::Connection(const Payload& payload, const TlsSettings* tls, uint32_t index, uint32_t sender)
    : payload_(&payload), index_(index), transport_(tls), checker_(payload, sender, index) {}

void Connection::ContinueOpening(uint16_t port, std::string_view path) {
  if (!transport_.ContinueOpening()) return;
  key_ = MakeKey();
  const std::string request = UpgradeRequest(port, path, key_);
  if (transport_.Write(request.data(), request.size()) != static_cast<long>(request.size())) {
    Fail("the upgrade request could not be sent");
  }
  state_ = State::kUpgrading;
}

void Connection::Take(std::string_view bytes) {
  if (state_ == State::kUpgrading) {
    upgrade_response_.append(bytes);
    const size_t head = CheckUpgradeResponse(upgrade_response_, key_);
    if (head == 0) return;
    state_ = State::kOpen;
    const std::string frames = std::exchange(upgrade_response_, {}).substr(head);
    checker_.Take(frames);
  } else {
    checker_.Take(bytes);
  }

  const std::string pings = checker_.TakePings();
  for (size_t at = 0; at < pings.size();) {
    const size_t size = static_cast<uint8_t>(pings[at]);
    QueueControl(kPong, std::string_view(pings).substr(at + 1, size));
    at += 1 + size;
  }
  if (checker_.closed()) {
    if (state_ != State::kClosing) Fail("the server closed the connection");
    state_ = State::kDone;
  }
}

bool Connection::Flush() { return FlushControl() && FlushMessages() && FlushControl(); }

bool Connection::FlushMessages() {
  const uint64_t target = sent_ * payload_->client_frame_bytes();
  const bool copied = payload_->client_frame_bytes() <= kMaxCopiedFrameBytes || transport_.is_sealed();
  while (written_bytes_ < target) {
    const long taken = copied ? SendCopied(target) : SendGathered(target);
    messages_wait_ = taken < 0;
    if (messages_wait_) return false;
    written_bytes_ += static_cast<uint64_t>(taken);
  }
  return true;
}

long Connection::SendCopied(uint64_t target) {
  static std::array<char, kSendBytes> buffer;
  return transport_.Write(buffer.data(), CopyStream(target, buffer.data(), buffer.size()));
}

// Writes the stream of frames from written_bytes_ up to `target`, or as much as fits.
size_t Connection::CopyStream(uint64_t target, char* out, size_t size) const {
  const size_t frame_bytes = payload_->client_frame_bytes();
  const size_t head_bytes = payload_->head_bytes();
  uint32_t sequence = static_cast<uint32_t>(written_bytes_ / frame_bytes);
  size_t skip = written_bytes_ % frame_bytes;  // what of the first frame has left already
  size_t left = std::min<uint64_t>(target - written_bytes_, size);
  const size_t copied = left;
  for (; left > 0; ++sequence, skip = 0) {
    std::array<char, kMaxHeadBytes> head;
    const size_t head_part = std::min(head_bytes - std::min(skip, head_bytes), left);
    if (head_part > 0) {
      payload_->WriteHead(index_, sequence, head.data());
      std::memcpy(out, head.data() + skip, head_part);
    }
    const size_t skip_body = skip + head_part - head_bytes;  // only used behind a whole head
    const size_t body_part =
        left == head_part ? 0 : std::min(frame_bytes - skip - head_part, left - head_part);
    if (body_part > 0) {
      std::memcpy(out + head_part, payload_->MaskedBody(index_, sequence) + skip_body, body_part);
    }
    out += head_part + body_part;
    left -= head_part + body_part;
  }
  return copied;
}

long Connection::SendGathered(uint64_t target) {
  const size_t frame_bytes = payload_->client_frame_bytes();
  const size_t skip = written_bytes_ % frame_bytes;
  const size_t count = std::min((target - written_bytes_ + skip) / frame_bytes, kGatheredFrames);
  uint32_t sequence = static_cast<uint32_t>(written_bytes_ / frame_bytes);
  std::array<std::array<char, kMaxHeadBytes>, kGatheredFrames> heads;
  std::array<iovec, 2 * kGatheredFrames> parts;
  for (size_t i = 0; i < count; ++i, ++sequence) {
    payload_->WriteHead(index_, sequence, heads[i].data());
    parts[2 * i] = {heads[i].data(), payload_->head_bytes()};
    parts[2 * i + 1] = {const_cast<char*>(payload_->MaskedBody(index_, sequence)), payload_->body_bytes()};
  }

  // What of the first frame has left already.
  const size_t skip_head = std::min(skip, payload_->head_bytes());
  parts[0] = {heads[0].data() + skip_head, parts[0].iov_len - skip_head};
  const size_t skip_body = skip - skip_head;
  parts[1] = {static_cast<char*>(parts[1].iov_base) + skip_body, parts[1].iov_len - skip_body};

  return transport_.WriteParts(parts.data(), 2 * count);
}

bool Connection::FlushControl() {
  if (control_.empty()) return true;
  if (messages_wait_ || written_bytes_ % payload_->client_frame_bytes() != 0) return true;  // inside one
  const long taken = transport_.Write(control_.data(), control_.size());
  if (taken > 0) control_.erase(0, static_cast<size_t>(taken));
  return control_.empty();
}

void Connection::QueueClose() {
  QueueControl(kClose, "\x03\xe8");  // 1000
  state_ = State::kClosing;
}

void Connection::QueueControl(uint8_t opcode, std::string_view payload) {
  constexpr std::string_view kKey = "ohws";
  control_.push_back(static_cast<char>(0x80 | opcode));
  control_.push_back(static_cast<char>(0x80 | payload.size()));
  control_.append(kKey);
  for (size_t i = 0; i < payload.size(); ++i) {
    control_.push_back(static_cast<char>(payload[i] ^ kKey[i % 4]));
  }
}

void Connection::OnEnd() {
  if (state_ == State::kClosing) Fail("TCP end instead of a close frame");
  if (state_ != State::kDone) {
    Fail("TCP end with " + std::to_string(sent_ - received()) + " messages under way");
  }
}

void Connection::Fail(const std::string& what) const {
  throw Failure("connection " + std::to_string(index_) + ": " + what);
}

}  // namespace ohws::bench
