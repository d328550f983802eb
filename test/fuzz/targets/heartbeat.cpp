// Any sequence of pongs, polls and time: a ping once in a cycle, an end only when no pong came for that long,
// and a deadline that is right.
#include "protocol/heartbeat.h"

#include "fuzz.h"

namespace ohws::fuzz {

void FuzzOne(Input input) {
  const HeartbeatConfig config{input.Byte() % 4U, input.Byte() % 4U};
  Heartbeat heartbeat(config);
  uint64_t now_ms = 0;
  bool running = false;
  bool pinged = false;
  uint64_t due_ms = 0;
  while (!input.empty()) {
    switch (input.Byte() % 8) {
      case 0:
        heartbeat.Start(now_ms);
        if (config.ping_interval_seconds == 0) break;
        running = true;
        pinged = false;
        due_ms = now_ms + uint64_t{1000} * config.ping_interval_seconds;
        break;
      case 1:
        heartbeat.Stop();
        running = false;
        break;
      case 2:
      case 3:
        heartbeat.OnPong(now_ms);
        if (!running) break;
        pinged = false;
        due_ms = now_ms + uint64_t{1000} * config.ping_interval_seconds;
        break;
      case 4:
        now_ms += input.Byte() * uint64_t{32};
        break;
      case 5:  // to the moment itself
        if (running) now_ms = std::max(now_ms, due_ms);
        break;
      default: {
        HeartbeatAction expected = HeartbeatAction::kNone;
        if (running && now_ms >= due_ms) {
          const bool ping = !pinged && config.pong_timeout_seconds != 0;
          expected = ping ? HeartbeatAction::kSendPing : HeartbeatAction::kGiveUp;
          pinged = ping;
          running = ping;
          due_ms = now_ms + uint64_t{1000} * config.pong_timeout_seconds;
        }
        REQUIRE(heartbeat.Poll(now_ms) == expected);
        break;
      }
    }
    REQUIRE(heartbeat.NextDeadlineMs() == (running ? std::optional(due_ms) : std::nullopt));
  }
}

}  // namespace ohws::fuzz
