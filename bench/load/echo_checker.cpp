#include "echo_checker.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "failure.h"

namespace ohws::bench {
namespace {

constexpr uint8_t kContinuation = 0;
constexpr uint8_t kClose = 8;
constexpr uint8_t kPing = 9;
constexpr uint8_t kPong = 10;

}  // namespace

void EchoChecker::Take(std::string_view bytes) {
  const char* at = bytes.data();
  const char* const end = at + bytes.size();
  while (at < end) {
    if (!in_frame_) {
      if (header_have_ == 0 && !in_message_ && !closed_) at = TakeWholeFrames(at, end);
      if (at < end) at = TakeHeaderByte(at);
      continue;
    }
    const size_t piece = std::min(frame_left_, static_cast<uint64_t>(end - at));
    if (opcode_ >= kClose) {
      control_.append(at, piece);
    } else {
      CheckPiece({at, piece});
    }
    at += piece;
    frame_left_ -= piece;
    if (frame_left_ == 0) OnFrameEnd();
  }
}

// The common case: echoes in one frame that is here from end to end.
const char* EchoChecker::TakeWholeFrames(const char* at, const char* end) {
  const std::string_view header = payload_->echo_header();
  const size_t frame_bytes = header.size() + payload_->size();
  while (static_cast<size_t>(end - at) >= frame_bytes) {
    const uint32_t sequence = static_cast<uint32_t>(messages_);
    const auto mark = Payload::Mark(sender_, sequence);
    const char* const content = at + header.size();
    if (std::memcmp(at, header.data(), header.size()) != 0) return at;
    if (std::memcmp(content, mark.data(), kMarkBytes) != 0 ||
        std::memcmp(content + kMarkBytes, payload_->Body(sender_, sequence), payload_->body_bytes()) != 0) {
      CheckPiece({content, payload_->size()});  // says where
    }
    ++messages_;
    at += frame_bytes;
  }
  return at;
}

const char* EchoChecker::TakeHeaderByte(const char* at) {
  header_[header_have_++] = static_cast<uint8_t>(*at);
  if (header_have_ >= 2) {
    const uint8_t length = header_[1] & 0x7f;
    const size_t needed = length == 127 ? 10 : length == 126 ? 4 : 2;
    if (header_have_ == needed) OnHeader();
  }
  return at + 1;
}

void EchoChecker::OnHeader() {
  fin_ = (header_[0] & 0x80) != 0;
  opcode_ = header_[0] & 0x0f;
  frame_left_ = header_[1] & 0x7f;
  if (frame_left_ >= 126) {
    const uint64_t smallest = frame_left_ == 126 ? 126 : 65536;
    frame_left_ = 0;
    for (size_t i = 2; i < header_have_; ++i) frame_left_ = (frame_left_ << 8) | header_[i];
    if (frame_left_ < smallest) Fail("a length that is not in its shortest form");
  }
  header_have_ = 0;
  in_frame_ = true;

  if ((header_[0] & 0x70) != 0) Fail("reserved bits are set");
  if ((header_[1] & 0x80) != 0) Fail("a frame from the server is masked");
  if (closed_) Fail("a frame follows the close frame");
  if (opcode_ >= kClose) {
    if (opcode_ > kPong) Fail("unknown opcode " + std::to_string(opcode_));
    if (!fin_ || frame_left_ > 125) Fail("a control frame is fragmented or too long");
    control_.clear();
  } else {
    const uint8_t expected = in_message_ ? kContinuation : payload_->opcode();
    if (opcode_ != expected) {
      Fail("opcode " + std::to_string(opcode_) + " instead of " + std::to_string(expected));
    }
    const uint64_t length = message_position_ + frame_left_;
    if (fin_ ? length != payload_->size() : length > payload_->size()) {
      Fail("length " + std::to_string(length) + " instead of " + std::to_string(payload_->size()));
    }
    in_message_ = true;
  }
  if (frame_left_ == 0) OnFrameEnd();
}

void EchoChecker::OnFrameEnd() {
  in_frame_ = false;
  if (opcode_ == kPing) {
    pings_.push_back(static_cast<char>(control_.size()));
    pings_.append(control_);
  } else if (opcode_ == kClose) {
    closed_ = true;
  } else if (opcode_ < kClose && fin_) {
    in_message_ = false;
    message_position_ = 0;
    ++messages_;
  }
}

// Compares a piece of the current message, at message_position_, with what was sent.
void EchoChecker::CheckPiece(std::string_view piece) {
  const uint32_t sequence = static_cast<uint32_t>(messages_);
  const auto mark = Payload::Mark(sender_, sequence);
  const std::string_view mark_part(mark.data(), mark.size());
  const std::string_view body_part(payload_->Body(sender_, sequence), payload_->body_bytes());

  while (!piece.empty()) {
    const bool in_mark = message_position_ < kMarkBytes;
    const std::string_view expected = in_mark
                                          ? mark_part.substr(message_position_, piece.size())
                                          : body_part.substr(message_position_ - kMarkBytes, piece.size());
    if (std::memcmp(piece.data(), expected.data(), expected.size()) != 0) {
      const auto [wrong, unused] = std::ranges::mismatch(expected, piece);
      message_position_ += static_cast<uint64_t>(wrong - expected.begin());
      Fail("wrong content at byte " + std::to_string(message_position_));
    }
    message_position_ += expected.size();
    piece.remove_prefix(expected.size());
  }
}

std::string EchoChecker::TakePings() { return std::exchange(pings_, {}); }

void EchoChecker::Fail(const std::string& what) const {
  throw Failure("connection " + std::to_string(index_) + ", message " + std::to_string(messages_) + ": " +
                what);
}

}  // namespace ohws::bench
