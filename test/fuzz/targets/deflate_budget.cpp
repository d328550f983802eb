// Any sequence of takes, gives and new limits: never more is taken than the limit, and all of it comes back.
#include "protocol/deflate_budget.h"

#include "fuzz.h"

namespace ohws::fuzz {

void FuzzOne(Input input) {
  size_t limit = input.Short();
  DeflateBudget budget(limit);
  size_t used = 0;
  {
    std::vector<size_t> taken;
    std::vector<std::pair<DeflateReservation, size_t>> reserved;
    while (!input.empty()) {
      const uint8_t step = input.Byte();
      // Also sizes at which a sum would wrap.
      const size_t bytes = step >= 240 ? SIZE_MAX - input.Byte() : input.Short();
      const bool fits = used <= limit && bytes <= limit - used;
      switch (step % 6) {
        case 0:
          REQUIRE(budget.TryTake(bytes) == fits);
          if (fits) taken.push_back(bytes);
          if (fits) used += bytes;
          break;
        case 1: {
          DeflateReservation reservation = DeflateReservation::Of(budget, bytes);
          REQUIRE(reservation.empty() == !fits && (reservation.budget() == &budget) == fits);
          if (fits) reserved.emplace_back(std::move(reservation), bytes);
          if (fits) used += bytes;
          break;
        }
        case 2:
          if (taken.empty()) break;
          budget.Give(taken.back());
          used -= taken.back();
          taken.pop_back();
          break;
        case 3:
          if (reserved.empty()) break;
          used -= reserved.front().second;
          // The first by the last: both are moved.
          if (reserved.size() > 1) {
            reserved.front() = std::move(reserved.back());
          }
          reserved.pop_back();
          break;
        case 4:
          if (reserved.empty()) break;
          reserved.back().first.ShrinkTo(bytes);
          used -= reserved.back().second - std::min(reserved.back().second, bytes);
          reserved.back().second = std::min(reserved.back().second, bytes);
          break;
        default:
          limit = bytes;
          budget.SetLimit(limit);
          break;
      }
      REQUIRE(budget.used() == used);
    }
    for (const size_t bytes : taken) budget.Give(bytes);
  }
  REQUIRE(budget.used() == 0);
  REQUIRE(DeflateBudget::Process().used() == 0);
}

}  // namespace ohws::fuzz
