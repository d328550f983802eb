// Measures the head of an HTTP request or answer while it comes: bytes up to and with the empty line, and
// header lines. Engine thread.
#pragma once

#include <cstdint>
#include <string_view>

namespace ohws {

class HeadMeter {
 public:
  enum class Verdict : uint8_t { kFits, kTooManyBytes, kTooManyLines };

  HeadMeter(uint64_t max_bytes, uint64_t max_lines) : max_bytes_(max_bytes), max_lines_(max_lines) {}

  // Takes the next bytes of the connection. What follows the head does not count.
  Verdict Feed(std::string_view bytes);

 private:
  enum class Line : uint8_t { kEmpty, kReturn, kText };  // kReturn: one CR, which its end may have

  uint64_t max_bytes_;
  uint64_t max_lines_;
  uint64_t bytes_ = 0;
  uint64_t lines_ = 0;        // ended ones, the first line too
  Line line_ = Line::kEmpty;  // the one that has not ended
  bool ended_ = false;
};

}  // namespace ohws
