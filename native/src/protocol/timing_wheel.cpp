#include "protocol/timing_wheel.h"

#include <algorithm>
#include <bit>

namespace ohws {

void Timer::Cancel() {
  if (link_ == nullptr) return;
  *link_ = next_;
  if (next_ != nullptr) next_->link_ = link_;
  link_ = nullptr;
  next_ = nullptr;
}

void Timer::InsertAt(Timer*& head) {
  next_ = head;
  link_ = &head;
  if (next_ != nullptr) next_->link_ = &next_;
  head = this;
}

void TimingWheel::Set(Timer& timer, uint64_t at_ms) {
  timer.Cancel();
  timer.at_ms_ = std::min(std::max(at_ms, now_), kNever - 1);
  Insert(timer);
  next_ = std::min(next_, timer.at_ms_);
}

// `at_ms_` is not before `now_`.
void TimingWheel::Insert(Timer& timer) {
  const uint64_t different = timer.at_ms_ ^ now_;
  const size_t level = different == 0 ? 0 : static_cast<size_t>(std::bit_width(different) - 1) / kDigitBits;
  const size_t number = (timer.at_ms_ >> (level * kDigitBits)) % kSlots;
  filled_[level] |= uint64_t{1} << number;
  timer.InsertAt(slots_[level][number]);
}

std::optional<TimingWheel::Slot> TimingWheel::FirstSlot() {
  for (size_t level = 0; level < kLevels; ++level) {
    while (filled_[level] != 0) {
      const auto number = static_cast<size_t>(std::countr_zero(filled_[level]));
      if (slots_[level][number] == nullptr) {
        filled_[level] &= filled_[level] - 1;
        continue;
      }
      const size_t shift = level * kDigitBits;
      const uint64_t below = (uint64_t{1} << shift) - 1;
      const uint64_t digit = uint64_t{kSlots - 1} << shift;
      return Slot{level, number, (now_ & ~(digit | below)) | (uint64_t{number} << shift)};
    }
  }
  return std::nullopt;
}

// `now_` reaches this slot, the first one: its timers are due, or move down.
void TimingWheel::Open(const Slot& slot) {
  now_ = slot.begin_ms;
  filled_[slot.level] &= ~(uint64_t{1} << slot.number);
  while (Timer* timer = slots_[slot.level][slot.number]) {
    timer->Cancel();
    if (timer->at_ms_ == now_) {
      timer->InsertAt(due_);
    } else {
      Insert(*timer);
    }
  }
}

uint64_t TimingWheel::FirstMoment() {
  const std::optional<Slot> slot = FirstSlot();
  uint64_t first = kNever;
  if (!slot.has_value()) return first;
  for (const Timer* timer = slots_[slot->level][slot->number]; timer != nullptr; timer = timer->next_) {
    first = std::min(first, timer->at_ms_);
  }
  return first;
}

void TimingWheel::Serve(uint64_t now_ms, const std::function<bool()>& enough) {
  if (now_ms < next_) return;
  for (;;) {
    while (Timer* timer = due_) {
      timer->Cancel();
      timer->OnDue(now_ms);
      if (enough && enough()) {
        next_ = due_ != nullptr ? now_ : FirstMoment();
        return;
      }
    }
    const std::optional<Slot> slot = FirstSlot();
    if (!slot.has_value() || slot->begin_ms > now_ms) break;
    Open(*slot);
  }
  now_ = std::max(now_, now_ms);
  next_ = FirstMoment();
}

}  // namespace ohws
