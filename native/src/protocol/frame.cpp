// Frame headers and masking. Any thread.
#include "protocol/frame.h"

#include <cassert>
#include <cstring>

namespace ohws {
namespace {

constexpr uint8_t kFinBit = 0x80;
constexpr uint8_t kRsv1Bit = 0x40;
constexpr uint8_t kMaskBit = 0x80;
constexpr uint64_t kMaxLength7Bit = 125;
constexpr uint8_t kLength16Bit = 126;
constexpr uint8_t kLength64Bit = 127;

size_t LengthBytes(uint64_t payload_bytes) {
  if (payload_bytes <= kMaxLength7Bit) return 0;
  return payload_bytes <= UINT16_MAX ? 2 : 8;
}

uint8_t* WriteBigEndian(uint8_t* out, uint64_t value, size_t bytes) {
  for (size_t i = bytes; i-- > 0;) *out++ = static_cast<uint8_t>(value >> (8 * i));
  return out;
}

// What every processor that we run on has; the compiler finds it less well by itself.
using Vector [[gnu::vector_size(16)]] = uint64_t;

Vector Load(const uint8_t* from) {
  Vector vector;
  std::memcpy(&vector, from, sizeof(vector));
  return vector;
}

}  // namespace

size_t FrameHeaderBytes(uint64_t payload_bytes, bool masked) {
  return 2 + LengthBytes(payload_bytes) + (masked ? kMaskKeyBytes : 0);
}

size_t WriteFrameHeader(uint8_t* out, Opcode opcode, bool fin, uint64_t payload_bytes,
                        const uint8_t* mask_key_or_null, bool compressed) {
  assert(payload_bytes >> 63 == 0);
  assert(opcode < Opcode::kClose || (fin && payload_bytes <= kMaxControlPayloadBytes));
  const size_t length_bytes = LengthBytes(payload_bytes);
  uint8_t length_field = static_cast<uint8_t>(payload_bytes);
  if (length_bytes == 2) length_field = kLength16Bit;
  if (length_bytes == 8) length_field = kLength64Bit;

  uint8_t* at = out;
  *at++ =
      static_cast<uint8_t>((fin ? kFinBit : 0) | (compressed ? kRsv1Bit : 0) | static_cast<uint8_t>(opcode));
  *at++ = static_cast<uint8_t>((mask_key_or_null != nullptr ? kMaskBit : 0) | length_field);
  at = WriteBigEndian(at, payload_bytes, length_bytes);
  if (mask_key_or_null != nullptr) {
    std::memcpy(at, mask_key_or_null, kMaskKeyBytes);
    at += kMaskKeyBytes;
  }
  return static_cast<size_t>(at - out);
}

void MaskCopy(uint8_t* out, const uint8_t* in, size_t size, const uint8_t mask_key[kMaskKeyBytes],
              size_t key_offset) {
  // The key as it falls on the payload from here on, twice: eight bytes that repeat. As bytes in memory, so
  // that the order of the machine does not matter.
  uint8_t key[8];
  for (size_t i = 0; i < sizeof(key); ++i) key[i] = mask_key[(key_offset + i) % kMaskKeyBytes];
  uint64_t key_word;
  std::memcpy(&key_word, key, sizeof(key_word));

  // Four vectors at a time. All are read before one is written: `out` may be `in`.
  constexpr size_t kStep = sizeof(Vector);
  const Vector keys = {key_word, key_word};
  size_t done = 0;
  for (; size - done >= 4 * kStep; done += 4 * kStep) {
    const Vector a = Load(in + done) ^ keys;
    const Vector b = Load(in + done + kStep) ^ keys;
    const Vector c = Load(in + done + 2 * kStep) ^ keys;
    const Vector d = Load(in + done + 3 * kStep) ^ keys;
    std::memcpy(out + done, &a, kStep);
    std::memcpy(out + done + kStep, &b, kStep);
    std::memcpy(out + done + 2 * kStep, &c, kStep);
    std::memcpy(out + done + 3 * kStep, &d, kStep);
  }
  for (; size - done >= 8; done += 8) {
    uint64_t word;
    std::memcpy(&word, in + done, sizeof(word));
    word ^= key_word;
    std::memcpy(out + done, &word, sizeof(word));
  }
  for (; done < size; ++done) out[done] = static_cast<uint8_t>(in[done] ^ key[done % sizeof(key)]);
}

bool MaskKeySource::Next(uint8_t key[kMaskKeyBytes]) {
  if (used_bytes_ == kBufferBytes) {
    if (!fill_random_(buffer_.data(), kBufferBytes)) return false;
    used_bytes_ = 0;
  }
  std::memcpy(key, buffer_.data() + used_bytes_, kMaskKeyBytes);
  used_bytes_ += kMaskKeyBytes;
  return true;
}

}  // namespace ohws
