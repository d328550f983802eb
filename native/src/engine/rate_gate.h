// What stands between the frames of one rated connection and JavaScript: its own rate and that of its
// address, and what it has read and may not look at yet. Connections without a rate have none. Engine thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "protocol/frame_reader.h"
#include "protocol/limits.h"
#include "protocol/rates.h"

namespace ohws {

class RateGate {
 public:
  // So much is read at once, and so, of a connection that is delayed, held.
  static constexpr size_t kReadBytes = 16 * 1024;

  // `address` may be null.
  RateGate(const EndpointLimits& limits, std::shared_ptr<AddressMeter> address, uint64_t now_ms)
      : own_(limits.rate, now_ms), address_(std::move(address)) {}

  // Takes this piece if it may be taken now.
  bool TryTake(const FramePiece& piece, uint64_t now_ms) {
    if (!own_.Allows(piece.first, now_ms)) return false;
    if (address_ != nullptr && !address_->TryTake(piece.first, piece.size, now_ms)) return false;
    own_.Take(piece.first, piece.size);
    return true;
  }
  // Whether it may or not.
  void Take(const FramePiece& piece) {
    own_.Take(piece.first, piece.size);
    if (address_ != nullptr) address_->Take(piece.first, piece.size);
  }

  // Holds a piece, and what was read behind it.
  void Hold(const FramePiece& piece, std::span<const uint8_t> rest) {
    const uint8_t* begin = piece.data;
    const uint8_t* end = rest.data() + rest.size();
    // It may be a part of what was held before.
    std::vector<uint8_t> bytes(begin, end);
    held_ = std::move(bytes);
    piece_ = piece;
    piece_.data = held_.data();
    holding_ = true;
  }
  // Gives it back; it is valid until the next Hold().
  std::pair<FramePiece, std::span<uint8_t>> Release() {
    holding_ = false;
    return {piece_, std::span<uint8_t>(held_).subspan(piece_.size)};
  }
  void Forget() { held_ = {}; }
  bool holding() const { return holding_; }
  // When what is held may be looked at.
  uint64_t HeldUntil(uint64_t now_ms) {
    const uint64_t own_at = own_.ReadyAt(piece_.first, now_ms);
    return address_ == nullptr ? own_at : std::max(own_at, address_->ReadyAt(piece_.first, now_ms));
  }

  // The message that is coming is thrown away when it is complete.
  bool discarding = false;

 private:
  RateMeter own_;
  const std::shared_ptr<AddressMeter> address_;
  bool holding_ = false;
  std::vector<uint8_t> held_;
  FramePiece piece_;  // in `held_`
};

}  // namespace ohws
