// The budget's arithmetic. Any thread.
#include "protocol/deflate_budget.h"

namespace ohws {

DeflateBudget& DeflateBudget::Process() {
  static DeflateBudget budget;
  return budget;
}

bool DeflateBudget::TryTake(size_t bytes) {
  size_t used = used_.load();
  do {
    const size_t limit = limit_.load();
    if (used > limit || bytes > limit - used) return false;
  } while (!used_.compare_exchange_weak(used, used + bytes));
  return true;
}

DeflateReservation DeflateReservation::Of(DeflateBudget& budget, size_t bytes) {
  DeflateReservation reservation;
  if (budget.TryTake(bytes)) {
    reservation.budget_ = &budget;
    reservation.bytes_ = bytes;
  }
  return reservation;
}

void DeflateReservation::ShrinkTo(size_t bytes) {
  if (bytes >= bytes_) return;
  budget_->Give(bytes_ - bytes);
  bytes_ = bytes;
}

}  // namespace ohws
