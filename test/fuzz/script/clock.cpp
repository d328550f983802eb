#include "script/clock.h"

#include <time.h>

namespace ohws::fuzz {

uint64_t script_us = 0;

}  // namespace ohws::fuzz

extern "C" int __real_clock_gettime(clockid_t clock, timespec* now);
extern "C" int __wrap_clock_gettime(clockid_t clock, timespec* now) {
  const uint64_t us = ohws::fuzz::script_us;
  if (us == 0 || clock != CLOCK_MONOTONIC) return __real_clock_gettime(clock, now);
  now->tv_sec = static_cast<time_t>(us / 1'000'000);
  now->tv_nsec = static_cast<long>(us % 1'000'000 * 1000);
  return 0;
}
