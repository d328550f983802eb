#include "wire/payload_table.h"

#include <algorithm>
#include <utility>

namespace ohws {

Payload Payload::Allocate(size_t size) {
  Payload payload;
  payload.Resize(size);
  return payload;
}

bool Payload::Resize(size_t new_size) {
  // What owned the bytes has to forget them if they have moved, which realloc alone knows.
  // NOLINTBEGIN(cppcoreguidelines-owning-memory)
  auto* const moved = static_cast<uint8_t*>(std::realloc(data.get(), std::max<size_t>(new_size, 1)));
  // NOLINTEND(cppcoreguidelines-owning-memory)
  if (moved == nullptr) return false;
  static_cast<void>(data.release());
  data.reset(moved);
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
