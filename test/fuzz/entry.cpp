// Where libFuzzer calls a target.
#include "fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  ohws::fuzz::FuzzOne(ohws::fuzz::Input({data, size}));
  return 0;
}
