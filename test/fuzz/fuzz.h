// What the fuzz targets share. A target is one file of targets/ that defines FuzzOne(): it takes any bytes,
// drives what it is for, and compares that with a naive model or with itself; REQUIRE() ends the process.
// libFuzzer makes the bytes (entry.cpp), or they come from the corpus (replay.cpp).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ohws::fuzz {

// Takes the bytes of one input from its front. At the end it gives zeros and empty strings.
class Input {
 public:
  explicit Input(std::span<const uint8_t> bytes) : rest_(bytes) {}

  bool empty() const { return rest_.empty(); }
  size_t size() const { return rest_.size(); }

  uint8_t Byte() {
    if (rest_.empty()) return 0;
    const uint8_t byte = rest_.front();
    rest_ = rest_.subspan(1);
    return byte;
  }
  bool Flag() { return (Byte() & 1) != 0; }
  uint16_t Short() {
    const uint8_t high = Byte();
    return static_cast<uint16_t>(high << 8 | Byte());
  }
  uint64_t Long() {
    uint64_t value = 0;
    for (int i = 0; i < 8; ++i) value = value << 8 | Byte();
    return value;
  }
  // 0 to `bound` - 1; `bound` is 1 to 65,536.
  size_t Below(size_t bound) { return (bound <= 256 ? Byte() : Short()) % bound; }
  // Up to `most` bytes; how many comes first.
  std::string Text(size_t most) { return Take(Below(most + 1)); }
  std::string Take(size_t count) {
    count = std::min(count, rest_.size());
    std::string text(reinterpret_cast<const char*>(rest_.data()), count);
    rest_ = rest_.subspan(count);
    return text;
  }
  std::string Rest() { return Take(rest_.size()); }

 private:
  std::span<const uint8_t> rest_;
};

// Sizes of the parts that a text comes in, from one byte of the input: 0 is one part, 1 a byte at a time, any
// other a mixture. Gives every part to `take`, which says whether to go on.
template <typename Take>
void InParts(std::span<uint8_t> bytes, uint8_t seed, Take take) {
  uint32_t state = seed;
  while (!bytes.empty()) {
    size_t size = seed == 0 ? bytes.size() : 1;
    if (seed > 1) {
      state = state * 1'664'525 + 1'013'904'223;
      size = 1 + (state >> 24) % (seed % 2 == 0 ? 4 : 64);
    }
    size = std::min(size, bytes.size());
    if (!take(bytes.first(size))) return;
    bytes = bytes.subspan(size);
  }
}

// The same for text, which is not changed.
template <typename Take>
void InParts(std::string text, uint8_t seed, Take take) {
  InParts(std::span(reinterpret_cast<uint8_t*>(text.data()), text.size()), seed,
          [&](std::span<uint8_t> part) {
            return take(std::string_view(reinterpret_cast<const char*>(part.data()), part.size()));
          });
}

[[noreturn]] inline void Fail(const char* file, int line, const char* what) {
  std::fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
  std::abort();
}

// The target.
void FuzzOne(Input input);

}  // namespace ohws::fuzz

#define REQUIRE(condition) \
  static_cast<void>((condition) || (ohws::fuzz::Fail(__FILE__, __LINE__, #condition), false))
