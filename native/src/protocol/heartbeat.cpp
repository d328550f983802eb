// Idle → ping → waiting for the PONG → idle, or the end. Engine thread.
#include "protocol/heartbeat.h"

namespace ohws {

void Heartbeat::Start(uint64_t now_ms, uint32_t random) {
  if (config_.ping_interval_ms == 0) return;
  state_ = State::kIdle;
  const double part = static_cast<double>(random) / UINT32_MAX;
  const auto earlier_ms = static_cast<uint64_t>(part * static_cast<double>(config_.jitter_ms));
  deadline_ms_ = now_ms + config_.ping_interval_ms - earlier_ms;
}

void Heartbeat::OnPong(uint64_t now_ms, uint32_t random) {
  if (state_ != State::kOff) Start(now_ms, random);
}

HeartbeatAction Heartbeat::Poll(uint64_t now_ms) {
  if (state_ == State::kOff || now_ms < deadline_ms_) return HeartbeatAction::kNone;
  if (state_ == State::kIdle && config_.pong_timeout_ms != 0) {
    state_ = State::kAwaitingPong;
    deadline_ms_ = now_ms + config_.pong_timeout_ms;
    return HeartbeatAction::kSendPing;
  }
  state_ = State::kOff;
  return HeartbeatAction::kGiveUp;
}

std::optional<uint64_t> Heartbeat::NextDeadlineMs() const {
  if (state_ == State::kOff) return std::nullopt;
  return deadline_ms_;
}

}  // namespace ohws
