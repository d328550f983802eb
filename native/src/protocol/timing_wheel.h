// Moments at which somebody wants to be looked at, for very many of them: setting, moving and cancelling one
// is a few instructions and no allocation, whatever the number, and nobody has to look while nothing is due.
// Time is a parameter: milliseconds of any monotonic clock. One thread.
//
// A hierarchical wheel: level L has 64 slots of 64^L ms. A timer waits in the level of the highest digit (to
// the base 64) in which its moment differs from `now_`, in the slot of that digit; when `now_` reaches the
// slot, its timers move down to where they are told apart. So all timers of a level come before those of the
// level above, and in a level by slot.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>

namespace ohws {

// Part of whoever waits; says goodbye by itself.
class Timer {
 public:
  Timer() = default;
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  // Its moment has come; it is not set any more. It may be set again, or be destroyed.
  virtual void OnDue(uint64_t now_ms) = 0;

  bool set() const { return link_ != nullptr; }
  void Cancel();

 protected:
  ~Timer() { Cancel(); }

 private:
  friend class TimingWheel;

  void InsertAt(Timer*& head);

  uint64_t at_ms_ = 0;
  Timer* next_ = nullptr;
  Timer** link_ = nullptr;  // what points to this one; null: not set
};

// Outlives its timers.
class TimingWheel {
 public:
  explicit TimingWheel(uint64_t now_ms) : now_(now_ms) {}
  TimingWheel(const TimingWheel&) = delete;
  TimingWheel& operator=(const TimingWheel&) = delete;

  // Sets it, or moves it. A moment that has passed is due at once.
  void Set(Timer& timer, uint64_t at_ms);

  // Calls those whose moment has come, also those that are set meanwhile, until `enough`, asked after each,
  // says so: the others' moment is then still the next one. Timers of one millisecond come in no particular
  // order.
  void Serve(uint64_t now_ms, const std::function<bool()>& enough = {});

  // Nothing is due before this; nothing at all without a value. It is the first timer's moment, or that of
  // one that was cancelled since Serve() came to its own.
  std::optional<uint64_t> Next() const {
    if (next_ == kNever) return std::nullopt;
    return next_;
  }

 private:
  static constexpr int kDigitBits = 6;
  static constexpr size_t kSlots = size_t{1} << kDigitBits;
  static constexpr size_t kLevels = (64 + kDigitBits - 1) / kDigitBits;
  static constexpr uint64_t kNever = UINT64_MAX;

  struct Slot {
    size_t level;
    size_t number;
    uint64_t begin_ms;
  };

  void Insert(Timer& timer);
  std::optional<Slot> FirstSlot();
  void Open(const Slot& slot);
  uint64_t FirstMoment();

  uint64_t now_;
  uint64_t next_ = kNever;
  Timer* due_ = nullptr;                    // their moment is `now_`
  std::array<uint64_t, kLevels> filled_{};  // a bit a slot; it may be empty again
  std::array<std::array<Timer*, kSlots>, kLevels> slots_{};
};

}  // namespace ohws
