// Any name and value: the limit of that name changes, and no other.
#include "protocol/limits.h"

#include <array>

#include "fuzz.h"

namespace ohws::fuzz {
namespace {

std::array<uint64_t, 19> AllOf(const EndpointLimits& limits) {
  return {limits.message.max_message_bytes,
          limits.message.max_fragments,
          limits.pending_control_frames,
          limits.queued_bytes,
          limits.close_timeout_ms,
          limits.handshake_timeout_ms,
          limits.header_bytes,
          limits.header_lines,
          limits.connections,
          limits.handshakes,
          limits.connections_per_minute,
          limits.idle_timeout_ms,
          limits.rate.messages_per_second,
          limits.rate.bytes_per_second,
          limits.address_rate.messages_per_second,
          limits.address_rate.bytes_per_second,
          limits.heartbeat.ping_interval_ms,
          limits.heartbeat.pong_timeout_ms,
          limits.heartbeat.jitter_ms};
}

}  // namespace

void FuzzOne(Input input) {
  constexpr std::string_view kNames[] = {"messageBytes",
                                         "messageFragments",
                                         "pendingControlFrames",
                                         "queuedBytes",
                                         "closeTimeoutMs",
                                         "handshakeTimeoutMs",
                                         "headerBytes",
                                         "headerLines",
                                         "connections",
                                         "handshakes",
                                         "connectionsPerMinute",
                                         "idleTimeoutMs",
                                         "messagesPerSecond",
                                         "bytesPerSecond",
                                         "messagesPerSecondOfAddress",
                                         "bytesPerSecondOfAddress",
                                         "pingIntervalMs",
                                         "pongTimeoutMs",
                                         "pingJitterMs"};
  static_assert(std::size(kNames) == std::tuple_size_v<decltype(AllOf({}))>);
  EndpointLimits limits;
  while (!input.empty()) {
    const size_t row = input.Below(std::size(kNames) + 1);
    const bool known = row < std::size(kNames);
    const std::string name = known ? std::string(kNames[row]) : input.Text(24);
    const bool infinite = input.Flag();
    const uint64_t number = input.Long();
    auto expected = AllOf(limits);
    limits.Set(name, infinite ? "Infinity" : std::to_string(number));
    if (known) expected[row] = infinite ? kNoLimit : number;
    const bool by_chance = !known && std::ranges::find(kNames, name) != std::ranges::end(kNames);
    REQUIRE(by_chance || AllOf(limits) == expected);
    REQUIRE(limits.rated() ==
            (limits.rate.messages_per_second != kNoLimit || limits.rate.bytes_per_second != kNoLimit ||
             limits.address_rate.messages_per_second != kNoLimit ||
             limits.address_rate.bytes_per_second != kNoLimit));
    const uint64_t size = input.Long();
    REQUIRE(limits.message.Allow(size) ==
            (limits.message.max_message_bytes == 0 || size <= limits.message.max_message_bytes));
  }
}

}  // namespace ohws::fuzz
