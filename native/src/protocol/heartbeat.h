// The heartbeat of one connection (ohos-behaviour.md §2.2.5, §3.5): when to ping and when to give up.
// Time is a parameter: milliseconds of any monotonic clock. Engine thread.
#pragma once

#include <cstdint>
#include <optional>

namespace ohws {

// Of an endpoint; already normalised by the caller.
struct HeartbeatConfig {
  uint64_t ping_interval_ms = 0;  // 0: no heartbeat
  uint64_t pong_timeout_ms = 0;   // from the ping; 0: give up instead of pinging (netstack's C21)
  uint64_t jitter_ms = 0;         // a ping comes up to so much earlier; not above the interval
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
  // `config` outlives it.
  explicit Heartbeat(const HeartbeatConfig& config) : config_(config) {}

  bool jitters() const { return config_.jitter_ms != 0; }

  // At open. Without an interval nothing ever happens. `random` chooses this cycle's part of the jitter, any
  // value of its type as likely as another.
  void Start(uint64_t now_ms, uint32_t random);

  void Stop() { state_ = State::kOff; }

  // Any PONG of the peer. Ignored before Start(), and after kGiveUp or Stop().
  void OnPong(uint64_t now_ms, uint32_t random);

  // What is due. Every action is said once, so the caller must carry it out; kGiveUp ends the heartbeat.
  HeartbeatAction Poll(uint64_t now_ms);

  // When Poll() will next have something to say, or nothing if never.
  std::optional<uint64_t> NextDeadlineMs() const;

 private:
  enum class State : uint8_t { kOff, kIdle, kAwaitingPong };

  const HeartbeatConfig& config_;
  uint64_t deadline_ms_ = 0;  // meaningful unless off
  State state_ = State::kOff;
};

}  // namespace ohws
