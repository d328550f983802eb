// Idle → ping → waiting for the PONG → idle, or the end. Engine thread.
#include "protocol/heartbeat.h"

namespace ohws {
namespace {

constexpr uint64_t kMsPerSecond = 1000;

}  // namespace

void Heartbeat::Start(uint64_t now_ms) {
  if (config_.ping_interval_seconds == 0) return;
  state_ = State::kIdle;
  deadline_ms_ = now_ms + config_.ping_interval_seconds * kMsPerSecond;
}

void Heartbeat::OnPong(uint64_t now_ms) {
  if (state_ != State::kOff) Start(now_ms);
}

HeartbeatAction Heartbeat::Poll(uint64_t now_ms) {
  if (state_ == State::kOff || now_ms < deadline_ms_) return HeartbeatAction::kNone;
  if (state_ == State::kIdle && config_.pong_timeout_seconds != 0) {
    state_ = State::kAwaitingPong;
    deadline_ms_ = now_ms + config_.pong_timeout_seconds * kMsPerSecond;
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
