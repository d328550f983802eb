// The clock that all deadlines are moments of. Any thread.
#pragma once

#include <cstdint>

#include "engine/system.h"

namespace ohws {

inline uint64_t NowUs() { return MonotonicUs(); }

inline uint64_t NowMs() { return NowUs() / 1000; }

}  // namespace ohws
