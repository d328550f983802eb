// The timing wheel against a clock of plain numbers, and against a sorted set.
#include "protocol/timing_wheel.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "check.h"

namespace ohws {
namespace {

constexpr uint64_t kStart = 1'234'567'890;

class Recorder final : public Timer {
 public:
  std::vector<uint64_t> served;
  std::function<void()> then;
  void OnDue(uint64_t now_ms) override {
    served.push_back(now_ms);
    if (then) then();
  }
};

uint64_t Next(const TimingWheel& wheel) { return wheel.Next().value_or(0); }

TEST(an_empty_wheel_has_nothing) {
  TimingWheel wheel(kStart);
  CHECK(!wheel.Next().has_value());
  wheel.Serve(kStart + 1'000'000);
  CHECK(!wheel.Next().has_value());
}

TEST(a_timer_is_served_at_its_moment_and_once) {
  for (const uint64_t wait : {1, 63, 64, 65, 4095, 4096, 40'000, 262'144, 600'000, 2'000'000'000}) {
    TimingWheel wheel(kStart);
    Recorder timer;
    wheel.Set(timer, kStart + wait);
    CHECK(timer.set());
    CHECK_EQ(Next(wheel), kStart + wait);
    wheel.Serve(kStart + wait - 1);
    CHECK_EQ(timer.served.size(), size_t{0});
    // No look in between moves what is to be waited for.
    CHECK_EQ(Next(wheel), kStart + wait);
    wheel.Serve(kStart + wait);
    CHECK_EQ(timer.served.size(), size_t{1});
    CHECK(!timer.set());
    CHECK(!wheel.Next().has_value());
    wheel.Serve(kStart + 2 * wait);
    CHECK_EQ(timer.served.size(), size_t{1});
  }
}

TEST(a_moment_that_has_passed_is_due_at_once) {
  TimingWheel wheel(kStart);
  Recorder timer;
  wheel.Set(timer, 5);
  CHECK_EQ(Next(wheel), kStart);
  wheel.Serve(kStart);
  CHECK_EQ(timer.served.size(), size_t{1});
}

TEST(the_last_moment_there_is) {
  TimingWheel wheel(0);
  Recorder timer;
  wheel.Set(timer, UINT64_MAX);
  CHECK_EQ(Next(wheel), UINT64_MAX - 1);
  wheel.Serve(UINT64_MAX - 2);
  CHECK_EQ(timer.served.size(), size_t{0});
  wheel.Serve(UINT64_MAX);
  CHECK_EQ(timer.served.size(), size_t{1});
}

TEST(cancelled_moved_and_destroyed_timers) {
  TimingWheel wheel(kStart);
  Recorder cancelled;
  Recorder moved;
  auto destroyed = std::make_unique<Recorder>();
  for (Recorder* timer : {&cancelled, &moved, destroyed.get()}) wheel.Set(*timer, kStart + 100);
  cancelled.Cancel();
  cancelled.Cancel();
  wheel.Set(moved, kStart + 5000);
  destroyed.reset();
  wheel.Serve(kStart + 4999);
  CHECK(cancelled.served.empty());
  CHECK(moved.served.empty());
  CHECK_EQ(Next(wheel), kStart + 5000);
  wheel.Set(moved, kStart + 5000);
  wheel.Serve(kStart + 5000);
  CHECK_EQ(moved.served.size(), size_t{1});
}

TEST(a_timer_may_set_itself_and_cancel_and_destroy_others) {
  TimingWheel wheel(kStart);
  Recorder first;
  auto second = std::make_unique<Recorder>();
  Recorder third;
  int rounds = 0;
  first.then = [&] {
    if (++rounds < 3) wheel.Set(first, kStart);  // now
    second.reset();
    third.Cancel();
  };
  wheel.Set(third, kStart + 2);
  wheel.Set(*second, kStart + 2);
  wheel.Set(first, kStart + 1);
  wheel.Serve(kStart + 2);
  CHECK_EQ(first.served.size(), size_t{3});
  CHECK(third.served.empty());
  CHECK(!wheel.Next().has_value());
}

TEST(one_that_is_late_serves_all_in_order) {
  TimingWheel wheel(kStart);
  std::vector<Recorder> timers(1000);
  std::vector<uint64_t> order;
  for (size_t n = 0; n < timers.size(); ++n) {
    const uint64_t at = kStart + n * n;
    timers[n].then = [&order, at] { order.push_back(at); };
    wheel.Set(timers[n], at);
  }
  wheel.Serve(kStart + 2'000'000);
  CHECK_EQ(order.size(), timers.size());
  CHECK(std::is_sorted(order.begin(), order.end()));
}

TEST(one_that_has_enough_goes_on_where_it_was) {
  TimingWheel wheel(kStart);
  std::vector<Recorder> timers(100);
  size_t served = 0;
  for (size_t n = 0; n < timers.size(); ++n) {
    timers[n].then = [&served] { ++served; };
    wheel.Set(timers[n], kStart + 1 + n / 10);  // ten a moment
  }
  const uint64_t now = kStart + 1000;
  Recorder early;
  early.then = [&] { CHECK_EQ(served, size_t{10}); };
  for (size_t n = 1; n <= 5; ++n) {
    wheel.Serve(now, [&] { return served == n; });
    CHECK_EQ(served, n);
    CHECK_EQ(Next(wheel), kStart + 1);
  }
  // One that is cancelled is not called, one that is set has the moment that has been come to.
  for (Recorder& timer : timers) {
    if (!timer.set()) continue;
    timer.Cancel();
    wheel.Set(timer, 5);
    break;
  }
  wheel.Serve(now, [&] { return served == 10; });
  CHECK_EQ(Next(wheel), kStart + 2);
  wheel.Set(early, kStart);
  CHECK_EQ(Next(wheel), kStart + 1);
  wheel.Serve(now);
  CHECK_EQ(served, timers.size());
  CHECK_EQ(early.served.size(), size_t{1});
  CHECK(!wheel.Next().has_value());
}

// Whoever sleeps until Next() is woken once a moment, and never for nothing.
TEST(no_look_is_in_vain) {
  TimingWheel wheel(kStart);
  std::vector<Recorder> timers(500);
  check::Random random(1);
  std::set<uint64_t> moments;
  for (Recorder& timer : timers) {
    const uint64_t at = kStart + 1 + random.Below(100'000);
    moments.insert(at);
    wheel.Set(timer, at);
  }
  size_t looks = 0;
  while (const auto next = wheel.Next()) {
    wheel.Serve(*next);
    ++looks;
  }
  CHECK_EQ(looks, moments.size());
  for (const Recorder& timer : timers) CHECK_EQ(timer.served.size(), size_t{1});
}

TEST(agrees_with_a_sorted_set) {
  check::Random random(2);
  for (int round = 0; round < 40; ++round) {
    uint64_t now = random.Below(1'000'000'000);
    TimingWheel wheel(now);
    std::set<std::pair<uint64_t, size_t>> expected;
    std::vector<uint64_t> moments(200, 0);  // 0: not set
    std::vector<Recorder> timers(moments.size());
    size_t served = 0;
    for (size_t n = 0; n < timers.size(); ++n) {
      timers[n].then = [&, n] {
        ++served;
        CHECK(moments[n] != 0 && moments[n] <= now);
        expected.erase({moments[n], n});
        moments[n] = 0;
      };
    }
    const uint64_t spans[] = {1, 10, 100, 5000, 300'000, 20'000'000};
    for (int step = 0; step < 2000; ++step) {
      const size_t n = random.Below(timers.size());
      const uint64_t span = spans[random.Below(std::size(spans))];
      switch (random.Below(4)) {
        case 0:
        case 1:
          if (moments[n] != 0) expected.erase({moments[n], n});
          moments[n] = now + random.Below(span + 1);
          if (moments[n] == 0) moments[n] = 1;
          expected.emplace(moments[n], n);
          wheel.Set(timers[n], moments[n]);
          break;
        case 2:
          if (moments[n] != 0) expected.erase({moments[n], n});
          moments[n] = 0;
          timers[n].Cancel();
          break;
        default: {
          now += random.Below(span + 1);
          const bool looks = wheel.Next().has_value() && *wheel.Next() <= now;
          wheel.Serve(now);
          CHECK(expected.empty() || expected.begin()->first > now);
          if (looks) CHECK_EQ(Next(wheel), expected.empty() ? 0 : expected.begin()->first);
        }
      }
      CHECK(expected.empty() || (wheel.Next().has_value() && *wheel.Next() <= expected.begin()->first));
    }
    CHECK(served > 0);
  }
}

}  // namespace
}  // namespace ohws
