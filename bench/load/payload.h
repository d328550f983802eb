// What every message says, and the frames it is sent and expected in.
//
// A message is a mark (16 letters: its connection and its sequence number on that connection) and a
// body, a window into one random table whose place follows from the same two numbers. So each
// message differs from its neighbours, both ends of the comparison are known without being stored,
// and a check is two memcmp.
//
// A frame towards the server is a head (header, masking key, masked mark), written for each
// message, and the masked body, one of the variants made at the start. Each variant has a random
// key; with 2 MiB of variants, up to 256, a key comes back only after as many messages.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace ohws::bench {

enum class Kind : uint8_t {
  kText,     // ASCII
  kUnicode,  // text of which each second character needs three bytes
  kBinary,
};

inline constexpr size_t kMarkBytes = 16;
inline constexpr size_t kMaxHeadBytes = 14 + kMarkBytes;

class Payload {
 public:
  // `size` is at least kMarkBytes and a multiple of four.
  Payload(Kind kind, size_t size);

  size_t size() const { return size_; }
  size_t body_bytes() const { return size_ - kMarkBytes; }
  uint8_t opcode() const { return kind_ == Kind::kBinary ? 2 : 1; }

  size_t head_bytes() const { return header_bytes_ + 4 + kMarkBytes; }
  size_t client_frame_bytes() const { return head_bytes() + body_bytes(); }

  // The header of an echo that comes in one frame.
  std::string_view echo_header() const { return {echo_header_.data(), header_bytes_}; }

  static std::array<char, kMarkBytes> Mark(uint32_t connection, uint32_t sequence) {
    const std::array<uint64_t, 2> letters = {Letters(connection), Letters(sequence)};
    std::array<char, kMarkBytes> mark;
    static_assert(sizeof(letters) == kMarkBytes);
    __builtin_memcpy(mark.data(), letters.data(), kMarkBytes);
    return mark;
  }

  const char* Body(uint32_t connection, uint32_t sequence) const {
    return table_.data() + Variant(connection, sequence) * kVariantStep;
  }

  // The masked body of a frame, behind its head.
  const char* MaskedBody(uint32_t connection, uint32_t sequence) const {
    return masked_.data() + Variant(connection, sequence) * body_bytes();
  }

  // Writes head_bytes() bytes.
  void WriteHead(uint32_t connection, uint32_t sequence, char* out) const;

 private:
  static constexpr size_t kVariantStep = 4;  // a whole number of characters in each kind

  // Eight letters 'a' to 'p', one for each half byte of the number.
  static uint64_t Letters(uint32_t number) {
    uint64_t spread = number;
    spread = (spread | (spread << 16)) & 0x0000ffff0000ffff;
    spread = (spread | (spread << 8)) & 0x00ff00ff00ff00ff;
    spread = (spread | (spread << 4)) & 0x0f0f0f0f0f0f0f0f;
    return spread + 0x6161616161616161;
  }

  size_t Variant(uint32_t connection, uint32_t sequence) const {
    return (connection * 0x9e3779b1u + sequence) & variant_mask_;
  }

  const Kind kind_;
  const size_t size_;
  size_t header_bytes_ = 0;
  uint32_t variant_mask_ = 0;
  std::array<char, 10> echo_header_{};
  std::array<char, 10> sent_header_{};  // the same with the mask bit
  std::vector<char> table_;
  std::vector<uint32_t> keys_;  // as they lie in memory
  std::vector<char> masked_;
};

}  // namespace ohws::bench
