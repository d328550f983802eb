#include "wire/payload_table.h"

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>
#include <utility>

#include "wire/payload_pool.h"

namespace ohws {

namespace {

// Stands before the bytes, which are aligned as malloc aligns.
struct alignas(std::max_align_t) BlockHead {
  size_t capacity;  // of the block, with this
  std::atomic<uint32_t> shares = 1;
};
constexpr size_t kHeadBytes = sizeof(BlockHead);

BlockHead& HeadOf(uint8_t* block) { return *std::launder(reinterpret_cast<BlockHead*>(block)); }

}  // namespace

void PayloadDeleter::operator()(uint8_t* data) const {
  uint8_t* const block = data - kHeadBytes;
  BlockHead& head = HeadOf(block);
  if (head.shares.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  head.shares.store(1, std::memory_order_relaxed);  // of whoever has the block next
  PayloadPool::Process().Give({std::unique_ptr<uint8_t[], PayloadPool::Free>(block), head.capacity});
}

Payload Payload::Allocate(size_t size) {
  Payload payload;
  payload.Resize(size);
  return payload;
}

bool Payload::Resize(size_t new_size) {
  const size_t wanted = new_size + kHeadBytes;
  if (wanted < new_size) return false;
  uint8_t* block =
      data == nullptr ? PayloadPool::Process().Take(wanted).data.release() : data.release() - kHeadBytes;
  if (block == nullptr || !PayloadPool::Suits(HeadOf(block).capacity, wanted)) {
    // What owned the bytes has forgotten them, as they may move.
    // NOLINTNEXTLINE(cppcoreguidelines-owning-memory)
    auto* const moved = static_cast<uint8_t*>(std::realloc(block, wanted));
    if (moved == nullptr) {
      if (block != nullptr) data.reset(block + kHeadBytes);
      return false;
    }
    block = moved;
    ::new (static_cast<void*>(block)) BlockHead{wanted};
  }
  data.reset(block + kHeadBytes);
  size = new_size;
  return true;
}

Payload Payload::Share() const {
  HeadOf(data.get() - kHeadBytes).shares.fetch_add(1, std::memory_order_relaxed);
  Payload share;
  share.data.reset(data.get());
  share.size = size;
  return share;
}

uint32_t PayloadTable::Put(Payload payload) {
  bytes_ += payload.size;
  const MutexLock lock(mutex_);
  if (free_.empty()) {
    slots_.push_back(std::move(payload));
    return static_cast<uint32_t>(slots_.size() - 1);
  }
  const uint32_t token = free_.back();
  free_.pop_back();
  slots_[token] = std::move(payload);
  return token;
}

Payload PayloadTable::Take(uint32_t token) {
  const MutexLock lock(mutex_);
  if (token >= slots_.size() || slots_[token].data == nullptr) return {};
  bytes_ -= slots_[token].size;
  free_.push_back(token);
  return std::exchange(slots_[token], Payload{});
}

}  // namespace ohws
