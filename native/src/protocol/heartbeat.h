// The heartbeat of one connection (ohos-behaviour.md §2.2.5, §3.5): when to ping and when to give up.
// Time is a parameter: milliseconds of any monotonic clock. Engine thread.
#pragma once

#include <cstdint>
#include <optional>

namespace ohws {

// Already normalised by the caller.
struct HeartbeatConfig {
  uint32_t ping_interval_seconds = 0;  // 0: no heartbeat
  uint32_t pong_timeout_seconds = 0;   // from the ping; 0: give up instead of pinging (netstack's C21)
};

enum class HeartbeatAction : uint8_t {
  kNone,
  kSendPing,  // one empty PING
  kGiveUp,    // drop the connection without a close frame
};

// The timer starts at open and restarts only on a PONG, asked for or not; data does not count (C22). A cycle
// has one ping. A poll that comes late delays what it would have said, so a machine that slept pings before
// it gives up.
class Heartbeat {
 public:
  explicit Heartbeat(HeartbeatConfig config) : config_(config) {}

  // At open. Without an interval nothing ever happens.
  void Start(uint64_t now_ms);

  void Stop() { state_ = State::kOff; }

  // Any PONG of the peer. Ignored before Start(), and after kGiveUp or Stop().
  void OnPong(uint64_t now_ms);

  // What is due. Every action is said once, so the caller must carry it out; kGiveUp ends the heartbeat.
  HeartbeatAction Poll(uint64_t now_ms);

  // When Poll() will next have something to say, or nothing if never.
  std::optional<uint64_t> NextDeadlineMs() const;

 private:
  enum class State : uint8_t { kOff, kIdle, kAwaitingPong };

  HeartbeatConfig config_;
  uint64_t deadline_ms_ = 0;  // meaningful unless off
  State state_ = State::kOff;
};

}  // namespace ohws
