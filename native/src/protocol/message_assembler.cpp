// Growth and hand-over of the message buffer. Engine thread.
#include "protocol/message_assembler.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <limits>
#include <utility>

namespace ohws {
namespace {

uint64_t SaturatingAdd(uint64_t a, uint64_t b) {
  return b > std::numeric_limits<uint64_t>::max() - a ? std::numeric_limits<uint64_t>::max() : a + b;
}

// The capacity to grow to. `needed` bytes are there now, `announced` in all are known to come (at least
// `needed`). Rules: an announced length is reserved exactly, but for no more than `reserve_ahead` bytes that
// are not there yet or as many as have come, so that a promise costs a peer what it costs us; and every
// growth of a buffer is by half at least, so that many small pieces are not copied over and over.
uint64_t GrowTo(uint64_t capacity, uint64_t needed, uint64_t announced, uint64_t reserve_ahead) {
  const uint64_t ahead = std::max(reserve_ahead, needed);
  const uint64_t wanted = needed + std::min(announced - needed, ahead);
  return std::max(wanted, capacity + capacity / 2);
}

}  // namespace

MessageAssembler::Status MessageAssembler::Fail(State failure) {
  Reset();
  state_ = failure;
  if (failure == State::kInvalidUtf8) return Status::kInvalidUtf8;
  return failure == State::kTooLarge ? Status::kTooLarge : Status::kTooManyFragments;
}

MessageAssembler::Status MessageAssembler::Feed(const FramePiece& piece) {
  if (state_ >= State::kInvalidUtf8) return Fail(state_);
  if (state_ != State::kOpen || piece.first) {
    assert(piece.first);
    Reset();
    state_ = State::kOpen;
    binary_ = piece.binary;
  }

  const uint64_t announced = SaturatingAdd(SaturatingAdd(size_, piece.size), piece.remaining);
  if (!limits_->Allow(announced)) return Fail(State::kTooLarge);
  if (limits_->max_fragments != 0 && whole_frames_ == limits_->max_fragments)
    return Fail(State::kTooManyFragments);
  if (piece.remaining == 0 && !piece.open_ended) ++whole_frames_;

  const uint8_t* bytes = piece.data;
  if (piece.last && size_ == 0 && !piece.masked) {
    view_ = piece.data;
    size_ = piece.size;
  } else {
    const size_t before = size_;
    if (!Append(piece)) return Fail(State::kTooLarge);
    bytes = buffer_.data.get() + before;
  }

  if (!binary_) {
    // Without validation too, for ascii_only().
    const bool well_formed = utf8_.Feed(bytes, piece.size) && (!piece.last || utf8_.Complete());
    if (!well_formed && limits_->validate_utf8) return Fail(State::kInvalidUtf8);
  }
  if (!piece.last) return Status::kPartial;
  state_ = State::kComplete;
  return Status::kComplete;
}

bool MessageAssembler::Append(const FramePiece& piece) {
  if (piece.size == 0) return true;
  const size_t needed = size_ + piece.size;
  if (needed < size_) return false;
  if (needed > buffer_.size && !Grow(needed, SaturatingAdd(needed, piece.remaining))) return false;
  piece.CopyTo(buffer_.data.get() + size_);
  size_ = needed;
  view_ = buffer_.data.get();
  return true;
}

bool MessageAssembler::Grow(size_t needed, uint64_t announced) {
  uint64_t capacity = GrowTo(buffer_.size, needed, announced, limits_->reserve_ahead_bytes);
  if (limits_->max_message_bytes != 0) capacity = std::min(capacity, limits_->max_message_bytes);
  if (capacity > std::numeric_limits<size_t>::max()) return false;
  return buffer_.Resize(static_cast<size_t>(capacity));
}

std::span<uint8_t> MessageAssembler::RoomInPlace(uint64_t remaining, size_t least, size_t most) {
  if (state_ != State::kOpen || buffer_.data == nullptr || remaining < least) return {};
  // A frame of which only the header has come is not judged yet.
  if (!limits_->Allow(SaturatingAdd(size_, remaining))) return {};
  const size_t wanted = static_cast<size_t>(std::min<uint64_t>(remaining, most));
  if (buffer_.size - size_ < wanted && !Grow(size_ + wanted, SaturatingAdd(size_, remaining))) return {};
  return {buffer_.data.get() + size_, wanted};
}

Payload MessageAssembler::TakeBuffer() {
  assert(state_ == State::kComplete);
  Payload taken;
  if (buffer_.data != nullptr) {
    taken = std::exchange(buffer_, {});
    // What growth reserved too much goes back, as the message may live long.
    if (size_ < taken.size) taken.Resize(size_);
  } else if (size_ != 0 && taken.Resize(size_)) {
    std::memcpy(taken.data.get(), view_, size_);
  }
  taken.size = size_;
  Reset();
  return taken;
}

void MessageAssembler::Reset() {
  buffer_ = {};
  view_ = nullptr;
  size_ = 0;
  whole_frames_ = 0;
  utf8_.Reset();
  state_ = State::kIdle;
  binary_ = false;
}

}  // namespace ohws
