// Frames in (RFC 6455 §5): takes the bytes of one connection as they come and gives out pieces of data frames
// and whole control frames, or the first violation. It keeps no payload of data frames: pieces point into the
// caller's bytes and are copied and unmasked in one step, to where they are needed. Pure; engine thread.
//
// Invariants:
//  1. Every byte is looked at once and in order; what a call does not report stays in `input` for the next
//  one.
//  2. A violation is reported at the first byte that shows it, and nothing is read after it.
//  3. Between frames it holds no memory. Inside one it holds at most a header, and one control frame's
//  payload if
//     that came in more than one part.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "protocol/frame.h"

namespace ohws {

// How the peer broke the protocol.
enum class Violation : uint8_t {
  kNone,
  kFragmentedControl,  // §5.4
  kReservedOpcode,     // §5.2
  kBadContinuation,    // a continuation of nothing, or a new message inside another (§5.4)
  kReservedBits,       // §5.2
  kMasking,            // a client that does not mask, a server that does (§5.1)
  kControlTooLong,     // §5.5
  kLengthTooLong,      // 2^63 and more (§5.2)
  kLengthNotMinimal,   // §5.2
};

// What one connection may receive.
struct FrameRules {
  bool peer_masks = false;             // the peer is a client
  bool accept_unmasked = false;        // although it is one (netstack's S13)
  bool accept_longer_lengths = false;  // a length need not be in its shortest form (lws)
  bool compressed = false;             // RSV1 may mark a message as compressed (RFC 7692 §6)
};

// A piece of a data frame's payload (all of it, if the bytes were there), or a whole control frame.
struct FramePiece {
  const uint8_t* data = nullptr;
  size_t size = 0;
  uint64_t remaining = 0;  // announced bytes of this frame that follow this piece
  Opcode opcode{};         // of the frame
  bool begins_frame = false;
  bool first = false;            // begins a message
  bool last = false;             // ends it
  bool binary = false;           // the message, not the frame
  bool compressed = false;       // likewise
  bool open_ended = false;       // more of this frame follows, nobody knows how much: it is inflated
  bool masked = false;           // never for a control frame: that is unmasked already
  uint8_t key[kMaskKeyBytes]{};  // as it falls on the first byte of this piece

  // Copies and unmasks; `out` may be `data` itself.
  void CopyTo(uint8_t* out) const;
  // The same where it lies: the reader's input is there to be changed.
  void UnmaskInPlace();
};

class FrameReader {
 public:
  enum class Event : uint8_t {
    kNone,       // `input` is used up
    kData,       // a piece of a data frame
    kControl,    // a control frame
    kViolation,  // violation(); for ever
  };

  explicit FrameReader(FrameRules rules) : rules_(rules) {}

  // From the next message on RSV1 may mark one as compressed, or may not.
  void AcceptCompressed(bool accept) { rules_.compressed = accept; }

  // Reads on. Takes what it has dealt with from the front of `input`; control frames are unmasked in place.
  // The piece is valid until the next call, and no longer than the input.
  Event Next(std::span<uint8_t>& input, FramePiece& piece);

  Violation violation() const { return violation_; }
  // Bytes of the current data frame that are still to come; 0 for a compressed message's.
  uint64_t data_remaining() const { return in_payload_ && !is_control() && !compressed_ ? remaining_ : 0; }

 private:
  using ControlBuffer = std::array<uint8_t, kMaxControlPayloadBytes>;

  bool is_control() const { return opcode_ >= Opcode::kClose; }
  bool ReadHeader(std::span<uint8_t>& input);
  Event ReadControl(std::span<uint8_t>& input, FramePiece& piece);
  Event ReadData(std::span<uint8_t>& input, FramePiece& piece);
  Violation JudgeFirstByte(uint8_t byte) const;
  Violation JudgeSecondByte(uint8_t byte) const;

  FrameRules rules_;
  Violation violation_ = Violation::kNone;
  Opcode opcode_ = Opcode::kContinuation;  // of the current frame, like the next four
  bool final_ = false;
  bool masked_ = false;
  bool in_payload_ = false;       // its header is complete
  bool begins_frame_ = false;     // nothing of its payload was given out yet
  bool in_message_ = false;       // a message has begun, and its final frame has not
  bool begins_message_ = false;   // the current data frame does
  bool binary_ = false;           // the message
  bool compressed_ = false;       // the message
  uint8_t header_bytes_ = 0;      // of an unfinished header
  uint8_t control_bytes_ = 0;     // of an unfinished control frame
  uint8_t key_[kMaskKeyBytes]{};  // as it falls on the next byte
  std::array<uint8_t, kMaxFrameHeaderBytes> header_{};
  uint64_t remaining_ = 0;  // bytes of the current frame still to come
  std::unique_ptr<ControlBuffer> control_;
};

}  // namespace ohws
