#include "wire/payload_pool.h"

#include <algorithm>
#include <cstddef>
#include <new>
#include <utility>

namespace ohws {

namespace {

// V8 collects young ArrayBuffers when they have come to so much: less could not take what it then frees, and
// more is never freed at once.
constexpr size_t kMostBytesOfProcess = size_t{32} * 1024 * 1024;

}  // namespace

PayloadPool& PayloadPool::Process() {
  // Never destroyed: an ArrayBuffer may be collected to the very end. Not from the heap either: when the last
  // worker that has loaded the addon ends, it is unloaded, and nothing may be left behind.
  alignas(PayloadPool) static std::byte memory[sizeof(PayloadPool)];
  static PayloadPool& pool = *::new (static_cast<void*>(memory)) PayloadPool(kMostBytesOfProcess);
  return pool;
}

PayloadPool::Block PayloadPool::Take(size_t bytes) {
  if (bytes < kLeastBlockBytes) return {};
  state_.store(State::kWanted);
  const MutexLock lock(mutex_);
  // The last that was given is the likeliest to be in the processor's cache.
  const auto found = std::find_if(blocks_.rbegin(), blocks_.rend(),
                                  [bytes](const Block& block) { return Suits(block.capacity, bytes); });
  if (found == blocks_.rend()) return {};
  Block block = std::move(*found);
  bytes_ -= block.capacity;
  blocks_.erase(std::next(found).base());
  return block;
}

void PayloadPool::Give(Block block) {
  if (block.capacity < kLeastBlockBytes || !in_use()) return;
  const MutexLock lock(mutex_);
  // Looked at once more: what is kept behind the last Trim() would be kept for ever.
  if (!in_use() || bytes_ + block.capacity > most_bytes_) return;
  bytes_ += block.capacity;
  blocks_.push_back(std::move(block));
}

void PayloadPool::Trim() {
  State wanted = State::kWanted;
  if (!state_.compare_exchange_strong(wanted, State::kTrimmed)) Empty();
}

void PayloadPool::Empty() {
  std::vector<Block> unwanted;  // freed behind the lock
  const MutexLock lock(mutex_);
  state_.store(State::kIdle);
  unwanted.swap(blocks_);
  bytes_ = 0;
}

size_t PayloadPool::bytes() const {
  const MutexLock lock(mutex_);
  return bytes_;
}

}  // namespace ohws
