// Any timers, set, moved, cancelled and destroyed, also from within each other: each is told once, not before
// its moment and in order, and the wheel knows when it has to be looked at next; also if it is not given the
// time for all of them.
#include "protocol/timing_wheel.h"

#include <array>
#include <memory>

#include "fuzz.h"

namespace ohws::fuzz {
namespace {

constexpr size_t kTimers = 12;
constexpr uint64_t kNever = UINT64_MAX;
// As far as any clock comes.
constexpr uint64_t kLatestMs = kNever - 1;

class Wheel {
 public:
  explicit Wheel(Input& input) : input_(input), now_ms_(StartOf(input)), wheel_(now_ms_) {
    seen_ms_ = now_ms_;
  }

  void Step() {
    const uint8_t step = input_.Byte();
    Change(step, step / 8 % kTimers);
    if (step % 8 < 5) return;
    now_ms_ += std::min(Span(), kLatestMs - now_ms_);
    const bool looks = now_ms_ >= next_ms_;
    serving_ = true;
    Serve(step % 8 == 7);
    serving_ = false;
    if (looks) {
      seen_ms_ = std::max(seen_ms_, now_ms_);
      next_ms_ = kNever;
      for (const auto& timer : timers_) {
        if (timer != nullptr) next_ms_ = std::min(next_ms_, timer->due_ms);
      }
    }
    for (const auto& timer : timers_) REQUIRE(timer == nullptr || timer->due_ms > now_ms_);
    REQUIRE(wheel_.Next() == (next_ms_ == kNever ? std::nullopt : std::optional(next_ms_)));
  }

 private:
  struct OneTimer final : Timer {
    explicit OneTimer(Wheel& owner) : wheel(owner) {}
    void OnDue(uint64_t now_ms) override { wheel.Due(*this, now_ms); }
    Wheel& wheel;
    uint64_t due_ms = kNever;  // not set
  };

  static uint64_t StartOf(Input& input) { return input.Long() % kLatestMs; }

  // At once, or in several goes; those are the same to everybody.
  void Serve(bool in_goes) {
    if (!in_goes) {
      wheel_.Serve(now_ms_);
      return;
    }
    while (wheel_.Next().has_value() && *wheel_.Next() <= now_ms_) {
      const size_t most = calls_ + 1 + input_.Below(4);
      wheel_.Serve(now_ms_, [this, most] { return calls_ == most; });
      REQUIRE(calls_ <= most);
    }
  }

  // Short ones, and such as lie in any of the wheel's levels.
  uint64_t Span() {
    const size_t bits = input_.Below(64);
    const uint64_t part = input_.Short();
    return bits < 16 ? part >> (15 - bits) : part << (bits - 16);
  }

  void Change(uint8_t step, size_t at) {
    std::unique_ptr<OneTimer>& timer = timers_[at];
    switch (step % 8) {
      case 0:
      case 1: {
        if (timer == nullptr) timer = std::make_unique<OneTimer>(*this);
        // One that is before all that has been seen is due at once.
        const uint64_t span = Span();
        const uint64_t at_ms =
            step >= 128 ? now_ms_ - std::min(now_ms_, span) : now_ms_ + std::min(kNever - now_ms_, span);
        wheel_.Set(*timer, at_ms);
        timer->due_ms = std::min(std::max(at_ms, seen_ms_), kLatestMs);
        next_ms_ = std::min(next_ms_, timer->due_ms);
        REQUIRE(timer->set());
        break;
      }
      case 2:
        if (timer == nullptr) break;
        timer->Cancel();
        timer->due_ms = kNever;
        REQUIRE(!timer->set());
        break;
      case 3:
        timer.reset();
        break;
      default:
        break;
    }
  }

  void Due(OneTimer& timer, uint64_t now_ms) {
    REQUIRE(serving_ && now_ms == now_ms_);
    ++calls_;
    REQUIRE(!timer.set() && timer.due_ms <= now_ms && timer.due_ms >= seen_ms_);
    for (const auto& other : timers_) REQUIRE(other == nullptr || other->due_ms >= timer.due_ms);
    seen_ms_ = timer.due_ms;
    timer.due_ms = kNever;
    // It or another one is changed, or ends.
    if (input_.empty()) return;
    const uint8_t step = input_.Byte();
    Change(step, step / 8 % kTimers);
  }

  Input& input_;
  uint64_t now_ms_;
  uint64_t seen_ms_;           // what the wheel has come to
  uint64_t next_ms_ = kNever;  // what it says
  bool serving_ = false;
  size_t calls_ = 0;
  TimingWheel wheel_;
  std::array<std::unique_ptr<OneTimer>, kTimers> timers_;
};

}  // namespace

void FuzzOne(Input input) {
  Wheel wheel(input);
  while (!input.empty()) wheel.Step();
}

}  // namespace ohws::fuzz
