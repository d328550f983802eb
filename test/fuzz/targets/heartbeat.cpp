// Any sequence of pongs, polls and time: a ping once in a cycle, an end only when no pong came for that long,
// and a deadline that is right.
#include "protocol/heartbeat.h"

#include "fuzz.h"

namespace ohws::fuzz {

void FuzzOne(Input input) {
  HeartbeatConfig config;
  config.ping_interval_ms = 1000 * (input.Byte() % 4U);
  config.pong_timeout_ms = 1000 * (input.Byte() % 4U);
  config.jitter_ms = config.ping_interval_ms / 4 * (input.Byte() % 5U);
  Heartbeat heartbeat(config);
  REQUIRE(heartbeat.jitters() == (config.jitter_ms != 0));
  uint64_t now_ms = 0;
  bool running = false;
  bool pinged = false;
  uint64_t due_ms = 0;
  const auto cycle = [&](uint32_t random) {
    const double part = static_cast<double>(random) / UINT32_MAX;
    const auto earlier = static_cast<uint64_t>(part * static_cast<double>(config.jitter_ms));
    pinged = false;
    due_ms = now_ms + config.ping_interval_ms - earlier;
  };
  while (!input.empty()) {
    switch (input.Byte() % 8) {
      case 0: {
        const uint32_t random = input.Byte() * 0x01010101U;
        heartbeat.Start(now_ms, random);
        if (config.ping_interval_ms == 0) break;
        running = true;
        cycle(random);
        break;
      }
      case 1:
        heartbeat.Stop();
        running = false;
        break;
      case 2:
      case 3: {
        const uint32_t random = input.Byte() * 0x01010101U;
        heartbeat.OnPong(now_ms, random);
        if (running) cycle(random);
        break;
      }
      case 4:
        now_ms += input.Byte() * uint64_t{32};
        break;
      case 5:  // to the moment itself
        if (running) now_ms = std::max(now_ms, due_ms);
        break;
      default: {
        HeartbeatAction expected = HeartbeatAction::kNone;
        if (running && now_ms >= due_ms) {
          const bool ping = !pinged && config.pong_timeout_ms != 0;
          expected = ping ? HeartbeatAction::kSendPing : HeartbeatAction::kGiveUp;
          pinged = ping;
          running = ping;
          due_ms = now_ms + config.pong_timeout_ms;
        }
        REQUIRE(heartbeat.Poll(now_ms) == expected);
        break;
      }
    }
    REQUIRE(heartbeat.NextDeadlineMs() == (running ? std::optional(due_ms) : std::nullopt));
  }
}

}  // namespace ohws::fuzz
