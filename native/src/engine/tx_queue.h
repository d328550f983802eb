// What one connection still has to write: whole frames in order, built once, in blocks that are borrowed from
// a pool and go back as soon as they are written. Frames that come while the connection is blocked or later
// in the same turn share blocks, so that one write carries many of them. Engine thread.
//
// Control frames overtake data frames, but never get into one: the queue knows where a frame ends.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "protocol/frame.h"
#include "wire/payload_table.h"

namespace ohws {

// A contiguous run of bytes that belongs to whole frames, or is one piece of a large frame.
struct TxBlock {
  std::unique_ptr<uint8_t[]> bytes;
  uint32_t capacity = 0;
  uint32_t size = 0;
};

// Standard blocks to reuse; one pool an engine thread.
class TxBlockPool {
 public:
  static constexpr uint32_t kBlockBytes = 64 * 1024;

  // At least `capacity` bytes; a standard block if that is enough.
  TxBlock Get(uint32_t capacity);
  void Put(TxBlock block);

 private:
  static constexpr size_t kMaxPooled = 128;  // 8 MiB
  std::vector<TxBlock> free_;
};

class TxQueue {
 public:
  struct Bytes {
    uint8_t* data;
    size_t size;
  };

  TxQueue() = default;
  TxQueue(TxQueue&&) = delete;
  TxQueue& operator=(TxQueue&&) = delete;
  ~TxQueue() = default;

  bool empty() const { return items_ == nullptr; }

  // Appends one unfragmented data frame; copies the payload. `mask_key` is null on a server.
  void AppendFrame(TxBlockPool& pool, Opcode opcode, const uint8_t* payload, size_t size,
                   const uint8_t* mask_key, bool compressed = false);
  // The same for a payload that is owned; it is masked in place and written without another copy.
  void AppendLargeFrame(TxBlockPool& pool, Opcode opcode, Payload payload, const uint8_t* mask_key,
                        bool compressed = false);
  // Inserts a control frame before every data frame that has not begun to leave.
  void InsertControlFrame(TxBlockPool& pool, Opcode opcode, const uint8_t* payload, size_t size,
                          const uint8_t* mask_key);
  // Drops every data frame that has not begun to leave.
  void DropUnsentFrames(TxBlockPool& pool);

  // The next bytes to write, at most `limit` of a large frame's payload. Only if not empty.
  Bytes Front(size_t limit);
  void Pop(TxBlockPool& pool, size_t written);

  // Control frames that wait; pongs are bounded by this.
  size_t control_frames() const { return items_ == nullptr ? 0 : items_->control_frames; }
  // Bytes on the wire that wait, counted one by one.
  size_t CountBytes() const;

 private:
  // One block of whole small frames, or one large frame: its header in `block`, its payload beside.
  struct Item {
    TxBlock block;
    Payload payload;
    size_t sent = 0;              // of block and payload together
    uint32_t control_frames = 0;  // and nothing else, if there are any
  };
  // Held only while there is something to send, so that idle connections are lean.
  struct Items {
    std::deque<Item> list;
    size_t control_frames = 0;
  };

  Items& Ensure();
  uint8_t* Room(TxBlockPool& pool, size_t bytes);

  std::unique_ptr<Items> items_;
};

}  // namespace ohws
