// UTF-8: validity over any split of the input, cutting without splitting a character, and repair.
// Pure functions and one small state machine; any thread, one thread per object. No memory of its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace ohws {

// What a run of bytes is. "Incomplete" means: valid so far, but a character is still open at the end.
enum class Utf8Result : uint8_t { kAscii, kValid, kIncomplete, kInvalid };

// Judges the bytes of one text message as they arrive (RFC 6455 §8.1, RFC 3629): no overlong forms, no
// surrogates, nothing above U+10FFFF. It fails at the first byte that cannot continue a valid text, not at
// the end of a character or a frame.
class Utf8Validator {
 public:
  // Takes the next `size` bytes (0 is allowed, `data` may then be null). False from the first bad byte on,
  // and for every later call until Reset().
  bool Feed(const uint8_t* data, size_t size);

  // True if no character is open and nothing was bad: the text may end here.
  bool Complete() const { return state_ == kBoundary; }

  // True as long as every byte taken was below 0x80.
  bool ascii_only() const { return ascii_only_; }

  Utf8Result result() const;

  void Reset() { *this = Utf8Validator(); }

 private:
  // Two of the states in utf8.cpp, where they are explained.
  static constexpr uint8_t kFailed = 0;
  static constexpr uint8_t kBoundary = 6;

  uint8_t state_ = kBoundary;
  bool ascii_only_ = true;
};

// The verdict on a whole text at once.
Utf8Result CheckUtf8(std::string_view text);

// The length in bytes of the longest prefix of `text` that has at most `max_bytes` bytes and does not split
// a character (C27). For text that is not valid UTF-8 the result is at most three bytes short of the limit.
size_t TruncateUtf8(std::string_view text, size_t max_bytes);

// `text` with U+FFFD for every maximal ill-formed part, as a WHATWG decoder does it (without removing a
// byte order mark).
std::string ReplaceInvalidUtf8(std::string_view text);

}  // namespace ohws
