// UTF-8 as a state machine that fits into words: a row for every byte holds the next state for all states,
// six bits each, and a state is the place of its bits. A step is one load, which does not wait for the step
// before, and one shift; there is no branch to guess wrong, so all languages but ASCII take the same time.
// Any thread.
#include "protocol/utf8.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace ohws {
namespace {

// What may come next. A state's value is the place of its six bits in a row; a row's bits that nobody sets
// lead to kFailed, which nothing leaves.
enum State : uint8_t {
  kFailed = 0,
  kBoundary = 6,  // no character is open
  kOneMore = 12,  // any continuation byte, then the character is whole
  kTwoMore = 18,
  kThreeMore = 24,
  kAfterE0 = 30,  // a0–bf, one more: below would be overlong
  kAfterEd = 36,  // 80–9f, one more: above would be a surrogate
  kAfterF0 = 42,  // 90–bf, two more: below would be overlong
  kAfterF4 = 48,  // 80–8f, two more: above would be beyond U+10FFFF
};

constexpr unsigned kStateMask = 63;
constexpr size_t kBlockBytes = 16;

struct Transition {
  State from;
  uint8_t first_byte;
  uint8_t last_byte;
  State to;
};

constexpr Transition kTransitions[] = {
    {kBoundary, 0x00, 0x7f, kBoundary}, {kBoundary, 0xc2, 0xdf, kOneMore},
    {kBoundary, 0xe0, 0xe0, kAfterE0},  {kBoundary, 0xe1, 0xec, kTwoMore},
    {kBoundary, 0xed, 0xed, kAfterEd},  {kBoundary, 0xee, 0xef, kTwoMore},
    {kBoundary, 0xf0, 0xf0, kAfterF0},  {kBoundary, 0xf1, 0xf3, kThreeMore},
    {kBoundary, 0xf4, 0xf4, kAfterF4},  {kOneMore, 0x80, 0xbf, kBoundary},
    {kTwoMore, 0x80, 0xbf, kOneMore},   {kThreeMore, 0x80, 0xbf, kTwoMore},
    {kAfterE0, 0xa0, 0xbf, kOneMore},   {kAfterEd, 0x80, 0x9f, kOneMore},
    {kAfterF0, 0x90, 0xbf, kTwoMore},   {kAfterF4, 0x80, 0x8f, kTwoMore},
};

constexpr std::array<uint64_t, 256> kRows = [] {
  std::array<uint64_t, 256> rows{};
  for (const Transition& transition : kTransitions) {
    for (unsigned byte = transition.first_byte; byte <= transition.last_byte; ++byte) {
      rows[byte] |= uint64_t{transition.to} << transition.from;
    }
  }
  return rows;
}();

// The next state in the lowest six bits; the others are noise, which the next step masks away.
uint64_t Step(uint64_t state, uint8_t byte) { return kRows[byte] >> (state & kStateMask); }

constexpr bool IsContinuation(uint8_t byte) { return (byte & 0xc0) == 0x80; }

size_t BytesBetween(const uint8_t* from, const uint8_t* to) { return static_cast<size_t>(to - from); }

// The first byte at or after `at` that is not ASCII, or `end`.
const uint8_t* SkipAscii(const uint8_t* at, const uint8_t* end) {
#if defined(__SSE2__)
  const auto load = [](const uint8_t* from) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
  };
  while (BytesBetween(at, end) >= 64) {
    const __m128i any =
        _mm_or_si128(_mm_or_si128(load(at), load(at + 16)), _mm_or_si128(load(at + 32), load(at + 48)));
    if (_mm_movemask_epi8(any) != 0) break;
    at += 64;
  }
  while (BytesBetween(at, end) >= 16) {
    const auto high_bits = static_cast<unsigned>(_mm_movemask_epi8(load(at)));
    if (high_bits != 0) return at + std::countr_zero(high_bits);
    at += 16;
  }
#endif
  while (BytesBetween(at, end) >= 8) {
    uint64_t block;
    std::memcpy(&block, at, sizeof(block));
    if ((block & 0x8080808080808080u) != 0) break;
    at += 8;
  }
  while (at != end && *at < 0x80) ++at;
  return at;
}

struct Scan {
  size_t bytes;  // of the character, or of the maximal part of one that is ill-formed
  bool well_formed;
};

// Reads one character, or as much of one as there is.
Scan ScanCharacter(const uint8_t* at, const uint8_t* end) {
  uint64_t state = kBoundary;
  for (size_t bytes = 0; bytes < BytesBetween(at, end); ++bytes) {
    state = Step(state, at[bytes]) & kStateMask;
    if (state == kFailed) return {std::max<size_t>(bytes, 1), false};
    if (state == kBoundary) return {bytes + 1, true};
  }
  return {BytesBetween(at, end), false};
}

}  // namespace

bool Utf8Validator::Feed(const uint8_t* data, size_t size) {
  static_assert(kFailed == State::kFailed && kBoundary == State::kBoundary);
  const uint8_t* at = data;
  const uint8_t* const end = data + size;
  uint64_t state = state_;
  while (state != kFailed) {
    if (state == kBoundary) at = SkipAscii(at, end);
    if (at == end) break;
    ascii_only_ = false;
    // A block without a look at the state between its bytes; then ASCII is tried again.
    const uint8_t* const block_end = at + std::min<size_t>(BytesBetween(at, end), kBlockBytes);
    while (at != block_end) state = Step(state, *at++);
    state &= kStateMask;
  }
  state_ = static_cast<uint8_t>(state);
  return state != kFailed;
}

Utf8Result Utf8Validator::result() const {
  if (state_ == kFailed) return Utf8Result::kInvalid;
  if (state_ != kBoundary) return Utf8Result::kIncomplete;
  return ascii_only_ ? Utf8Result::kAscii : Utf8Result::kValid;
}

Utf8Result CheckUtf8(std::string_view text) {
  Utf8Validator validator;
  validator.Feed(reinterpret_cast<const uint8_t*>(text.data()), text.size());
  return validator.result();
}

size_t TruncateUtf8(std::string_view text, size_t max_bytes) {
  if (text.size() <= max_bytes) return text.size();
  constexpr size_t kMostContinuations = 3;
  const auto splits = [text](size_t cut) { return IsContinuation(static_cast<uint8_t>(text[cut])); };
  size_t cut = max_bytes;
  while (cut > 0 && splits(cut) && max_bytes - cut < kMostContinuations) --cut;
  return splits(cut) ? max_bytes : cut;  // four in a row are no character: there is no boundary to respect
}

std::string ReplaceInvalidUtf8(std::string_view text) {
  constexpr std::string_view kReplacement = "\xef\xbf\xbd";
  const auto* at = reinterpret_cast<const uint8_t*>(text.data());
  const uint8_t* const end = at + text.size();
  std::string repaired;
  repaired.reserve(text.size());
  const auto keep = [&](size_t bytes) { repaired.append(reinterpret_cast<const char*>(at), bytes); };
  while (at != end) {
    const size_t ascii_bytes = BytesBetween(at, SkipAscii(at, end));
    keep(ascii_bytes);
    at += ascii_bytes;
    if (at == end) break;
    const Scan scan = ScanCharacter(at, end);
    if (scan.well_formed) {
      keep(scan.bytes);
    } else {
      repaired.append(kReplacement);
    }
    at += scan.bytes;
  }
  return repaired;
}

}  // namespace ohws
