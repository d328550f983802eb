// The pool and the queue. Engine thread.
#include "engine/tx_queue.h"

#include <algorithm>
#include <utility>

namespace ohws {

namespace {

constexpr size_t kForgetAfterItems = 64;

void WritePayload(uint8_t* out, const uint8_t* payload, size_t size, const uint8_t* mask_key) {
  if (size == 0) return;
  if (mask_key != nullptr) {
    MaskCopy(out, payload, size, mask_key, 0);
  } else {
    std::copy_n(payload, size, out);
  }
}

}  // namespace

TxBlock TxPool::GetBlock(uint32_t capacity) {
  if (capacity <= kBlockBytes && !blocks_.empty()) {
    TxBlock block = std::move(blocks_.back());
    blocks_.pop_back();
    return block;
  }
  TxBlock block;
  block.capacity = std::max(capacity, kBlockBytes);
  block.bytes = std::make_unique_for_overwrite<uint8_t[]>(block.capacity);
  return block;
}

void TxPool::PutBlock(TxBlock block) {
  if (block.capacity != kBlockBytes || blocks_.size() >= kMaxPooledBlocks) return;
  block.size = 0;
  blocks_.push_back(std::move(block));
}

std::unique_ptr<TxItems> TxPool::GetItems() {
  if (items_.empty()) return std::make_unique<TxItems>();
  std::unique_ptr<TxItems> items = std::move(items_.back());
  items_.pop_back();
  return items;
}

void TxPool::PutItems(std::unique_ptr<TxItems> items) {
  if (items_.size() >= kMaxPooledItems || items->list.capacity() > 64) return;
  items->list.clear();
  items->first = 0;
  items->control_frames = 0;
  items->published_bytes = 0;
  items_.push_back(std::move(items));
}

TxItems& TxQueue::Ensure(TxPool& pool) {
  if (items_ == nullptr) items_ = pool.GetItems();
  return *items_;
}

void TxQueue::ReleaseIfEmpty(TxPool& pool) {
  if (items_->first == items_->list.size()) pool.PutItems(std::move(items_));
}

bool TxQueue::TakesSmallFrames(const TxItem& item) {
  return item.payload.data == nullptr && item.shared == nullptr && item.control_frames == 0 && !item.begun &&
         item.outside.size() < kLargeFrameBytes;
}

// Room at the end of the last block, which is then `bytes` longer, or in a new block.
uint8_t* TxQueue::Room(TxPool& pool, size_t bytes) {
  std::vector<TxItem>& list = Ensure(pool).list;
  if (items_->first == list.size() || !TakesSmallFrames(list.back()) ||
      list.back().size() + bytes > std::max<size_t>(list.back().block.capacity, TxPool::kBlockBytes)) {
    list.emplace_back().block = pool.GetBlock(static_cast<uint32_t>(bytes));
  }
  TxItem& item = list.back();
  TxBlock& block = item.block;
  if (!item.outside.empty()) {
    // A lone frame in the ring gets company.
    block = pool.GetBlock(static_cast<uint32_t>(item.outside.size() + bytes));
    block.size = static_cast<uint32_t>(item.outside.size());
    std::ranges::copy(item.outside, block.bytes.get());
    item.outside = {};
  }
  uint8_t* at = block.bytes.get() + block.size;
  block.size += static_cast<uint32_t>(bytes);
  return at;
}

void TxQueue::AppendFrame(TxPool& pool, Opcode opcode, const uint8_t* payload, size_t size,
                          const uint8_t* mask_key, bool compressed) {
  const size_t header = FrameHeaderBytes(size, mask_key != nullptr);
  uint8_t* at = Room(pool, header + size);
  WriteFrameHeader(at, opcode, true, size, mask_key, compressed);
  WritePayload(at + header, payload, size, mask_key);
}

void TxQueue::AppendLargeFrame(TxPool& pool, Opcode opcode, Payload payload, const uint8_t* mask_key,
                               bool compressed) {
  if (mask_key != nullptr) MaskCopy(payload.data.get(), payload.data.get(), payload.size, mask_key, 0);
  TxItem& item = Ensure(pool).list.emplace_back();
  item.block = pool.GetBlock(kMaxFrameHeaderBytes);
  item.block.size = static_cast<uint32_t>(
      WriteFrameHeader(item.block.bytes.get(), opcode, true, payload.size, mask_key, compressed));
  item.payload = std::move(payload);
}

void TxQueue::AppendFrameInRing(TxPool& pool, Opcode opcode, uint8_t* payload, size_t size,
                                const uint8_t* mask_key) {
  const bool joins = items_ != nullptr && items_->first < items_->list.size() && size < kLargeFrameBytes &&
                     TakesSmallFrames(items_->list.back());
  if (joins) return AppendFrame(pool, opcode, payload, size, mask_key);
  const size_t header = FrameHeaderBytes(size, mask_key != nullptr);
  WriteFrameHeader(payload - header, opcode, true, size, mask_key);
  if (mask_key != nullptr) MaskCopy(payload, payload, size, mask_key, 0);
  Ensure(pool).list.emplace_back().outside = {payload - header, header + size};
}

void TxQueue::AppendBorrowedFrame(TxPool& pool, Opcode opcode, std::span<const uint8_t> payload) {
  TxItem& item = Ensure(pool).list.emplace_back();
  item.block = pool.GetBlock(kMaxFrameHeaderBytes);
  item.block.size =
      static_cast<uint32_t>(WriteFrameHeader(item.block.bytes.get(), opcode, true, payload.size(), nullptr));
  item.outside = payload;
}

void TxQueue::AppendShared(TxPool& pool, const SharedFrames& frames, bool borrows, size_t published_bytes) {
  TxItems& items = Ensure(pool);
  TxItem& item = items.list.emplace_back();
  item.outside = frames.bytes;
  item.shared = frames.owner;
  if (borrows) item.lent = frames.lent;
  item.published_bytes = published_bytes;
  items.published_bytes += published_bytes;
}

void TxQueue::LetGo(TxItem& item) {
  if (item.shared == nullptr) return;
  items_->published_bytes -= item.published_bytes;
  item.shared.reset();
  item.lent.reset();
}

void TxQueue::InsertControlFrame(TxPool& pool, Opcode opcode, const uint8_t* payload, size_t size,
                                 const uint8_t* mask_key) {
  const size_t header = FrameHeaderBytes(size, mask_key != nullptr);
  TxItems& items = Ensure(pool);
  // The place behind the frames that have begun to leave and behind earlier control frames.
  size_t at = items.first;
  while (at < items.list.size() && (items.list[at].control_frames != 0 || items.list[at].begun)) ++at;
  const auto fits = [header, size](const TxItem& item) {
    return item.control_frames != 0 && !item.begun && item.block.capacity - item.block.size >= header + size;
  };
  if (at == items.first || !fits(items.list[at - 1])) {
    TxItem item;
    item.block = pool.GetBlock(static_cast<uint32_t>(header + size));
    items.list.insert(items.list.begin() + static_cast<ptrdiff_t>(at), std::move(item));
    ++at;
  }
  TxBlock& block = items.list[at - 1].block;
  uint8_t* out = block.bytes.get() + block.size;
  WriteFrameHeader(out, opcode, true, size, mask_key);
  WritePayload(out + header, payload, size, mask_key);
  block.size += static_cast<uint32_t>(header + size);
  ++items.list[at - 1].control_frames;
  ++items.control_frames;
}

void TxQueue::DropUnsentFrames(TxPool& pool) {
  if (items_ == nullptr) return;
  std::erase_if(items_->list, [this, &pool](TxItem& item) {
    const bool is_written = &item < items_->list.data() + items_->first;
    if (is_written || item.control_frames != 0 || item.begun) return false;
    pool.PutBlock(std::move(item.block));
    LetGo(item);
    return true;
  });
  ReleaseIfEmpty(pool);
}

void TxQueue::MarkBegun(size_t bytes) {
  for (size_t i = items_->first; bytes > 0 && i < items_->list.size(); ++i) {
    TxItem& item = items_->list[i];
    item.begun = true;
    bytes -= std::min(bytes, item.size() - item.sent);
  }
}

size_t TxQueue::CountBytes() const {
  size_t bytes = 0;
  if (items_ == nullptr) return bytes;
  for (size_t i = items_->first; i < items_->list.size(); ++i) {
    bytes += items_->list[i].size() - items_->list[i].sent;
  }
  return bytes;
}

bool TxQueue::Own() {
  if (items_ == nullptr) return true;
  for (size_t i = items_->first; i < items_->list.size(); ++i) {
    TxItem& item = items_->list[i];
    if (item.outside.empty() || item.shared != nullptr) continue;
    const size_t of_block = std::min<size_t>(item.sent, item.block.size);
    const std::span<const uint8_t> rest = item.outside.subspan(std::exchange(item.sent, of_block) - of_block);
    item.payload = Payload::Allocate(rest.size());
    if (item.payload.data == nullptr) return false;
    std::ranges::copy(rest, item.payload.data.get());
    item.outside = {};
  }
  return true;
}

TxQueue::Lent TxQueue::NextLent() const {
  const TxItem& item = items_->list[items_->first];
  return {item.lent.get(), item.sent, item.size() - item.sent};
}

size_t TxQueue::Gather(std::span<iovec> out) const {
  size_t count = 0;
  const auto add = [&](const uint8_t* data, size_t size, size_t& skip) {
    const size_t gone = std::min(skip, size);
    skip -= gone;
    if (gone < size) out[count++] = {const_cast<uint8_t*>(data) + gone, size - gone};
  };
  for (size_t i = items_->first; i < items_->list.size() && count + 2 <= out.size(); ++i) {
    const TxItem& item = items_->list[i];
    if (item.lent != nullptr) break;
    size_t skip = item.sent;
    add(item.block.bytes.get(), item.block.size, skip);
    add(item.payload.data.get(), item.payload.size, skip);
    add(item.outside.data(), item.outside.size(), skip);
  }
  return count;
}

void TxQueue::Pop(TxPool& pool, size_t written) {
  while (written > 0) {
    TxItem& item = items_->list[items_->first];
    const size_t step = std::min(written, item.size() - item.sent);
    written -= step;
    item.sent += step;
    item.begun = true;
    if (item.sent < item.size()) return;
    items_->control_frames -= item.control_frames;
    pool.PutBlock(std::move(item.block));
    item.payload = {};
    LetGo(item);
    ++items_->first;
  }
  // A queue that never runs empty must not keep what has left.
  if (items_->first >= kForgetAfterItems) {
    items_->list.erase(items_->list.begin(), items_->list.begin() + static_cast<ptrdiff_t>(items_->first));
    items_->first = 0;
  }
  ReleaseIfEmpty(pool);
}

}  // namespace ohws
