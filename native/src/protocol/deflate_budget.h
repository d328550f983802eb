// What permessage-deflate may hold in memory: one budget for all compressors and decompressors of the
// process, so that their number bounds nothing and their bytes do. Any thread.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace ohws {

class DeflateBudget {
 public:
  static constexpr size_t kDefaultBytes = size_t{256} * 1024 * 1024;

  explicit DeflateBudget(size_t limit = kDefaultBytes) : limit_(limit) {}
  DeflateBudget(const DeflateBudget&) = delete;
  DeflateBudget& operator=(const DeflateBudget&) = delete;

  // The process's. It outlives every thread that uses it.
  static DeflateBudget& Process();

  // False, and nothing is taken, if that would exceed the limit.
  bool TryTake(size_t bytes);
  void Give(size_t bytes) { used_.fetch_sub(bytes); }

  // What is taken already stays taken, also above the new limit.
  void SetLimit(size_t limit) { limit_.store(limit); }
  size_t used() const { return used_.load(); }

 private:
  std::atomic<size_t> limit_;
  std::atomic<size_t> used_ = 0;
};

// A part of a budget, given back at the end. The budget outlives it.
class DeflateReservation {
 public:
  DeflateReservation() = default;
  DeflateReservation(DeflateReservation&& other) noexcept
      : budget_(std::exchange(other.budget_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
  DeflateReservation& operator=(DeflateReservation&& other) noexcept {
    std::swap(budget_, other.budget_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~DeflateReservation() {
    if (budget_ != nullptr) budget_->Give(bytes_);
  }

  // Empty if there is no room.
  static DeflateReservation Of(DeflateBudget& budget, size_t bytes);

  bool empty() const { return budget_ == nullptr; }
  DeflateBudget* budget() const { return budget_; }
  // Gives back what is above `bytes`.
  void ShrinkTo(size_t bytes);

 private:
  DeflateBudget* budget_ = nullptr;
  size_t bytes_ = 0;
};

}  // namespace ohws
