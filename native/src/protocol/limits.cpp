// The names of the limits. Any thread.
#include "protocol/limits.h"

#include <algorithm>
#include <charconv>

namespace ohws {
namespace {

struct Row {
  std::string_view name;
  uint64_t& (*field)(EndpointLimits& limits);
};

constexpr Row kRows[] = {
    {"messageBytes", [](EndpointLimits& limits) -> uint64_t& { return limits.message.max_message_bytes; }},
    {"messageFragments", [](EndpointLimits& limits) -> uint64_t& { return limits.message.max_fragments; }},
    {"pendingControlFrames",
     [](EndpointLimits& limits) -> uint64_t& { return limits.pending_control_frames; }},
    {"queuedBytes", [](EndpointLimits& limits) -> uint64_t& { return limits.queued_bytes; }},
    {"closeTimeoutMs", [](EndpointLimits& limits) -> uint64_t& { return limits.close_timeout_ms; }},
    {"handshakeTimeoutMs", [](EndpointLimits& limits) -> uint64_t& { return limits.handshake_timeout_ms; }},
    {"headerBytes", [](EndpointLimits& limits) -> uint64_t& { return limits.header_bytes; }},
    {"headerLines", [](EndpointLimits& limits) -> uint64_t& { return limits.header_lines; }},
    {"handshakes", [](EndpointLimits& limits) -> uint64_t& { return limits.handshakes; }},
    {"connections", [](EndpointLimits& limits) -> uint64_t& { return limits.connections; }},
    {"connectionsPerMinute",
     [](EndpointLimits& limits) -> uint64_t& { return limits.connections_per_minute; }},
    {"idleTimeoutMs", [](EndpointLimits& limits) -> uint64_t& { return limits.idle_timeout_ms; }},
    {"messagesPerSecond",
     [](EndpointLimits& limits) -> uint64_t& { return limits.rate.messages_per_second; }},
    {"bytesPerSecond", [](EndpointLimits& limits) -> uint64_t& { return limits.rate.bytes_per_second; }},
    {"messagesPerSecondOfAddress",
     [](EndpointLimits& limits) -> uint64_t& { return limits.address_rate.messages_per_second; }},
    {"bytesPerSecondOfAddress",
     [](EndpointLimits& limits) -> uint64_t& { return limits.address_rate.bytes_per_second; }},
    {"pingIntervalMs", [](EndpointLimits& limits) -> uint64_t& { return limits.heartbeat.ping_interval_ms; }},
    {"pongTimeoutMs", [](EndpointLimits& limits) -> uint64_t& { return limits.heartbeat.pong_timeout_ms; }},
    {"pingJitterMs", [](EndpointLimits& limits) -> uint64_t& { return limits.heartbeat.jitter_ms; }},
};

}  // namespace

void EndpointLimits::Set(std::string_view name, std::string_view value) {
  const auto* row = std::ranges::find(kRows, name, &Row::name);
  if (row == std::ranges::end(kRows)) return;
  uint64_t number = kNoLimit;
  std::from_chars(value.data(), value.data() + value.size(), number);
  row->field(*this) = number;
}

}  // namespace ohws
