// The heartbeat against a clock of plain numbers.
#include "protocol/heartbeat.h"

#include "check.h"

namespace ohws {
namespace {

constexpr HeartbeatAction kNone = HeartbeatAction::kNone;
constexpr HeartbeatAction kSendPing = HeartbeatAction::kSendPing;
constexpr HeartbeatAction kGiveUp = HeartbeatAction::kGiveUp;
constexpr uint64_t kStart = 1'000'000;

TEST(pings_at_the_interval_and_gives_up_after_the_timeout) {
  Heartbeat heartbeat({2, 1});
  heartbeat.Start(kStart);
  CHECK_EQ(heartbeat.NextDeadlineMs().value_or(0), kStart + 2000);
  CHECK_EQ(heartbeat.Poll(kStart), kNone);
  CHECK_EQ(heartbeat.Poll(kStart + 1999), kNone);
  CHECK_EQ(heartbeat.Poll(kStart + 2000), kSendPing);
  CHECK_EQ(heartbeat.NextDeadlineMs().value_or(0), kStart + 3000);
  CHECK_EQ(heartbeat.Poll(kStart + 2000), kNone);  // one ping a cycle
  CHECK_EQ(heartbeat.Poll(kStart + 2999), kNone);
  CHECK_EQ(heartbeat.Poll(kStart + 3000), kGiveUp);
  CHECK_EQ(heartbeat.Poll(kStart + 9000), kNone);
  CHECK(!heartbeat.NextDeadlineMs().has_value());
}

TEST(a_pong_restarts_the_cycle) {
  Heartbeat heartbeat({2, 1});
  heartbeat.Start(kStart);
  CHECK_EQ(heartbeat.Poll(kStart + 2000), kSendPing);
  heartbeat.OnPong(kStart + 2999);
  CHECK_EQ(heartbeat.NextDeadlineMs().value_or(0), kStart + 4999);
  CHECK_EQ(heartbeat.Poll(kStart + 3000), kNone);
  CHECK_EQ(heartbeat.Poll(kStart + 4999), kSendPing);
}

TEST(an_unasked_pong_restarts_the_cycle_too) {
  Heartbeat heartbeat({2, 1});
  heartbeat.Start(kStart);
  heartbeat.OnPong(kStart + 1500);
  CHECK_EQ(heartbeat.Poll(kStart + 2000), kNone);
  CHECK_EQ(heartbeat.Poll(kStart + 3500), kSendPing);
}

TEST(no_interval_means_no_heartbeat) {
  Heartbeat heartbeat({0, 5});
  heartbeat.Start(kStart);
  heartbeat.OnPong(kStart + 1);
  CHECK_EQ(heartbeat.Poll(UINT64_MAX), kNone);
  CHECK(!heartbeat.NextDeadlineMs().has_value());
}

TEST(no_timeout_gives_up_without_a_ping) {  // C21 of netstack
  Heartbeat heartbeat({2, 0});
  heartbeat.Start(kStart);
  CHECK_EQ(heartbeat.Poll(kStart + 1999), kNone);
  CHECK_EQ(heartbeat.Poll(kStart + 2000), kGiveUp);
}

TEST(timeout_longer_than_the_interval) {  // §2.2.5: the value 30 is never clamped
  Heartbeat heartbeat({2, 30});
  heartbeat.Start(kStart);
  CHECK_EQ(heartbeat.Poll(kStart + 2000), kSendPing);
  CHECK_EQ(heartbeat.Poll(kStart + 31'999), kNone);
  CHECK_EQ(heartbeat.Poll(kStart + 32'000), kGiveUp);
}

TEST(a_late_poll_pings_first) {
  Heartbeat heartbeat({2, 1});
  heartbeat.Start(kStart);
  CHECK_EQ(heartbeat.Poll(kStart + 60'000), kSendPing);
  CHECK_EQ(heartbeat.Poll(kStart + 60'999), kNone);
  CHECK_EQ(heartbeat.Poll(kStart + 61'000), kGiveUp);
}

TEST(nothing_before_start_and_after_the_end) {
  Heartbeat heartbeat({2, 1});
  heartbeat.OnPong(kStart);
  CHECK_EQ(heartbeat.Poll(UINT64_MAX), kNone);
  heartbeat.Start(kStart);
  heartbeat.Stop();
  heartbeat.OnPong(kStart);
  CHECK_EQ(heartbeat.Poll(UINT64_MAX), kNone);
  heartbeat.Start(kStart);
  CHECK_EQ(heartbeat.Poll(kStart + 2000), kSendPing);
  CHECK_EQ(heartbeat.Poll(kStart + 3000), kGiveUp);
  heartbeat.OnPong(kStart + 3001);
  CHECK(!heartbeat.NextDeadlineMs().has_value());
}

TEST(largest_values_do_not_overflow) {
  Heartbeat heartbeat({UINT32_MAX, UINT32_MAX});
  heartbeat.Start(0);
  CHECK_EQ(heartbeat.NextDeadlineMs().value_or(0), uint64_t{UINT32_MAX} * 1000);
}

}  // namespace
}  // namespace ohws
