// The monotonic clock that all deadlines are moments of, which is that of Node's `process.hrtime` too. Any
// thread.
#pragma once

#include <cstdint>
#include <ctime>

namespace ohws {

inline uint64_t NowUs() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000 + static_cast<uint64_t>(now.tv_nsec) / 1000;
}

inline uint64_t NowMs() { return NowUs() / 1000; }

}  // namespace ohws
