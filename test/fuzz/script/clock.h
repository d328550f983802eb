// The engine's monotonic clock while a script runs: the script moves it. The linker sends every call of
// clock_gettime() here (--wrap).
#pragma once

#include <cstdint>

namespace ohws::fuzz {

// Microseconds; 0: the system's clock.
extern uint64_t script_us;

}  // namespace ohws::fuzz
