// Memory of large payloads that were freed, kept for the next ones: what the C library would give back to the
// system costs as much to have again, page by page, as what is done with it. What is kept is bounded, and is
// freed when nobody has wanted any for a while. Any thread; guarded by a mutex.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <vector>

#include "wire/mutex.h"

namespace ohws {

class PayloadPool {
 public:
  struct Free {
    void operator()(uint8_t* data) const { std::free(data); }
  };
  // From malloc.
  struct Block {
    std::unique_ptr<uint8_t[], Free> data;
    size_t capacity = 0;
  };

  // Smaller blocks are not kept: the C library is good at those.
  static constexpr size_t kLeastBlockBytes = 64 * 1024;

  explicit PayloadPool(size_t most_bytes) : most_bytes_(most_bytes) {}
  PayloadPool(const PayloadPool&) = delete;
  PayloadPool& operator=(const PayloadPool&) = delete;

  // That of the process.
  static PayloadPool& Process();

  // Whether so many bytes may live in a block of this capacity: it is not wasted on them.
  static bool Suits(size_t capacity, size_t bytes) {
    return capacity >= bytes && capacity - bytes <= bytes / 4;
  }

  // A block that suits; an empty one if there is none. From now on blocks are kept.
  Block Take(size_t bytes);
  // Keeps it, or frees it.
  void Give(Block block);
  // Empties it if nobody has wanted anything since the last call. To be called now and then while in_use().
  void Trim();
  // Frees everything, and keeps nothing more until somebody wants something again.
  void Empty();
  bool in_use() const { return state_.load() != State::kIdle; }
  // What it holds.
  size_t bytes() const;

 private:
  enum class State : uint8_t { kIdle, kWanted, kTrimmed };

  const size_t most_bytes_;
  std::atomic<State> state_ = State::kIdle;
  mutable Mutex mutex_;
  std::vector<Block> blocks_ OHWS_GUARDED_BY(mutex_);
  size_t bytes_ OHWS_GUARDED_BY(mutex_) = 0;
};

}  // namespace ohws
