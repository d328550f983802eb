// What a peer may make one endpoint hold, do and wait for. JavaScript gives every value (lib/limits.ts has
// the table with meanings, ranges and defaults); here are no defaults. Pure values; any thread.
#pragma once

#include <cstdint>
#include <string_view>

#include "protocol/heartbeat.h"
#include "protocol/message_assembler.h"
#include "protocol/rates.h"

namespace ohws {

inline constexpr uint64_t kNoLimit = UINT64_MAX;

// Shared by an endpoint and its connections.
struct EndpointLimits {
  MessageLimits message;
  uint64_t pending_control_frames = 0;
  uint64_t queued_bytes = 0;  // of what was published; JavaScript counts what was sent
  uint64_t close_timeout_ms = 0;
  uint64_t handshake_timeout_ms = 0;
  uint64_t header_bytes = 0;
  uint64_t header_lines = 0;
  uint64_t connections = 0;
  uint64_t handshakes = 0;
  uint64_t connections_per_minute = 0;
  uint64_t idle_timeout_ms = kNoLimit;
  HeartbeatConfig heartbeat;
  RateLimit rate;          // of one connection
  RateLimit address_rate;  // of all connections of one address
  RatePolicy rate_policy = RatePolicy::kDelay;
  // Not a limit: JavaScript gets the data of binary messages as views, which may be lent.
  bool lend_binary = false;

  bool rated() const { return rate.any() || address_rate.any(); }

  // Sets the limit of this name; "Infinity" is none. A name that is not the engine's is ignored. The parts of
  // the heartbeat are set in the same way.
  void Set(std::string_view name, std::string_view value);
};

}  // namespace ohws
