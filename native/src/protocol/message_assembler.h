// Messages in: puts the pieces of one connection together, judges text, and bounds what a peer can make us
// hold. A message that comes unmasked and in one piece is not copied; between messages it holds no memory.
// Engine thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "protocol/frame_reader.h"
#include "protocol/utf8.h"
#include "wire/payload_table.h"

namespace ohws {

// Shared by the connections of an endpoint; outlives them.
struct MessageLimits {
  uint64_t max_message_bytes = 0;                // judged as soon as it is announced; 0: none (C40)
  uint64_t max_fragments = 0;                    // frames of one message; 0: any number
  size_t reserve_ahead_bytes = size_t{1} << 20;  // most that an announced length alone makes us allocate
  bool validate_utf8 = true;                     // false accepts any text (netstack's C33)

  bool Allow(uint64_t message_bytes) const {
    return max_message_bytes == 0 || message_bytes <= max_message_bytes;
  }
};

class MessageAssembler {
 public:
  enum class Status : uint8_t {
    kPartial,           // more to come
    kComplete,          // view() is the message
    kInvalidUtf8,       // fail the connection with 1007
    kTooLarge,          // over the limit, or no memory for it: fail with 1009
    kTooManyFragments,  // fail with 1008
    kCorrupt,           // only of a compressed message, which cannot be inflated: fail with 1007
  };

  // `limits` outlives the object.
  explicit MessageAssembler(const MessageLimits& limits) : limits_(&limits) {}
  MessageAssembler(const MessageAssembler&) = delete;
  MessageAssembler& operator=(const MessageAssembler&) = delete;

  // Takes the next piece of a data frame. A failure frees what was held and is repeated until Reset(). The
  // sequence of frames was judged by the reader; here a `first` piece drops an unfinished message, so that no
  // stale piece can ever reach another one (C35, S21).
  Status Feed(const FramePiece& piece);

  // Where the next bytes may be received in place, in memory of this object: at most `most` of the
  // `remaining` bytes that the current frame has announced. Empty if fewer than `least` remain, or no message
  // is under way. They are then given to Feed() as they are here.
  std::span<uint8_t> RoomInPlace(uint64_t remaining, size_t least, size_t most);

  // The message, after kComplete: in the caller's piece if that was all of it, else in memory of this object.
  // Valid until the next call that is not const, and no longer than that piece.
  std::span<const uint8_t> view() const { return {view_, size_}; }

  bool is_binary() const { return binary_; }

  // True for a text that has only bytes below 0x80.
  bool ascii_only() const { return !binary_ && utf8_.ascii_only(); }

  // True if TakeBuffer() gives memory away instead of copying.
  bool buffered() const { return buffer_.data != nullptr; }

  // Bytes of memory held now; 0 between messages.
  size_t held_bytes() const { return buffer_.size; }

  // True between a message's first piece and its last.
  bool in_message() const { return state_ == State::kOpen; }

  // Hands over the message, after kComplete, and forgets it. Copies if it is not buffered; `data` is then
  // null if there was no memory, though `size` is not 0. For an empty message `data` is null too.
  Payload TakeBuffer();

  // Forgets everything and frees it. To be called when a message from view() has been dealt with, and at
  // the end of a connection.
  void Reset();

 private:
  enum class State : uint8_t { kIdle, kOpen, kComplete, kInvalidUtf8, kTooLarge, kTooManyFragments };

  Status Fail(State failure);
  bool Append(const FramePiece& piece);
  bool Grow(size_t needed, uint64_t announced);

  const MessageLimits* limits_;
  const uint8_t* view_ = nullptr;
  Payload buffer_;  // room for the message; none while nothing is held
  size_t size_ = 0;
  uint32_t whole_frames_ = 0;  // of this message
  Utf8Validator utf8_;
  State state_ = State::kIdle;
  bool binary_ = false;
};

}  // namespace ohws
