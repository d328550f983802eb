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
  const HeartbeatConfig config{2'000, 1'000};
  Heartbeat heartbeat(config);
  heartbeat.Start(kStart, 0);
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
  const HeartbeatConfig config{2'000, 1'000};
  Heartbeat heartbeat(config);
  heartbeat.Start(kStart, 0);
  CHECK_EQ(heartbeat.Poll(kStart + 2000), kSendPing);
  heartbeat.OnPong(kStart + 2999, 0);
  CHECK_EQ(heartbeat.NextDeadlineMs().value_or(0), kStart + 4999);
  CHECK_EQ(heartbeat.Poll(kStart + 3000), kNone);
  CHECK_EQ(heartbeat.Poll(kStart + 4999), kSendPing);
}

TEST(an_unasked_pong_restarts_the_cycle_too) {
  const HeartbeatConfig config{2'000, 1'000};
  Heartbeat heartbeat(config);
  heartbeat.Start(kStart, 0);
  heartbeat.OnPong(kStart + 1500, 0);
  CHECK_EQ(heartbeat.Poll(kStart + 2000), kNone);
  CHECK_EQ(heartbeat.Poll(kStart + 3500), kSendPing);
}

TEST(no_interval_means_no_heartbeat) {
  const HeartbeatConfig config{0, 5'000};
  Heartbeat heartbeat(config);
  heartbeat.Start(kStart, 0);
  heartbeat.OnPong(kStart + 1, 0);
  CHECK_EQ(heartbeat.Poll(UINT64_MAX), kNone);
  CHECK(!heartbeat.NextDeadlineMs().has_value());
}

TEST(no_timeout_gives_up_without_a_ping) {  // C21 of netstack
  const HeartbeatConfig config{2'000, 0};
  Heartbeat heartbeat(config);
  heartbeat.Start(kStart, 0);
  CHECK_EQ(heartbeat.Poll(kStart + 1999), kNone);
  CHECK_EQ(heartbeat.Poll(kStart + 2000), kGiveUp);
}

TEST(timeout_longer_than_the_interval) {  // §2.2.5: the value 30 is never clamped
  const HeartbeatConfig config{2'000, 30'000};
  Heartbeat heartbeat(config);
  heartbeat.Start(kStart, 0);
  CHECK_EQ(heartbeat.Poll(kStart + 2000), kSendPing);
  CHECK_EQ(heartbeat.Poll(kStart + 31'999), kNone);
  CHECK_EQ(heartbeat.Poll(kStart + 32'000), kGiveUp);
}

TEST(a_late_poll_pings_first) {
  const HeartbeatConfig config{2'000, 1'000};
  Heartbeat heartbeat(config);
  heartbeat.Start(kStart, 0);
  CHECK_EQ(heartbeat.Poll(kStart + 60'000), kSendPing);
  CHECK_EQ(heartbeat.Poll(kStart + 60'999), kNone);
  CHECK_EQ(heartbeat.Poll(kStart + 61'000), kGiveUp);
}

TEST(nothing_before_start_and_after_the_end) {
  const HeartbeatConfig config{2'000, 1'000};
  Heartbeat heartbeat(config);
  heartbeat.OnPong(kStart, 0);
  CHECK_EQ(heartbeat.Poll(UINT64_MAX), kNone);
  heartbeat.Start(kStart, 0);
  heartbeat.Stop();
  heartbeat.OnPong(kStart, 0);
  CHECK_EQ(heartbeat.Poll(UINT64_MAX), kNone);
  heartbeat.Start(kStart, 0);
  CHECK_EQ(heartbeat.Poll(kStart + 2000), kSendPing);
  CHECK_EQ(heartbeat.Poll(kStart + 3000), kGiveUp);
  heartbeat.OnPong(kStart + 3001, 0);
  CHECK(!heartbeat.NextDeadlineMs().has_value());
}

TEST(jitter_brings_a_ping_forward_by_its_part_and_each_cycle_anew) {
  const HeartbeatConfig config{1000, 500, 200};
  Heartbeat heartbeat(config);
  CHECK(heartbeat.jitters());
  heartbeat.Start(kStart, 0);
  CHECK_EQ(heartbeat.NextDeadlineMs().value_or(0), kStart + 1000);
  heartbeat.OnPong(kStart, UINT32_MAX);
  CHECK_EQ(heartbeat.NextDeadlineMs().value_or(0), kStart + 800);
  heartbeat.OnPong(kStart, UINT32_MAX / 2);
  CHECK_EQ(heartbeat.NextDeadlineMs().value_or(0), kStart + 901);
  // Not how long it waits for the pong.
  CHECK_EQ(heartbeat.Poll(kStart + 901), kSendPing);
  CHECK_EQ(heartbeat.NextDeadlineMs().value_or(0), kStart + 1401);
}

TEST(jitter_of_the_whole_interval) {
  const HeartbeatConfig config{1000, 500, 1000};
  Heartbeat heartbeat(config);
  heartbeat.Start(kStart, UINT32_MAX);
  CHECK_EQ(heartbeat.Poll(kStart), kSendPing);
}

TEST(largest_values_do_not_overflow) {
  const HeartbeatConfig config{uint64_t{UINT32_MAX} * 1000, uint64_t{UINT32_MAX} * 1000};
  Heartbeat heartbeat(config);
  heartbeat.Start(0, 0);
  CHECK_EQ(heartbeat.NextDeadlineMs().value_or(0), uint64_t{UINT32_MAX} * 1000);
}

}  // namespace
}  // namespace ohws
