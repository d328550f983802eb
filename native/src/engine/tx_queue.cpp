#include "engine/tx_queue.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace ohws {

TxBlock TxBlockPool::Get(uint32_t capacity) {
  if (capacity <= kBlockBytes && !free_.empty()) {
    TxBlock block = std::move(free_.back());
    free_.pop_back();
    return block;
  }
  TxBlock block;
  block.capacity = std::max(capacity, kBlockBytes);
  block.bytes = std::make_unique_for_overwrite<uint8_t[]>(block.capacity);
  return block;
}

void TxBlockPool::Put(TxBlock block) {
  if (block.capacity != kBlockBytes || free_.size() >= kMaxPooled) return;
  block.size = 0;
  free_.push_back(std::move(block));
}

TxQueue::Items& TxQueue::Ensure() {
  if (items_ == nullptr) items_ = std::make_unique<Items>();
  return *items_;
}

// Room at the end of the last block, which is then `bytes` longer, or in a new block.
uint8_t* TxQueue::Room(TxBlockPool& pool, size_t bytes) {
  std::deque<Item>& list = Ensure().list;
  if (list.empty() || list.back().payload.data != nullptr || list.back().control_frames != 0 ||
      list.back().block.capacity - list.back().block.size < bytes) {
    Item item;
    item.block = pool.Get(static_cast<uint32_t>(bytes));
    list.push_back(std::move(item));
  }
  TxBlock& block = list.back().block;
  uint8_t* at = block.bytes.get() + block.size;
  block.size += static_cast<uint32_t>(bytes);
  return at;
}

void TxQueue::AppendFrame(TxBlockPool& pool, Opcode opcode, const uint8_t* payload, size_t size,
                          const uint8_t* mask_key, bool compressed) {
  const size_t header = FrameHeaderBytes(size, mask_key != nullptr);
  uint8_t* at = Room(pool, header + size);
  WriteFrameHeader(at, opcode, true, size, mask_key, compressed);
  if (size == 0) return;
  if (mask_key != nullptr) {
    MaskCopy(at + header, payload, size, mask_key, 0);
  } else {
    std::copy_n(payload, size, at + header);
  }
}

void TxQueue::AppendLargeFrame(TxBlockPool& pool, Opcode opcode, Payload payload, const uint8_t* mask_key,
                               bool compressed) {
  if (mask_key != nullptr) MaskCopy(payload.data.get(), payload.data.get(), payload.size, mask_key, 0);
  Item item;
  item.block = pool.Get(kMaxFrameHeaderBytes);
  item.block.size = static_cast<uint32_t>(
      WriteFrameHeader(item.block.bytes.get(), opcode, true, payload.size, mask_key, compressed));
  item.payload = std::move(payload);
  Ensure().list.push_back(std::move(item));
}

void TxQueue::InsertControlFrame(TxBlockPool& pool, Opcode opcode, const uint8_t* payload, size_t size,
                                 const uint8_t* mask_key) {
  const size_t header = FrameHeaderBytes(size, mask_key != nullptr);
  Items& items = Ensure();
  // The place behind the frames that have begun to leave and behind earlier control frames.
  auto at = items.list.begin();
  while (at != items.list.end() && (at->control_frames != 0 || at->sent > 0)) ++at;
  const bool append = at != items.list.begin() && std::prev(at)->control_frames != 0 &&
                      std::prev(at)->sent == 0 &&
                      std::prev(at)->block.capacity - std::prev(at)->block.size >= header + size;
  if (!append) {
    Item item;
    item.block = pool.Get(static_cast<uint32_t>(header + size));
    at = std::next(items.list.insert(at, std::move(item)));
  }
  TxBlock& block = std::prev(at)->block;
  uint8_t* out = block.bytes.get() + block.size;
  WriteFrameHeader(out, opcode, true, size, mask_key);
  if (mask_key != nullptr) {
    MaskCopy(out + header, payload, size, mask_key, 0);
  } else {
    std::copy_n(payload, size, out + header);
  }
  block.size += static_cast<uint32_t>(header + size);
  ++std::prev(at)->control_frames;
  ++items.control_frames;
}

void TxQueue::DropUnsentFrames(TxBlockPool& pool) {
  if (items_ == nullptr) return;
  std::erase_if(items_->list, [&pool](Item& item) {
    if (item.control_frames != 0 || item.sent > 0) return false;
    pool.Put(std::move(item.block));
    return true;
  });
  if (items_->list.empty()) items_.reset();
}

size_t TxQueue::CountBytes() const {
  size_t bytes = 0;
  if (items_ == nullptr) return bytes;
  for (const Item& item : items_->list) bytes += item.block.size + item.payload.size - item.sent;
  return bytes;
}

TxQueue::Bytes TxQueue::Front(size_t limit) {
  Item& item = items_->list.front();
  if (item.sent < item.block.size) return {item.block.bytes.get() + item.sent, item.block.size - item.sent};
  const size_t offset = item.sent - item.block.size;
  return {item.payload.data.get() + offset, std::min(item.payload.size - offset, limit)};
}

void TxQueue::Pop(TxBlockPool& pool, size_t written) {
  Item& item = items_->list.front();
  item.sent += written;
  if (item.sent < item.block.size + item.payload.size) return;
  items_->control_frames -= item.control_frames;
  pool.Put(std::move(item.block));
  items_->list.pop_front();
  if (items_->list.empty()) items_.reset();
}

}  // namespace ohws
