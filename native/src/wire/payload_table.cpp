#include "wire/payload_table.h"

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <utility>

#include "wire/payload_pool.h"

namespace ohws {

namespace {

// The bytes behind it are aligned as malloc aligns.
constexpr size_t kHeadBytes = alignof(std::max_align_t);

size_t CapacityOf(const uint8_t* block) {
  size_t capacity = 0;
  std::memcpy(&capacity, block, sizeof(capacity));
  return capacity;
}

}  // namespace

void PayloadDeleter::operator()(uint8_t* data) const {
  uint8_t* const block = data - kHeadBytes;
  PayloadPool::Process().Give({std::unique_ptr<uint8_t[], PayloadPool::Free>(block), CapacityOf(block)});
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
  if (block == nullptr || !PayloadPool::Suits(CapacityOf(block), wanted)) {
    // What owned the bytes has forgotten them, as they may move.
    // NOLINTNEXTLINE(cppcoreguidelines-owning-memory)
    auto* const moved = static_cast<uint8_t*>(std::realloc(block, wanted));
    if (moved == nullptr) {
      if (block != nullptr) data.reset(block + kHeadBytes);
      return false;
    }
    block = moved;
    std::memcpy(block, &wanted, sizeof(wanted));
  }
  data.reset(block + kHeadBytes);
  size = new_size;
  return true;
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
