// Frames out (RFC 6455 §5.2, §5.3): headers, masking, and the keys to mask with.
// Pure; any thread, one thread per MaskKeySource. Frames in are read by the engine beneath.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace ohws {

// RFC 6455 §11.8. The values are the wire's.
enum class Opcode : uint8_t {
  kContinuation = 0,
  kText = 1,
  kBinary = 2,
  kClose = 8,
  kPing = 9,
  kPong = 10,
};

inline constexpr size_t kMaxFrameHeaderBytes = 14;      // 2 + 8 for the length + 4 for the key
inline constexpr size_t kMaxControlPayloadBytes = 125;  // RFC 6455 §5.5
inline constexpr size_t kMaskKeyBytes = 4;

// Bytes of the header in front of a payload of this size: 2 to 14.
size_t FrameHeaderBytes(uint64_t payload_bytes, bool masked);

// Writes a header with the shortest form of the length and returns its size. `out` has room for
// FrameHeaderBytes(); `payload_bytes` is below 2^63; a control frame is `fin` and has at most
// kMaxControlPayloadBytes. `mask_key_or_null` is the key of a client's frame, null for a server's (§5.1).
// `compressed` sets RSV1 (RFC 7692 §6).
size_t WriteFrameHeader(uint8_t* out, Opcode opcode, bool fin, uint64_t payload_bytes,
                        const uint8_t* mask_key_or_null, bool compressed = false);

// Copies `size` payload bytes and masks them (or unmasks: it is its own inverse). `key_offset` is the
// number of payload bytes already done with this key, so that a payload may be written in pieces.
// `out` equals `in` or does not overlap it; neither needs to be aligned.
void MaskCopy(uint8_t* out, const uint8_t* in, size_t size, const uint8_t mask_key[kMaskKeyBytes],
              size_t key_offset);

// Fills all `size` bytes with unpredictable ones from the operating system, or returns false.
using FillRandom = bool (*)(uint8_t* out, size_t size);

// Mask keys that a peer or a script cannot predict (RFC 6455 §5.3, §10.3), drawn from a buffer so that a
// key costs no system call.
class MaskKeySource {
 public:
  explicit MaskKeySource(FillRandom fill_random) : fill_random_(fill_random) {}

  MaskKeySource(const MaskKeySource&) = delete;  // two copies would give the same keys
  MaskKeySource& operator=(const MaskKeySource&) = delete;

  // Writes a fresh key. False if the source of randomness failed; nothing may be sent then, a guessable
  // key least of all.
  bool Next(uint8_t key[kMaskKeyBytes]);

 private:
  static constexpr size_t kBufferBytes = 2048;

  const FillRandom fill_random_;
  size_t used_bytes_ = kBufferBytes;
  std::array<uint8_t, kBufferBytes> buffer_{};
};

}  // namespace ohws
