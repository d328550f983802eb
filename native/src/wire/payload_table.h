// Large payloads that go beside the rings: a table of owned byte buffers, each named by a token that travels
// in a record. Any thread; guarded by a mutex, which one large message in each direction takes twice.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "wire/mutex.h"

namespace ohws {

// Gives the block to the pool.
struct PayloadDeleter {
  void operator()(uint8_t* data) const;
};

// Bytes in a block of malloc, so that they can grow by realloc and become an external ArrayBuffer without a
// copy; how large the block is, and how many share it, stands before them. Large ones come from the process's
// pool.
struct Payload {
  std::unique_ptr<uint8_t[], PayloadDeleter> data;
  size_t size = 0;

  // Uninitialised; empty data if there is no memory.
  static Payload Allocate(size_t size);
  // Grows or shrinks, with its bytes as far as both sizes have them. False, and nothing has changed, if there
  // is no memory; shrinking never moves.
  bool Resize(size_t new_size);
  // The same bytes once more, for another owner; the last frees them. Who shares does not resize.
  Payload Share() const;
};

class PayloadTable {
 public:
  // Takes ownership; the token is valid until Take().
  uint32_t Put(Payload payload);
  // Gives ownership back; an empty payload for a token that is not in the table.
  Payload Take(uint32_t token);
  // What the table holds now; a glance that may be out of date at once.
  size_t bytes() const { return bytes_.load(); }

 private:
  std::atomic<size_t> bytes_ = 0;
  Mutex mutex_;
  std::vector<Payload> slots_ OHWS_GUARDED_BY(mutex_);
  std::vector<uint32_t> free_ OHWS_GUARDED_BY(mutex_);  // tokens without a payload
};

}  // namespace ohws
