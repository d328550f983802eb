// What one connection still has to write: whole frames in order. A frame is written from where its payload
// lies: beside the ring, or in the ring itself for as long as the ring's records are valid. Small frames that
// follow one another are copied into blocks instead, which are borrowed from a pool and go back as soon as
// they are written, so that one write carries many of them. Frames that many connections get are written from
// where they lie for all of them. Engine thread.
//
// Invariants:
//  1. Control frames overtake data frames, but never get into one: items hold whole frames, and one that has
//  begun to
//     leave stays in front.
//  2. Bytes that lie in the ring are written, or copied by Own(), before the ring's room is given back; those
//     that are borrowed for a call, before it returns.
//  3. A connection that has nothing to write holds no memory here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "engine/sockets.h"
#include "protocol/frame.h"
#include "protocol/shared_messages.h"
#include "wire/payload_table.h"

namespace ohws {

// A contiguous run of bytes that belongs to whole frames.
struct TxBlock {
  std::unique_ptr<uint8_t[]> bytes;
  uint32_t capacity = 0;
  uint32_t size = 0;
};

// One block of whole small frames, or one frame: its header in `block`, its payload beside, or both in the
// ring; or shared frames.
struct TxItem {
  TxBlock block;
  Payload payload;
  std::span<const uint8_t> outside;         // in the ring, or of `shared`
  std::shared_ptr<const uint8_t[]> shared;  // keeps `outside`; null for the ring
  std::shared_ptr<const LentMemory> lent;   // the same bytes, to be sent from there; null if not
  size_t published_bytes = 0;               // what it counts
  size_t sent = 0;
  uint32_t control_frames = 0;  // and nothing else, if there are any
  bool begun = false;           // some of it has left, or is promised to TLS

  size_t size() const { return block.size + payload.size + outside.size(); }
};

struct TxItems {
  std::vector<TxItem> list;
  size_t first = 0;  // those before it are written
  size_t control_frames = 0;
  size_t published_bytes = 0;
};

// Memory to reuse; one pool an engine thread.
class TxPool {
 public:
  static constexpr uint32_t kBlockBytes = 8 * 1024;

  // At least `capacity` bytes; a standard block if that is enough.
  TxBlock GetBlock(uint32_t capacity);
  void PutBlock(TxBlock block);
  std::unique_ptr<TxItems> GetItems();
  void PutItems(std::unique_ptr<TxItems> items);
  // What is held for reuse.
  size_t pooled_bytes() const { return blocks_.size() * kBlockBytes; }

 private:
  static constexpr size_t kMaxPooledBlocks = 1024;  // 8 MiB
  static constexpr size_t kMaxPooledItems = 1024;
  std::vector<TxBlock> blocks_;
  std::vector<std::unique_ptr<TxItems>> items_;
};

class TxQueue {
 public:
  // What a published run of frames counts beside its bytes: about what the items that name it take.
  static constexpr size_t kSharedRunBytes = 128;
  // A frame of so many bytes and more is not worth a copy.
  static constexpr size_t kLargeFrameBytes = 4096;

  TxQueue() = default;
  TxQueue(TxQueue&&) = delete;
  TxQueue& operator=(TxQueue&&) = delete;
  ~TxQueue() = default;

  bool empty() const { return items_ == nullptr; }

  // Appends one unfragmented data frame; copies the payload. `mask_key` is null on a server.
  void AppendFrame(TxPool& pool, Opcode opcode, const uint8_t* payload, size_t size, const uint8_t* mask_key,
                   bool compressed = false);
  // The same for a payload that is owned; it is masked in place and written without another copy.
  void AppendLargeFrame(TxPool& pool, Opcode opcode, Payload payload, const uint8_t* mask_key,
                        bool compressed = false);
  // The same for a payload in the ring, which has room for a header before it. Copies it only if it goes into
  // the same block as others.
  void AppendFrameInRing(TxPool& pool, Opcode opcode, uint8_t* payload, size_t size, const uint8_t* mask_key);
  // The same for a payload that is not masked, and somebody else's: it is written, or copied by Own(), before
  // he goes on.
  void AppendBorrowedFrame(TxPool& pool, Opcode opcode, std::span<const uint8_t> payload);
  // Appends frames that others have too; `borrows`: they may be sent from lent memory; `published_bytes`:
  // what it counts that they wait, until all of them have left.
  void AppendShared(TxPool& pool, const SharedFrames& frames, bool borrows, size_t published_bytes);
  // Inserts a control frame before every data frame that has not begun to leave.
  void InsertControlFrame(TxPool& pool, Opcode opcode, const uint8_t* payload, size_t size,
                          const uint8_t* mask_key);
  // Drops every data frame that has not begun to leave.
  void DropUnsentFrames(TxPool& pool);
  // Copies what lies in the ring, as far as it has not left. False: there is no memory for it.
  bool Own();

  // The next bytes to write if they are lent, which Gather() leaves out. Only if not empty.
  struct Lent {
    const LentMemory* memory;  // null if they are not
    size_t offset;
    size_t size;
  };
  Lent NextLent() const;
  // They cannot be sent from there.
  void ForgetLent() { items_->list[items_->first].lent.reset(); }
  // The next bytes to write, as far as `out` reaches: how many runs there are. Only if not empty.
  size_t Gather(std::span<iovec> out) const;
  // So many bytes have left.
  void Pop(TxPool& pool, size_t written);
  // Nothing can overtake the next `bytes` any more.
  void MarkBegun(size_t bytes);

  // Control frames that wait; pongs are bounded by this.
  size_t control_frames() const { return items_ == nullptr ? 0 : items_->control_frames; }
  size_t published_bytes() const { return items_ == nullptr ? 0 : items_->published_bytes; }
  // Bytes on the wire that wait, counted one by one.
  size_t CountBytes() const;

 private:
  TxItems& Ensure(TxPool& pool);
  // Whether a small frame can join the last item.
  static bool TakesSmallFrames(const TxItem& item);
  uint8_t* Room(TxPool& pool, size_t bytes);
  void ReleaseIfEmpty(TxPool& pool);
  void LetGo(TxItem& item);

  std::unique_ptr<TxItems> items_;
};

}  // namespace ohws
