// Messages that many connections of a server get alike, one behind the other: framed once, and compressed
// once for all connections that have agreed on the same and keep no context. Pure; one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "protocol/deflate_codec.h"
#include "protocol/frame.h"
#include "wire/lent_memory.h"

namespace ohws {

// Whole frames that are owned together; the memory is exactly theirs, so that who still waits for some of
// them keeps nothing else.
struct SharedFrames {
  std::shared_ptr<const uint8_t[]> owner;
  std::span<const uint8_t> bytes;
  // The same bytes for sockets to take from there; null if nobody has made it.
  std::shared_ptr<const LentMemory> lent;
  // Of the messages that are compressed in them: payload before and after.
  uint64_t inflated = 0;
  uint64_t deflated = 0;
};

class SharedMessages {
 public:
  bool empty() const { return messages_.empty(); }
  size_t count() const { return messages_.size(); }
  void Add(Opcode opcode, std::span<const uint8_t> payload);
  // All messages as they are, without compression.
  std::span<const uint8_t> frames() const { return frames_; }
  // A copy of frames(), for FramesFor() to hand out as well.
  void Lend(std::shared_ptr<const LentMemory> lent) { lent_ = std::move(lent); }
  // All messages, as a connection with this session gets them; null: without permessage-deflate. A session
  // that keeps context gets frames of its own.
  SharedFrames FramesFor(DeflateSession* deflate);
  void Clear();

 private:
  struct Message {
    Opcode opcode;
    size_t at;  // of the payload in frames_
    size_t size;
  };
  struct Compressed {
    DeflateSession::Sharing sharing;
    SharedFrames frames;
  };

  SharedFrames Compress(DeflateSession& deflate) const;

  std::vector<Message> messages_;
  std::vector<uint8_t> frames_;  // not compressed
  std::shared_ptr<const LentMemory> lent_;
  std::optional<SharedFrames> plain_;
  std::vector<Compressed> compressed_;
};

}  // namespace ohws
